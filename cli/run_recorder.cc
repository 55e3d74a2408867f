#include "cli/run_recorder.h"

#include <cstdlib>

#include "cli/journal_option.h"
#include "cli/journal_push.h"
#include "cli/metric_points.h"
#include "cli/send_persistently.h"
#include "storage/base/uuid.h"

namespace mendel::cli {

namespace {

class ServerRecorder : public RunRecorder {
 public:
  explicit ServerRecorder(ServerAccess access) : server_(std::move(access)) {}

  void start(Json body, const Pedigree& pedigree) override {
    const auto owner = ArtifactName::parse(body["namespace"].get<std::string>(),
                                           body["name"].get<std::string>());
    body.update(deliver_pedigree(pedigree, server_, owner));
    server_.post("/api/v1/runs", body);
  }

  Json log(const std::string& run, const std::vector<Json>& points) override {
    return server_.post(run_path(run) + "/metrics", {{"metrics", points}});
  }

  Json checkpoint(const std::string& run, const Checkpoint& checkpoint,
                  std::vector<ScannedFile> files) override {
    const Json found = server_.get(run_path(run));
    const Name ns = Name::parse("namespace", found.at("namespace").get<std::string>());
    PushContent content{checkpoint.kind, std::move(files), {}};
    const SentManifest sent = send_persistently(server_, PushBase::none(), ns, content);
    return server_.post(run_path(run) + "/checkpoints",
                        checkpoint_body(checkpoint, sent.digest));
  }

  void finish(const std::string& run, const Json& body) override {
    server_.patch(run_path(run), body);
  }

 private:
  ApiClient server_;
};

// Opens the journal for each record: whoever removes what was delivered is not to wait for
// the end of a training.
class JournalRecorder : public RunRecorder {
 public:
  explicit JournalRecorder(const std::string& directory) : directory_(directory) {}

  void start(Json body, const Pedigree& pedigree) override {
    Journal journal(directory_);
    const auto owner = ArtifactName::parse(body["namespace"].get<std::string>(),
                                           body["name"].get<std::string>());
    body.update(keep_pedigree(pedigree, journal, owner));
    journal.append({{"type", "run"}, {"body", body}});
  }

  // They will be delivered at another time than they were measured.
  Json log(const std::string& run, const std::vector<Json>& points) override {
    Json timed = points;
    for (Json& point : timed) {
      if (!point.contains("time")) point["time"] = time_now();
    }
    Journal(directory_).append({{"type", "metrics"}, {"run", run}, {"metrics", timed}});
    return {{"accepted", points.size()}, {"duplicates", 0}};
  }

  Json checkpoint(const std::string& run, const Checkpoint& checkpoint,
                  std::vector<ScannedFile> files) override {
    Journal journal(directory_);
    PushContent content{checkpoint.kind, std::move(files), {}};
    const Digest manifest = keep_content(journal, content);
    const Json body = checkpoint_body(checkpoint, manifest);
    journal.append({{"type", "checkpoint"}, {"run", run}, {"body", body}});
    return {{"run", run}, {"step", checkpoint.step}, {"digest", manifest.to_string()}};
  }

  void finish(const std::string& run, const Json& body) override {
    Json timed = body;
    if (!timed.contains("finished_at")) timed["finished_at"] = time_now();
    Journal(directory_).append({{"type", "finish"}, {"run", run}, {"body", timed}});
  }

 private:
  const std::string directory_;
};

}  // namespace

Json checkpoint_body(const Checkpoint& checkpoint, const Digest& manifest) {
  return {{"step", checkpoint.step},
          {"kind", std::string(storage::to_string(checkpoint.kind))},
          {"manifest", manifest.to_string()},
          {"metrics", checkpoint.metrics}};
}

std::unique_ptr<RunRecorder> open_recorder(const std::string& journal,
                                           const GlobalOptions& global) {
  const std::string directory = journal_directory(journal);
  if (!directory.empty()) return std::make_unique<JournalRecorder>(directory);
  return std::make_unique<ServerRecorder>(resolve_access(global));
}

std::string run_path(const std::string& run) { return "/api/v1/runs/" + run; }

std::string chosen_run(const std::string& option) {
  const char* variable = std::getenv("MENDEL_RUN");
  const std::string run = !option.empty() ? option : variable ? variable : "";
  if (run.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "no run: give --run, or set MENDEL_RUN ('mendel run start' says how)");
  }
  if (!is_uuid(run)) {
    throw Error(ErrorCode::invalid_argument, "'" + run + "' is no id of a run");
  }
  return run;
}

}  // namespace mendel::cli
