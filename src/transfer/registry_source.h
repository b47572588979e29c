// A root that registry:2 or Berth has served, as a source. The names come from its link files, or
// from Berth's index as far as that has the truth.
#pragma once

#include <memory>

#include "transfer/source.h"

namespace berth::store {
class Index;
}

namespace berth::transfer {

// `index`: null when it has none. `report` hears of broken links.
Result<std::unique_ptr<Source>> open_registry_root(std::unique_ptr<io::Directory> root,
                                                   std::unique_ptr<store::Index> index,
                                                   Source::Report report);

}  // namespace berth::transfer
