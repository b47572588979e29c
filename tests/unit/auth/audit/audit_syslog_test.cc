// What goes to the local syslog: this program's syslog(3) stands in for the C library's.
#include <syslog.h>

#include <cstdarg>
#include <cstdio>

#include "auth/audit/audit_log.h"
#include "gtest/gtest.h"
#include "unit/auth/audit/audit_sample.h"

namespace {

struct Sent {
    int priority;
    std::string text;
};
std::vector<Sent> sent;

void take(int priority, const char* format, va_list arguments) {
    std::string text(berth::auth::kAuditLineMax, '\0');
    const int size = std::vsnprintf(text.data(), text.size(), format, arguments);
    text.resize(static_cast<std::size_t>(size));
    sent.push_back({priority, text});
}

}  // namespace

extern "C" void syslog(int priority, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    take(priority, format, arguments);
    va_end(arguments);
}

// What _FORTIFY_SOURCE makes of it.
extern "C" void __syslog_chk(int priority, int, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    take(priority, format, arguments);
    va_end(arguments);
}

namespace berth::auth {
namespace {

TEST(AuditSyslog, GetsEachLineOnce) {
    AuditPlace place;
    place.options.syslog = true;
    sent.clear();
    {
        const auto log = *place.open();
        log->record(sample_record("100% %n %s"));
        AuditRecord refused = sample_record("mallory");
        refused.allowed = false;
        log->record(refused);
    }
    const auto lines = lines_of(place.path());
    ASSERT_EQ(sent.size(), lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(sent[i].text, lines[i]);
        EXPECT_EQ(sent[i].priority & LOG_FACMASK, LOG_AUTHPRIV);
        EXPECT_EQ(LOG_PRI(sent[i].priority), lines[i].contains("mallory") ? LOG_NOTICE : LOG_INFO);
    }
}

TEST(AuditSyslog, NeedsNoFile) {
    AuditPlace place;
    place.options.syslog = true;
    place.options.path.clear();
    sent.clear();
    {
        const auto log = *place.open();
        log->record(sample_record());
        log->reopen();
        log->flush();
    }
    ASSERT_EQ(sent.size(), 3u);
    EXPECT_EQ(read_audit_line(sent[1].text)->record.user, "alice");
}

TEST(AuditSyslog, GetsNothingUnlessItIsAskedTo) {
    AuditPlace place;
    sent.clear();
    place.run({"alice"});
    EXPECT_TRUE(sent.empty());
}

}  // namespace
}  // namespace berth::auth
