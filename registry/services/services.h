#pragma once

namespace mendel::registry {

class AccessService;
class ArtifactService;
class BlobService;
class NamespaceService;
class TokenService;
class UploadService;
class VersionService;

// What a registry does, for the handlers: references to the services that main() made.
struct Services {
  AccessService& access;
  NamespaceService& namespaces;
  TokenService& tokens;
  BlobService& blobs;
  UploadService& uploads;
  ArtifactService& artifacts;
  VersionService& versions;
};

}  // namespace mendel::registry
