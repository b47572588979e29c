#include "jobs/health.h"
