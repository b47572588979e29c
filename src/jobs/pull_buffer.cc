#include "jobs/pull_buffer.h"

#include <utility>

namespace berth::jobs {
namespace {

std::size_t bytes_of(const store::Event& event) {
    return sizeof event + event.repository.size() + event.digest.size() + event.media_type.size() +
           event.tag.size() + event.references.size() + event.actor.size() + event.request.size();
}

}  // namespace

bool PullBuffer::add(store::Event event) {
    const std::size_t bytes = bytes_of(event);
    std::lock_guard lock(mutex_);
    if (bytes > bytes_max_ - bytes_) {
        ++lost_;
        return false;
    }
    bytes_ += bytes;
    events_.push_back(std::move(event));
    return events_.size() == 1;
}

std::vector<store::Event> PullBuffer::take() {
    std::lock_guard lock(mutex_);
    bytes_ = 0;
    return std::exchange(events_, {});
}

std::uint64_t PullBuffer::take_lost() {
    std::lock_guard lock(mutex_);
    return std::exchange(lost_, 0);
}

}  // namespace berth::jobs
