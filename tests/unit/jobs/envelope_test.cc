// Goal: what endpoints get is what distribution sends, field by field.
// Method: whole envelopes compared with the JSON that notifications/event.go gives for the same.
#include "jobs/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/encoding.h"

namespace berth::jobs {
namespace {

using Json = nlohmann::json;
using store::Event;
using store::EventAction;

constexpr const char* kDigest =
    "sha256:c5a1e62dd6c1a9a3f5e0a9a3b3f0a5a2f3d6c1a9a3f5e0a9a3b3f0a5a2f3d6c1";

const EventSource kSource{"registry.example.org:5000", "a-start"};

Event pushed_manifest() {
    Event event;
    event.id = 7;
    event.at = parse_rfc3339("2026-11-25T03:27:10.123Z").value();
    event.action = EventAction::push;
    event.repository = "team/app";
    event.digest = kDigest;
    event.media_type = "application/vnd.oci.image.manifest.v1+json";
    event.size = 708;
    event.tag = "v1";
    event.actor = "jenkins";
    event.request =
        R"({"id":"r-1","addr":"10.0.0.7:34567","host":"registry.example.org","method":"PUT",)"
        R"("useragent":"crane/0.20","base":"https://registry.example.org/"})";
    return event;
}

Json only_event(const Event& event) {
    const Json envelope = Json::parse(format_envelope({event}, kSource));
    EXPECT_EQ(envelope.size(), 1u);
    EXPECT_EQ(envelope["events"].size(), 1u);
    return envelope["events"][0];
}

TEST(Envelope, TellsOfAPushAsDistributionDoes) {
    const Event event = pushed_manifest();
    const Json expected = Json::parse(R"({
        "timestamp": "2026-11-25T03:27:10.123Z",
        "action": "push",
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "size": 708,
            "digest": ")" + std::string(kDigest) +
                                      R"(",
            "length": 708,
            "repository": "team/app",
            "url": "https://registry.example.org/v2/team/app/manifests/)" +
                                      kDigest + R"(",
            "tag": "v1"
        },
        "request": {
            "id": "r-1",
            "addr": "10.0.0.7:34567",
            "host": "registry.example.org",
            "method": "PUT",
            "useragent": "crane/0.20"
        },
        "actor": {"name": "jenkins"},
        "source": {"addr": "registry.example.org:5000", "instanceID": "a-start"}
    })");
    Json told = only_event(event);
    EXPECT_EQ(told["id"], event_uuid(event));
    told.erase("id");
    EXPECT_EQ(told, expected);
}

TEST(Envelope, TellsWhereABlobIsAndWhereItWasMountedFrom) {
    Event event = pushed_manifest();
    event.action = EventAction::mount;
    event.media_type = "application/octet-stream";
    event.from_repository = "team/base";
    event.tag.clear();
    const Json target = only_event(event)["target"];
    EXPECT_EQ(target["url"],
              "https://registry.example.org/v2/team/app/blobs/" + std::string(kDigest));
    EXPECT_EQ(target["fromRepository"], "team/base");
    EXPECT_FALSE(target.contains("tag"));
}

TEST(Envelope, TellsOfADeletedTagByItsNameAlone) {
    Event event = pushed_manifest();
    event.action = EventAction::remove;
    event.digest.clear();
    event.media_type.clear();
    event.size = 0;
    const Json told = only_event(event);
    EXPECT_EQ(told["action"], "delete");
    EXPECT_EQ(told["target"], Json::parse(R"({"repository": "team/app", "tag": "v1"})"));
}

TEST(Envelope, TellsOfADeletedManifestByItsDigestAlone) {
    Event event = pushed_manifest();
    event.action = EventAction::remove;
    event.media_type.clear();
    event.size = 0;
    event.tag.clear();
    const Json expected = {{"repository", "team/app"}, {"digest", kDigest}};
    EXPECT_EQ(only_event(event)["target"], expected);
}

TEST(Envelope, NamesWhatAManifestConsistsOf) {
    Event event = pushed_manifest();
    event.references = R"([{"mediaType":"a/b","size":3,"digest":"sha256:1"}])";
    EXPECT_EQ(only_event(event)["target"]["references"], Json::parse(event.references));
}

TEST(Envelope, NamesNobodyWhereNobodyWasAsked) {
    Event event = pushed_manifest();
    event.actor.clear();
    event.request.clear();
    const Json told = only_event(event);
    EXPECT_EQ(told["actor"], Json::object());
    EXPECT_EQ(told["request"], Json::parse(R"({"id": "", "method": "", "useragent": ""})"));
    EXPECT_FALSE(told["target"].contains("url"));
}

TEST(Envelope, IsJsonWhateverClientsSay) {
    Event event = pushed_manifest();
    event.actor = "\xff\"\n";
    event.tag = "\xe2\x82";
    EXPECT_EQ(only_event(event)["actor"]["name"], "\xef\xbf\xbd\"\n");
    event.request = "not JSON";
    event.references = "{";
    EXPECT_FALSE(only_event(event)["target"].contains("references"));
}

TEST(Envelope, HoldsManyInTheirOrder) {
    Event first = pushed_manifest();
    Event second = pushed_manifest();
    second.id = 8;
    second.tag = "v2";
    const Json envelope = Json::parse(format_envelope({first, second}, kSource));
    ASSERT_EQ(envelope["events"].size(), 2u);
    EXPECT_EQ(envelope["events"][0]["target"]["tag"], "v1");
    EXPECT_EQ(envelope["events"][1]["target"]["tag"], "v2");
}

TEST(EventUuid, IsTheSameEachTimeAndAnotherForEachEvent) {
    std::set<std::string> seen;
    const auto is_new = [&seen](const Event& event) {
        return seen.insert(event_uuid(event)).second;
    };
    Event event = pushed_manifest();
    EXPECT_TRUE(is_new(event));
    EXPECT_FALSE(is_new(event));
    event.id = 8;
    EXPECT_TRUE(is_new(event));
    event.at += std::chrono::milliseconds(1);
    EXPECT_TRUE(is_new(event)) << "an index that was restored gives an id twice";
    event.request = R"({"id":"r-2"})";
    EXPECT_TRUE(is_new(event)) << "another index has the same id";
    for (const auto& uuid : seen) {
        EXPECT_THAT(uuid,
                    testing::MatchesRegex(
                        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    }
}

}  // namespace
}  // namespace berth::jobs
