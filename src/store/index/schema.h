// The tables of the index.
//
//     repository ──< link     >── blob          link: the repository may serve these bytes as a
//     blob
//        │      └──< manifest >──┘ │            manifest: … and these as a manifest
//        │             │  │  │     │
//        │             │  │  └──< manifest_reference (parent, child, kind): what a manifest names
//        │             │  └──< referrer (subject, digest): manifests that have a subject
//        │             └──< tag ── its moves: tag_history
//        └ entries: links + manifests; zero: not listed        event: an outbox, written with what
//        it tells of; endpoint: how far each was told
//     adopted: repositories taken over from link files; setting 'adopted' = 'all': every one is,
//     and `adopted` is empty
//
// Counts, kept by whoever changes what they count, in the same transaction:
//     link.references_count      manifests of the repository that name the blob
//     manifest.references_count  tags on it + indexes of the repository that name it
//     blob.references_count      links + manifests, over all repositories
// A row has a `due_at` exactly while its count is zero; indexes over due_at alone are the
// collector's queues.
//
// A manifest keeps its manifest_reference rows while a child is away from the repository; when the
// child comes back its count starts with them. Times are milliseconds since 1970. Names order by
// bytes (BINARY, SQLite's own).
//
// `PRAGMA application_id` tells an index from any other SQLite file, `PRAGMA user_version` is the
// number of steps that were applied to it.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "store/index/sqlite.h"

namespace berth::store {

inline constexpr std::int64_t kApplicationId = 0x42727468;  // "Brth"

// One SQL script for each version, the first makes version 1. A released script never changes.
std::span<const char* const> schema_steps();

// How many of the steps the file has. Errc::unsupported when it has more than these, Errc::corrupt
// when it is no index; an empty file has none.
Result<std::int64_t> schema_version(sqlite::Connection& connection,
                                    std::span<const char* const> steps = schema_steps());

// Applies the steps that the file does not have, all or none; safe against another process that
// does the same. Fails as schema_version() does.
Result<void> migrate(sqlite::Connection& connection,
                     std::span<const char* const> steps = schema_steps());

}  // namespace berth::store
