#include "registry/api/routes.h"

#include "registry/api/aliases.h"
#include "registry/api/archive.h"
#include "registry/api/artifacts.h"
#include "registry/api/audit.h"
#include "registry/api/blobs.h"
#include "registry/api/checkpoints.h"
#include "registry/api/client.h"
#include "registry/api/downloads.h"
#include "registry/api/evaluations.h"
#include "registry/api/events.h"
#include "registry/api/files.h"
#include "registry/api/fsck.h"
#include "registry/api/health.h"
#include "registry/api/hooks.h"
#include "registry/api/job_lease.h"
#include "registry/api/job_log.h"
#include "registry/api/jobs.h"
#include "registry/api/kpi_events.h"
#include "registry/api/kpi_impact.h"
#include "registry/api/kpi_report.h"
#include "registry/api/kpi_seals.h"
#include "registry/api/kpis.h"
#include "registry/api/namespaces.h"
#include "registry/api/pedigree.h"
#include "registry/api/pipelines.h"
#include "registry/api/principals.h"
#include "registry/api/publish.h"
#include "registry/api/purge.h"
#include "registry/api/repositories.h"
#include "registry/api/run_metrics.h"
#include "registry/api/runs.h"
#include "registry/api/search.h"
#include "registry/api/secrets.h"
#include "registry/api/tokens.h"
#include "registry/api/triggers.h"
#include "registry/api/uploads.h"
#include "registry/api/versions.h"

