// What every Index must record and keep of events: a part of the index suite, whose backends record
// all of them.
#pragma once

#include "suites/index_suite.h"

namespace berth::store {

// `push team/app sha256… v1` in short: the action, the number of the digest, the tag.
inline std::string format_event(const Event& event) {
    std::string text(name_of(event.action));
    if (!event.digest.empty()) {
        const auto digest = Digest::parse(event.digest).value();
        text += " " + std::to_string(std::stoull(std::string(digest.hex())));
    }
    if (!event.tag.empty()) text += " :" + event.tag;
    return text;
}

class EventSuite : public IndexSuite {
  protected:
    std::vector<Event> events(std::int64_t after = 0, std::size_t limit = 1000) {
        return index().events(after, limit).value();
    }
    std::vector<std::string> lines() {
        std::vector<std::string> lines;
        for (const auto& event : events())
            lines.push_back(format_event(event));
        return lines;
    }
    void append(int count, Time at = {}) {
        std::vector<Event> more(static_cast<std::size_t>(count));
        for (Event& event : more) {
            event.action = EventAction::pull;
            event.repository = "team/app";
            event.at = at;
        }
        ASSERT_TRUE(index().append_events(more));
    }
    std::int64_t first() { return index().event_queue_state().value().first; }
    std::int64_t last() { return index().event_queue_state().value().last; }
};

TEST_P(EventSuite, HasNoneAtFirst) {
    EXPECT_THAT(events(), ::testing::IsEmpty());
    const auto state = index().event_queue_state().value();
    EXPECT_EQ(state.last, 0);
    EXPECT_EQ(state.first, 1);
    EXPECT_THAT(state.cursors, ::testing::IsEmpty());
}

TEST_P(EventSuite, TellsOfEachChangeInItsOrder) {
    link(app_, 1);
    put(app_, image_of(10, {digest_of(1)}), {latest_, tag_of("v1")});
    put(app_, image_of(11));
    put(app_, image_of(10, {digest_of(1)}), {latest_});
    ASSERT_TRUE(index().mount_blob(other_, digest_of(1), 10, app_, actor_));
    ASSERT_TRUE(index().delete_tag(app_, tag_of("v1"), actor_));
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
    ASSERT_TRUE(index().unlink_blob(app_, digest_of(1), actor_));
    EXPECT_THAT(lines(),
                ::testing::ElementsAre("push 1", "push 10 :latest", "push 10 :v1", "push 11",
                                       "push 10 :latest", "mount 1", "delete :v1", "delete 10",
                                       "delete :latest", "delete 1"));
}

TEST_P(EventSuite, KnowsEverythingThatIsToBeTold) {
    const Actor actor{"jenkins", R"({"id":"7"})"};
    ManifestRecord record = image_of(10);
    record.references = "[1]";
    ASSERT_TRUE(index().link_blob(app_, digest_of(1), 42, actor));
    ASSERT_TRUE(index().put_manifest(app_, record, {latest_}, Overwrite::yes, actor));
    ASSERT_TRUE(index().mount_blob(other_, digest_of(1), 42, app_, actor));
    ASSERT_TRUE(index().delete_tag(app_, latest_, actor));
    const auto all = events();
    ASSERT_EQ(all.size(), 4u);
    for (const auto& event : all) {
        EXPECT_EQ(event.at, clock_.now());
        EXPECT_EQ(event.actor, "jenkins");
        EXPECT_EQ(event.request, R"({"id":"7"})");
    }
    EXPECT_EQ(all[0].repository, "team/app");
    EXPECT_EQ(all[0].media_type, "application/octet-stream");
    EXPECT_EQ(all[0].size, 42u);
    EXPECT_EQ(all[0].references, "");
    EXPECT_EQ(all[1].media_type, record.media_type);
    EXPECT_EQ(all[1].size, record.size);
    EXPECT_EQ(all[1].tag, "latest");
    EXPECT_EQ(all[1].references, "[1]");
    EXPECT_EQ(all[2].repository, "team/other");
    EXPECT_EQ(all[2].from_repository, "team/app");
    EXPECT_EQ(all[2].media_type, "application/octet-stream");
    EXPECT_EQ(all[3].digest, "");
    EXPECT_EQ(all[3].media_type, "");
    EXPECT_EQ(all[3].size, 0u);
}

TEST_P(EventSuite, TellsOfNothingThatFailed) {
    put(app_, image_of(10), {latest_});
    const auto before = last();
    EXPECT_FALSE(
        index().put_manifest(app_, image_of(11), {tag_of("new"), latest_}, Overwrite::no, actor_));
    EXPECT_FALSE(index().delete_tag(app_, tag_of("absent"), actor_));
    EXPECT_FALSE(index().unlink_blob(app_, digest_of(99), actor_));
    EXPECT_EQ(last(), before);
    put(app_, image_of(12));
    EXPECT_EQ(last(), before + 1) << "ids have no holes";
}

TEST_P(EventSuite, PagesThroughThem) {
    append(5);
    const auto two = events(1, 2);
    ASSERT_EQ(two.size(), 2u);
    EXPECT_EQ(two[0].id, 2);
    EXPECT_EQ(two[1].id, 3);
    EXPECT_THAT(events(5), ::testing::IsEmpty());
}

TEST_P(EventSuite, AnswersWithFewerWhereTheyAreLong) {
    std::vector<Event> long_ones(10);
    for (Event& event : long_ones) {
        event.repository = "team/app";
        event.references = std::string(400'000, ' ');
    }
    ASSERT_TRUE(index().append_events(long_ones));
    EXPECT_EQ(events().size(), 3u);
    EXPECT_EQ(events(3).front().id, 4);
}

TEST_P(EventSuite, BeginsANewEndpointBehindTheLastEvent) {
    append(3);
    EXPECT_EQ(index().cursor("alpha").value(), 3);
    append(1);
    EXPECT_EQ(index().cursor("alpha").value(), 3);
    EXPECT_EQ(index().cursor("beta").value(), 4);
}

TEST_P(EventSuite, MovesACursorOnlyFromWhereItIsThoughtToBe) {
    append(3);
    ASSERT_EQ(index().cursor("alpha").value(), 3);
    EXPECT_TRUE(index().move_cursor("alpha", 3, 1).value()) << "a replay";
    EXPECT_FALSE(index().move_cursor("alpha", 3, 4).value());
    EXPECT_EQ(index().cursor("alpha").value(), 1);
    EXPECT_FALSE(index().move_cursor("nobody", 0, 1).value());
}

TEST_P(EventSuite, ForgetsTheCursorsOfOtherEndpoints) {
    for (const char* name : {"alpha", "beta", "gamma"})
        ASSERT_TRUE(index().cursor(name));
    ASSERT_TRUE(index().keep_cursors({"beta", "unknown"}));
    const auto state = index().event_queue_state().value();
    ASSERT_EQ(state.cursors.size(), 1u);
    EXPECT_EQ(state.cursors[0].endpoint, "beta");
}

TEST_P(EventSuite, KeepsWhatIsOldButNotTold) {
    ASSERT_TRUE(index().cursor("alpha"));
    append(3, clock_.now());
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(index().trim_events(clock_.now(), 1000).value().removed, 0u);
    ASSERT_TRUE(index().move_cursor("alpha", 0, 2).value());
    const auto trimmed = index().trim_events(clock_.now(), 1000).value();
    EXPECT_EQ(trimmed.removed, 2u);
    EXPECT_EQ(trimmed.untold, 0u);
    EXPECT_EQ(first(), 3);
}

TEST_P(EventSuite, KeepsWhatIsToldButNotOld) {
    append(2, clock_.now());
    clock_.advance(std::chrono::hours(1));
    append(2, clock_.now());
    EXPECT_EQ(index().trim_events(clock_.now() - std::chrono::minutes(1), 1000).value().removed,
              2u);
    EXPECT_EQ(first(), 3);
}

TEST_P(EventSuite, RemovesTheOldestBeyondTheMost) {
    ASSERT_TRUE(index().cursor("alpha"));
    append(10, clock_.now());
    ASSERT_TRUE(index().move_cursor("alpha", 0, 4).value());
    const auto trimmed = index().trim_events(clock_.now(), 3).value();
    EXPECT_EQ(trimmed.removed, 7u);
    EXPECT_EQ(trimmed.untold, 3u);
    EXPECT_EQ(first(), 8);
    EXPECT_EQ(index().event_queue_state().value().pending(4), 3u);
    EXPECT_EQ(events(4).front().id, 8);
}

TEST_P(EventSuite, RemovesMuchInSteps) {
    append(5'000);
    std::uint64_t removed = 0;
    int calls = 0;
    for (;; ++calls) {
        const auto trimmed = index().trim_events(clock_.now(), 10).value();
        removed += trimmed.removed;
        if (trimmed.removed == 0) break;
    }
    EXPECT_EQ(removed, 5'000u) << "nobody is to be told, and they are old";
    EXPECT_GT(calls, 1);
    append(1);
    EXPECT_EQ(events().front().id, 5'001) << "ids are never given twice";
}

TEST_P(EventSuite, FindsWhereATimeBegins) {
    append(2, clock_.now());
    clock_.advance(std::chrono::hours(1));
    append(2, clock_.now());
    EXPECT_EQ(index().last_event_before(Time{}).value(), 0);
    EXPECT_EQ(index().last_event_before(clock_.now()).value(), 2);
    EXPECT_EQ(index().last_event_before(clock_.now() + std::chrono::hours(1)).value(), 4);
}

}  // namespace berth::store
