// Goal: a response is what was put into it, and nobody can put a line into a field.
#include "http/message.h"

#include <gtest/gtest.h>

#include "http/answer.h"

namespace berth::http {
namespace {

TEST(Request, FindsFieldsWhateverTheirCase) {
    Request request;
    request.fields = {{"Host", "a"}, {"ACCEPT", "b"}, {"accept", "c"}};
    EXPECT_EQ(request.field("accept"), "b");
    EXPECT_EQ(request.field("hos"), "");
}

TEST(Response, LeavesControlCharactersOut) {
    Response response;
    response.add("Location", "/a\r\nSet-Cookie: x\tb\x7f");
    response.add("Count", 18446744073709551615u);
    EXPECT_EQ(response.fields(), "Location: /aSet-Cookie: xb\r\nCount: 18446744073709551615\r\n");
    EXPECT_EQ(response.field("count"), "18446744073709551615");
    EXPECT_EQ(response.field("location"), "/aSet-Cookie: xb");
    EXPECT_EQ(response.field("set-cookie"), "");
}

TEST(Response, HasTheBodyThatWasSetLast) {
    Response response;
    response.body_text("text");
    EXPECT_EQ(as_text(response.bytes()), "text");
    response.body_shared(as_bytes("shared"), nullptr);
    EXPECT_EQ(as_text(response.bytes()), "shared");
    EXPECT_EQ(response.size(), 6u);
    response.body_file(3, 10, 20, nullptr);
    EXPECT_TRUE(response.bytes().empty());
    EXPECT_EQ(response.file()->offset, 10u);
    EXPECT_EQ(response.size(), 20u);
    response.body_length(7);
    EXPECT_FALSE(response.file().has_value());
    EXPECT_EQ(response.size(), 7u);
}

TEST(Response, ForgetsEverythingAtReset) {
    Response response;
    const auto owner = std::make_shared<int>(1);
    response.status = 404;
    response.close = true;
    response.add("A", "b");
    response.body_shared(as_bytes("shared"), owner);
    response.reset();
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.close);
    EXPECT_EQ(response.fields(), "");
    EXPECT_TRUE(response.bytes().empty());
    EXPECT_EQ(response.size(), 0u);
    EXPECT_EQ(owner.use_count(), 1);
}

TEST(Answer, SaysItsLengthWhereItMayHaveOne) {
    struct Row {
        Method method;
        int status;
        const char* head;
    };
    const Row rows[] = {
        {Method::get, 200, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\n"},
        {Method::head, 200, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\n"},
        {Method::remove, 204, "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"},
        {Method::get, 304, "HTTP/1.1 304 Not Modified\r\nA: b\r\n\r\n"},
        {Method::head, 404, "HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 3\r\n\r\n"},
    };
    for (const Row& row : rows) {
        Request request;
        request.method = row.method;
        Response response;
        response.status = row.status;
        response.body_text("abc");
        std::string out;
        append_head(out, request, response, "A: b\r\n", Persistence::keep);
        EXPECT_EQ(out, row.head);
    }
}

}  // namespace
}  // namespace berth::http
