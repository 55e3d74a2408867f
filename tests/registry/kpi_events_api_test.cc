// What goes over the wire: bodies in all their forms, and the answers.

#include <gmock/gmock.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "registry/api/kpi_events.h"
#include "registry/api/metrics.h"
#include "registry/api/router.h"
#include "registry/services/secret.h"
#include "storage/base/digest.h"
#include "tests/registry/kpi_fixture.h"

namespace mendel::registry {
namespace {

using api::Response;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KpiEventsApi : public KpiTest {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  KpiEventsApi() {
    define("events");
    TokenRequest request;
    request.principal = Name::parse("a principal", "admin");
    request.scopes = Scopes::all();
    secret_ = registry.tokens.issue(admin, request).secret;
  }

  Response send(const std::string& method, const std::string& target,
                const Headers& headers, const std::string& body, std::size_t piece = 1000) {
    api::RequestHead head;
    head.id = "request-1";
    head.method = method;
    head.target = target;
    head.has_body = !body.empty();
    head.headers.set("Authorization", "Bearer " + secret_);
    for (const auto& [name, value] : headers) head.headers.set(name, value);
    const auto exchange = router_.open(head);
    if (auto refusal = exchange->begin()) return *std::move(refusal);
    if (exchange->body() != api::Exchange::Body::stream) return exchange->answer(body);
    const auto bytes = as_bytes(body);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      auto failure =
          exchange->consume(bytes.subspan(at, std::min(piece, bytes.size() - at)));
      if (failure) return *std::move(failure);
    }
    return exchange->answer("");
  }
  Response post(const Headers& headers, const std::string& body, std::size_t piece = 1000) {
    return send("POST", "/api/v1/kpi-events", headers, body, piece);
  }
  static json document(const Response& response) {
    return json::parse(std::get<std::string>(response.body));
  }
  json taken(const Headers& headers, const std::string& body) {
    const auto response = post(headers, body);
    EXPECT_EQ(response.status, 200);
    return document(response);
  }

  static std::string lines(int first, int count) {
    std::string text;
    for (int i = first; i < first + count; ++i) {
      text += event("file-" + std::to_string(i), 1).dump() + "\n";
    }
    return text;
  }
  static std::string zstd(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
    return out;
  }

  static inline const Headers kJson{{"Content-Type", "application/json"}};
  static inline const Headers kLines{{"Content-Type", "application/x-ndjson"}};

