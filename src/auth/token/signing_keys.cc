#include "auth/token/signing_keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/rewrite_file.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

constexpr ::mode_t kFolderMode = 0700;
constexpr ::mode_t kKeyMode = 0600;
constexpr std::size_t kKeysMax = 64;
constexpr std::string_view kSuffix = ".pem";
// The kernel's clock for files ticks every few milliseconds: a second change within one tick is
// seen by reading the folder once more.
constexpr auto kReadAgainAfter = 1s;

struct CloseDirectory {
    void operator()(::DIR* directory) const { ::closedir(directory); }
};

std::string path_of(const std::string& folder, std::string_view id) {
    return folder + "/" + std::string(id) + std::string(kSuffix);
}

// The names of files that should be keys.
Result<std::vector<std::string>> names_in(const std::string& folder) {
    const std::unique_ptr<::DIR, CloseDirectory> directory(::opendir(folder.c_str()));
    if (!directory) return fail_errno("open " + folder, errno);
    std::vector<std::string> names;
    while (const ::dirent* entry =
               ::readdir(directory.get())) {  // NOLINT(*-mt-unsafe): our own DIR
        const std::string_view name = entry->d_name;
        if (name.ends_with(kSuffix) && !name.starts_with('.')) names.emplace_back(name);
    }
    if (names.size() > kKeysMax) {
        return fail(Errc::invalid, folder + " has more than " + std::to_string(kKeysMax) + " keys");
    }
    return names;
}

Result<Time> changed(const std::string& path) {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) != 0) return fail_errno("stat " + path, errno);
    return Time(std::chrono::seconds(found.st_mtim.tv_sec) +
                std::chrono::floor<std::chrono::milliseconds>(
                    std::chrono::nanoseconds(found.st_mtim.tv_nsec)));
}

Result<KeyFile> read_key(const std::string& path) {
    BERTH_TRY(const Time time, changed(path));
    BERTH_TRY(const std::string pem, read_text_file(path));
    auto key = SigningKey::parse(pem);
    if (!key) return std::unexpected(std::move(key.error()).with_context(path));
    return KeyFile{path, std::move(*key), time};
}

// The folder itself, and those above it that are missing.
Result<void> make_folder(const std::string& folder, ::mode_t mode) {
    if (::mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return {};
    const std::size_t slash = folder.find_last_of('/');
    if (errno != ENOENT || slash == folder.npos || slash == 0) {
        return fail_errno("create " + folder, errno);
    }
    BERTH_CHECK(make_folder(folder.substr(0, slash), 0755));
    if (::mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return {};
    return fail_errno("create " + folder, errno);
}

Result<SigningKey> make_key(std::string_view algorithm) {
    for (;;) {
        BERTH_TRY(SigningKey key, SigningKey::make(algorithm));
        // The command line would take such a name for an option.
        if (!key.id().starts_with('-')) return key;
    }
}

Result<void> make_first_key(const std::string& folder, std::string_view algorithm) {
    BERTH_CHECK(make_folder(folder, kFolderMode));
    BERTH_TRY(const auto before, names_in(folder));
    if (!before.empty()) return {};
    BERTH_TRY(const SigningKey key, make_key(algorithm));
    // Looks again, now that nobody else writes.
    const auto unless_there = [&](std::string_view) -> Result<std::string> {
        BERTH_TRY(const auto names, names_in(folder));
        if (!names.empty()) return fail(Errc::already_exists, "there is a key");
        return key.pem();
    };
    auto made = rewrite_file(path_of(folder, key.id()), kKeyMode, unless_there);
    if (!made && made.error().code == Errc::already_exists) return {};
    return made;
}

// Nothing but the folder's clock says which is the newest, and clocks are set back.
Result<void> make_newest(const std::string& path, Time newest) {
    BERTH_TRY(const Time now, changed(path));
    if (now > newest) return {};
    const auto wanted = (newest + 1ms).time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wanted);
    const ::timespec time{seconds.count(), std::chrono::nanoseconds(wanted - seconds).count()};
    const ::timespec times[] = {time, time};
    if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0)
        return fail_errno("date " + path, errno);
    return {};
}

SigningKeys::Keys keys_of(std::vector<SigningKey> all) {
    std::string list;
    for (const SigningKey& key : all)
        list.append(list.empty() ? "" : ",").append(key.public_jwk());
    std::string jwks = R"({"keys":[)" + list + "]}";
    // Our own text, so it is one.
    KeySet verifying = KeySet::parse_jwks(jwks).value_or(KeySet());
    return {std::move(all), std::move(verifying), std::move(jwks)};
}

