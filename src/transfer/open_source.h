// Opens what somebody names on a command line as a source:
//
//     registry:DIR               a root of registry:2 or Berth
//     oci:PATH[:REPOSITORY]      an OCI layout, a folder or a tar
//     docker-archive:FILE[:REPOSITORY]
//     bundle:FILE
//     docker://HOST[/PREFIX], https://HOST[/PREFIX]
//     PATH                       one of the first four; which, it shows
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "transfer/image_name.h"
#include "transfer/remote_client.h"
#include "transfer/source.h"

namespace berth::transfer {

struct SourceOptions {
    Source::Report report = [](const auto&) {};
    // Below a registry's root: Berth's index, and the lock of who serves it.
    std::string index_path, lock_path;
    // Of a registry over the network. Repositories that are named without a pattern need no
    // catalog.
    Selection selection = {};
    std::optional<RemoteLogin> login = std::nullopt;
    std::string ca = {};
    bool plain_http = false;
};

// HOST of a source over the network: whose login is wanted. Empty: it is none.
std::string remote_host(const std::string& text);

// Errc::invalid, Errc::not_found; Errc::conflict: a Berth is serving it. `clock` outlives the
// source.
Result<std::unique_ptr<Source>> open_source(const std::string& text, const SourceOptions& options,
                                            const Clock& clock);

}  // namespace berth::transfer
