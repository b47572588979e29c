#include "auth/audit/audit_verify.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"

namespace berth::auth {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
// A server that is writing the last line right now has done so within these.
constexpr int kEndTries = 10;
constexpr int kEndTryMilliseconds = 20;

// Reads lines whose length is bounded.
class Lines {
  public:
    explicit Lines(const std::string& path)
        : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (!fd_) open_error_ = errno;
    }

    Result<void> each(const UseAuditLine& use) {
        if (!fd_) return fail_errno("open " + path_, open_error_);
        int tries = 0;
        for (;;) {
            BERTH_TRY(const bool more, fill());
            BERTH_CHECK(use_whole_lines(use));
            if (buffer_.size() > kAuditLineMax) return bad("is too long");
            if (more) continue;
            if (buffer_.empty()) return {};
            if (++tries > kEndTries) return bad("is not whole: its end is missing");
            ::poll(nullptr, 0, kEndTryMilliseconds);
        }
    }

  private:
    std::unexpected<Error> bad(std::string_view what) const {
        return fail(Errc::corrupt,
                    path_ + " line " + std::to_string(number_ + 1) + " " + std::string(what));
    }

    // False: at the end of the file.
    Result<bool> fill() {
        const std::size_t old = buffer_.size();
        buffer_.resize(old + kReadBytes);
        ::ssize_t got = 0;
        do {
            got = ::read(fd_.get(), buffer_.data() + old, kReadBytes);
        } while (got < 0 && errno == EINTR);
        if (got < 0) return fail_errno("read " + path_, errno);
        buffer_.resize(old + static_cast<std::size_t>(got));
        return got > 0;
    }

    Result<void> use_whole_lines(const UseAuditLine& use) {
        std::size_t begin = 0;
        for (;;) {
            const std::size_t end = buffer_.find('\n', begin);
            if (end == std::string::npos) break;
            BERTH_CHECK(use(std::string_view(buffer_).substr(begin, end - begin), number_ + 1));
            ++number_;
            begin = end + 1;
        }
        buffer_.erase(0, begin);
        return {};
    }

    const std::string& path_;
    const UniqueFd fd_;
    int open_error_ = 0;
    std::string buffer_;
    std::uint64_t number_ = 0;  // of the last whole line
};

class Chain {
  public:
    explicit Chain(std::string_view expect) : expect_(expect), found_(expect.empty()) {}

    Result<void> add_file(const std::string& path) {
        const std::uint64_t before = verdict_.lines;
        BERTH_CHECK(each_audit_line(path, [&](std::string_view text, std::uint64_t number) {
            auto added = add(text, number);
            if (added) return added;
            return Result<void>(std::unexpected(
                std::move(added.error()).with_context(path + " line " + std::to_string(number))));
        }));
        if (verdict_.lines > before) return {};
        return fail(Errc::corrupt, path + " is empty: its lines were removed");
    }

    Result<AuditVerdict> finish() && {
        if (!found_) {
            return fail(Errc::corrupt,
                        "no line has the hash " + std::string(expect_) +
                            ": lines were removed from the end, the log was written anew, or the "
                            "file it was in is gone");
        }
        return std::move(verdict_);
    }

  private:
    Result<void> add(std::string_view text, std::uint64_t number) {
        BERTH_TRY(AuditLine line, read_audit_line(text));
        if (number == 1 && line.event != AuditEvent::opened) {
            return fail(Errc::corrupt, "the beginning of the file was cut off");
        }
        BERTH_CHECK(verdict_.lines == 0 ? check_first(line) : check_next(line));
        if (verdict_.lines == 0) verdict_.first = line.seq;
        ++verdict_.lines;
        verdict_.last = line.seq;
        if (line.event == AuditEvent::lost) verdict_.lost += line.number;
        verdict_.head = std::move(line.hash);
        found_ = found_ || verdict_.head == expect_ || line.prev == expect_;
        return {};
    }

    static Result<void> check_first(const AuditLine& line) {
        if ((line.seq == 1) == (line.prev == first_audit_hash())) return {};
        return fail(Errc::corrupt, "`seq` and `prev` do not fit: only line 1 follows none");
    }

    Result<void> check_next(const AuditLine& line) const {
        const std::string place = "line " + std::to_string(line.seq) + " of the log follows line " +
                                  std::to_string(verdict_.last);
        if (line.seq == 1) return fail(Errc::corrupt, "another log begins here");
        if (line.seq > verdict_.last + 1) return fail(Errc::corrupt, "lines are missing: " + place);
        if (line.seq != verdict_.last + 1) {
            return fail(Errc::corrupt, "the lines are not in order: " + place);
        }
        if (line.prev != verdict_.head) {
            return fail(Errc::corrupt,
                        "it does not follow the line before: `prev` is not its hash");
        }
        return {};
    }

    const std::string_view expect_;
    bool found_;
    AuditVerdict verdict_;
};

}  // namespace

Result<void> each_audit_line(const std::string& path, const UseAuditLine& use) {
    return Lines(path).each(use);
}

Result<AuditVerdict> verify_audit(const std::vector<std::string>& paths, std::string_view expect) {
    Chain chain(expect);
    for (const std::string& path : paths)
        BERTH_CHECK(chain.add_file(path));
    return std::move(chain).finish();
}

}  // namespace berth::auth
