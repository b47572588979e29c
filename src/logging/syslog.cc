#include "logging/syslog.h"
