#include "registry/api/kpi_event_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

json event(const json& others = json::object()) {
  json row{{"kpi", "KPI2.2.1.1"},
           {"namespace", "lhcb"},
           {"event_id", "LHCb-2016MU/00012.dst"},
           {"value", 1000},
           {"occurred_at", "2024-02-12T10:00:00Z"}};
  row.update(others);
  return row;
}

json correction(const json& others = json::object()) {
  json row{{"kpi", "KPI2.2.1.1"},
           {"event_id", "fix-1"},
           {"corrects", "LHCb-2016MU/00012.dst"},
           {"value", 900},
           {"reason", "100 were broken"}};
  row.update(others);
  return row;
}

const Error* fault_of(const KpiEventRow& row) { return std::get_if<Error>(&row.content); }

std::string pointer_of_problem(const json& row) {
  const auto read = read_kpi_event(row);
  const Error* error = fault_of(read);
  if (error == nullptr) return "none";
  EXPECT_EQ(error->code(), ErrorCode::invalid_argument);
  if (error->fields().size() != 1) return error->what();
  return error->fields()[0].pointer;
}

TEST(KpiEvent, IsReadAsItStands) {
  const auto row = read_kpi_event(
      event({{"model", "lhcb/lamarr-trk:17"},
             {"subject", {{"experiment", "LHCb"}, {"site", "CNAF"}}},
             {"evidence", {"https://example.org/1", "root://eos.example.org//lhcb/1.dst"}},
             {"resources", {{"cpu_seconds", 12.5}, {"energy_kwh", 0}}}}));
  ASSERT_EQ(fault_of(row), nullptr) << fault_of(row)->what();
  EXPECT_EQ(row.event_id, "LHCb-2016MU/00012.dst");
  const auto& entry = std::get<SentEntry>(row.content);
  EXPECT_EQ(entry.kpi.text(), "KPI2.2.1.1");
  EXPECT_EQ(entry.ns->text(), "lhcb");
  EXPECT_EQ(entry.event_id, "LHCb-2016MU/00012.dst");
  EXPECT_EQ(entry.value->text(), "1000");
  EXPECT_EQ(entry.occurred_at, parse_rfc3339("2024-02-12T10:00:00Z"));
  EXPECT_EQ(entry.model->text(), "lhcb/lamarr-trk:17");
  EXPECT_THAT(entry.subject, ElementsAre(Pair("experiment", "LHCb"), Pair("site", "CNAF")));
  EXPECT_THAT(entry.evidence, SizeIs(2));
  EXPECT_EQ(entry.cpu_seconds->text(), "12.5");
  EXPECT_FALSE(entry.gpu_seconds);
  EXPECT_EQ(entry.energy_kwh->text(), "0");
  EXPECT_FALSE(entry.is_correction());
}

TEST(KpiEvent, MayBeACorrection) {
  const auto row = read_kpi_event(correction({{"evidence", {"https://example.org/why"}}}));
  ASSERT_EQ(fault_of(row), nullptr) << fault_of(row)->what();
  const auto& entry = std::get<SentEntry>(row.content);
  EXPECT_TRUE(entry.is_correction());
  EXPECT_EQ(entry.corrects, "LHCb-2016MU/00012.dst");
  EXPECT_EQ(entry.reason, "100 were broken");
  EXPECT_EQ(entry.value->text(), "900");
  EXPECT_FALSE(entry.occurred_at);
}

