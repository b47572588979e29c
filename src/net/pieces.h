// Pieces: what is left to write of a list of byte ranges.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "base/bytes.h"

namespace berth::net {

// A view: the list and what it names outlive it.
class Pieces {
  public:
    // As many as one system call takes.
    using Batch = std::array<Bytes, 64>;

    explicit Pieces(std::span<const Bytes> pieces) : pieces_(pieces) { skip_empty(); }

    bool empty() const { return pieces_.empty(); }
    // The next bytes, `bytes_max` at most, cut into the batch's pieces.
    std::span<const Bytes> next(Batch& batch, std::size_t bytes_max) const {
        std::size_t count = 0;
        std::size_t skip = skip_;
        for (const Bytes& piece : pieces_) {
            if (count == batch.size() || bytes_max == 0) break;
            batch[count] = piece.subspan(skip, std::min(piece.size() - skip, bytes_max));
            bytes_max -= batch[count].size();
            skip = 0;
            ++count;
        }
        return std::span(batch).first(count);
    }
    void consume(std::size_t bytes) {
        while (bytes > 0) {
            const auto step = std::min(bytes, pieces_.front().size() - skip_);
            skip_ += step;
            bytes -= step;
            skip_empty();
        }
    }

  private:
    void skip_empty() {
        while (!pieces_.empty() && skip_ == pieces_.front().size()) {
            pieces_ = pieces_.subspan(1);
            skip_ = 0;
        }
    }

    std::span<const Bytes> pieces_;
    std::size_t skip_ = 0;  // of the first piece
};

inline std::size_t size_of(std::span<const Bytes> pieces) {
    std::size_t bytes = 0;
    for (const Bytes& piece : pieces)
        bytes += piece.size();
    return bytes;
}

}  // namespace berth::net
