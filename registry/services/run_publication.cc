#include "registry/services/run_publication.h"

#include "registry/services/checkpoints.h"
#include "schema/runs.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

namespace {

[[noreturn]] void refuse(ErrorCode code, const std::string& pointer,
                         const std::string& detail) {
  throw Error(code, pointer + ": " + detail, {{pointer, detail}});
}

schema::RunRow get_run(schema::Transaction& tx, NamespaceId ns, const std::string& uuid) {
  const auto run = is_uuid(uuid) ? schema::find_run(tx, uuid) : std::nullopt;
  if (!run) refuse(ErrorCode::not_found, "/run", "there is no run " + uuid);
  if (run->namespace_id != ns) {
    refuse(ErrorCode::unprocessable, "/run", "the run is of another namespace");
  }
  return *run;
}

void take_checkpoint(schema::Transaction& tx, RunId run,
                     PublishingService::Request& request) {
  const auto checkpoint =
      get_checkpoint(tx, run, CheckpointSelector::parse(*request.checkpoint));
  if (checkpoint.state != "kept") {
    refuse(ErrorCode::already_exists, "/checkpoint",
           "the run's keep rule has dropped the checkpoint of step " +
               std::to_string(checkpoint.step));
  }
  request.manifest_digest = checkpoint.digest;
  request.from_checkpoint =
      PublishingService::Request::FromCheckpoint{run, checkpoint.step};
  if (request.metrics == "{}") request.metrics = checkpoint.metrics;
}

}  // namespace

void RunPublication::complete(NamespaceId ns, PublishingService::Request& request) {
  if (!request.run) return;
  database_.read("find what made a version", [&](schema::Transaction& tx) {
    const schema::RunRow run = get_run(tx, ns, *request.run);
    if (!request.hyperparameters && run.hyperparameters_digest) {
      request.hyperparameters = run.hyperparameters;
    }
    if (!request.source && !run.source.empty()) request.source = run.source;
    if (request.inputs.empty()) request.frozen_inputs = schema::list_run_inputs(tx, run.id);
    if (request.checkpoint) take_checkpoint(tx, run.id, request);
  });
}

}  // namespace mendel::registry