TEST(KpiEvent, SaysWhichMemberBreaksWhichRule) {
  const std::string long_text(3000, 'a');
  json many_keys;
  for (int i = 0; i < 33; ++i) many_keys["k" + std::to_string(i)] = "v";
  const std::pair<json, std::string> wrong[] = {
      {{{"kpi", "not a name"}}, "/kpi"},
      {{{"namespace", 3}}, "/namespace"},
      {{{"event_id", ""}}, "/event_id"},
      {{{"event_id", std::string(513, 'a')}}, "/event_id"},
      {{{"event_id", "two\nlines"}}, "/event_id"},
      {{{"event_id", 12}}, "/event_id"},
      {{{"value", "1000"}}, "/value"},
      {{{"value", nullptr}}, "/value"},
      {{{"value", 1e19}}, "/value"},
      {{{"value", 1e-10}}, "/value"},
      {{{"value", 9007199254740993}}, "/value"},
      {{{"occurred_at", "2024-02-12"}}, "/occurred_at"},
      {{{"occurred_at", "yesterday"}}, "/occurred_at"},
      {{{"occurred_at", 1707732000}}, "/occurred_at"},
      {{{"model", "lhcb/lamarr-trk@production"}}, "/model"},
      {{{"model", "lhcb/lamarr-trk"}}, "/model"},
      {{{"model", "lamarr-trk:17"}}, "/model"},
      {{{"subject", many_keys}}, "/subject"},
      {{{"subject", {{"1st", "x"}}}}, "/subject/1st"},
      {{{"subject", {{"model", "x"}}}}, "/subject/model"},
      {{{"subject", {{"site", 3}}}}, "/subject/site"},
      {{{"subject", {{"site", ""}}}}, "/subject/site"},
      {{{"subject", {{"site", std::string(257, 'a')}}}}, "/subject/site"},
      {{{"subject", {{"site", "a\tb"}}}}, "/subject/site"},
      {{{"evidence", "https://example.org"}}, "/evidence"},
      {{{"evidence", std::vector<std::string>(17, "https://example.org")}}, "/evidence"},
      {{{"evidence", {"example.org/1"}}}, "/evidence"},
      {{{"evidence", {"/eos/lhcb/1.dst"}}}, "/evidence"},
      {{{"evidence", {"https:///path"}}}, "/evidence"},
      {{{"evidence", {"https://:443/"}}}, "/evidence"},
      {{{"evidence", {"1http://example.org"}}}, "/evidence"},
      {{{"evidence", {"https://anna:secret@example.org/"}}}, "/evidence"},
      {{{"evidence", {"https://anna:secret@example.org\\x"}}}, "/evidence"},
      {{{"evidence", {"https://example.org/a b"}}}, "/evidence"},
      {{{"evidence", {"https://example.org/" + long_text}}}, "/evidence"},
      {{{"resources", {{"cpu_seconds", -1}}}}, "/resources/cpu_seconds"},
      {{{"resources", {{"cpu_hours", 1}}}}, "/resources/cpu_hours"},
      {{{"reason", "because"}}, "/reason"},
      {{{"site", "CNAF"}}, "/site"}};
  for (const auto& [others, pointer] : wrong) {
    EXPECT_EQ(pointer_of_problem(event(others)), pointer) << others.dump().substr(0, 200);
  }
  for (const char* member : {"kpi", "event_id", "occurred_at"}) {
    json row = event();
    row.erase(member);
    EXPECT_EQ(pointer_of_problem(row), std::string("/") + member);
  }
  const std::pair<json, std::string> wrong_corrections[] = {
      {{{"occurred_at", "2024-02-12T10:00:00Z"}}, "/occurred_at"},
      {{{"subject", {{"site", "CNAF"}}}}, "/subject"},
      {{{"resources", {{"cpu_seconds", 1}}}}, "/resources"},
      {{{"corrects", ""}}, "/corrects"},
      {{{"reason", ""}}, "/reason"},
      {{{"reason", std::string(1001, 'a')}}, "/reason"}};
  for (const auto& [others, pointer] : wrong_corrections) {
    EXPECT_EQ(pointer_of_problem(correction(others)), pointer) << others;
  }
  for (const char* member : {"kpi", "event_id", "value", "reason"}) {
    json row = correction();
    row.erase(member);
    EXPECT_EQ(pointer_of_problem(row), std::string("/") + member);
  }
}

TEST(KpiEvent, SaysWhatToSendInsteadOfAnAlias) {
  const auto row = read_kpi_event(event({{"model", "lhcb/lamarr-trk@production"}}));
  EXPECT_THAT(fault_of(row)->what(),
              HasSubstr("an alias moves; send the Mendel-Reference"));
}

