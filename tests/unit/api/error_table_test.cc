// Goal: the table is the specification's, and an error becomes the code that fits what it is about,
// without telling what is not for clients.
// Method: the specification's rows, written down again; a table of errors.
#include "api/error_table.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

TEST(ErrorTable, IsTheSpecificationsAndOurs) {
    const std::vector<std::pair<std::string_view, int>> specification = {
        {"BLOB_UNKNOWN", 404},
        {"BLOB_UPLOAD_INVALID", 400},
        {"BLOB_UPLOAD_UNKNOWN", 404},
        {"DENIED", 403},
        {"DIGEST_INVALID", 400},
        {"MANIFEST_BLOB_UNKNOWN", 404},
        {"MANIFEST_INVALID", 400},
        {"MANIFEST_UNKNOWN", 404},
        {"NAME_INVALID", 400},
        {"NAME_UNKNOWN", 404},
        {"PAGINATION_NUMBER_INVALID", 400},
        {"RANGE_INVALID", 416},
        {"REQUEST_INVALID", 400},
        {"SIZE_INVALID", 400},
        {"TOKEN_UNKNOWN", 404},
        {"TOOMANYREQUESTS", 429},
        {"UNAUTHORIZED", 401},
        {"UNAVAILABLE", 503},
        {"UNKNOWN", 500},
        {"UNSUPPORTED", 405},
    };
    ASSERT_EQ(error_table().size(), specification.size());
    for (std::size_t i = 0; i < specification.size(); ++i) {
        const CodeRow& row = error_table()[i];
        EXPECT_EQ(row.name, specification[i].first);
        EXPECT_EQ(row.status, specification[i].second) << row.name;
        EXPECT_EQ(&row_of(row.code), &row) << "rows stand in the order of Code";
        EXPECT_FALSE(row.message.empty());
    }
}

struct Row {
    Errc error;
    About about;
    Code code;
    int status;
};

TEST(ErrorTable, MakesOfAnErrorWhatItIsAbout) {
    for (const Row& row : std::vector<Row>{
             {Errc::not_found, About::blob, Code::blob_unknown, 404},
             {Errc::not_found, About::upload, Code::blob_upload_unknown, 404},
             {Errc::not_found, About::manifest, Code::manifest_unknown, 404},
             {Errc::not_found, About::manifest_push, Code::manifest_blob_unknown, 404},
             {Errc::not_found, About::repository, Code::name_unknown, 404},
             {Errc::invalid, About::repository, Code::name_invalid, 400},
             {Errc::invalid, About::digest, Code::digest_invalid, 400},
             {Errc::invalid, About::upload, Code::blob_upload_invalid, 400},
             {Errc::invalid, About::manifest_push, Code::manifest_invalid, 400},
             {Errc::unsupported, About::manifest_push, Code::unsupported, 415},
             {Errc::unsupported, About::digest, Code::digest_invalid, 400},
             {Errc::unsupported, About::request, Code::unsupported, 405},
             {Errc::conflict, About::upload, Code::blob_upload_invalid, 409},
             {Errc::not_found, About::administration, Code::token_unknown, 404},
             {Errc::invalid, About::administration, Code::request_invalid, 400},
             {Errc::conflict, About::administration, Code::request_invalid, 409},
             {Errc::cancelled, About::administration, Code::request_invalid, 408},
             {Errc::unsupported, About::administration, Code::unsupported, 415},
             {Errc::too_large, About::administration, Code::size_invalid, 413},
             {Errc::io, About::administration, Code::unknown, 500},
             {Errc::out_of_range, About::blob, Code::range_invalid, 416},
             {Errc::too_large, About::manifest_push, Code::size_invalid, 413},
             {Errc::cancelled, About::upload, Code::blob_upload_invalid, 408},
             {Errc::unauthenticated, About::request, Code::unauthorized, 401},
             {Errc::denied, About::request, Code::denied, 403},
             {Errc::rate_limited, About::request, Code::too_many_requests, 429},
             {Errc::unavailable, About::request, Code::unavailable, 503},
             {Errc::no_space, About::upload, Code::unavailable, 507},
             {Errc::io, About::blob, Code::unknown, 500},
             {Errc::corrupt, About::blob, Code::unknown, 500},
         }) {
        const Refusal refusal(Error{row.error, "why"}, row.about);
        EXPECT_EQ(refusal.code, row.code) << name_of(row.error);
        EXPECT_EQ(refusal.status, row.status) << name_of(row.error);
    }
}

TEST(ErrorTable, KeepsOurOwnFailuresForTheLog) {
    for (const Errc code : {Errc::io, Errc::corrupt, Errc::no_space, Errc::not_found}) {
        const Refusal refusal(Error{code, "/var/lib/secret: broken"}, About::blob);
        EXPECT_EQ(refusal.message.find("secret"), std::string::npos) << name_of(code);
        EXPECT_EQ(refusal.cause.has_value(), code != Errc::not_found) << name_of(code);
    }
}

TEST(ErrorTable, TellsTheClientWhatItDidWrong) {
    EXPECT_EQ(Refusal(Error{Errc::invalid, "no config"}, About::manifest_push).message,
              "no config");
    EXPECT_EQ(Refusal(Code::blob_unknown).message, "blob unknown to registry");
}

TEST(ErrorTable, NamesTheDigestThatAManifestMisses) {
    const std::string digest = "sha256:" + std::string(64, 'a');
    const Refusal refusal(Error{Errc::not_found, digest + " is not in the repository"},
                          About::manifest_push);
    ASSERT_EQ(refusal.detail.size(), 1U);
    EXPECT_EQ(refusal.detail[0].first, "digest");
    EXPECT_EQ(refusal.detail[0].second, digest);
}

TEST(ErrorTable, FindsACodeForWhatHttpRefuses) {
    for (const auto& [status, code] : std::vector<std::pair<int, Code>>{{400, Code::unknown},
                                                                        {408, Code::unknown},
                                                                        {413, Code::size_invalid},
                                                                        {431, Code::unknown},
                                                                        {500, Code::unknown},
                                                                        {501, Code::unknown},
                                                                        {503, Code::unavailable}}) {
        const Refusal refusal = refusal_of(status, "a reason");
        EXPECT_EQ(refusal.code, code) << status;
        EXPECT_EQ(refusal.status, status);
        EXPECT_EQ(refusal.message, "a reason");
    }
}

}  // namespace
}  // namespace berth::api
