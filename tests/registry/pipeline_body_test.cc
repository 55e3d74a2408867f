#include "registry/api/pipeline_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json document() {
  return json::parse(R"({
    "engine": "agent", "queue": "cnaf-gpu", "command": ["snakemake", "-c4", "all"],
    "source": {"repository": "https://example.org/train.git", "ref": "main"},
    "inputs": {"data": "lhcb/calib-2016@latest",
               "base": {"ref": "lhcb/lamarr-trk:3", "role": "parent"}},
    "hyperparameters": {"lr": 0.001},
    "produces": {"artifact": "lhcb/lamarr-trk", "files": ["out/*.so"],
                 "metrics": "out/metrics.json", "aliases": ["staging"]},
    "limits": {"concurrency": 1, "per_day": 4, "timeout_seconds": 86400},
    "retry": {"attempts": 5, "backoff_seconds": 60},
    "secrets": {"S3_KEY": "store"},
    "promote": {"alias": "production", "metric": "chi2_ndf", "better": "lower",
                "min_improvement": 0.0, "otherwise": "hold"},
    "labels": {"data-taking": "2016MU"}})");
}

struct Refusal {
  ErrorCode code = ErrorCode::internal;
  std::vector<std::string> pointers;
  std::string text;
};

Refusal refusal_of(const json& document) {
  try {
    read_pipeline_body(document);
  } catch (const Error& error) {
    Refusal refusal{error.code(), {}, error.what()};
    for (const FieldError& field : error.fields()) {
      refusal.pointers.push_back(field.pointer);
      refusal.text += "\n" + field.detail;
    }
    return refusal;
  }
  ADD_FAILURE() << document << " was accepted";
  return {};
}

Refusal refusal_of(const std::function<void(json&)>& spoil) {
  json spoiled = document();
  spoil(spoiled);
  return refusal_of(spoiled);
}

TEST(PipelineBody, IsKeptAsItWasSentAndUnderstood) {
  const auto read = read_pipeline_body(document());
  EXPECT_EQ(json::parse(read.text), document());
  EXPECT_EQ(read.spec.queue, "cnaf-gpu");
  EXPECT_EQ(read.spec.source->ref, "main");
  EXPECT_FALSE(read.spec.source->is_resolved_by_agent);
  ASSERT_EQ(read.spec.inputs.size(), 2u);
  EXPECT_EQ(read.spec.inputs[0].name, "base");
  EXPECT_EQ(read.spec.inputs[0].role, EdgeRole::parent);
  EXPECT_EQ(read.spec.inputs[1].ref.text(), "lhcb/calib-2016@latest");
  EXPECT_EQ(read.spec.hyperparameters, R"({"lr":0.001})");
  EXPECT_EQ(read.spec.concurrency, 1);
  EXPECT_EQ(read.spec.per_day, 4);
  EXPECT_EQ(read.spec.attempts_max, 5);
  EXPECT_EQ(read.spec.backoff_seconds, 60);
  EXPECT_EQ(read.spec.aliases.size(), 1u);
}

TEST(PipelineBody, NeedsLittle) {
  json small{{"engine", "agent"},
             {"queue", "q"},
             {"command", {"make"}},
             {"produces", {{"artifact", "lhcb/x"}, {"files", {"out/*"}}}}};
  const auto read = read_pipeline_body(small);
  EXPECT_EQ(read.spec.attempts_max, PipelineSpec::kAttemptsDefault);
  EXPECT_FALSE(read.spec.source);
  small["produces"].erase("files");
  small["produces"]["platforms"] = {{"x86_64-el9", {"out/*.so"}}};
  EXPECT_EQ(read_pipeline_body(small).spec.kind, storage::ArtifactKind::model);
}

TEST(PipelineBody, NamesEveryFieldThatIsMissingOrUnknown) {
  const auto refusal = refusal_of([](json& d) {
    d.erase("queue");
    d["produces"].erase("artifact");
    d["limits"]["depth"] = 1;
    d["colour"] = "blue";
  });
  EXPECT_EQ(refusal.code, ErrorCode::invalid_argument);
  EXPECT_THAT(refusal.pointers,
              ElementsAre("/queue", "/produces/artifact", "/limits/depth", "/colour"));
}

