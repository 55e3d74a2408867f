#pragma once

#include "registry/services/access.h"
#include "registry/services/aliases.h"
#include "registry/services/artifacts.h"
#include "registry/services/audit.h"
#include "registry/services/blobs.h"
#include "registry/services/change_feed.h"
#include "registry/services/checkpoints.h"
#include "registry/services/client_packages.h"
#include "registry/services/downloads.h"
#include "registry/services/egress/egress.h"
#include "registry/services/egress/git_remotes.h"
#include "registry/services/egress/hooks.h"
#include "registry/services/egress/outside.h"
#include "registry/services/egress/poller.h"
#include "registry/services/egress/repository_check.h"
#include "registry/services/egress/vault.h"
#include "registry/services/evaluations.h"
#include "registry/services/fsck.h"
#include "registry/services/health.h"
#include "registry/services/inputs.h"
#include "registry/services/jobs/job_leases.h"
#include "registry/services/jobs/job_logs.h"
#include "registry/services/jobs/job_making.h"
#include "registry/services/jobs/job_publication.h"
#include "registry/services/jobs/job_upkeep.h"
#include "registry/services/jobs/jobs.h"
#include "registry/services/jobs/lease_waiters.h"
#include "registry/services/jobs/pipelines.h"
#include "registry/services/jobs/source_resolution.h"
#include "registry/services/ledger/anchors.h"
#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/entry_list.h"
#include "registry/services/ledger/impact.h"
#include "registry/services/ledger/ledger_check.h"
#include "registry/services/ledger/pace_watch.h"
#include "registry/services/ledger/recorder.h"
#include "registry/services/ledger/report_check.h"
#include "registry/services/ledger/report_service.h"
#include "registry/services/ledger/roll_up.h"
#include "registry/services/ledger/seals.h"
#include "registry/services/ledger/sums.h"
#include "registry/services/manifests.h"
#include "registry/services/metric_folding.h"
#include "registry/services/metric_intake.h"
#include "registry/services/metric_reading.h"
#include "registry/services/namespace_packs.h"
#include "registry/services/namespaces.h"
#include "registry/services/pedigree.h"
#include "registry/services/principals.h"
#include "registry/services/publishing.h"
#include "registry/services/purge.h"
#include "registry/services/run_publication.h"
#include "registry/services/run_upkeep.h"
#include "registry/services/runs.h"
#include "registry/services/search.h"
#include "registry/services/services.h"
#include "registry/services/tokens.h"
#include "registry/services/triggers/dispatcher.h"
#include "registry/services/triggers/event_service.h"
#include "registry/services/triggers/triggers.h"
#include "registry/services/uploads.h"
#include "registry/services/versions.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/object_store.h"

namespace mendel::registry {

// All services over one pair of stores, in the order in which they need each other. What it
// is given outlives it. What has a thread is started and stopped by the owner.
struct Registry {
  static constexpr std::size_t kIndexMemoryBytesMax = 48u << 20;

