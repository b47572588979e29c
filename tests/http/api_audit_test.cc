// Goal: the audit log has who was refused and who made what, whatever way they came.
// Method: exchanges with the real server; a table of what each leaves behind.
#include "support/api_fixture.h"

namespace berth::api {
namespace {

using testing::ElementsAre;

const HttpFields kForm = {{"Content-Type", "application/x-www-form-urlencoded"}};
const HttpFields kJson = {{"Content-Type", "application/json"}};

class ApiAudit : public ApiFixture {
  protected:
    void SetUp() override {
        ApiSetup setup;
        setup.users = {{"alice", "wonderland"}};
        setup.access_tokens = true;
        setup.issuer = auth::IssuerOptions{};
        setup.audit = true;
        start(std::move(setup));
    }
    // `alice tokens:aaaaaaaa denied 404`
    std::vector<std::string> recorded() {
        std::vector<std::string> lines;
        for (const auth::AuditRecord& each : server().audited()) {
            lines.push_back(each.user + " " + each.action + ":" + each.reference + " " +
                            (each.allowed ? "allowed " : "denied ") + std::to_string(each.status));
        }
        return lines;
    }
};

TEST_F(ApiAudit, NamesWhoseLoginWasTriedByAForm) {
    ask("POST", "/token", kForm, "grant_type=password&username=alice&password=guess");
    ask("POST", "/token", kForm, "grant_type=password&username=alice&password=wonderland");
    ask("POST", "/token", kForm, "grant_type=refresh_token&refresh_token=x");
    EXPECT_THAT(recorded(), ElementsAre("alice login: denied 401", "alice login: allowed 200",
                                        " login: denied 401"));
}

TEST_F(ApiAudit, HasWhatIsDoneToTokensOfOnesOwn) {
    log_in("alice", "wonderland");
    EXPECT_EQ(ask("POST", "/v2/_berth/me/tokens", kJson, "{}").status, 201);
    EXPECT_EQ(ask("GET", "/v2/_berth/me/tokens").status, 200);
    EXPECT_EQ(ask("DELETE", "/v2/_berth/me/tokens/aaaaaaaa").status, 404);
    EXPECT_EQ(ask("GET", "/v2/_berth/tokens").status, 403);
    EXPECT_THAT(recorded(),
                ElementsAre("alice tokens: allowed 201", "alice tokens: allowed 200",
                            "alice tokens:aaaaaaaa denied 404", "alice admin: denied 403"));
}

}  // namespace
}  // namespace berth::api
