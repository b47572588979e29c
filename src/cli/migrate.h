// What `berth migrate` knows of the registry's keys, by the table of the configuration.
#pragma once

#include <string>

#include "migrate/apache.h"

namespace berth::cli {

migrate::RegistryKey registry_key(const std::string& path);

}  // namespace berth::cli
