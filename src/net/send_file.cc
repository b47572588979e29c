// Stream::send_file: from the page cache to the socket, and past a cold disk without waiting for it
// on the loop.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <memory>
#include <vector>

#include "net/stream.h"

namespace berth::net {

namespace {

using boost::asio::socket_base;

// So much is asked of the page cache, and then of sendfile, at a time.
constexpr std::uint64_t kWindowBytes = 2 << 20;
// So much is read and encrypted at a time: it stays in the processor's own cache.
constexpr std::size_t kPieceBytes = 64 << 10;
// So much ciphertext leaves with one call; also what a slow peer makes a stream hold.
constexpr std::size_t kCollectedBytes = 2 * kPieceBytes;
constexpr std::size_t kWarmBytes = 256 << 10;
// Up to here a plain file costs less copied behind its head than sent by a call of its own.
constexpr std::uint64_t kCopiedBytesMax = 32 << 10;

std::unexpected<Error> fail_short() {
    return fail(Errc::io, "the file is shorter than it should be");
}

// Reads all of `out`, waiting for the disk; for the pool.
Result<void> read_all(int fd, MutableBytes out, std::uint64_t offset) {
    while (!out.empty()) {
        const auto count = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno("read a file to send", errno);
        if (count == 0) return fail_short();
        out = out.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

// Brings a part of the file into the page cache; for the pool. Read in order and not by
// readahead(2), which fills the cache with single pages: sendfile then costs twice as much for as
// long as they stay.
Result<void> warm(int fd, std::uint64_t offset, std::uint64_t size) {
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    std::vector<std::byte> dropped(kWarmBytes);
    for (std::uint64_t done = 0; done < size;) {
        const auto step = std::min<std::uint64_t>(size - done, dropped.size());
        BERTH_CHECK(read_all(fd, MutableBytes(dropped).first(step), offset + done));
        done += step;
    }
    return {};
}

// What is in memory, without waiting for the disk: how many bytes came, 0 at the file's end, -1 if
// none is (or if the file system cannot say).
ssize_t read_cached(int fd, MutableBytes out, std::uint64_t offset) {
    const iovec part{out.data(), out.size()};
    return ::preadv2(fd, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
}

// Looks at both ends of the part only: a cold file has neither.
bool is_cached(int fd, std::uint64_t offset, std::uint64_t size) {
    std::byte probe[1];
    return read_cached(fd, probe, offset) >= 0 && read_cached(fd, probe, offset + size - 1) >= 0;
}

// The loop's own piece: filled and used up between two waits.
MutableBytes loop_piece() {
    static thread_local const auto piece = std::make_unique<std::byte[]>(kPieceBytes);
    return {piece.get(), kPieceBytes};
}

}  // namespace

Task<Result<void>> Stream::send_file(int fd, std::uint64_t offset, std::uint64_t size, Pool& disk,
                                     const std::function<void(std::size_t)>& moved) {
    // The head may still wait for its body.
    if (size == 0) return flush(More::no);
    return tls_ || size <= kCopiedBytesMax ? copy_file(fd, offset, size, disk, moved)
                                           : splice_file(fd, offset, size, disk, moved);
}

Task<Result<void>> Stream::copy_file(int fd, std::uint64_t offset, std::uint64_t size, Pool& disk,
                                     const std::function<void(std::size_t)>& moved) {
    std::vector<std::byte> cold;
    std::size_t collected = 0;  // not told to `moved` yet
    while (size > 0) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size, kPieceBytes));
        MutableBytes piece = loop_piece().first(want);
        const auto count = read_cached(fd, piece, offset);
        if (count == 0) co_return fail_short();
        if (count > 0) {
            piece = piece.first(static_cast<std::size_t>(count));
        } else {
            cold.resize(want);
            piece = cold;
            auto job = [fd, piece, offset]() -> Result<void> {
                ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
                return read_all(fd, piece, offset);
            };
            auto read = co_await run_on(disk, job);
            if (!read) co_return read;
        }
        offset += piece.size();
        size -= piece.size();
        const Bytes pieces[] = {piece};
        if (cut_) co_return check({});
        if (tls_) {
            if (auto encrypted = encrypt(pieces, kCollectedBytes); !encrypted) co_return encrypted;
        } else {
            kept_.append(as_text(piece));
        }
        collected += piece.size();
        if (size > 0 && collected < kCollectedBytes) continue;
        auto flushed = co_await flush(More::no);
        if (!flushed) co_return flushed;
        if (moved) moved(collected);
        collected = 0;
        if (size > 0) co_await pause();
    }
    co_return Result<void>{};
}

Task<Result<void>> Stream::splice_file(int fd, std::uint64_t offset, std::uint64_t size, Pool& disk,
                                       const std::function<void(std::size_t)>& moved) {
    auto flushed = co_await flush(More::yes);
    if (!flushed) co_return flushed;
    while (size > 0) {
        std::uint64_t window = std::min(size, kWindowBytes);
        if (!is_cached(fd, offset, window)) {
            auto job = [fd, offset, window] { return warm(fd, offset, window); };
            auto read = co_await run_on(disk, job);
            if (!read) co_return read;
        }
        size -= window;
        while (window > 0) {
            if (cut_) co_return check({});
            auto at = static_cast<off_t>(offset);
            const auto sent = ::sendfile(this->fd(), fd, &at, window);
            if (sent == 0) co_return fail_short();
            if (sent < 0 && errno != EAGAIN && errno != EINTR)
                co_return fail(Errc::cancelled, "the peer went away", errno);
            if (sent > 0) {
                offset += static_cast<std::uint64_t>(sent);
                window -= static_cast<std::uint64_t>(sent);
                if (moved) moved(static_cast<std::size_t>(sent));
            }
            if (window == 0) break;
            const auto [waited] = co_await wait(socket_base::wait_write);
            if (auto usable = check(waited); !usable) co_return usable;
        }
        if (size > 0 && ++turns_ > 1) co_await pause();
    }
    co_return Result<void>{};
}

}  // namespace berth::net
