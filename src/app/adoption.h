// How far the taking over of registry:2's data is, in the server's log.
#pragma once

#include "base/log.h"
#include "registry/adoption.h"

namespace berth::app {

// `log` outlives the adoption.
registry::AdoptionOptions logged_adoption(Logger& log);

}  // namespace berth::app
