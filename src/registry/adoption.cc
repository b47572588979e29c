#include "registry/adoption.h"
