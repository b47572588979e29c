// Input: the bytes a connection received and has not used yet, in one contiguous block.
//
// An idle connection keeps kInputBytes; what a large head needed more is given back.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace berth::http {

constexpr std::size_t kInputBytes = 4 << 10;

class Input {
  public:
    using Block = std::unique_ptr<std::byte[]>;

    bool empty() const { return begin_ == end_; }
    Bytes bytes() const { return {block_.get() + begin_, end_ - begin_}; }
    std::string_view text() const { return as_text(bytes()); }
    // The block stays where it is: views of what was consumed are valid until space(), append() or
    // shrink().
    void consume(std::size_t count) { begin_ += count; }

    // Room behind the bytes, at least one; added() says how much of it was filled.
    MutableBytes space();
    void added(std::size_t count) { end_ += count; }
    void append(Bytes bytes);
    // Hands the block over, so that views into it outlive later calls; the bytes not consumed are
    // kept in a new one.
    Block detach();
    // While it is empty: back to the memory of an idle connection.
    void shrink();

  private:
    void make_room(std::size_t count);

    Block block_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace berth::http