Result<SigningKeys::Keys> read_folder(const std::string& folder) {
    BERTH_TRY(const std::vector<KeyFile> files, list_keys(folder));
    if (files.empty()) return fail(Errc::invalid, folder + " has no key");
    std::vector<SigningKey> all;
    for (const KeyFile& file : files)
        all.push_back(file.key);
    return keys_of(std::move(all));
}

}  // namespace

Result<std::unique_ptr<SigningKeys>> SigningKeys::open(std::string folder,
                                                       std::string_view algorithm,
                                                       const Clock& clock, Report report) {
    std::unique_ptr<SigningKeys> keys(new SigningKeys(std::move(folder), clock, std::move(report)));
    if (keys->folder_.empty()) {
        BERTH_TRY(SigningKey key, make_key(algorithm));
        keys->keys_ = std::make_shared<const Keys>(keys_of({std::move(key)}));
        return keys;
    }
    BERTH_CHECK(make_first_key(keys->folder_, algorithm));
    keys->read_ = keys->watch_.look();
    BERTH_TRY(Keys read, read_folder(keys->folder_));
    keys->keys_ = std::make_shared<const Keys>(std::move(read));
    return keys;
}

std::shared_ptr<const SigningKeys::Keys> SigningKeys::current() {
    if (folder_.empty()) return keys_;
    std::lock_guard lock(mutex_);
    const std::uint64_t version = watch_.look();
    const SteadyTime now = clock_.steady_now();
    const bool is_new = version != read_;
    if (is_new || (again_ && now >= again_at_)) {
        read_ = version;
        again_ = is_new;
        again_at_ = now + kReadAgainAfter;
        read_again();
    }
    return keys_;
}

void SigningKeys::read_again() {
    auto read = read_folder(folder_);
    if (read) {
        if (read->jwks != keys_->jwks) ++changes_;
        keys_ = std::make_shared<const Keys>(std::move(*read));
        reported_.clear();
        return;
    }
    if (read.error().detail == reported_) return;
    reported_ = read.error().detail;
    report_(Error{read.error().code, reported_ + "; the keys before stay in force",
                  read.error().os_errno});
}

std::uint64_t SigningKeys::version() {
    if (folder_.empty()) return 0;
    return watch_.version() + changes_.load();
}

Result<std::vector<KeyFile>> list_keys(const std::string& folder) {
    BERTH_TRY(const auto names, names_in(folder));
    std::vector<KeyFile> files;
    for (const std::string& name : names) {
        auto file = read_key(folder + "/" + name);
        // Deleted meanwhile.
        if (!file && file.error().code == Errc::not_found) continue;
        if (!file) return std::unexpected(std::move(file.error()));
        files.push_back(std::move(*file));
    }
    std::ranges::sort(files, [](const KeyFile& a, const KeyFile& b) {
        return std::tie(b.changed, b.path) < std::tie(a.changed, a.path);
    });
    return files;
}

Result<std::string> rotate_keys(const std::string& folder, std::string_view algorithm) {
    BERTH_CHECK(make_folder(folder, kFolderMode));
    BERTH_TRY(const auto before, list_keys(folder));
    if (before.size() == kKeysMax) {
        return fail(Errc::conflict, folder + " has " + std::to_string(kKeysMax) +
                                        " keys, and can have no more: remove old ones first");
    }
    BERTH_TRY(const SigningKey key, make_key(algorithm));
    const std::string path = path_of(folder, key.id());
    BERTH_CHECK(rewrite_file(path, kKeyMode,
                             [&](std::string_view) -> Result<std::string> { return key.pem(); }));
    if (!before.empty()) BERTH_CHECK(make_newest(path, before.front().changed));
    return key.id();
}

Result<void> remove_key(const std::string& folder, std::string_view id) {
    BERTH_TRY(const auto files, list_keys(folder));
    const auto found =
        std::ranges::find_if(files, [id](const KeyFile& file) { return file.key.id() == id; });
    if (found == files.end()) {
        return fail(Errc::not_found, folder + " has no key " + std::string(id));
    }
    if (files.size() == 1) {
        return fail(Errc::conflict, "it is the only key: make a new one first (berth keys rotate)");
    }
    if (::unlink(found->path.c_str()) != 0) return fail_errno("remove " + found->path, errno);
    return {};
}

}  // namespace berth::auth
