#include "auth/token/access_tokens.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "auth/token/access_token_table.h"
#include "auth/token/last_used.h"
#include "auth/token/token_issuer.h"
#include "base/random.h"
#include "base/rewrite_file.h"
#include "base/watched_file.h"

namespace berth::auth {
namespace {

constexpr ::mode_t kFileMode = 0600;
constexpr std::size_t kTokensMax = 100'000;
constexpr std::size_t kTokensOfOneMax = 1000;
constexpr std::size_t kRevokedMax = 100'000;
constexpr std::size_t kFileBytesMax = 64u << 20;  // what is read again

// A secret is the prefix, an id, `_`, and 258 random bits as base64url.
constexpr std::size_t kIdSize = 8;
constexpr std::size_t kRandomSize = 43;
constexpr std::size_t kSecretSize = kAccessTokenPrefix.size() + kIdSize + 1 + kRandomSize;
constexpr std::string_view kIdAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// For all that a secret can be wrong in, so that nobody learns which tokens there were.
constexpr const char* kNotValid = "the access token is not valid (any more)";

bool consists_of(std::string_view text, std::string_view alphabet) {
    return text.find_first_not_of(alphabet) == text.npos;
}

// The id in what has the form of a secret; nullopt for anything else.
std::optional<std::string_view> id_of(std::string_view secret) {
    if (secret.size() != kSecretSize || !secret.starts_with(kAccessTokenPrefix)) {
        return std::nullopt;
    }
    secret.remove_prefix(kAccessTokenPrefix.size());
    const std::string_view id = secret.substr(0, kIdSize);
    const bool fits = consists_of(id, kIdAlphabet) && secret[kIdSize] == '_' &&
                      consists_of(secret.substr(kIdSize + 1), kBase64Url);
    return fits ? std::optional(id) : std::nullopt;
}

template <std::size_t Size>
std::string random_text(std::string_view alphabet) {
    std::array<std::byte, Size> bytes{};
    random_bytes(bytes);
    std::string text;
    for (const std::byte byte : bytes) {
        // Both alphabets' sizes divide 256, so every character is as likely as the others.
        text += alphabet[std::to_integer<std::size_t>(byte) % alphabet.size()];
    }
    return text;
}

SecretHash hash_of(std::string_view secret) {
    SecretHash hash;
    ::SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
             reinterpret_cast<unsigned char*>(hash.data()));
    return hash;
}

Result<void> check_room(const AccessTokenTable& table, const AccessToken& wanted) {
    if (table.tokens.size() >= kTokensMax) {
        return fail(Errc::conflict, "there are " + std::to_string(kTokensMax) +
                                        " access tokens, and no more can be: revoke some");
    }
    const auto own = std::count_if(table.tokens.begin(), table.tokens.end(), [&](const auto& row) {
        const AccessToken& token = row.second.token;
        return token.kind == wanted.kind && token.name == wanted.name;
    });
    if (static_cast<std::size_t>(own) >= kTokensOfOneMax) {
        return fail(Errc::conflict, wanted.name + " has " + std::to_string(kTokensOfOneMax) +
                                        " access tokens, and can have no more: revoke some");
    }
    return {};
}

Result<std::string> text_of(const AccessTokenTable& table) {
    std::string text = format_access_tokens(table);
    if (text.size() > kFileBytesMax) {
        return fail(Errc::conflict, "the file of access tokens is full: revoke some");
    }
    return text;
}

}  // namespace

struct AccessTokens::State {
    State(std::unique_ptr<WatchedFile<AccessTokenTable>> opened, const Clock& time)
        : file(std::move(opened)), clock(time), used(file->path() + ".used") {}

    const std::unique_ptr<WatchedFile<AccessTokenTable>> file;
    const Clock& clock;
    LastUsed used;

    Result<void> change(const std::function<Result<void>(AccessTokenTable&)>& edit);
};

Result<void> AccessTokens::State::change(
    const std::function<Result<void>(AccessTokenTable&)>& edit) {
    const std::string& path = file->path();
    bool was_read = false;
    auto done = rewrite_file(path, kFileMode, [&](std::string_view text) -> Result<std::string> {
        was_read = true;
        auto table = parse_access_tokens(text);
        if (!table) return fail(Errc::corrupt, path + ": " + table.error().detail);
        BERTH_CHECK(edit(*table));
        return text_of(*table);
    });
    // A folder that is not there is no token that is not there.
    if (!done && !was_read) done.error().code = Errc::io;
    return done;
}

AccessTokens::AccessTokens(std::unique_ptr<State> state) : state_(std::move(state)) {}

AccessTokens::~AccessTokens() = default;

Result<std::unique_ptr<AccessTokens>> AccessTokens::open(std::string path, const Clock& clock,
                                                         std::function<void(const Error&)> report) {
    BERTH_TRY(auto file,
              WatchedFile<AccessTokenTable>::open(std::move(path), clock, parse_access_tokens,
                                                  std::move(report), MissingFile::is_empty));
    return std::unique_ptr<AccessTokens>(
        new AccessTokens(std::make_unique<State>(std::move(file), clock)));
}

