#pragma once

namespace mendel::registry {

class AccessService;
class AliasService;
class ArtifactService;
class BlobService;
class ClientPackages;
class FsckService;
class HealthService;
class InputService;
class ManifestService;
class NamespaceService;
class PedigreeService;
class PrincipalService;
class PublishingService;
class TokenService;
class UploadService;
class VersionService;

// What a registry does, for the handlers: references to the services that main() made.
struct Services {
  AccessService& access;
  AliasService& aliases;
  ArtifactService& artifacts;
  BlobService& blobs;
  ClientPackages& client_packages;
  FsckService& fsck;
  HealthService& health;
  InputService& inputs;
  ManifestService& manifests;
  NamespaceService& namespaces;
  PedigreeService& pedigree;
  PrincipalService& principals;
  PublishingService& publishing;
  TokenService& tokens;
  UploadService& uploads;
  VersionService& versions;
};

}  // namespace mendel::registry