TEST(KpiEvent, MayNameItsModelByDigest) {
  const auto digest = Digest::of("manifest").to_string();
  EXPECT_EQ(pointer_of_problem(event({{"model", "lhcb/lamarr-trk@" + digest}})), "none");
}

TEST(KpiEvent, ThatIsNoObjectHasAProblem) {
  for (const json& row : {json(3), json::array(), json("text"), json(nullptr)}) {
    EXPECT_NE(fault_of(read_kpi_event(row)), nullptr);
  }
}

TEST(KpiEventDocument, IsOneEventOrAListOrAnObjectOfOne) {
  const json one = event();
  for (const json& document :
       {one, json::array({one}), json{{"events", json::array({one})}}}) {
    const auto rows = read_kpi_event_document(document.dump());
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(fault_of(rows[0]), nullptr);
  }
  EXPECT_THAT(read_kpi_event_document("[]"), SizeIs(0));
  EXPECT_THAT(read_kpi_event_document(json::array({one, 3, one}).dump()), SizeIs(3));
  const json other_member{{"events", json::array()}, {"namespace", "lhcb"}};
  for (const std::string& text :
       {std::string(), std::string("3"), std::string("[1,"), other_member.dump(),
        std::string(R"({"events": 3})"), std::string(R"({"kpi": 1, "kpi": 2})")}) {
    EXPECT_THROW(read_kpi_event_document(text), Error) << text;
  }
}

// --- Lines ------------------------------------------------------------------------------

class KpiLines : public ::testing::Test {
 protected:
  // In pieces of a size.
  std::vector<KpiEventRow> read(const std::string& text, std::size_t piece) {
    std::vector<KpiEventRow> rows;
    KpiEventLines lines(
        [&](KpiEventRow row, std::size_t) { rows.push_back(std::move(row)); });
    const auto bytes = as_bytes(text);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      lines.append(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    }
    lines.finish();
    return rows;
  }
};

TEST_F(KpiLines, AreTheSameInPiecesOfAnySize) {
  const std::string text = event({{"event_id", "a"}}).dump() + "\n\n  \r\n" +
                           event({{"event_id", "b"}}).dump() + "\r\nno JSON\n" +
                           event({{"event_id", "c"}}).dump();
  for (const std::size_t piece : {1, 2, 7, 100, 10'000}) {
    const auto rows = read(text, piece);
    ASSERT_THAT(rows, SizeIs(4));
    EXPECT_EQ(rows[0].event_id, "a");
    EXPECT_EQ(rows[1].event_id, "b");
    EXPECT_EQ(fault_of(rows[2])->code(), ErrorCode::invalid_argument);
    EXPECT_EQ(rows[3].event_id, "c");
  }
}

TEST_F(KpiLines, ThatAreTooLongAreSkippedToTheirEnd) {
  const std::string too_long(KpiEventLines::kLineSizeMax + 1, 'x');
  const std::string text = too_long + "\n" + event().dump() + "\n" + too_long;
  for (const std::size_t piece : {1000, 1'000'000}) {
    const auto rows = read(text, piece);
    ASSERT_THAT(rows, SizeIs(3));
    EXPECT_EQ(fault_of(rows[0])->code(), ErrorCode::too_large);
    EXPECT_EQ(fault_of(rows[1]), nullptr);
    EXPECT_EQ(fault_of(rows[2])->code(), ErrorCode::too_large);
  }
}

TEST_F(KpiLines, MayBeAsLongAsTheLimit) {
  std::string line = event().dump();
  line.resize(KpiEventLines::kLineSizeMax, ' ');
  const auto rows = read(line + "\n", 4096);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(fault_of(rows[0]), nullptr);
}

TEST_F(KpiLines, OfAnEmptyBodyAreNone) { EXPECT_THAT(read("", 1), SizeIs(0)); }

}  // namespace
}  // namespace mendel::registry::api
