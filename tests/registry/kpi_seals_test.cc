#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/base/digest.h"
#include "tests/registry/kpi_server_fixture.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kSeals = "/api/v1/kpi-reports";

class KpiSealsTest : public KpiServerTest {
 protected:
  KpiSealsTest() {
    define("K1", {{"unit", "events"}});
    define("K2", {{"count", {{"distinct", "site"}}}, {"threshold", 2}});
    record({made_at("CNAF", 700), made_at("CERN", 300), made_at("CNAF", 1, "K2")});
  }

  LedgerRow made_at(const std::string& site, std::int64_t value,
                    const std::string& kpi = "K1") {
    auto row = entry(kpi, site + std::to_string(++made_), "2024-02-01T00:00:00Z", value);
    row.subject = json{{"site", site}}.dump();
    return row;
  }

  json seal(const json& request = json::object()) {
    const auto answer = server.send("POST", kSeals, request.dump());
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.json();
  }
  std::string document_of(const json& seal) {
    return server.send("GET", kSeals + "/" + seal["digest"].get<std::string>()).body;
  }
  json verify(const std::string& digest, const std::string& document = "") {
    const auto answer = server.send("POST", kSeals + "/" + digest + "/verify", document);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }
  static std::vector<std::string> failed(const json& verdict) {
    std::vector<std::string> failed;
    for (const json& check : verdict["checks"]) {
      if (!check["ok"].get<bool>()) failed.push_back(check["what"]);
    }
    return failed;
  }
  // A document that says something else, under the digest that it has.
  json verify_instead(const json& document) {
    const std::string text = document.dump();
    return verify(Digest::of(text).to_string(), text);
  }

  int made_ = 0;
};

TEST_F(KpiSealsTest, KeepTheDocumentThatTheirDigestNames) {
  const auto answer =
      server.send("POST", kSeals, R"({"until": "2024-02-12", "by": "site"})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json sealed = answer.json();
  EXPECT_EQ(answer.header("Location"), kSeals + "/" + sealed["digest"].get<std::string>());
  EXPECT_EQ(sealed["sealed_by"], "admin");
  EXPECT_EQ(sealed["until"], "2024-02-12T23:59:59.999999Z");
  EXPECT_EQ(sealed["chain"], sealed["report"]["chain"]);

  const std::string document = document_of(sealed);
  EXPECT_EQ(Digest::of(document).to_string(), sealed["digest"]);
  EXPECT_EQ(json::parse(document), sealed["report"]);
  const auto listed = server.send("GET", kSeals).json()["items"];
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0]["digest"], sealed["digest"]);
}

// Goal: a seal stays verifiable while late entries, corrections and new definitions change
// what is reported today.
TEST_F(KpiSealsTest, HoldWhateverComesLater) {
  for (const char* by : {"", "site", "model", "month"}) {
    SCOPED_TRACE(by);
    const json sealed = seal({{"by", by}});
    server.clock().advance(days(3));
    const json before = report();

    auto correction = entry("K1", std::string("fix ") + by, "2024-02-01T00:00:00Z", 100);
    correction.amount = -600;
    correction.corrects = "CNAF1";
    record({made_at("Prague", 50), correction});
    define("K1", {{"unit", "events"}, {"threshold", 100 + made_}});

    EXPECT_NE(report()["kpis"][0]["value"], before["kpis"][0]["value"]);
    const json verdict = verify(sealed["digest"]);
    EXPECT_EQ(verdict["holds"], true) << verdict.dump(2);
    EXPECT_THAT(failed(verdict), IsEmpty());
  }
}

TEST_F(KpiSealsTest, DoNotHoldForADocumentThatWasChanged) {
  const json sealed = seal({{"by", "site"}});
  const std::string digest = sealed["digest"];
  const json document = json::parse(document_of(sealed));
  EXPECT_EQ(verify(digest, document_of(sealed))["holds"], true);

  json changed = document;
  changed["kpis"][0]["value"] = 1001;
  EXPECT_THAT(failed(verify(digest, changed.dump())), ElementsAre("document", "K1"));
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "K1"));
  changed = document;
  changed["kpis"][0]["by"][1]["value"] = 301;
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "K1"));
  changed = document;
  changed["kpis"][0]["by"].erase(1);
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "K1"));
  changed = document;
  changed["kpis"][1]["revision"] = 2;
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "K2"));
  changed = document;
  changed["kpis"][1]["id"] = "K3";
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "K3"));
  changed = document;
  changed["chain"]["hash"] = Digest::of("another chain").to_string();
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "chain"));
  changed = document;
  changed["chain"]["entries"] = 4;
  EXPECT_THAT(failed(verify_instead(changed)), ElementsAre("seal", "chain"));
}

