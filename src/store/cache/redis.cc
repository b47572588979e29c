#include "store/cache/redis.h"
