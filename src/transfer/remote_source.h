// Another registry, over the network, as a source.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transfer/remote_client.h"
#include "transfer/source.h"

namespace berth::transfer {

// `repositories`: those to bring in, for registries that do not tell which they have; empty: all
// that its catalog names, or of those only `prefix` and what is below it.
std::unique_ptr<Source> open_remote(RemoteOptions options, std::optional<RepositoryName> prefix,
                                    std::vector<RepositoryName> repositories);

}  // namespace berth::transfer
