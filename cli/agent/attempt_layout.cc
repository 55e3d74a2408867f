#include "cli/agent/attempt_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/git_source.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/source_checkout.h"
#include "cli/workspace.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

// git, and what it fetches with, say it in words and end like for any other failure.
constexpr const char* kFullDisk[] = {"No space left on device", "Disk quota exceeded",
                                     "Failure writing output to destination"};

[[noreturn]] void throw_checkout_error(const Error& error) {
  const std::string_view words = error.what();
  const bool is_full = std::ranges::any_of(
      kFullDisk, [&](const char* each) { return words.find(each) != words.npos; });
  throw Error(is_full ? ErrorCode::out_of_space : error.code(),
              std::string("the source cannot be checked out: ") + error.what());
}

Json lay_out_source(const Json& lease, const Workspace& workspace, JobLog& log) {
  fs::create_directories(workspace.source());
  const Json source = lease.value("source", Json());
  if (source.is_null()) return nullptr;
  const std::string repository = text_of(source, "repository");
  const std::string ref = text_of(source, source.contains("commit") ? "commit" : "ref");
  log.say(fmt::format("checking out {} of {}", ref, repository));
  try {
    const std::string commit = check_out_ref(repository, ref, workspace.source());
    if (commit != ref) log.say("which is " + commit);
    const auto captured = capture_source({.directory = workspace.source().string()});
    Json recorded = captured ? captured->source : Json::object();
    recorded["repository"] = repository;
    recorded["commit"] = commit;
    recorded.erase("patch");  // of line ends and the like: git made this tree
    recorded["dirty"] = false;
    return recorded;
  } catch (const Error& error) {
    throw_checkout_error(error);
  }
}

Json lay_out_inputs(const Json& lease, const Workspace& workspace, ApiClient& server,
                    JobLog& log) {
  Json recorded = Json::array();
  for (const Json& input : lease.value("inputs", Json::array())) {
    const std::string ref = text_of(input, "ref");
    const std::string name = Name::parse("an input", text_of(input, "name")).text();
    log.say(fmt::format("pulling {} into inputs/{}", ref, name));
    const ResolvedVersion version = get_version(server, Reference::parse(ref));
    if (version.digest.to_string() != text_of(input, "digest")) {
      throw Error(ErrorCode::data_loss, ref + " is not what the job was made with");
    }
    const PulledVersion pulled = workspace.add_input(server, version, name);
    if (const auto count = pulled.plan.elsewhere.size(); count > 0) {
      log.say(fmt::format("{} files of {} stay where they are: see `mendel files`", count,
                          ref));
    }
    recorded.push_back(
        {{"role", input.value("role", "trained-on")}, {"name", name}, {"ref", ref}});
  }
  return recorded;
}

// Those of a file of the source may be changed by what the job was started with.
Json lay_out_params(const Json& lease, const Workspace& workspace) {
  Json params = lease.value("hyperparameters", Json());
  if (lease.contains("hyperparameters_file")) {
    const fs::path file = workspace.source() / text_of(lease, "hyperparameters_file");
    Json from_file = load_params(file.string(), Lossy::refuse);
    if (params.is_object()) from_file.merge_patch(params);
    params = std::move(from_file);
  }
  if (!params.is_null()) workspace.add_params(params);
  return params;
}

void link_into_source(const Workspace& workspace, JobLog& log) {
  if (fs::exists(workspace.inputs()) && !workspace.link_inputs()) {
    log.say("the source has its own inputs: those of the job are in ../inputs");
  }
  if (fs::exists(workspace.params()) && !workspace.link_params()) {
    log.say("the source has its own params.json: that of the job is ../params.json");
  }
}

}  // namespace

Json lay_out(const AttemptState& state, const AttemptFiles& files, ApiClient& server,
             JobLog& log) {
  const Workspace workspace(files.directory());
  for (const fs::path& path :
       {workspace.source(), workspace.inputs(), workspace.params()}) {
    fs::remove_all(path);
  }
  Json made_of = Json::object();
  const Json source = lay_out_source(state.lease(), workspace, log);
  const Json inputs = lay_out_inputs(state.lease(), workspace, server, log);
  const Json params = lay_out_params(state.lease(), workspace);
  link_into_source(workspace, log);
  if (!source.is_null()) made_of["source"] = source;
  if (!inputs.empty()) made_of["inputs"] = inputs;
  if (!params.is_null()) made_of["hyperparameters"] = params;
  return made_of;
}

}  // namespace mendel::cli
