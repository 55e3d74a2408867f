#include "registry/api/archive.h"

#include <algorithm>
#include <utility>

#include "registry/api/content_answer.h"
#include "registry/api/downloads.h"
#include "registry/api/files.h"
#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/services/archive.h"
#include "registry/services/blobs.h"
#include "registry/services/versions.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

// The entries of a TarSource point into the manifest.
class ArchiveSource : public Source {
 public:
  ArchiveSource(std::shared_ptr<const ManifestTable> manifest,
                std::vector<TarEntry> entries, std::unique_ptr<Source> contents)
      : manifest_(std::move(manifest)), tar_(std::move(entries), std::move(contents)) {}

  std::size_t read(std::span<std::byte> buffer) override { return tar_.read(buffer); }

 private:
  const std::shared_ptr<const ManifestTable> manifest_;
  TarSource tar_;
};

std::string archive_etag(const Version& version,
                         const std::vector<std::string>& platforms) {
  std::string text = version.digest.to_string() + "-tar";
  for (const std::string& platform : platforms) text += "-" + platform;
  // Platforms come from the URL: none of their characters may end or split a tag.
  if (!platforms.empty()) text = Digest::of(text).to_string() + "-tar";
  return strong_tag(text);
}

std::string download_name(const Version& version, std::string_view ending) {
  std::string name = version.artifact + "-" + std::to_string(version.number);
  name += ending;
  std::ranges::replace(name, '/', '-');
  return name;
}

// Which files a bundle is asked for, as positions in the manifest; nullopt: all stored
// ones.
std::optional<std::vector<std::size_t>> asked_files(const Request& request,
                                                    const storage::Manifest& manifest) {
  ObjectReader body(request.json());
  const auto asked = body.optional_array("files");
  std::vector<std::size_t> positions;
  if (asked) {
    for (const auto& position : *asked) {
      const bool is_stored = position.is_number_unsigned() &&
                             position.get<std::uint64_t>() < manifest.files.size() &&
                             manifest.files[position.get<std::size_t>()].digest;
      if (!is_stored) {
        body.problem("files", position.dump() + " is no position of a stored file");
        break;
      }
      positions.push_back(position.get<std::size_t>());
    }
  }
  body.finish();
  if (!asked) return std::nullopt;
  return positions;
}

std::vector<BlobContent> bundle_contents(const Request& request,
                                         const storage::Manifest& manifest) {
  std::vector<BlobContent> contents;
  const auto add = [&](const storage::ManifestFile& file) {
    contents.push_back({*file.digest, file.size_bytes});
  };
  if (const auto asked = asked_files(request, manifest)) {
    for (const std::size_t position : *asked) add(manifest.files[position]);
  } else {
    for (const auto& file : manifest.files) {
      if (file.digest) add(file);
    }
  }
  return contents;
}

// Before the first byte: an answer that has begun can't say what is missing.
void refuse_purged(Services& services, const Version& version,
                   const storage::Manifest& manifest,
                   std::span<const BlobContent> contents) {
  const auto purged = services.blobs.find_purged(version.namespace_id, contents);
  if (!purged) return;
  const auto file =
      std::ranges::find(manifest.files, purged->digest, &storage::ManifestFile::digest);
  throw gone(*purged, "'" + file->path + "' of " + version.reference());
}

}  // namespace

Response get_archive(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const Version& version = record->version;
  const auto platforms = asked_platforms(request);
  auto manifest = services.versions.contents(version);
  ArchivePlan plan = plan_archive(manifest->manifest(), platforms);
  refuse_purged(services, version, manifest->manifest(), plan.contents);

  const std::string etag = archive_etag(version, platforms);
  Response response;
  response.headers.set("Content-Type", "application/x-tar");
  response.headers.set("ETag", etag);
  set_version_headers(response.headers, version);
  set_cache_control(response.headers, request);
  set_attachment(response.headers, download_name(version, ".tar"));
  if (request.none_match(etag)) {
    response.status = 304;
    return response;
  }
  const std::uint64_t size = tar_size(plan.entries);
  response.body = ByteStream{
      std::make_unique<ArchiveSource>(
          std::move(manifest), std::move(plan.entries),
          services.blobs.open_all(version.namespace_id, std::move(plan.contents))),
      size};
  count_download(request, services, version, response);
  return response;
}

Response post_bundle(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const auto manifest = services.versions.contents(record->version);
  std::vector<BlobContent> contents = bundle_contents(request, manifest->manifest());
  refuse_purged(services, record->version, manifest->manifest(), contents);

  std::uint64_t size = 0;
  for (const BlobContent& content : contents) size += content.size_bytes;
  Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  set_version_headers(response.headers, record->version);
  set_revalidated(response.headers, request);
  set_attachment(response.headers, download_name(record->version, ".bundle"));
  response.body = ByteStream{
      services.blobs.open_all(record->version.namespace_id, std::move(contents)), size};
  count_download(request, services, record->version, response);
  return response;
}

Response get_recipe(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const NamespaceId ns = record->version.namespace_id;
  const auto manifest = services.versions.contents(record->version);
  const auto& file =
      find_stored_file(*manifest, request.path("path"), asked_platforms(request));
  const BlobPlace blob = services.blobs.get_named(ns, *file.digest);

  const std::string etag = strong_tag(file.digest->to_string() + "-recipe");
  Response response;
  response.headers.set("Content-Type", "application/vnd.mendel.recipe");
  response.headers.set("ETag", etag);
  set_version_headers(response.headers, record->version);
  set_revalidated(response.headers, request);
  set_attachment(response.headers, download_name(record->version, ".recipe"));
  if (request.none_match(etag)) {
    response.status = 304;
    return response;
  }
  response.body = ByteStream{services.blobs.open_recipe(ns, blob), std::nullopt};
  return response;
}

}  // namespace mendel::registry::api
