#include "api/debug.h"
