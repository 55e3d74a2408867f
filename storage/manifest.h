#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/digest.h"

namespace mendel::storage {

enum class ArtifactKind : std::uint8_t { model, dataset, environment };
std::string_view to_string(ArtifactKind kind);  // "model"
std::optional<ArtifactKind> parse_artifact_kind(std::string_view text);

// One file of a version. Exactly one of four shapes: stored bytes (digest and size), a
// link, an empty directory, or data that stays where it is (locations, checksum and size).
struct ManifestFile {
  std::string path;      // relative, '/'-separated, valid UTF-8
  std::string platform;  // empty: for all platforms
  std::optional<Digest> digest;
  std::uint64_t size_bytes = 0;
  bool executable = false;
  std::string link;  // relative target, stays inside
  bool directory = false;
  std::string checksum;  // adler32:, crc32c:, md5: or sha256: and lower-case hex digits
  std::vector<std::string> locations;  // URIs, the first one preferred

  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct ManifestComponent {
  std::string name;
  std::string ref;  // ns/name:number
  Digest digest;    // of that version

  friend bool operator==(const ManifestComponent&, const ManifestComponent&) = default;
};

// What a version is. Its canonical JSON (RFC 8785), with files sorted by path bytes and
// then platform and components by name, is stored as it is, and the SHA-256 of those bytes
// is the version's digest.
struct Manifest {
  ArtifactKind kind = ArtifactKind::model;
  std::vector<ManifestFile> files;
  std::vector<ManifestComponent> components;

  // Of stored files and of those that are referenced.
  std::uint64_t size_bytes() const;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// Sorts, and checks every rule: throws unprocessable with an error per broken rule (the
// first hundred), located as "/files/3/path" by the position in the manifest as it was
// handed in. The rules, beside the shapes above:
//
// - A path keeps to path_problem(). The same path may stand once per platform and once for
//   all; two spellings that differ only by case may not, nor a path that is also a
//   directory of another, case ignored (utf8.h says for which letters).
// - A component's name is the directory of its files, so the same rule holds for it.
// - A link's target is relative and goes up (..) only at its start, no further than to the
//   root. Since no path leads through a link, following any number of links stays inside.
//   Whether the target exists is not asked: it may belong to another platform.
// - A manifest has a file or a component.
// - Sizes, and their sum, are at most 2^53: what JSON carries exactly.
//
// Takes n log n time. A manifest that throws is left unsorted.
void normalise(Manifest& manifest);

// The canonical bytes of a normalised manifest.
std::string encode_manifest(const Manifest& manifest);

// Throws unprocessable with the rule that is broken: not JSON, unknown members, rules of
// normalise(), or bytes that are not the canonical form.
Manifest decode_manifest(std::string_view bytes);

// The rule that a path breaks, as a sentence; nullopt for a good one. A path is relative
// and
// '/'-separated, well-formed UTF-8 without control characters (U+0000 to U+001F, U+007F),
// without '.', '..' and empty parts, at most kPathSizeMax bytes long.
std::optional<std::string> path_problem(std::string_view path);

inline constexpr std::size_t kPathSizeMax = 1024;
inline constexpr std::size_t kLocationSizeMax = 2048;
inline constexpr std::size_t kLocationsMax = 64;

}  // namespace mendel::storage