TEST(PipelineBody, AnUnknownEngineIsToldWhichThereAre) {
  const auto refusal = refusal_of([](json& d) { d["engine"] = "airflow"; });
  EXPECT_EQ(refusal.code, ErrorCode::unprocessable);
  EXPECT_THAT(refusal.text, HasSubstr("'airflow' is no engine that is known: agent"));
}

TEST(PipelineBody, ACommandIsWordsAndNoLine) {
  const auto refusal = refusal_of([](json& d) { d["command"] = "make all"; });
  EXPECT_EQ(refusal.code, ErrorCode::unprocessable);
  EXPECT_THAT(refusal.text, HasSubstr(R"(["sh", "-c", "…"])"));
  EXPECT_THAT(refusal_of([](json& d) { d["command"] = json::array(); }).pointers,
              ElementsAre("/command"));
  EXPECT_THAT(refusal_of([](json& d) {
                d["command"] = {"make", 1};
              }).pointers,
              ElementsAre("/command/1"));
}

TEST(PipelineBody, AWrongPatternSaysWhere) {
  const auto refusal = refusal_of([](json& d) {
    d["produces"]["files"] = {"out/*", "out/[a-"};
  });
  EXPECT_THAT(refusal.pointers, ElementsAre("/produces/files/1"));
  EXPECT_THAT(refusal.text, HasSubstr("at byte 8"));
  for (const char* outside : {"/etc/*", "../x", "a/../../b", "./x"}) {
    EXPECT_THAT(refusal_of([&](json& d) { d["produces"]["files"] = {outside}; }).pointers,
                ElementsAre("/produces/files/0"))
        << outside;
  }
}

TEST(PipelineBody, HyperparametersComeFromOnePlace) {
  EXPECT_THAT(refusal_of([](json& d) { d["hyperparameters_file"] = "p.json"; }).pointers,
              ElementsAre("/hyperparameters"));
  json from_a_file = document();
  from_a_file.erase("hyperparameters");
  from_a_file["hyperparameters_file"] = "../p.json";
  EXPECT_THAT(refusal_of(from_a_file).pointers, ElementsAre("/hyperparameters_file"));
}

TEST(PipelineBody, ASourceIsARepositoryThatMayBeReached) {
  const auto with = [](const char* repository, const char* ref) {
    return refusal_of([&](json& d) {
             d["source"] = {{"repository", repository}, {"ref", ref}};
           })
        .pointers;
  };
  for (const char* local : {"/srv/git/x", "file:///srv/git/x", "../x"}) {
    EXPECT_THAT(with(local, "main"), ElementsAre("/source/repository")) << local;
  }
  EXPECT_THAT(with("https://me:secret@example.org/x", "main"),
              ElementsAre("/source/repository"));
  for (const char* option : {"--upload-pack=sh", "a..b", "a b", "x@{1}", "", "a\nb"}) {
    EXPECT_THAT(with("https://example.org/x", option), ElementsAre("/source/ref"))
        << option;
  }
}

TEST(PipelineBody, LimitsHaveBounds) {
  EXPECT_THAT(refusal_of([](json& d) { d["limits"]["concurrency"] = 0; }).pointers,
              ElementsAre("/limits/concurrency"));
  EXPECT_THAT(refusal_of([](json& d) { d["retry"]["attempts"] = 21; }).pointers,
              ElementsAre("/retry/attempts"));
  EXPECT_THAT(refusal_of([](json& d) { d["secrets"]["MENDEL_TOKEN"] = "x"; }).pointers,
              ElementsAre("/secrets/MENDEL_TOKEN"));
  EXPECT_THAT(refusal_of([](json& d) { d["promote"]["better"] = "bigger"; }).pointers,
              ElementsAre("/promote/better"));
}

}  // namespace
}  // namespace mendel::registry::api
