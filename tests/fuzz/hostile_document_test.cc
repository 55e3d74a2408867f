#include "tests/fuzz/hostile_document.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/hostile_egress.h"
#include "tests/fuzz/hostile_glob.h"
#include "tests/fuzz/hostile_job_files.h"
#include "tests/fuzz/hostile_journal.h"
#include "tests/fuzz/hostile_kpi_events.h"
#include "tests/fuzz/hostile_kpi_lines.h"
#include "tests/fuzz/hostile_list.h"
#include "tests/fuzz/hostile_report.h"
#include "tests/fuzz/hostile_request.h"
#include "tests/fuzz/hostile_search.h"
#include "tests/fuzz/hostile_trigger.h"
#include "tests/testing/random_bytes.h"

namespace mendel::testing {
namespace {

using Decode = bool (*)(std::span<const std::byte>);

struct Kind {
  std::string folder;
  Decode decode;
};

class HostileDocument : public ::testing::TestWithParam<Kind> {
 protected:
  bool accepts(const std::string& input) {
    return GetParam().decode(std::as_bytes(std::span(input)));
  }

  // By file name, which says what is wrong with the input, or that it is accepted.
  std::map<std::string, std::string> corpus() {
    std::map<std::string, std::string> inputs;
    const auto folder = std::filesystem::path(MENDEL_CORPUS) / GetParam().folder;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      std::ifstream stream(file.path(), std::ios::binary);
      inputs.emplace(file.path().filename(),
                     std::string(std::istreambuf_iterator<char>(stream), {}));
    }
    return inputs;
  }
};

TEST_P(HostileDocument, IsAcceptedExactlyIfItsNameSaysSo) {
  const auto inputs = corpus();
  ASSERT_GE(inputs.size(), 5u);
  for (const auto& [name, input] : inputs) {
    EXPECT_EQ(accepts(input), name.starts_with("accepted")) << name;
  }
}

TEST_P(HostileDocument, BreaksNoPromiseHoweverItIsMutated) {
  SeededRandom random(1);
  std::size_t refused = 0;
  for (const auto& [name, input] : corpus()) {
    if (input.empty()) continue;
    for (int round = 0; round < 3'000; ++round) {
      std::string mutant = input;
      for (std::size_t count = 1 + random.below(3); count > 0; --count) {
        mutant[random.below(mutant.size())] = static_cast<char>(random.next());
      }
      if (random.below(4) == 0) mutant.resize(random.below(mutant.size()) + 1);
      if (!accepts(mutant)) ++refused;
    }
  }
  EXPECT_GT(refused, 5'000u);
}

INSTANTIATE_TEST_SUITE_P(Recipe, HostileDocument,
                         ::testing::Values(Kind{"recipe", decode_hostile_recipe}));
INSTANTIATE_TEST_SUITE_P(Manifest, HostileDocument,
                         ::testing::Values(Kind{"manifest", decode_hostile_manifest}));
INSTANTIATE_TEST_SUITE_P(Body, HostileDocument,
                         ::testing::Values(Kind{"body", read_hostile_body}));
INSTANTIATE_TEST_SUITE_P(Points, HostileDocument,
                         ::testing::Values(Kind{"points", decode_hostile_points}));
INSTANTIATE_TEST_SUITE_P(Metrics, HostileDocument,
                         ::testing::Values(Kind{"metrics", read_hostile_metrics}));
INSTANTIATE_TEST_SUITE_P(Journal, HostileDocument,
                         ::testing::Values(Kind{"journal", read_hostile_journal}));
INSTANTIATE_TEST_SUITE_P(Report, HostileDocument,
                         ::testing::Values(Kind{"report", parse_hostile_report}));
INSTANTIATE_TEST_SUITE_P(Request, HostileDocument,
                         ::testing::Values(Kind{"request", read_hostile_request}));
INSTANTIATE_TEST_SUITE_P(ParamsYaml, HostileDocument,
                         ::testing::Values(Kind{"params_yaml", read_hostile_yaml}));
INSTANTIATE_TEST_SUITE_P(ParamsJson, HostileDocument,
                         ::testing::Values(Kind{"params_json", read_hostile_json}));
INSTANTIATE_TEST_SUITE_P(MetricsFile, HostileDocument,
                         ::testing::Values(Kind{"metrics_file",
                                                read_hostile_metrics_file}));
INSTANTIATE_TEST_SUITE_P(YamlDocuments, HostileDocument,
                         ::testing::Values(Kind{"yaml_documents",
                                                read_hostile_yaml_documents}));
INSTANTIATE_TEST_SUITE_P(DatasetList, HostileDocument,
                         ::testing::Values(Kind{"dataset_list", read_hostile_list}));
INSTANTIATE_TEST_SUITE_P(KpiLines, HostileDocument,
                         ::testing::Values(Kind{"kpi_lines", read_hostile_kpi_lines}));
INSTANTIATE_TEST_SUITE_P(KpiEvents, HostileDocument,
                         ::testing::Values(Kind{"kpi_events", read_hostile_kpi_events}));
INSTANTIATE_TEST_SUITE_P(Content, HostileDocument,
                         ::testing::Values(Kind{"content", decode_hostile_content}));
INSTANTIATE_TEST_SUITE_P(Glob, HostileDocument,
                         ::testing::Values(Kind{"glob", match_hostile_glob}));
INSTANTIATE_TEST_SUITE_P(Pipeline, HostileDocument,
                         ::testing::Values(Kind{"pipeline", read_hostile_pipeline}));
INSTANTIATE_TEST_SUITE_P(Push, HostileDocument,
                         ::testing::Values(Kind{"push", read_hostile_push}));
INSTANTIATE_TEST_SUITE_P(Signature, HostileDocument,
                         ::testing::Values(Kind{"signature", check_hostile_signature}));
INSTANTIATE_TEST_SUITE_P(Address, HostileDocument,
                         ::testing::Values(Kind{"address", parse_hostile_address}));
INSTANTIATE_TEST_SUITE_P(Refs, HostileDocument,
                         ::testing::Values(Kind{"refs", parse_hostile_refs}));

INSTANTIATE_TEST_SUITE_P(Search, HostileDocument,
                         ::testing::Values(Kind{"search", parse_hostile_search}));
INSTANTIATE_TEST_SUITE_P(Schedule, HostileDocument,
                         ::testing::Values(Kind{"schedule", parse_hostile_schedule}));
INSTANTIATE_TEST_SUITE_P(Trigger, HostileDocument,
                         ::testing::Values(Kind{"trigger", parse_hostile_trigger}));

}  // namespace
}  // namespace mendel::testing
