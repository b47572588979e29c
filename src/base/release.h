// Release: the deleter of a std::unique_ptr that owns something of a C library.
#pragma once

namespace berth {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* owned) const {
        release(owned);
    }
};

}  // namespace berth