namespace mendel::registry::api {

namespace {

using enum Policy;

constexpr BodyLimit kNone = BodyLimit::none;
constexpr BodyLimit kSmall = BodyLimit::small;
constexpr BodyLimit kLarge = BodyLimit::large;
constexpr BodyLimit kStream = BodyLimit::stream;

// What a job's attempt may do with its token: read, store, publish, and keep its run.
constexpr Attempts kAttempt = Attempts::allowed;
constexpr Attempts kNoAttempt = Attempts::refused;

// What a token that records events may do besides: fetch the models that made them.
constexpr Recorders kRecorder = Recorders::allowed;

// clang-format off
constexpr Route kRoutes[] = {
    // method   pattern                                            policy         body    query          handlers
    {"GET",    "/healthz",                                         open,          kNone,  "",            {.answer = get_health, .from_memory = get_health_from_memory}},
    {"GET",    "/readyz",                                          open,          kNone,  "",            {.answer = get_readiness}},
    {"GET",    "/metrics",                                         open,          kNone,  "",            {.answer = get_metrics}},
    {"GET",    "/api/v1/openapi.json",                             open,          kNone,  "",            {.answer = get_openapi}},
    {"GET",    "/client/",                                         open,          kNone,  "",            {.answer = list_client_packages}},
    {"GET",    "/client/{name}",                                   open,          kNone,  "",            {.answer = get_client_package}},

    {"POST",   "/api/v1/admin/rebuild-index",                      admin,         kSmall, "",            {.answer = rebuild_index}},
    {"POST",   "/api/v1/admin/check-ledger",                       admin,         kSmall, "",            {.answer = check_ledger}},
    {"POST",   "/api/v1/admin/purge",                              admin,         kSmall, "",            {.answer = purge_blobs}},
    {"GET",    "/api/v1/audit",                                    authenticated, kNone,  "namespace subject action limit after", {.answer = list_audit}},

    {"GET",    "/api/v1/whoami",                                   authenticated, kNone,  "",            {.answer = whoami}, kNoAttempt, kRecorder},
    {"GET",    "/api/v1/namespaces",                               open,          kNone,  "limit after", {.answer = list_namespaces}},
    {"GET",    "/api/v1/namespaces/{ns}",                          ns_reader,     kNone,  "",            {.answer = get_namespace}},
    {"PUT",    "/api/v1/namespaces/{ns}",                          authenticated, kSmall, "",            {.answer = put_namespace}},
    {"GET",    "/api/v1/namespaces/{ns}/members",                  ns_reader,     kNone,  "limit after", {.answer = list_members}},
    {"PUT",    "/api/v1/namespaces/{ns}/members/{principal}",      ns_owner,      kSmall, "",            {.answer = put_member}},
    {"DELETE", "/api/v1/namespaces/{ns}/members/{principal}",      ns_owner,      kNone,  "",            {.answer = delete_member}},
    {"GET",    "/api/v1/principals",                               admin,         kNone,  "limit after", {.answer = list_principals}},
    {"GET",    "/api/v1/principals/{name}",                        authenticated, kNone,  "",            {.answer = get_principal}},
    {"PUT",    "/api/v1/principals/{name}",                        admin,         kSmall, "",            {.answer = put_principal}},
    {"POST",   "/api/v1/tokens",                                   authenticated, kSmall, "",            {.answer = create_token}},
    {"GET",    "/api/v1/tokens",                                   authenticated, kNone,  "principal limit after", {.answer = list_tokens}},
    {"GET",    "/api/v1/tokens/{id}",                              authenticated, kNone,  "",            {.answer = get_token}},
    {"DELETE", "/api/v1/tokens/{id}",                              authenticated, kNone,  "",            {.answer = revoke_token}},

    {"HEAD",   "/api/v1/namespaces/{ns}/blobs/{digest}",           ns_reader,     kNone,  "",            {.answer = head_blob}, kAttempt},
    {"PUT",    "/api/v1/namespaces/{ns}/blobs/{digest}",           ns_writer,     kStream, "",           {.upload = put_blob}, kAttempt},
    {"POST",   "/api/v1/namespaces/{ns}/uploads",                  ns_writer,     kSmall, "",            {.answer = create_upload}, kAttempt},
    {"GET",    "/api/v1/namespaces/{ns}/uploads/{id}",             ns_writer,     kNone,  "",            {.answer = get_upload}, kAttempt},
    {"DELETE", "/api/v1/namespaces/{ns}/uploads/{id}",             ns_writer,     kNone,  "",            {.answer = delete_upload}, kAttempt},
    {"POST",   "/api/v1/namespaces/{ns}/uploads/{id}/blobs",       ns_writer,     kLarge, "",            {.answer = find_missing_blobs}, kAttempt},
    {"POST",   "/api/v1/namespaces/{ns}/uploads/{id}/chunks",      ns_writer,     kSmall, "",            {.answer = find_chunks}, kAttempt},
    {"POST",   "/api/v1/namespaces/{ns}/uploads/{id}/packs",       ns_writer,     kStream, "",           {.upload = receive_packs}, kAttempt},

    {"POST",   "/api/v1/runs",                                     authenticated, kLarge, "",            {.answer = create_run}, kAttempt},
    {"GET",    "/api/v1/runs",                                     open,          kNone,  "namespace status limit after", {.answer = list_runs}},
    {"GET",    "/api/v1/runs/{id}",                                open,          kNone,  "",            {.answer = get_run}, kAttempt},
    {"PATCH",  "/api/v1/runs/{id}",                                authenticated, kSmall, "",            {.answer = patch_run}, kAttempt},
    {"POST",   "/api/v1/runs/{id}/heartbeat",                      authenticated, kSmall, "",            {.answer = post_heartbeat}, kAttempt},
    {"POST",   "/api/v1/runs/{id}/metrics",                        authenticated, kStream, "",           {.upload = post_run_metrics}, kAttempt},
    {"GET",    "/api/v1/runs/{id}/metrics",                        open,          kNone,  "name max_points select better limit after", {.answer = get_run_metrics}, kAttempt},
    {"POST",   "/api/v1/runs/{id}/checkpoints",                    authenticated, kLarge, "",            {.answer = create_checkpoint}, kAttempt},
    {"GET",    "/api/v1/runs/{id}/checkpoints",                    open,          kNone,  "select limit after", {.answer = list_checkpoints}, kAttempt},
    {"GET",    "/api/v1/runs/{id}/checkpoints/{step}/files",       open,          kNone,  "",            {.answer = get_checkpoint_manifest}, kAttempt},

    {"GET",    "/api/v1/pipelines",                                open,          kNone,  "namespace limit after", {.answer = list_pipelines}},
    {"GET",    "/api/v1/pipelines/{ns}/{name}",                    ns_reader,     kNone,  "",            {.answer = get_pipeline}},
    {"PUT",    "/api/v1/pipelines/{ns}/{name}",                    ns_writer,     kSmall, "dry_run",     {.answer = put_pipeline}},
    {"DELETE", "/api/v1/pipelines/{ns}/{name}",                    ns_writer,     kNone,  "",            {.answer = delete_pipeline}},
    {"POST",   "/api/v1/jobs",                                     authenticated, kSmall, "",            {.answer = create_job}},
    {"GET",    "/api/v1/jobs",                                     open,          kNone,  "pipeline namespace state limit after", {.answer = list_jobs}},
    {"POST",   "/api/v1/jobs/lease",                               authenticated, kSmall, "",            {.answer = lease_job}},
    {"GET",    "/api/v1/jobs/{id}",                                open,          kNone,  "",            {.answer = get_job}, kAttempt},
    {"POST",   "/api/v1/jobs/{id}/heartbeat",                      authenticated, kSmall, "",            {.answer = post_job_heartbeat}, kAttempt},
    {"POST",   "/api/v1/jobs/{id}/log",                            authenticated, kSmall, "attempt offset", {.answer = post_job_log}, kAttempt},
    {"GET",    "/api/v1/jobs/{id}/log",                            open,          kNone,  "attempt offset", {.answer = get_job_log}, kAttempt},
    {"POST",   "/api/v1/jobs/{id}/finish",                         authenticated, kSmall, "",            {.answer = finish_job}, Attempts::ended},
    {"POST",   "/api/v1/jobs/{id}/cancel",                         authenticated, kSmall, "",            {.answer = cancel_job}},
    {"POST",   "/api/v1/jobs/{id}/retry",                          authenticated, kSmall, "",            {.answer = retry_job}},

    {"GET",    "/api/v1/namespaces/{ns}/secrets",                  ns_writer,     kNone,  "limit after", {.answer = list_secrets}},
    {"PUT",    "/api/v1/namespaces/{ns}/secrets/{name}",           ns_writer,     kSmall, "",            {.answer = put_secret}},
    {"DELETE", "/api/v1/namespaces/{ns}/secrets/{name}",           ns_writer,     kNone,  "",            {.answer = delete_secret}},
    {"POST",   "/api/v1/admin/rotate-secrets",                     admin,         kSmall, "",            {.answer = rotate_secrets}},
    {"POST",   "/api/v1/hooks",                                    authenticated, kSmall, "",            {.answer = create_hook}},
    {"GET",    "/api/v1/hooks",                                    authenticated, kNone,  "namespace limit after", {.answer = list_hooks}},
    {"GET",    "/api/v1/hooks/{id}",                               authenticated, kNone,  "",            {.answer = get_hook}},
    {"DELETE", "/api/v1/hooks/{id}",                               authenticated, kNone,  "",            {.answer = delete_hook}},
    {"POST",   "/api/v1/hooks/{sender}/{id}",                        open,          kStream, "",           {.upload = receive_delivery}},
    {"GET",    "/api/v1/repositories/check",                       authenticated, kNone,  "repository commit", {.answer = check_repository}},

    {"GET",    "/api/v1/triggers",                                 authenticated, kNone,  "namespace pipeline limit after", {.answer = list_triggers}},
    {"GET",    "/api/v1/triggers/{ns}/{name}",                     ns_reader,     kNone,  "",            {.answer = get_trigger}},
    {"PUT",    "/api/v1/triggers/{ns}/{name}",                     ns_writer,     kSmall, "dry_run",     {.answer = put_trigger}},
    {"DELETE", "/api/v1/triggers/{ns}/{name}",                     ns_writer,     kNone,  "",            {.answer = delete_trigger}},
    {"POST",   "/api/v1/triggers/{ns}/{name}/fire",                ns_writer,     kSmall, "",            {.answer = fire_trigger}},
    {"POST",   "/api/v1/triggers/{ns}/{name}/test",                ns_writer,     kSmall, "",            {.answer = test_trigger}},
    {"GET",    "/api/v1/events",                                   authenticated, kNone,  "state limit after", {.answer = list_events}},
    {"GET",    "/api/v1/events/{id}",                              authenticated, kNone,  "",            {.answer = get_event}},
    {"POST",   "/api/v1/events/{id}/replay",                       authenticated, kSmall, "",            {.answer = replay_event}},

    {"GET",    "/api/v1/kpis",                                     open,          kNone,  "limit after", {.answer = list_kpis}},
    {"GET",    "/api/v1/kpis/{id}",                                open,          kNone,  "",            {.answer = get_kpi}},
    {"PUT",    "/api/v1/kpis/{id}",                                authenticated, kSmall, "",            {.answer = put_kpi}},
    {"POST",   "/api/v1/kpi-events",                               authenticated, kStream, "",           {.upload = post_kpi_events}, kNoAttempt, kRecorder},
    {"GET",    "/api/v1/kpi-events",                               open,          kNone,  "kpi namespace limit after", {.answer = list_kpi_events}},

    {"GET",    "/api/v1/{kind}",                                   open,          kNone,  "namespace q limit after", {.answer = list_artifacts}},
    {"GET",    "/api/v1/{kind}/{ns}/{name}",                       ns_reader,     kNone,  "",            {.answer = get_artifact}, kAttempt},
    {"PATCH",  "/api/v1/{kind}/{ns}/{name}",                       ns_writer,     kSmall, "",            {.answer = patch_artifact}},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions",              ns_writer,     kLarge, "",            {.answer = publish_version}, kAttempt},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions",              ns_reader,     kNone,  "limit after", {.answer = list_versions}, kAttempt, kRecorder},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}",        ns_reader,     kNone,  "",            {.answer = get_version, .from_memory = get_version_from_memory}, kAttempt, kRecorder},
    {"DELETE", "/api/v1/{kind}/{ns}/{name}/versions/{ref}",        ns_maintainer, kSmall, "",            {.answer = delete_version}},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/yank",   ns_writer,     kSmall, "",            {.answer = yank_version}},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/restore", ns_writer,    kSmall, "",            {.answer = restore_version}},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/evaluations", ns_writer, kSmall, "",           {.answer = create_evaluation}},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/evaluations", ns_reader, kNone, "limit after", {.answer = list_evaluations}, kAttempt},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/files",  ns_reader,     kNone,  "component",   {.answer = get_manifest, .from_memory = get_manifest_from_memory}, kAttempt, kRecorder},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/files/{path...}", ns_reader, kNone, "platform", {.answer = get_file, .from_memory = get_file_from_memory}, kAttempt, kRecorder},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/archive", ns_reader,    kNone,  "platform",    {.answer = get_archive}, kAttempt, kRecorder},
    {"POST",   "/api/v1/{kind}/{ns}/{name}/versions/{ref}/bundle", ns_reader,     kLarge, "",            {.answer = post_bundle}, kAttempt, kRecorder},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/recipe/{path...}", ns_reader, kNone, "platform", {.answer = get_recipe}, kAttempt, kRecorder},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/downloads", ns_reader,  kNone,  "",            {.answer = get_downloads}},

    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/pedigree", ns_reader,   kNone,  "direction depth limit after", {.answer = get_pedigree}, kAttempt},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/versions/{ref}/patch",  ns_reader,     kNone,  "",            {.answer = get_patch}, kAttempt},
    {"GET",    "/api/v1/kpi-report",                               open,          kNone,  "at until by since_report kpi format", {.answer = get_kpi_report}},
    {"GET",    "/api/v1/kpi-reports",                              open,          kNone,  "limit after", {.answer = list_sealed_reports}},
    {"POST",   "/api/v1/kpi-reports",                              authenticated, kSmall, "",            {.answer = seal_report}},
    {"GET",    "/api/v1/kpi-reports/{digest}",                     open,          kNone,  "",            {.answer = get_sealed_report}},
    {"POST",   "/api/v1/kpi-reports/{digest}/verify",              authenticated, kLarge, "",            {.answer = verify_report}},
    {"GET",    "/api/v1/kpi-impact",                               open,          kNone,  "ref commit by", {.answer = get_kpi_impact}},

    {"GET",    "/api/v1/commits/{sha}",                            open,          kNone,  "limit after", {.answer = get_commit}},
    {"GET",    "/api/v1/search",                                   open,          kNone,  "q limit after", {.answer = search}},

    {"GET",    "/api/v1/{kind}/{ns}/{name}/aliases/{alias}",       ns_reader,     kNone,  "at",          {.answer = get_alias}, kAttempt, kRecorder},
    {"PUT",    "/api/v1/{kind}/{ns}/{name}/aliases/{alias}",       ns_writer,     kSmall, "",            {.answer = put_alias}},
    {"DELETE", "/api/v1/{kind}/{ns}/{name}/aliases/{alias}",       ns_writer,     kSmall, "",            {.answer = delete_alias}},
    {"GET",    "/api/v1/{kind}/{ns}/{name}/aliases/{alias}/history", ns_reader,   kNone,  "limit after", {.answer = list_alias_history}},
};
// clang-format on

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::optional<Role> role_of(Policy policy) {
  switch (policy) {
    case Policy::ns_reader: return Role::reader;
    case Policy::ns_writer: return Role::writer;
    case Policy::ns_maintainer: return Role::maintainer;
    case Policy::ns_owner: return Role::owner;
    case Policy::open:
    case Policy::authenticated:
    case Policy::admin: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace mendel::registry::api