TEST_F(KpiSealsTest, DoNotHoldWhereTheLedgerWasChanged) {
  const json sealed = seal();
  mendel::testing::run_sql(server.database(),
                           "update kpi_entry set amount = 699 where event_id = 'CNAF1'");
  EXPECT_THAT(failed(verify(sealed["digest"])), ElementsAre("K1"));
  mendel::testing::run_sql(server.database(), "update kpi_batch set hash = digest");
  EXPECT_THAT(failed(verify(sealed["digest"])), ElementsAre("chain", "K1"));
}

TEST_F(KpiSealsTest, AreWhatChangesAreCountedFrom) {
  const json sealed = seal();
  server.clock().advance(days(1));
  record({made_at("Prague", 50)});

  const json now = report();
  EXPECT_EQ(now["previous"]["digest"], sealed["digest"]);
  EXPECT_EQ(now["kpis"][0]["change"], 50);
  // A report about a time before the seal does not know of it.
  EXPECT_FALSE(report("at=" + sealed["at"].get<std::string>()).contains("previous"));
  EXPECT_FALSE(report("until=2024-02-05").contains("previous"));
}

TEST_F(KpiSealsTest, AreReadByWhoMayReadEveryKpiInThem) {
  define("ALL", {{"namespaces", json::array()}});
  const auto reader = token_of("reader", "reader");
  const auto stranger = token_of("stranger", "");
  const json whole = seal();
  const auto part = server.send("POST", kSeals, "{}", reader);
  ASSERT_EQ(part.status, 201) << part.body;
  EXPECT_EQ(part.json()["report"]["kpis"].size(), 2U);

  const auto status = [&](const json& seal, const HeaderList& headers) {
    const std::string path = kSeals + "/" + seal["digest"].get<std::string>();
    return server.send("GET", path, "", headers).status;
  };
  EXPECT_EQ(status(whole, {}), 200);
  EXPECT_EQ(status(whole, reader), 404);
  EXPECT_EQ(status(part.json(), reader), 200);
  EXPECT_EQ(status(part.json(), stranger), 404);
  EXPECT_EQ(server.send("GET", kSeals, "", reader).json()["items"].size(), 1U);
  EXPECT_THAT(server.send("GET", kSeals, "", stranger).json()["items"], IsEmpty());
}

TEST_F(KpiSealsTest, AreMadeByWhoMayWrite) {
  const auto post = [&](const HeaderList& headers, const std::string& body = "{}") {
    return server.send("POST", kSeals, body, headers).status;
  };
  EXPECT_EQ(post(token_of("onlooker", "owner", {"read"})), 403);
  EXPECT_EQ(post(token_of("stranger", "")), 404);  // has nothing to seal
  EXPECT_EQ(post({{"Authorization", ""}}), 401);
  EXPECT_EQ(post({}, R"({"at": "yesterday"})"), 400);
  EXPECT_EQ(post({}, R"({"since": "2024-01-01"})"), 400);
}

TEST_F(KpiSealsTest, RefuseWhatIsNoReport) {
  const json sealed = seal();
  const std::string path = kSeals + "/" + sealed["digest"].get<std::string>() + "/verify";
  for (const char* body : {"[]", "{\"at\": 1}", "not JSON", "{\"at\": \"2024-02-13\"}"}) {
    EXPECT_EQ(server.send("POST", path, body).status, 400) << body;
  }
  const std::string unknown = Digest::of("unknown").to_string();
  EXPECT_EQ(server.send("POST", kSeals + "/" + unknown + "/verify").status, 404);
  EXPECT_EQ(server.send("GET", kSeals + "/" + unknown).status, 404);
  EXPECT_EQ(server.send("GET", kSeals + "/latest").status, 400);
}

}  // namespace
}  // namespace mendel::registry::api
