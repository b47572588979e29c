// Pieces: cutting a list of byte ranges into batches.
#include "net/pieces.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::net {
namespace {

std::string join(std::span<const Bytes> pieces) {
    std::string text;
    for (const Bytes& piece : pieces)
        text += as_text(piece);
    return text;
}

TEST(Pieces, AreEmptyWhenEveryPieceIs) {
    const std::vector<Bytes> list{as_bytes(""), as_bytes("")};
    EXPECT_TRUE(Pieces(list).empty());
    EXPECT_TRUE(Pieces({}).empty());
}

TEST(Pieces, GiveWhatIsLeftAfterEachStep) {
    const std::vector<Bytes> list{as_bytes("one"), as_bytes(""), as_bytes("two"),
                                  as_bytes("three")};
    const std::string whole = "onetwothree";
    for (std::size_t step = 1; step <= whole.size(); ++step) {
        Pieces pieces(list);
        std::string seen;
        while (!pieces.empty()) {
            Pieces::Batch batch;
            EXPECT_EQ(join(pieces.next(batch, 1000)), whole.substr(seen.size()));
            const std::string next = join(pieces.next(batch, step));
            EXPECT_EQ(next.size(), std::min(step, whole.size() - seen.size()));
            seen += next;
            pieces.consume(next.size());
        }
        EXPECT_EQ(seen, whole);
    }
}

TEST(Pieces, ComeInBatchesWhenThereAreMany) {
    const std::vector<Bytes> list(150, as_bytes("ab"));
    Pieces pieces(list);
    std::size_t bytes = 0;
    while (!pieces.empty()) {
        Pieces::Batch batch;
        const auto next = pieces.next(batch, 1000);
        EXPECT_LE(next.size(), batch.size());
        bytes += size_of(next);
        pieces.consume(size_of(next));
    }
    EXPECT_EQ(bytes, 300U);
}

}  // namespace
}  // namespace berth::net
