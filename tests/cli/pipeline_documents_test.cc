#include "cli/pipeline_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = PipelineDocument::Kind;

constexpr const char* kBoth = R"(# how the model is made again
kind: trigger
name: lhcb/on-new-calib
pipeline: lhcb/retrain
when: {new_version: lhcb/calib}
---
kind: pipeline
name: lhcb/retrain
engine: agent
queue: gpu
command: [snakemake, -c4]
hyperparameters: {lr: 1e-3, on: no}
)";

std::string why_refused(const std::string& text) {
  try {
    parse_pipeline_documents(text, "f.yml");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
}

std::vector<std::string> changes(const char* before, const char* after) {
  std::vector<std::string> texts;
  for (const auto& change : changes_between(Json::parse(before), Json::parse(after))) {
    texts.push_back(describe(change));
  }
  return texts;
}

TEST(PipelineDocuments, AreWhatTheServerTakesWithKindAndName) {
  const auto documents = parse_pipeline_documents(kBoth, "f.yml");
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].kind, Kind::trigger);
  EXPECT_EQ(documents[0].path(), "/api/v1/triggers/lhcb/on-new-calib");
  EXPECT_EQ(documents[1].title(), "pipeline lhcb/retrain");
  EXPECT_EQ(documents[1].place, "f.yml, document 2");
  EXPECT_EQ(documents[1].body, Json::parse(R"({"engine": "agent", "queue": "gpu",
                            "command": ["snakemake", "-c4"],
                            "hyperparameters": {"lr": 0.001, "on": "no"}})"));
}

TEST(PipelineDocuments, OfAllFilesHavePipelinesFirst) {
  const testing::TemporaryDirectory directory;
  write_file(directory / "a.yml", kBoth);
  write_file(directory / "b.yml", "kind: pipeline\nname: lhcb/other\n---\n# nothing\n");
  const auto documents =
      read_pipeline_documents({directory / "a.yml", directory / "b.yml"});
  std::vector<std::string> titles;
  for (const auto& document : documents) titles.push_back(document.title());
  EXPECT_THAT(titles, ElementsAre("pipeline lhcb/retrain", "pipeline lhcb/other",
                                  "trigger lhcb/on-new-calib"));
}

TEST(PipelineDocuments, ThatOccurTwiceAreRefused) {
  const testing::TemporaryDirectory directory;
  write_file(directory / "a.yml",
             "kind: pipeline\nname: lhcb/x\n---\nkind: trigger\nname: lhcb/x\n---\n"
             "kind: pipeline\nname: LHCb/X\n");
  try {
    read_pipeline_documents({directory / "a.yml"});
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("document 3"));
    EXPECT_THAT(error.what(), HasSubstr("occurs twice"));
  }
}

TEST(PipelineDocuments, ThatAreNoneAreRefusedWithTheirPlace) {
  EXPECT_THAT(why_refused("kind: pipeline\nname: lhcb/x\n---\nname: lhcb/y\n"),
              HasSubstr("f.yml, document 2: needs \"kind\""));
  EXPECT_THAT(why_refused("kind: job\nname: lhcb/x\n"), HasSubstr("job"));
  EXPECT_THAT(why_refused("kind: pipeline\nname: [x]\n"), HasSubstr("\"name\""));
  EXPECT_THAT(why_refused("kind: pipeline\nname: x\n"), HasSubstr("f.yml"));
  EXPECT_THAT(why_refused("- 1\n"), HasSubstr("no mapping"));
  EXPECT_THAT(why_refused("kind: [\n"), HasSubstr("YAML"));
  EXPECT_THAT(why_refused("kind: pipeline\nkind: trigger\n"), HasSubstr("twice"));
  EXPECT_THAT(why_refused("kind: pipeline\nname: a/b\nx: .nan\n"),
              HasSubstr("/x (line 3)"));
}

TEST(PipelineDocuments, ThereHaveToBeSome) {
  const testing::TemporaryDirectory directory;
  write_file(directory / "a.yml", "# nothing\n");
  EXPECT_THROW(read_pipeline_documents({directory / "a.yml"}), Error);
  EXPECT_THROW(read_pipeline_documents({directory / "none.yml"}), Error);
}

TEST(DocumentChanges, AreTheMembersThatDiffer) {
  EXPECT_THAT(changes(R"({"a": 1, "l": {"c": 1, "d": 2}, "x": [1]})",
                      R"({"a": 1, "l": {"c": 2, "e/f": 3}, "x": [1, 2]})"),
              ElementsAre("  ~ /l/c: 1 -> 2", "  - /l/d: 2", "  + /l/e~1f: 3",
                          "  ~ /x: [1] -> [1,2]"));
  EXPECT_THAT(changes(R"({"a": {"b": 1}})", R"({"a": {"b": 1}})"), IsEmpty());
  EXPECT_THAT(changes("null", R"({"a": 1})"), ElementsAre("  + : {\"a\":1}"));
}

}  // namespace
}  // namespace mendel::cli
