#include "registry/api/trigger_body.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "registry/services/triggers/trigger_document.h"
#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json trigger_of(json when) {
  return {{"pipeline", "lhcb/retrain"}, {"when", std::move(when)}};
}

std::vector<std::string> problems(const json& document) {
  try {
    read_trigger_body(document);
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    std::vector<std::string> found;
    for (const auto& field : error.fields()) {
      found.push_back(field.pointer + " " + field.detail);
    }
    return found;
  }
}

std::vector<std::string> problems_of(const json& when) {
  return problems(trigger_of(when));
}

TEST(TriggerBody, IsTheSameTextForTheSameTrigger) {
  auto document = trigger_of({{"manual", true}});
  const auto text = read_trigger_body(document);
  document["enabled"] = true;
  document["debounce_seconds"] = 0;
  EXPECT_EQ(read_trigger_body(document), text);
  EXPECT_EQ(json::parse(text).at("cooldown_seconds"), 0);
}

TEST(TriggerBody, TakesEveryKindOfCondition) {
  const json conditions{{{"new_version", "lhcb/calib"}, {"labels", {{"a", "b"}}}},
                        {{"alias_moved", "lhcb/trk@production"}},
                        {{"git_push",
                          {{"repository", "https://git.example.org/train"},
                           {"branch", "release/*"},
                           {"tag", "v[0-9]*"},
                           {"paths", {"src/**"}}}}},
                        {{"metric",
                          {{"artifact", "lhcb/trk@production"},
                           {"name", "chi2_ndf"},
                           {"below", -1},
                           {"times", 3},
                           {"dataset", "lhcb/valid:2"}}}},
                        {{"kpi", {{"id", "KPI2.2.1.1"}, {"behind_pace", true}}}},
                        {{"schedule", "0 3 * * 1"}, {"timezone", "Europe/Rome"}},
                        {{"manual", true}}};
  for (const json& condition : conditions) {
    const auto text = read_trigger_body(trigger_of(condition));
    EXPECT_EQ(TriggerDocument::parse(text).leaves.size(), 1u);
  }
  const auto text = read_trigger_body(trigger_of({{"any", {{{"all", conditions}}}}}));
  EXPECT_EQ(TriggerDocument::parse(text).leaves.size(), conditions.size());
}

TEST(TriggerBody, NamesWhatIsUnknown) {
  EXPECT_THAT(problems_of({{"git_push", {{"repository", "h.org/r"}, {"brunch", "main"}}}}),
              ElementsAre("/when/git_push/brunch is not a known field"));
  EXPECT_THAT(problems_of({{"any", {{{"manual", true}, {"tomorrow", 1}}}}}),
              ElementsAre("/when/any/0/tomorrow is not a known field"));
  EXPECT_THAT(problems_of({{"alias_moved", "lhcb/x@p"}, {"labels", {{"a", "b"}}}}),
              ElementsAre("/when/labels is not a known field"));
}

TEST(TriggerBody, NeedsExactlyOneCondition) {
  EXPECT_THAT(problems_of(json::object()),
              ElementsAre(HasSubstr("/when/new_version exactly one of new_version, ")));
  EXPECT_THAT(problems_of({{"manual", true}, {"schedule", "0 3 * * *"}}),
              ElementsAre(HasSubstr("/when/manual exactly one of")));
  EXPECT_THAT(problems({{"pipeline", "lhcb/x"}}), ElementsAre("/when is required"));
}

TEST(TriggerBody, SaysWhichFieldOfAScheduleIsWrong) {
  EXPECT_THAT(problems_of({{"schedule", "0 24 * * *"}}),
              ElementsAre("/when/schedule hour: 24 is not from 0 to 23"));
  EXPECT_THAT(problems_of({{"schedule", "0 3 * * *"}, {"timezone", "Mars/Olympus"}}),
              ElementsAre("/when/timezone there is no time zone 'Mars/Olympus'"));
}

TEST(TriggerBody, SaysWhatIsWrongInAPush) {
  EXPECT_THAT(problems_of({{"git_push", {{"branch", "main"}}}}),
              ElementsAre("/when/git_push/repository is required"));
  EXPECT_THAT(problems_of({{"git_push", {{"repository", "/srv/git/train"}}}}),
              ElementsAre(HasSubstr("/when/git_push/repository ")));
  EXPECT_THAT(
      problems_of({{"git_push", {{"repository", "h.org/r"}, {"paths", {"src/**", "[a"}}}}}),
      ElementsAre(HasSubstr("/when/git_push/paths pattern 1: ")));
}

TEST(TriggerBody, SaysWhatIsWrongInAMetric) {
  const json metric{{"artifact", "lhcb/trk"}, {"name", "chi2_ndf"}};
  EXPECT_THAT(problems_of({{"metric", metric}}),
              ElementsAre("/when/metric/above exactly one of above and below is required"));
  auto both = metric;
  both["above"] = 3;
  both["below"] = 1;
  EXPECT_THAT(problems_of({{"metric", both}}),
              ElementsAre("/when/metric/above exactly one of above and below is required"));
  auto often = metric;
  often["above"] = 3;
  often["times"] = 0;
  EXPECT_THAT(problems_of({{"metric", often}}),
              ElementsAre("/when/metric/times must be from 1 to 1000"));
}

TEST(TriggerBody, NeedsAnAliasThatCanMove) {
  EXPECT_THAT(problems_of({{"alias_moved", "lhcb/trk:3"}}),
              ElementsAre(HasSubstr("/when/alias_moved must name an alias")));
  EXPECT_THAT(problems_of({{"new_version", "lhcb/trk@production"}}),
              ElementsAre(HasSubstr("/when/new_version ")));
}

TEST(TriggerBody, IsNotNestedTooDeep) {
  json when{{"manual", true}};
  for (int depth = 1; depth < 4; ++depth) when = {{"all", json::array({when})}};
  EXPECT_THAT(problems_of(when), ElementsAre());
  when = {{"all", json::array({when})}};
  EXPECT_THAT(problems_of(when),
              ElementsAre("/when/all/0/all/0/all/0/all is nested deeper than 4"));
}

TEST(TriggerBody, HasALimitedNumberOfConditions) {
  json many = json::array();
  for (int i = 0; i < 20; ++i) many.push_back({{"manual", true}});
  EXPECT_THAT(problems_of({{"any", many}}), ElementsAre());
  json too_many = json::array();
  for (int i = 0; i < 3; ++i) too_many.push_back({{"any", many}});
  EXPECT_NE(problems_of({{"any", too_many}}), std::vector<std::string>());
}

TEST(TriggerBody, WaitsForALimitedTime) {
  auto document = trigger_of({{"manual", true}});
  document["debounce_seconds"] = -1;
  document["cooldown_seconds"] = 1e12;
  EXPECT_THAT(problems(document),
              ElementsAre("/debounce_seconds must be from 0 to 604800",
                          "/cooldown_seconds must be from 0 to 31622400"));
}

}  // namespace
}  // namespace mendel::registry::api
