#include "cli/agent/publication.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "cli/agent/metrics_file.h"
#include "cli/agent/outputs.h"
#include "cli/api_path.h"
#include "cli/local_file.h"
#include "cli/metric_points.h"
#include "cli/output.h"
#include "cli/run_recorder.h"
#include "cli/send_persistently.h"

namespace mendel::cli {

namespace {

std::int64_t begin_of(const AttemptFiles& files) {
  return stamp_of(open_for_reading(files.begin()), files.begin().string()).mtime_ns;
}

MetricsFile read_metrics(const Production& production, const AttemptFiles& files,
                         std::int64_t begin_ns) {
  if (production.metrics.empty()) return {};
  const auto path = find_output(files.source(), production.metrics, begin_ns);
  const Fd file = open_for_reading(path);
  if (stamp_of(file, path.string()).size_bytes > kMetricsFileSizeMax) {
    throw Error(ErrorCode::unprocessable, production.metrics + " is too large");
  }
  return parse_metrics_file(read_text(file, path.string()));
}

void log_points(const std::string& run, const std::vector<Json>& points,
                ApiClient& server) {
  for (std::size_t begin = 0; begin < points.size(); begin += kPointsPerRequestMax) {
    const auto end = std::min(points.size(), begin + kPointsPerRequestMax);
    const std::vector<Json> part(points.begin() + std::ptrdiff_t(begin),
                                 points.begin() + std::ptrdiff_t(end));
    server.post(run_path(run) + "/metrics", {{"metrics", part}});
  }
}

}  // namespace

std::string publish_outputs(const AttemptState& state, const AttemptFiles& files,
                            ApiClient& server, JobLog& log) {
  const Production production = production_of(state.lease());
  const std::int64_t begin_ns = begin_of(files);
  const MetricsFile metrics = read_metrics(production, files, begin_ns);
  PushContent content{
      production.kind, collect_outputs(files.source(), production.files, begin_ns), {}};
  log_points(state.run, metrics.points, server);
  log.say(fmt::format("publishing {} files as a version of {}", content.files.size(),
                      production.artifact.text()));

  const PushBase base = PushBase::find(server, production.kind, production.artifact);
  const SentManifest sent =
      send_persistently(server, base, production.artifact.ns(), content);
  Json body = {{"manifest", sent.digest.to_string()}, {"run", state.run}};
  if (const std::string reason = text_of(state.lease(), "reason"); !reason.empty()) {
    body["message"] = reason;
  }
  if (state.lease().contains("labels")) body["labels"] = state.lease()["labels"];
  if (!metrics.values.empty()) body["metrics"] = metrics.values;
  if (!production.aliases.empty()) body["aliases"] = production.aliases;
  const Json version = server.post(
      artifact_path(production.kind, production.artifact) + "/versions", body, state.key());
  const std::string reference =
      numbered_reference(production.artifact, version.at("version").get<VersionNumber>());
  log.say("this is " + reference);
  return reference;
}

}  // namespace mendel::cli
