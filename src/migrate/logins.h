// Logins: who callers are: AuthType and its providers, as Berth's section auth.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "migrate/requirements.h"
#include "migrate/site.h"

namespace berth::migrate {

class Logins {
  public:
    // Berth has one way to log in; `primary` is where it is taken from.
    Logins(Site& site, const Effective& primary);

    // Whether users and groups of that place are those of the primary one. Says so if they are not.
    bool hold_at(const Effective& place, const Directive& line);
    bool has_users() const { return by_file_ || by_directory_; }
    // Empty: none.
    std::string user_file() const;
    bool has_group_file() const { return !group_file_.empty(); }
    bool has_directory() const { return by_directory_; }

    // The subject for AuthGroupFile's or the directory's group; nullopt: it cannot be told apart
    // from another group, which is reported.
    std::optional<std::string> file_group(const Directive& line, const std::string& name);
    std::optional<std::string> directory_group(const Directive& line, std::string_view dn);

    // Writes the section, when all groups are known.
    void write();

  private:
    const Directive* find(std::string_view key) const;
    void read_type();
    void read_providers();
    void write_file();
    void write_directory();
    void write_directory_groups();

    Site& site_;
    std::map<std::string, const Directive*> auth_;
    bool basic_ = false;
    bool by_file_ = false;
    bool by_directory_ = false;
    std::string group_file_;
    std::set<std::string> file_groups_;
    std::map<std::string, std::string> directory_groups_;  // name → DN
    std::string group_attribute_;                          // of their names
};

// Of a distinguished name, its first attribute and value, and the rest; nullopt: it is not that
// simple (escapes, several values).
struct SplitDn {
    std::string attribute, value, parent;
};
std::optional<SplitDn> split_dn(std::string_view dn);

}  // namespace berth::migrate
