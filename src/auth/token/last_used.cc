#include "auth/token/last_used.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/rewrite_file.h"
#include "base/watched_file.h"
#include "oci/json.h"

namespace berth::auth {
namespace {

using oci::Json;

constexpr ::mode_t kFileMode = 0600;

LastUsed::Times parse(std::string_view text) {
    LastUsed::Times times;
    const auto json = oci::parse_json(text, 1);
    if (!json || !json->is_object()) return times;
    for (const auto& [id, value] : json->items()) {
        if (!value.is_string()) continue;
        const auto time = parse_rfc3339(value.get_ref<const std::string&>());
        if (time) times.emplace(id, *time);
    }
    return times;
}

std::string format(const LastUsed::Times& times) {
    Json json = Json::object();
    for (const auto& [id, time] : times)
        json[id] = format_rfc3339(time);
    return json.dump(1) + "\n";
}

// The later ones count.
void merge(LastUsed::Times& times, const LastUsed::Times& others) {
    for (const auto& [id, time] : others) {
        Time& last = times.try_emplace(id, time).first->second;
        last = std::max(last, time);
    }
}

}  // namespace

void LastUsed::note(const std::string& id, Time at) {
    std::lock_guard lock(mutex_);
    merge(noted_, {{id, at}});
}

Result<LastUsed::Times> LastUsed::all() const {
    const auto text = read_text_file(path_);
    if (!text && text.error().code != Errc::not_found) return std::unexpected(text.error());
    Times times = parse(text.value_or(std::string()));
    std::lock_guard lock(mutex_);
    merge(times, noted_);
    return times;
}

Result<void> LastUsed::save(const std::function<bool(const std::string& id)>& is_there) {
    Times news;
    {
        std::lock_guard lock(mutex_);
        std::swap(news, noted_);
    }
    if (news.empty()) return {};
    auto saved = rewrite_file(path_, kFileMode, [&](std::string_view text) -> Result<std::string> {
        Times times = parse(text);
        merge(times, news);
        std::erase_if(times, [&](const auto& row) { return !is_there(row.first); });
        return format(times);
    });
    if (!saved) {
        std::lock_guard lock(mutex_);
        merge(noted_, news);
    }
    return saved;
}

}  // namespace berth::auth
