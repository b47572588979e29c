#include "net/dial.h"