  Registry(schema::Database& database, schema::Database& feed_database,
           storage::ObjectStore& objects, const Clock& clock, VersionService::Render render,
           std::filesystem::path client_directory, Outside outside = {})
      : egress(outside.rules, Egress::look_up_by_system),
        git_remotes(egress, outside.git_cache),
        repository_check(git_remotes),
        vault(database, outside.keys, clock),
        changes(feed_database),
        access(database, changes, clock),
        packs(objects, kIndexMemoryBytesMax),
        blobs(database, packs),
        uploads(database, packs, clock),
        versions(database, changes, blobs, std::move(render)),
        inputs(database, access),
        manifests(blobs, inputs),
        publishing(database, changes, blobs, inputs, manifests, versions, clock),
        pedigree(database),
        search(database),
        aliases(database, changes, clock),
        artifacts(database, changes, clock),
        namespaces(database, changes, access),
        principals(database, changes),
        tokens(database, changes, access, clock),
        metric_intake(database, clock),
        metric_reading(database),
        metric_folding(database),
        runs(database, metric_folding, clock),
        checkpoints(database, manifests, clock),
        run_publication(database),
        run_upkeep(runs, metric_folding),
        downloads(database, clock),
        evaluations(database, changes, clock),
        job_making(database, changes, access, inputs, clock),
        pipelines(database, changes, access, clock),
        jobs(database, changes, job_making, clock),
        job_leases(database, changes, vault, clock),
        job_logs(database),
        job_publication(database),
        job_upkeep(database, changes, clock),
        source_resolution(database, changes, git_remotes, clock),
        lease_waiters(changes),
        chainer(database, clock),
        anchors(chainer, objects),
        roll_up(database),
        ledger_sums(database),
        ledger_check(database, anchors),
        triggers(database, changes, access, job_making, clock),
        events(database, changes, access),
        trigger_dispatcher(database, changes, access, job_making, clock),
        fsck(database, packs),
        audit(database),
        purge(database, changes, packs, blobs, uploads),
        health(database, objects),
        client_packages(std::move(client_directory)),
        hooks(database, changes, access, vault, clock),
        poller(database, changes, git_remotes, clock, outside.poll_period),
        kpi_definitions(database, access, clock),
        recorder(database, access, kpi_definitions, clock, [this] { chainer.wake(); }),
        ledger_entries(database, access, kpi_definitions),
        seals(database, objects, clock, kpi_definitions,
              [this](const ChainHead& head) { anchors.anchor(head); }),
        kpi_reports(database, access, clock, chainer, kpi_definitions, ledger_sums, seals),
        report_check(database, kpi_definitions, kpi_reports),
        impact(database, pedigree, kpi_definitions, ledger_sums, kpi_reports),
        pace_watch(database, changes, kpi_definitions, chainer, ledger_sums, clock) {
    pipelines.consult([this](schema::Transaction& tx, const auto& change) {
      triggers.object(tx, change);
    });
  }

  Egress egress;
  GitRemotes git_remotes;
  RepositoryCheck repository_check;
  Vault vault;
  ChangeFeed changes;
  AccessService access;
  NamespacePacks packs;
  BlobService blobs;
  UploadService uploads;
  VersionService versions;
  InputService inputs;
  ManifestService manifests;
  PublishingService publishing;
  PedigreeService pedigree;
  SearchService search;
  AliasService aliases;
  ArtifactService artifacts;
  NamespaceService namespaces;
  PrincipalService principals;
  TokenService tokens;
  MetricIntake metric_intake;
  MetricReading metric_reading;
  MetricFolding metric_folding;
  RunService runs;
  CheckpointService checkpoints;
  RunPublication run_publication;
  RunUpkeep run_upkeep;
  Downloads downloads;
  EvaluationService evaluations;
  JobMaking job_making;
  PipelineService pipelines;
  JobService jobs;
  JobLeases job_leases;
  JobLogs job_logs;
  JobPublication job_publication;
  JobUpkeep job_upkeep;
  SourceResolution source_resolution;
  LeaseWaiters lease_waiters;
  Chainer chainer;
  Anchors anchors;
  RollUp roll_up;
  LedgerSums ledger_sums;
  LedgerCheck ledger_check;
  TriggerService triggers;
  EventService events;
  TriggerDispatcher trigger_dispatcher;
  FsckService fsck;
  AuditService audit;
  PurgeService purge;
  HealthService health;
  ClientPackages client_packages;
  HookService hooks;
  Poller poller;
  KpiDefinitions kpi_definitions;
  Recorder recorder;
  LedgerEntries ledger_entries;
  SealService seals;
  ReportService kpi_reports;
  ReportCheck report_check;
  ImpactService impact;
  PaceWatch pace_watch;

  Services services{access,
                    aliases,
                    artifacts,
                    audit,
                    blobs,
                    checkpoints,
                    client_packages,
                    downloads,
                    evaluations,
                    events,
                    fsck,
                    health,
                    hooks,
                    impact,
                    inputs,
                    job_leases,
                    job_logs,
                    job_publication,
                    jobs,
                    kpi_definitions,
                    kpi_reports,
                    lease_waiters,
                    ledger_check,
                    ledger_entries,
                    manifests,
                    metric_intake,
                    metric_reading,
                    namespaces,
                    pedigree,
                    pipelines,
                    principals,
                    publishing,
                    purge,
                    recorder,
                    report_check,
                    repository_check,
                    run_publication,
                    runs,
                    seals,
                    search,
                    tokens,
                    triggers,
                    uploads,
                    vault,
                    versions};
};

}  // namespace mendel::registry
