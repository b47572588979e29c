// MeasuredDirectory: a Directory that says how long its calls took, for the metrics.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "io/directory.h"

namespace berth::io {

// Told of each call that has ended, well or not, by distribution's name for what it does to the
// storage: Delete, GetContent, List, Move, PutContent, Reader, Stat, Writer; and Sync, which
// distribution does not have. Thread-safe, and quick.
using OnDirectoryCall =
    std::function<void(std::string_view action, std::chrono::nanoseconds duration)>;

// The same directory, measured.
std::unique_ptr<Directory> measure(std::unique_ptr<Directory> directory, OnDirectoryCall on_call);

}  // namespace berth::io
