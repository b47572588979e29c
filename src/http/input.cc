#include "http/input.h"

#include <algorithm>
#include <cstring>

namespace berth::http {

MutableBytes Input::space() {
    make_room(1);
    return {block_.get() + end_, capacity_ - end_};
}

void Input::append(Bytes bytes) {
    if (bytes.empty()) return;
    make_room(bytes.size());
    std::memcpy(block_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
}

void Input::make_room(std::size_t count) {
    const std::size_t size = end_ - begin_;
    if (size == 0) begin_ = end_ = 0;
    if (capacity_ - end_ >= count) return;
    std::size_t wanted = std::max(capacity_, kInputBytes);
    while (wanted < size + count)
        wanted *= 2;
    if (wanted == capacity_) {
        std::memmove(block_.get(), block_.get() + begin_, size);
    } else {
        auto larger = std::make_unique_for_overwrite<std::byte[]>(wanted);
        if (size > 0) std::memcpy(larger.get(), block_.get() + begin_, size);
        block_ = std::move(larger);
        capacity_ = wanted;
    }
    begin_ = 0;
    end_ = size;
}

Input::Block Input::detach() {
    Block old = std::move(block_);
    const Bytes rest{old.get() + begin_, end_ - begin_};
    capacity_ = begin_ = end_ = 0;
    append(rest);
    return old;
}

void Input::shrink() {
    if (capacity_ <= kInputBytes) return;
    block_.reset();
    capacity_ = begin_ = end_ = 0;
}

}  // namespace berth::http
