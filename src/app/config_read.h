// The sections of a configuration, from a checked tree into plain values. The keys' meanings and
// defaults are in docs/configure.md.
#pragma once

#include "app/config.h"
#include "app/config_value.h"

namespace berth::app {

// The files that a configuration names: the password file, certificates, keys. They may be missing
// for a command that is about to make one.
enum class NamedFiles { must_exist, may_be_missing };

// All sections of `root`. What is wrong or worth knowing goes into the value's findings; values
// that do not fit leave the default.
Config read_config(const ConfigValue& root, NamedFiles files);

AuthConfig read_auth(const ConfigValue& auth, const StorageConfig& storage, NamedFiles files);
std::optional<std::vector<auth::Rule>> read_policy(const ConfigValue& policy);
std::optional<auth::AuditOptions> read_audit(const ConfigValue& audit);

// What hangs on more than one section: the token service, which is on where the policy needs one,
// and warnings of what cannot work.
void complete_auth(const ConfigValue& root, Config& config);

HttpConfig read_http(const ConfigValue& http, NamedFiles files);
// Absent: nothing listens there.
std::optional<DebugConfig> read_debug(const ConfigValue& debug);
LogOutputs read_log_outputs(const ConfigValue& log, NamedFiles files);
jobs::NotificationOptions read_notifications(const ConfigValue& notifications,
                                             const HttpConfig& http);
jobs::HealthOptions read_health(const ConfigValue& health);
// Absent where storage.cache does not name it.
std::optional<store::RedisOptions> read_redis(const ConfigValue& root, NamedFiles files);

// Must be a file that this process can read; `missing` is the advice for one that is not there.
void check_file(const ConfigValue& value, const std::string& path, NamedFiles files,
                std::string_view missing = {});
void read_file_path(const ConfigValue& value, std::string& out, NamedFiles files);

}  // namespace berth::app
