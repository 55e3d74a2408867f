#include "cli/agent/attempt_state.h"

#include <fmt/format.h>

#include <array>

#include "cli/local_file.h"
#include "cli/output.h"
#include "storage/base/clock.h"
#include "storage/base/uuid.h"

namespace mendel::cli {

namespace {

constexpr ::mode_t kMode = 0600;
constexpr std::array<const char*, 5> kPhases = {"laying-out", "starting", "running",
                                                "publishing", "finishing"};

Phase phase_of(const std::string& text) {
  for (std::size_t i = 0; i < kPhases.size(); ++i) {
    if (text == kPhases[i]) return Phase(i);
  }
  throw Error(ErrorCode::data_loss, "no phase of an attempt: " + text);
}

template <typename T>
T get(const Json& lease, const char* name) {
  try {
    return lease.at(name).get<T>();
  } catch (const Json::exception& error) {
    fail(ErrorCode::internal, "the server leased a job that makes no sense", error);
  }
}

void add_rules(const Json& globs, const std::string& platform,
               std::vector<OutputRule>& rules) {
  for (const Json& glob : globs) rules.push_back({glob.get<std::string>(), platform});
}

}  // namespace

AttemptState::AttemptState(Json lease)
    : run(make_uuid_v7(SystemClock().now())),
      lease_(std::move(lease)),
      job_(get<std::string>(lease_, "id")),
      number_(get<int>(lease_, "attempt")),
      token_(get<std::string>(lease_, "token")) {
  if (!is_uuid(job_))
    throw Error(ErrorCode::internal, "no id of a job: " + printable(job_));
  get<std::vector<std::string>>(lease_, "command").at(0);
  production_of(lease_);
}

std::optional<AttemptState> AttemptState::find(const AttemptFiles& files) {
  const auto text = find_text(files.state());
  if (!text) return std::nullopt;
  try {
    const Json document = Json::parse(*text);
    AttemptState state(document.at("lease"));
    state.phase = phase_of(document.at("phase").get<std::string>());
    state.run = document.at("run").get<std::string>();
    state.run_body = document.value("run_body", Json());
    state.handle = document.value("handle", "");
    state.end = document.value("end", Json());
    return state;
  } catch (const std::exception& error) {
    fail(ErrorCode::data_loss, "read " + files.state().string(), error);
  }
}

void AttemptState::save(const AttemptFiles& files) const {
  const Json document = {{"phase", kPhases[std::size_t(phase)]},
                         {"run", run},
                         {"run_body", run_body},
                         {"handle", handle},
                         {"end", end},
                         {"lease", lease_}};
  replace_text(files.state(), document.dump(2) + "\n", kMode);
}

std::string AttemptState::pipeline() const { return text_of(lease_, "pipeline"); }

Production production_of(const Json& lease) {
  try {
    const Json& produces = lease.at("produces");
    const auto kind = storage::parse_artifact_kind(produces.value("kind", "model"));
    if (!kind) throw Error(ErrorCode::internal, "no kind of artifact in the lease");
    Production production{
        .artifact = ArtifactName::parse(produces.at("artifact").get<std::string>()),
        .kind = *kind,
        .files = {},
        .metrics = produces.value("metrics", ""),
        .aliases = produces.value("aliases", std::vector<std::string>())};
    add_rules(produces.value("files", Json::array()), "", production.files);
    const Json platforms = produces.value("platforms", Json::object());
    for (const auto& [platform, globs] : platforms.items()) {
      add_rules(globs, platform, production.files);
    }
    return production;
  } catch (const Json::exception& error) {
    fail(ErrorCode::internal, "the server leased a job that makes no sense", error);
  }
}

std::string title_of(const AttemptState& state) {
  return fmt::format("job {} ({}), attempt {}", state.job(), state.pipeline(),
                     state.number());
}

}  // namespace mendel::cli
