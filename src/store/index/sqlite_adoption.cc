#include "store/index/sqlite_adoption.h"

namespace berth::store {

Result<bool> AdoptionRows::adopted_all() {
    return true;
}
Result<bool> AdoptionRows::adopted(const RepositoryName&) {
    return true;
}
Result<void> AdoptionRows::adopt(const RepositoryName&, const RepositoryContent&, Time,
                                 std::chrono::seconds) {
    return fail(Errc::unsupported, "to be written");
}
Result<void> AdoptionRows::set_adopted_all() {
    return fail(Errc::unsupported, "to be written");
}
Result<void> AdoptionRows::set_given_back() {
    return fail(Errc::unsupported, "to be written");
}

}  // namespace berth::store
