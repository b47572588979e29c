#include "app/process_usage.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

namespace berth::app {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::string read(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// proc(5), /proc/pid/stat: the fields behind the program's name, which may hold anything.
std::vector<double> stat_fields() {
    const std::string text = read("/proc/self/stat");
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > text.size()) return {};
    std::istringstream words(text.substr(name_end + 4));  // ` S ` as well
    return {std::istream_iterator<double>(words), {}};
}

double limit_of(int resource) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return kUnknown;
    return static_cast<double>(limit.rlim_cur);
}

double open_files() {
    std::error_code error;
    const std::filesystem::directory_iterator files("/proc/self/fd", error);
    // Less the one that looks.
    return error ? kUnknown : static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

// Since 1970; the kernel gives ticks since it booted.
double start_time(double ticks) {
    timespec now{}, up{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    ::clock_gettime(CLOCK_BOOTTIME, &up);
    const auto seconds = [](const timespec& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    };
    return seconds(now) - seconds(up) + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessUsage process_usage() {
    // Of the fields from the fourth on.
    constexpr std::size_t kUserTicks = 10, kSystemTicks = 11, kStart = 18, kVirtual = 19,
                          kResident = 20;
    ProcessUsage usage{
        kUnknown, kUnknown, kUnknown, open_files(), limit_of(RLIMIT_NOFILE), limit_of(RLIMIT_AS),
        kUnknown};
    const auto fields = stat_fields();
    if (fields.size() <= kResident) return usage;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    usage.cpu_seconds = (fields[kUserTicks] + fields[kSystemTicks]) / ticks;
    usage.resident_bytes = fields[kResident] * static_cast<double>(::sysconf(_SC_PAGESIZE));
    usage.virtual_bytes = fields[kVirtual];
    usage.started_at = start_time(fields[kStart]);
    return usage;
}

std::vector<std::string> command_line() {
    std::vector<std::string> words;
    std::istringstream text(read("/proc/self/cmdline"));
    for (std::string word; std::getline(text, word, '\0');)
        words.push_back(word);
    return words;
}

HeapUsage heap_usage() {
    const auto info = ::mallinfo2();
    return {info.uordblks + info.hblkhd, info.fordblks, info.hblkhd};
}

}  // namespace berth::app
