#pragma once

namespace mendel::registry {

class AccessService;
class AliasService;
class ArtifactService;
class AuditService;
class BlobService;
class CheckpointService;
class ClientPackages;
class Downloads;
class EvaluationService;
class EventService;
class FsckService;
class HealthService;
class HookService;
class InputService;
class JobLeases;
class JobLogs;
class JobPublication;
class JobService;
class KpiDefinitions;
class LedgerEntries;
class LeaseWaiters;
class LedgerCheck;
class ManifestService;
class MetricIntake;
class MetricReading;
class NamespaceService;
class PedigreeService;
class PipelineService;
class PrincipalService;
class PublishingService;
class PurgeService;
class Recorder;
class RepositoryCheck;
class RunPublication;
class RunService;
class SearchService;
class TokenService;
class TriggerService;
class UploadService;
class Vault;
class VersionService;

// What a registry does, for the handlers: references to the services that main() made.
struct Services {
  AccessService& access;
  AliasService& aliases;
  ArtifactService& artifacts;
  AuditService& audit;
  BlobService& blobs;
  CheckpointService& checkpoints;
  ClientPackages& client_packages;
  Downloads& downloads;
  EvaluationService& evaluations;
  EventService& events;
  FsckService& fsck;
  HealthService& health;
  HookService& hooks;
  InputService& inputs;
  JobLeases& job_leases;
  JobLogs& job_logs;
  JobPublication& job_publication;
  JobService& jobs;
  KpiDefinitions& kpi_definitions;
  LeaseWaiters& lease_waiters;
  LedgerCheck& ledger_check;
  LedgerEntries& ledger_entries;
  ManifestService& manifests;
  MetricIntake& metric_intake;
  MetricReading& metric_reading;
  NamespaceService& namespaces;
  PedigreeService& pedigree;
  PipelineService& pipelines;
  PrincipalService& principals;
  PublishingService& publishing;
  PurgeService& purge;
  Recorder& recorder;
  RepositoryCheck& repository_check;
  RunPublication& run_publication;
  RunService& runs;
  SearchService& search;
  TokenService& tokens;
  TriggerService& triggers;
  UploadService& uploads;
  Vault& vault;
  VersionService& versions;
};

}  // namespace mendel::registry
