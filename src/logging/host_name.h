// The name of this machine, as it tells others where a line is from.
#pragma once

#include <string>

namespace berth::logging {

std::string host_name();  // localhost, where the system has none

}  // namespace berth::logging
