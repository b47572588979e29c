#include "logging/journald.h"