 private:
  std::string secret_;
  api::Metrics metrics_;
  api::Router router_{api::routes(), registry.services, metrics_};
};

TEST_F(KpiEventsApi, TakesOneEventAListOrAnObjectOfThem) {
  const json a = event("a", 1);
  const json b = event("b", 1);
  EXPECT_EQ(taken(kJson, a.dump()), (json{{"accepted", 1},
                                          {"duplicates", 0},
                                          {"rejected", json::array()},
                                          {"rejected_count", 0}}));
  EXPECT_EQ(taken({}, json::array({a, b}).dump())["accepted"], 1);
  const json both = taken(kJson, json{{"events", {b, event("c", 1)}}}.dump());
  EXPECT_EQ(both["accepted"], 1);
  EXPECT_EQ(both["duplicates"], 1);
}

TEST_F(KpiEventsApi, TakesLinesAsTheyCome) {
  EXPECT_EQ(taken(kLines, lines(0, 12'000))["accepted"], 12'000);
  const auto again =
      taken({{"Content-Type", "application/jsonl; charset=utf-8"}}, lines(0, 12'010));
  EXPECT_EQ(again["accepted"], 10);
  EXPECT_EQ(again["duplicates"], 12'000);
}

TEST_F(KpiEventsApi, TakesCompressedBodies) {
  Headers headers = kLines;
  headers.emplace_back("Content-Encoding", "zstd");
  EXPECT_EQ(taken(headers, zstd(lines(0, 100)))["accepted"], 100);
  headers[0] = kJson[0];
  EXPECT_EQ(taken(headers, zstd(event("a", 1).dump()))["accepted"], 1);
  headers[1].second = "identity";
  EXPECT_EQ(taken(headers, event("b", 1).dump())["accepted"], 1);
}

TEST_F(KpiEventsApi, SaysWhichRowsItRejectedAndWhy) {
  const std::string body = event("a", 1).dump() + "\nno JSON\n" + event("b", -1).dump() +
                           "\n\n" + event("c", 1, {{"subject", 3}}).dump() + "\n" +
                           event("a", 2).dump() + "\n" + event("d", 1).dump();
  const json answer = taken(kLines, body);
  EXPECT_EQ(answer["accepted"], 2);
  EXPECT_EQ(answer["rejected_count"], 4);
  const json& rejected = answer["rejected"];
  ASSERT_THAT(rejected, SizeIs(4));
  EXPECT_EQ(rejected[0]["index"], 1);
  EXPECT_FALSE(rejected[0].contains("event_id"));
  EXPECT_EQ(rejected[0]["problem"]["type"], "/problems/invalid-argument");
  EXPECT_EQ(rejected[1]["index"], 2);
  EXPECT_EQ(rejected[1]["event_id"], "b");
  EXPECT_EQ(rejected[1]["problem"]["status"], 422);
  EXPECT_EQ(rejected[1]["problem"]["errors"][0]["pointer"], "/value");
  EXPECT_EQ(rejected[2]["event_id"], "c");
  EXPECT_EQ(rejected[2]["problem"]["errors"][0]["pointer"], "/subject");
  EXPECT_EQ(rejected[3]["index"], 4);
  EXPECT_EQ(rejected[3]["problem"]["type"], "/problems/already-exists");
}

TEST_F(KpiEventsApi, ListsOnlySoManyRejections) {
  std::string body;
  for (int i = 0; i < 1500; ++i) body += "{}\n";
  body += event("a", 1).dump();
  const json answer = taken(kLines, body);
  EXPECT_EQ(answer["accepted"], 1);
  EXPECT_EQ(answer["rejected_count"], 1500);
  EXPECT_THAT(answer["rejected"], SizeIs(1000));
}

TEST_F(KpiEventsApi, SaysHowFarABodyWasTakenThatBreaks) {
  Headers headers = kLines;
  headers.emplace_back("Content-Encoding", "zstd");
  const std::string body = zstd(lines(0, 11'000));
  const auto cut = post(headers, body.substr(0, body.size() - 1));
  EXPECT_EQ(cut.status, 400);
  EXPECT_THAT(document(cut)["detail"].get<std::string>(),
              HasSubstr("rows dealt with before: 10000"));
  const json again = taken(headers, body);
  EXPECT_EQ(again["accepted"], 1000);
  EXPECT_EQ(again["duplicates"], 10'000);

  const auto no_document = post(kJson, "[" + event("x", 1).dump() + ",");
  EXPECT_EQ(no_document.status, 400);
  EXPECT_EQ(taken(kJson, event("x", 1).dump())["accepted"], 1);
}

TEST_F(KpiEventsApi, RefusesADocumentThatIsTooLarge) {
  const std::string body(17 << 20, ' ');
  EXPECT_EQ(post(kJson, body, 1 << 20).status, 413);
  Headers headers = kJson;
  headers.emplace_back("Content-Encoding", "zstd");
  EXPECT_EQ(post(headers, zstd(body)).status, 413);
  EXPECT_EQ(taken(kLines, body)["accepted"], 0) << "blank lines are no rows";
}

TEST_F(KpiEventsApi, NamesTheCodingsThatThereAre) {
  Headers headers = kLines;
  headers.emplace_back("Content-Encoding", "br");
  const auto response = post(headers, "whatever");
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(response.headers.find("Accept-Encoding"), "gzip, zstd");
  EXPECT_EQ(document(response)["type"], "/problems/unsupported-media-type");
}

TEST_F(KpiEventsApi, ShowsEntriesAsTheyWereSent) {
  const json whole = event("a", 0.5,
                           {{"subject", {{"site", "CNAF"}}},
                            {"evidence", {"https://example.org/1"}},
                            {"resources", {{"cpu_seconds", 12}}}});
  const json fix = correction("fix", "a", 3);
  taken(kJson, json::array({whole, fix}).dump());
  registry.chainer.close_book(registry.clock.now());

  const auto response = send("GET", "/api/v1/kpi-events?kpi=events", {}, "");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.headers.find("ETag"));
  const json items = document(response)["items"];
  ASSERT_THAT(items, SizeIs(2));
  for (const auto& [name, value] : whole.items()) EXPECT_EQ(items[0][name], value) << name;
  for (const auto& [name, value] : fix.items()) EXPECT_EQ(items[1][name], value) << name;
  EXPECT_EQ(items[0]["sequence"], 1);
  EXPECT_EQ(items[0]["principal"], "admin");
  EXPECT_FALSE(items[1].contains("occurred_at"));

  EXPECT_EQ(send("GET", "/api/v1/kpi-events?kpi=absent", {}, "").status, 404);
  EXPECT_EQ(send("GET", "/api/v1/kpi-events?after=x", {}, "").status, 400);
  EXPECT_THAT(document(send("GET", "/api/v1/kpi-events?namespace=absent", {}, ""))["items"],
              IsEmpty());
}

TEST_F(KpiEventsApi, DefinesKpis) {
  const std::string body = kpi_document({{"symbol", "N_MC"}}).dump();
  const auto made = send("PUT", "/api/v1/kpis/KPI2.2.1.1", kJson, body);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.find("ETag"), "\"1\"");
  EXPECT_EQ(document(made)["id"], "KPI2.2.1.1");
  EXPECT_EQ(document(made)["revision"], 1);
  EXPECT_EQ(send("PUT", "/api/v1/kpis/KPI2.2.1.1", kJson, body).status, 200);
  const std::string other = kpi_document({{"threshold", 2}}).dump();
  EXPECT_EQ(send("PUT", "/api/v1/kpis/KPI2.2.1.1", {{"If-Match", "\"7\""}}, other).status,
            412);
  EXPECT_EQ(send("PUT", "/api/v1/kpis/new", {{"If-Match", "\"1\""}}, other).status, 412);
  EXPECT_EQ(send("PUT", "/api/v1/kpis/KPI2.2.1.1", {{"If-Match", "\"1\""}}, other).status,
            200);

  const auto found = send("GET", "/api/v1/kpis/kpi2.2.1.1", {}, "");
  const json kpi = document(found);
  EXPECT_EQ(found.headers.find("ETag"), "\"2\"");
  EXPECT_EQ(kpi["threshold"], 2);
  ASSERT_THAT(kpi["revisions"], SizeIs(2));
  EXPECT_EQ(kpi["revisions"][1]["definition"], kpi_document({{"symbol", "N_MC"}}));
  EXPECT_EQ(send("GET", "/api/v1/kpis/KPI2.2.1.1", {{"If-None-Match", "\"2\""}}, "").status,
            304);
  EXPECT_EQ(send("GET", "/api/v1/kpis/absent", {}, "").status, 404);
  EXPECT_THAT(document(send("GET", "/api/v1/kpis", {}, ""))["items"], SizeIs(2));
}

}  // namespace
}  // namespace mendel::registry