Result<AccessTokens::Created> AccessTokens::create(AccessToken wanted) {
    wanted.created = state_->clock.now();
    wanted.last_used.reset();
    BERTH_TRY(auto grants, check_access_token(wanted));
    if (wanted.expired(wanted.created)) {
        return fail(Errc::invalid, "expires: a token cannot end before it is made");
    }
    Created made;
    const auto add = [&](AccessTokenTable& table) -> Result<void> {
        BERTH_CHECK(check_room(table, wanted));
        do {
            wanted.id = random_text<kIdSize>(kIdAlphabet);
        } while (table.tokens.contains(wanted.id));
        made.secret = std::string(kAccessTokenPrefix) + wanted.id + "_" +
                      random_text<kRandomSize>(kBase64Url);
        table.tokens.emplace(wanted.id,
                             StoredToken{wanted, hash_of(made.secret), std::move(grants)});
        return {};
    };
    BERTH_CHECK(state_->change(add));
    made.token = std::move(wanted);
    return made;
}

Result<std::vector<AccessToken>> AccessTokens::list() {
    const auto table = state_->file->current().value;
    BERTH_TRY(const LastUsed::Times used, state_->used.all());
    std::vector<AccessToken> tokens;
    for (const auto& [id, stored] : table->tokens) {
        tokens.push_back(stored.token);
        if (const auto found = used.find(id); found != used.end()) {
            tokens.back().last_used = found->second;
        }
    }
    std::ranges::stable_sort(tokens, {}, &AccessToken::created);
    return tokens;
}

Result<void> AccessTokens::revoke(std::string_view id) {
    return state_->change([id](AccessTokenTable& table) -> Result<void> {
        const auto found = table.tokens.find(id);
        if (found == table.tokens.end()) {
            return fail(Errc::not_found, "there is no access token with this id");
        }
        table.tokens.erase(found);
        return {};
    });
}

Result<void> AccessTokens::revoke_issued(std::string_view user) {
    const Time now = state_->clock.now();
    BERTH_CHECK(check_access_token({.name = std::string(user)}));
    return state_->change([user, now](AccessTokenTable& table) -> Result<void> {
        Time& at = table.revoked.try_emplace(std::string(user), now).first->second;
        at = std::max(at, now);
        if (table.revoked.size() <= kRevokedMax) return {};
        return fail(Errc::conflict, "the issued tokens of " + std::to_string(kRevokedMax) +
                                        " users are revoked, and of no more can be");
    });
}

Revocations AccessTokens::revocations() {
    Revocations revocations;
    revocations.holds = [this](std::string_view id) {
        const auto table = state_->file->current().value;
        const auto found = table->tokens.find(id);
        return found != table->tokens.end() && !found->second.token.expired(state_->clock.now());
    };
    revocations.revoked_at = [this](std::string_view user) { return issued_revoked_at(user); };
    revocations.version = [this] { return state_->file->version(); };
    return revocations;
}

std::optional<Time> AccessTokens::issued_revoked_at(std::string_view user) {
    const auto table = state_->file->current().value;
    const auto found = table->revoked.find(user);
    return found == table->revoked.end() ? std::nullopt : std::optional(found->second);
}

Result<void> AccessTokens::save_last_used() {
    const auto table = state_->file->current().value;
    return state_->used.save(
        [&table](const std::string& id) { return table->tokens.contains(id); });
}

namespace {

// A token that nobody has, so that an unknown id takes as long.
const StoredToken& nobodys() {
    static const StoredToken token;
    return token;
}

}  // namespace

class AccessTokens::TokenVerifier final : public Verifier {
  public:
    explicit TokenVerifier(State& state) : state_(state) {}

    std::uint64_t version() override { return state_.file->version(); }

    Result<std::optional<Login>> verify(const Credentials& credentials) override {
        if (credentials.scheme == Credentials::Scheme::certificate) return std::nullopt;
        const auto id = id_of(credentials.secret);
        if (!id) return std::nullopt;
        const auto table = state_.file->current().value;
        const auto found = table->tokens.find(*id);
        const bool known = found != table->tokens.end();
        const StoredToken& stored = known ? found->second : nobodys();
        const SecretHash hash = hash_of(credentials.secret);
        const bool fits = ::CRYPTO_memcmp(hash.data(), stored.hash.data(), hash.size()) == 0;
        const AccessToken& token = stored.token;
        const bool holders =
            credentials.scheme == Credentials::Scheme::bearer || credentials.user == token.name;
        const Time now = state_.clock.now();
        if (!known || !fits || !holders || token.expired(now)) {
            return fail(Errc::unauthenticated, kNotValid);
        }
        state_.used.note(token.id, now);
        Login login{.identity = {.name = token.name, .groups = {}, .proof = "token"}};
        login.identity.kind = token.kind;
        login.identity.credential = token.id;
        login.needs_account = token.kind == Identity::Kind::user;
        login.identity.grants = stored.grants;
        login.expires = token.expires.value_or(Time::max());
        return login;
    }

  private:
    State& state_;
};

std::unique_ptr<Verifier> AccessTokens::verifier() {
    return std::make_unique<TokenVerifier>(*state_);
}

}  // namespace berth::auth
