#include "auth/password_file.h"

#include <semaphore>
#include <unordered_map>
#include <utility>

#include "auth/password_line.h"
#include "base/random.h"
#include "base/watched_file.h"

namespace berth::auth {
namespace {

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

// The entries of one reading.
struct Entries {
    std::vector<PasswordEntry> list;
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_user;
};

Result<Entries> parse(std::string_view text) {
    BERTH_TRY(auto list, parse_password_file(text));
    Entries entries{std::move(list), {}};
    for (std::size_t i = 0; i < entries.list.size(); ++i)
        entries.by_user.try_emplace(entries.list[i].user, i);
    return entries;
}

}  // namespace

Result<std::vector<PasswordEntry>> parse_password_file(std::string_view text) {
    std::vector<PasswordEntry> entries;
    std::size_t number = 0;
    while (const auto line = take_line(text)) {
        ++number;
        const PasswordLine parsed = parse_password_line(*line);
        if (parsed.kind == PasswordLine::Kind::broken) {
            return fail(Errc::invalid, "line " + std::to_string(number) +
                                           ": expected user:hash, as htpasswd writes it");
        }
        if (parsed.kind == PasswordLine::Kind::entry) {
            entries.push_back({std::string(parsed.user), std::string(parsed.hash)});
        }
    }
    return entries;
}

struct PasswordFile::State {
    explicit State(std::ptrdiff_t hashes_at_once) : hashing(hashes_at_once) {
        random_bytes(std::as_writable_bytes(std::span(&decoy_salt, 1)));
    }

    std::size_t decoy_salt = 0;
    std::unique_ptr<WatchedFile<Entries>> file;
    std::counting_semaphore<> hashing;

    std::string decoy(const Entries& entries, std::string_view user) const;
};

// The hash of somebody, always the same one for one name, with an end that no hash has. So unknown
// users take as long as known ones do, also where the file mixes kinds of hashes.
std::string PasswordFile::State::decoy(const Entries& entries, std::string_view user) const {
    if (entries.list.empty()) return {};
    const std::size_t pick = (StringHash{}(user) ^ decoy_salt) % entries.list.size();
    std::string hash = entries.list[pick].hash;
    if (!hash.empty()) hash.back() = '~';
    return hash;
}

Result<std::unique_ptr<PasswordFile>> PasswordFile::open(const std::string& path,
                                                         const Clock& clock, const Report& report,
                                                         std::ptrdiff_t hashes_at_once) {
    auto state = std::make_unique<State>(hashes_at_once);
    const auto read = [path, report](std::string_view text) {
        auto entries = parse(text);
        if (!entries) return entries;
        for (const PasswordEntry& entry : entries->list) {
            if (is_password_hash(entry.hash)) continue;
            report({Errc::invalid, path + ": user " + entry.user +
                                       " cannot log in: what stands there is no hash that "
                                       "htpasswd writes"});
        }
        return entries;
    };
    auto file = WatchedFile<Entries>::open(path, clock, read, report);
    if (!file && file.error().code == Errc::not_found) {
        return fail(Errc::not_found, "the password file " + path +
                                         " is not there; make it with: htpasswd -B -c " + path +
                                         " USER");
    }
    if (!file) return std::unexpected(std::move(file.error()));
    state->file = std::move(*file);
    return std::unique_ptr<PasswordFile>(new PasswordFile(std::move(state)));
}

PasswordFile::PasswordFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PasswordFile::~PasswordFile() = default;

std::uint64_t PasswordFile::version() {
    return state_->file->version();
}

PasswordFile::Entry PasswordFile::entry_of(std::string_view user) {
    const auto reading = state_->file->current();
    const auto found = reading.value->by_user.find(user);
    if (found == reading.value->by_user.end()) return {state_->decoy(*reading.value, user), false};
    return {reading.value->list[found->second].hash, true};
}

Result<std::optional<Login>> PasswordFile::verify(const Credentials& credentials) {
    if (credentials.scheme != Credentials::Scheme::basic) return std::nullopt;
    const Entry entry = entry_of(credentials.user);
    state_->hashing.acquire();
    const bool fits = verify_password(credentials.secret, entry.hash);
    state_->hashing.release();
    if (!fits || !entry.known) return std::nullopt;
    return Login{.identity = {.name = credentials.user, .groups = {}, .proof = "htpasswd"}};
}

Result<std::optional<Verifier::Account>> PasswordFile::find(std::string_view user) {
    const Entry entry = entry_of(user);
    if (!entry.known || !is_password_hash(entry.hash)) return std::nullopt;
    return Account{{.name = std::string(user), .groups = {}, .proof = "htpasswd"}, entry.hash};
}

}  // namespace berth::auth
