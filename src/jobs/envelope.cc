#include "jobs/envelope.h"

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "oci/hasher.h"

namespace berth::jobs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBlobMediaType = "application/octet-stream";

// What our own api has written; an empty object for anything else.
Json parse_object(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_object() ? json : Json::object();
}

// Go leaves out what is empty.
void add_text(Json& object, const char* name, const std::string& text) {
    if (!text.empty()) object[name] = text;
}

std::string member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json target_of(const store::Event& event, const std::string& base) {
    Json target = Json::object();
    add_text(target, "mediaType", event.media_type);
    if (event.size > 0) target["size"] = event.size;
    add_text(target, "digest", event.digest);
    if (event.size > 0) target["length"] = event.size;
    target["repository"] = event.repository;
    add_text(target, "fromRepository", event.from_repository);
    if (event.action != store::EventAction::remove && !base.empty()) {
        const char* folder = event.media_type == kBlobMediaType ? "/blobs/" : "/manifests/";
        target["url"] = base + "v2/" + event.repository + folder + event.digest;
    }
    add_text(target, "tag", event.tag);
    if (!event.references.empty()) {
        Json references = Json::parse(event.references, nullptr, false);
        if (references.is_array()) target["references"] = std::move(references);
    }
    return target;
}

Json request_of(const Json& request) {
    Json out = Json::object();
    out["id"] = member(request, "id");
    add_text(out, "addr", member(request, "addr"));
    add_text(out, "host", member(request, "host"));
    out["method"] = member(request, "method");
    out["useragent"] = member(request, "useragent");
    return out;
}

Json event_of(const store::Event& event, const EventSource& source) {
    const Json request = parse_object(event.request);
    Json out = Json::object();
    out["id"] = event_uuid(event);
    out["timestamp"] = format_rfc3339(event.at);
    out["action"] = name_of(event.action);
    out["target"] = target_of(event, member(request, "base"));
    out["request"] = request_of(request);
    out["actor"] = Json::object();
    add_text(out["actor"], "name", event.actor);
    out["source"] = Json::object();
    add_text(out["source"], "addr", source.address);
    add_text(out["source"], "instanceID", source.instance);
    return out;
}

}  // namespace

// Nothing is stored for it: the row's number tells events of one index apart, and the rest, with
// the request's unguessable id in it, those of several.
std::string event_uuid(const store::Event& event) {
    std::string text;
    for (const std::string& part :
         {std::to_string(event.id), std::to_string(event.at.time_since_epoch().count()),
          std::string(name_of(event.action)), event.repository, event.digest, event.tag,
          event.request}) {
        text += part;
        text += '\0';
    }
    const auto digest = oci::digest_of(oci::Algorithm::sha256, as_bytes(text));
    std::string uuid(digest.hex().substr(0, 32));
    uuid[12] = '4';                   // the version
    uuid[16] = "89ab"[uuid[16] % 4];  // the variant
    for (const std::size_t dash : {8, 13, 18, 23})
        uuid.insert(dash, 1, '-');
    return uuid;
}

std::string format_envelope(const std::vector<store::Event>& events, const EventSource& source) {
    Json list = Json::array();
    for (const auto& event : events)
        list.push_back(event_of(event, source));
    Json envelope = Json::object();
    envelope["events"] = std::move(list);
    return envelope.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace berth::jobs
