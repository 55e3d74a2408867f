#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/digest.h"

namespace mendel::storage {

enum class ArtifactKind : std::uint8_t { model, dataset, environment };
std::string_view to_string(ArtifactKind kind);                         // "model"
std::optional<ArtifactKind> parse_artifact_kind(std::string_view text);

// One file of a version. Exactly one of four shapes: stored bytes (digest and size), a link,
// an empty directory, or data that stays where it is (locations and checksum).
struct ManifestFile {
  std::string path;      // relative, '/'-separated, valid UTF-8
  std::string platform;  // empty: for all platforms
  std::optional<Digest> digest;
  std::uint64_t size_bytes = 0;
  bool executable = false;
  std::string link;      // relative target, stays inside
  bool directory = false;
  std::string checksum;
  std::vector<std::string> locations;

  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct ManifestComponent {
  std::string name;
  std::string ref;  // ns/name:number
  Digest digest;    // of that version

  friend bool operator==(const ManifestComponent&, const ManifestComponent&) = default;
};

// What a version is. Its canonical JSON (RFC 8785), with files sorted by path bytes and then
// platform and components by name, is stored as it is, and the SHA-256 of those bytes is the
// version's digest.
struct Manifest {
  ArtifactKind kind = ArtifactKind::model;
  std::vector<ManifestFile> files;
  std::vector<ManifestComponent> components;

  // Of stored files and of those that are referenced.
  std::uint64_t size_bytes() const;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// Sorts, and checks every rule: throws unprocessable with an error per broken rule, located
// as "/files/3/path" by the position in the manifest as it was handed in.
void normalise(Manifest& manifest);

// The canonical bytes of a normalised manifest.
std::string encode_manifest(const Manifest& manifest);

// Throws unprocessable with the rule that is broken: not JSON, unknown members, rules of
// normalise(), or bytes that are not the canonical form.
Manifest decode_manifest(std::string_view bytes);

// The rule that a path breaks, as a sentence; nullopt for a good one.
std::optional<std::string> path_problem(std::string_view path);

inline constexpr std::size_t kPathSizeMax = 1024;

}  // namespace mendel::storage
