// What stays of the registry's own configuration.
#include "migrate/site.h"

namespace berth::migrate {

namespace {

std::string shown(const YamlValue& value, const std::string& path) {
    if (value.kind != YamlValue::Kind::scalar) return path;
    for (const auto* word : {"secret", "password", "key", "accesskey", "Authorization"}) {
        if (path.ends_with(word)) return path + ": (hidden)";
    }
    return path + ": " + value.text;
}

class Keeper {
  public:
    explicit Keeper(Site& site) : site_(site) {}

    void keep(YamlValue& map, const std::string& parent) {
        std::erase_if(map.children, [&](YamlValue& member) {
            return drops(member, parent.empty() ? member.key : parent + "." + member.key);
        });
    }

  private:
    void say(const YamlValue& value, const std::string& path, Fate fate, std::string text) {
        const auto line = value.line == 0 ? std::string() : ":" + std::to_string(value.line);
        // Behind all directives, in the order of the file.
        site_.report.add(
            (std::size_t{1} << 32) + value.line,
            {site_.sources.registry_path + line, shown(value, path), fate, std::move(text)});
    }

    bool drops(YamlValue& value, const std::string& path) {
        if (path == "http.addr" || path == "http.net" || path == "http.listeners") {
            say(value, path, Fate::needless,
                "Berth listens where Apache did; whoever came here without Apache, and so without "
                "its checks, comes there now");
            return true;
        }
        if (path == "http.tls") {
            say(value, path, Fate::needless, "clients speak TLS as the site says");
            return true;
        }
        if (path == "redis") {
            say(value, path, Fate::needless, "left out: Berth's index makes a cache unnecessary");
            return true;
        }
        const auto key = site_.sources.registry_key(path);
        switch (key.state) {
            case RegistryKey::State::ignored:
                say(value, path, Fate::needless, "left out: Berth needs no such thing");
                return true;
            case RegistryKey::State::later:
                say(value, path, Fate::lost, "left out: " + key.note);
                return true;
            case RegistryKey::State::unknown:
                say(value, path, Fate::lost, "left out: Berth does not know this key");
                return true;
            case RegistryKey::State::refused:
                say(value, path, Fate::lost, "kept, and Berth will not start with it: " + key.note);
                return false;
            case RegistryKey::State::served:
                break;
        }
        if (value.kind == YamlValue::Kind::map) {
            const bool had = !value.children.empty();
            keep(value, path);
            return had && value.children.empty();
        }
        say(value, path, Fate::carried, "kept");
        return false;
    }

    Site& site_;
};

}  // namespace

void keep_registry(Site& site) {
    Keeper(site).keep(site.config.root(), {});
    if (site.sources.registry_yaml.empty()) {
        const std::string root = "/var/lib/registry";
        site.config.set({"storage", "filesystem", "rootdirectory"}, root);
        site.report.add(0, {site.sources.site_path, "(the registry behind it)", Fate::lost,
                            "its configuration was not named (--registry), so its data are taken "
                            "to be in " +
                                root + ", and everything else has Berth's defaults"});
    }
    site.config.set({"version"}, "0.1");
}

}  // namespace berth::migrate
