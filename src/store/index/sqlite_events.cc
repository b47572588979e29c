#include "store/index/sqlite_events.h"

namespace berth::store {

Result<void> EventRows::append(const std::vector<Event>&) {
    return fail(Errc::unsupported, "to be written");
}
Result<std::vector<Event>> EventRows::events(std::int64_t, std::size_t) {
    return fail(Errc::unsupported, "to be written");
}
Result<std::int64_t> EventRows::cursor(const std::string&) {
    return fail(Errc::unsupported, "to be written");
}
Result<bool> EventRows::advance_cursor(const std::string&, std::int64_t, std::int64_t) {
    return fail(Errc::unsupported, "to be written");
}
Result<void> EventRows::set_cursor(const std::string&, std::int64_t) {
    return fail(Errc::unsupported, "to be written");
}
Result<void> EventRows::keep_cursors(const std::vector<std::string>&) {
    return fail(Errc::unsupported, "to be written");
}
Result<std::uint64_t> EventRows::trim(Time, std::uint64_t) {
    return fail(Errc::unsupported, "to be written");
}

}  // namespace berth::store
