#include "registry/api/file_body.h"

#include <algorithm>

namespace mendel::registry::api {

namespace {

storage::ManifestFile read_file(ObjectReader& entry, std::vector<AttachedFile>& attached) {
  storage::ManifestFile file;
  file.path = entry.required_string("path");
  file.platform = entry.optional_string("platform").value_or("");
  file.digest = entry.optional_digest("digest");
  file.executable = entry.optional_boolean("executable").value_or(false);
  file.link = entry.optional_string("link").value_or("");
  file.directory = entry.optional_boolean("directory").value_or(false);
  file.checksum = entry.optional_string("checksum").value_or("");
  file.locations = entry.optional_strings("locations");
  const auto size = entry.optional_integer("size");
  if (size && *size < 0) entry.problem("size", "must not be negative");
  file.size_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, size.value_or(0)));

  const auto from =
      entry.parsed("from", [](const std::string& text) { return Reference::parse(text); });
  if (from && file.digest) attached.push_back({*file.digest, *from});
  if (from && !file.digest) entry.problem("from", "goes with a digest");
  return file;
}

}  // namespace

std::vector<storage::ManifestFile> read_files(ObjectReader& body,
                                              std::vector<AttachedFile>& attached) {
  std::vector<storage::ManifestFile> files;
  body.each_object(
      "files", [&](ObjectReader& entry) { files.push_back(read_file(entry, attached)); });
  return files;
}

}  // namespace mendel::registry::api
