#include "logging/mail.h"
