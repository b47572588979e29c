#include "jobs/notifications.h"
