#include "store/links/links.h"
