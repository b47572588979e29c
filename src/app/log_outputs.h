// The log and everything it is written to, from the configuration.
#pragma once

#include <memory>

#include "app/config.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace berth::app {

Result<std::unique_ptr<Logger>> open_log(const Config& config, const Clock& clock);

}  // namespace berth::app
