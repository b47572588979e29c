// AdoptionRows: the adoption log as SQL, within a transaction or a read that the caller began.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "base/result.h"
#include "store/index/adoption_log.h"
#include "store/index/sqlite.h"

namespace berth::store {

class AdoptionRows {
  public:
    // The connection outlives this.
    explicit AdoptionRows(sqlite::Connection& connection) : connection_(connection) {}

    Result<bool> adopted_all();
    Result<bool> adopted(const RepositoryName& repository);
    // `grace`: from count zero to due.
    Result<void> adopt(const RepositoryName& repository, const RepositoryContent& content, Time now,
                       std::chrono::seconds grace);
    Result<void> set_adopted_all();
    Result<void> set_given_back();

  private:
    sqlite::Connection& connection_;
};

}  // namespace berth::store
