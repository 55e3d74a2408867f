#include "cli/version_diff.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

Json with_hyperparameters(const Json& value) {
  return {{"hyperparameters", {{"digest", "sha256:…"}, {"value", value}}}};
}

TEST(VersionDiff, TellsHyperparametersByTheirPaths) {
  const Json before = with_hyperparameters({{"training", {{"lr", 0.01}, {"epochs", 20}}},
                                            {"layers", {128, 64}},
                                            {"old", nullptr}});
  const Json after = with_hyperparameters({{"training", {{"lr", 0.001}, {"epochs", 20}}},
                                           {"layers", {128, 64, 32}},
                                           {"new", {}}});
  EXPECT_EQ(diff_hyperparameters(before, after),
            (Json{{{"path", "layers.2"}, {"after", 32}},
                  {{"path", "new"}, {"after", nullptr}},
                  {{"path", "old"}, {"before", nullptr}},
                  {{"path", "training.lr"}, {"before", 0.01}, {"after", 0.001}}}));
  EXPECT_EQ(diff_hyperparameters(before, before), Json::array());
  EXPECT_EQ(diff_hyperparameters(Json::object(), with_hyperparameters(Json::object())),
            Json::array());
}

TEST(VersionDiff, TellsAMovedInputFromANewOne) {
  const Json before = {
      {"inputs",
       {{{"role", "trained-on"}, {"ref", "lhcb/calib:2"}, {"digest", "sha256:1"}},
        {{"role", "parent"}, {"ref", "lhcb/trk:1"}, {"digest", "sha256:2"}},
        {{"role", "environment"}, {"uri", "docker://a"}, {"digest", "sha256:3"}}}}};
  const Json after = {
      {"inputs",
       {{{"role", "trained-on"}, {"ref", "lhcb/calib:3"}, {"digest", "sha256:4"}},
        {{"role", "validated-on"}, {"ref", "lhcb/valid:1"}, {"digest", "sha256:5"}},
        {{"role", "environment"}, {"uri", "docker://a"}, {"digest", "sha256:6"}}}}};
  EXPECT_EQ(
      diff_inputs(before, after),
      (Json{{{"role", "trained-on"}, {"before", "lhcb/calib:2"}, {"after", "lhcb/calib:3"}},
            {{"role", "validated-on"}, {"after", "lhcb/valid:1"}},
            {{"role", "environment"},
             {"before", "docker://a sha256:3"},
             {"after", "docker://a sha256:6"}},
            {{"role", "parent"}, {"before", "lhcb/trk:1"}}}));
  EXPECT_EQ(diff_inputs(after, after), Json::array());
}

TEST(VersionDiff, TellsWhichComponentMoved) {
  const auto set = [](const std::string& tracking) {
    return Json{{"components",
                 {{{"name", "tracking"}, {"ref", tracking}, {"digest", "sha256:1"}},
                  {{"name", "pid"}, {"ref", "lhcb/pid:9"}, {"digest", "sha256:2"}}}}};
  };
  EXPECT_EQ(
      diff_components(set("lhcb/trk:1"), set("lhcb/trk:2")),
      (Json{{{"name", "tracking"}, {"before", "lhcb/trk:1"}, {"after", "lhcb/trk:2"}}}));
}

TEST(VersionDiff, TellsMetricsAndLabels) {
  const Json before = {{"metrics", {{"chi2", 3.5}, {"auc", "NaN"}}},
                       {"labels", {{"a", "1"}}}};
  const Json after = {{"metrics", {{"chi2", 2.4}, {"auc", "NaN"}}},
                      {"labels", {{"b", "2"}}}};
  EXPECT_EQ(diff_metrics(before, after),
            (Json{{{"name", "chi2"}, {"before", 3.5}, {"after", 2.4}}}));
  EXPECT_EQ(diff_labels(before, after),
            (Json{{{"name", "a"}, {"before", "1"}}, {{"name", "b"}, {"after", "2"}}}));
}

TEST(VersionDiff, TellsWhereTheSourceMoved) {
  const auto from = [](const std::string& commit, bool dirty) {
    return Json{{"source", {{"commit", commit}, {"dirty", dirty}, {"author", "A"}}}};
  };
  EXPECT_TRUE(diff_source(from("1", false), from("1", false)).is_null());
  EXPECT_TRUE(diff_source(Json::object(), Json::object()).is_null());
  EXPECT_EQ(diff_source(from("1", false), from("1", true)),
            (Json{{"before", {{"commit", "1"}, {"dirty", false}}},
                  {"after", {{"commit", "1"}, {"dirty", true}}}}));
  EXPECT_EQ(diff_source(Json::object(), from("1", false)),
            (Json{{"after", {{"commit", "1"}, {"dirty", false}}}}));
}

TEST(VersionDiff, TakesTheNewestEvaluationOfEachDataset) {
  const Json before = {{{"metrics", {{"chi2", 2.6}}}}};
  const Json after = {
      {{"metrics", {{"chi2", 2.2}}}, {"dataset", {{"ref", "lhcb/valid:2"}}}},
      {{"metrics", {{"chi2", 2.5}}}},
      {{"metrics", {{"chi2", 9.9}}}}};
  EXPECT_EQ(diff_evaluations(before, after),
            (Json{{{"name", "chi2"}, {"before", 2.6}, {"after", 2.5}},
                  {{"name", "chi2 on lhcb/valid:2"}, {"after", 2.2}}}));
}

}  // namespace
}  // namespace mendel::cli
