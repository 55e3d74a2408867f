#include "registry/api/files.h"

#include <utility>

#include "registry/api/content_answer.h"
#include "registry/api/downloads.h"
#include "registry/api/names.h"
#include "registry/api/problem.h"
#include "registry/api/target.h"
#include "registry/services/archive.h"
#include "registry/services/blobs.h"
#include "registry/services/versions.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using storage::ManifestFile;

constexpr int kLinksFollowedMax = 16;

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// Where a link leads from its own directory; a manifest's links stay inside.
std::string link_target(std::string_view path, std::string_view target) {
  std::string_view directory = path.substr(0, path.size() - last_part(path).size());
  while (target.starts_with("../")) {
    target.remove_prefix(3);
    if (!directory.empty()) directory.remove_suffix(1);
    directory = directory.substr(0, directory.size() - last_part(directory).size());
  }
  return std::string(directory) + std::string(target);
}

// No redirect: whoever followed one would get bytes that nobody has checked, and simulation
// jobs check nothing themselves.
[[noreturn]] void throw_elsewhere(const ManifestFile& file) {
  std::vector<FieldError> places;
  for (std::size_t i = 0; i < file.locations.size(); ++i) {
    places.push_back({"/locations/" + std::to_string(i), file.locations[i]});
  }
  throw Error(ErrorCode::not_found,
              "the bytes of '" + file.path + "' (" + file.checksum +
                  ") are not stored here, but at " + list_in_words(file.locations),
              std::move(places));
}

[[noreturn]] void throw_none(const ManifestTable& manifest, std::string_view path,
                             const std::vector<std::string>& platforms) {
  const std::vector<std::string> existing = manifest.platforms_of(path);
  const std::string what = "'" + std::string(path) + "'";
  if (existing.empty()) throw Error(ErrorCode::not_found, "there is no file " + what);
  if (platforms.empty()) {
    throw Error(ErrorCode::invalid_argument, what + " is there for the platforms " +
                                                 list_in_words(existing) +
                                                 ": ask for one with ?platform=");
  }
  throw Error(ErrorCode::not_found, what + " is not there for " + list_in_words(platforms) +
                                        ", but for " + list_in_words(existing));
}

// A stored file of a version, with all that an answer says of it.
struct FoundFile {
  std::shared_ptr<const VersionRecord> record;
  std::shared_ptr<const ManifestTable> manifest;
  const ManifestFile* file;
  std::string etag;

  const Version& version() const { return record->version; }
};

FoundFile find_file(const Request& request, std::shared_ptr<const VersionRecord> record,
                    std::shared_ptr<const ManifestTable> manifest) {
  const ManifestFile& file =
      find_stored_file(*manifest, request.path("path"), asked_platforms(request));
  return {std::move(record), std::move(manifest), &file,
          strong_tag(file.digest->to_string())};
}

Response file_headers(const Request& request, const FoundFile& found) {
  Response response;
  Headers& headers = response.headers;
  headers.set("Content-Type", "application/octet-stream");
  headers.set("ETag", found.etag);
  headers.set("Accept-Ranges", "bytes");
  headers.set("Repr-Digest", repr_digest(*found.file->digest));
  set_version_headers(headers, found.version());
  set_cache_control(headers, request);
  set_attachment(headers, last_part(request.path("path")));
  if (found.file->path != request.path("path")) {
    const std::string_view target = request.head().target;
    const std::string base = "/api/v1/" + std::string(request.path("kind")) + "/" +
                             found.version().artifact + "/versions/" +
                             ref_of(request).text() + "/files/";
    const auto query = target.find('?');
    headers.set(
        "Content-Location",
        base + percent_encode_path(found.file->path) +
            std::string(query == std::string_view::npos ? "" : target.substr(query)));
  }
  return response;
}

// open_part gives the body that is a range of the file.
template <class OpenPart>
Response file_response(const Request& request, const FoundFile& found, OpenPart open_part) {
  request.require_match(found.etag);
  Response response = file_headers(request, found);
  if (request.none_match(found.etag)) {
    response.status = 304;
    return response;
  }

  const std::uint64_t size = found.file->size_bytes;
  const auto [kind, range] = asked_range(request, found.etag, size);
  switch (kind) {
    case RangeAnswer::Kind::unsatisfiable:
      response = problem_response(
          Error(ErrorCode::out_of_range, "the file has " + std::to_string(size) +
                                             " bytes, none of them in the range"),
          request.head().id);
      response.headers.set("Content-Range", "bytes */" + std::to_string(size));
      return response;
    case RangeAnswer::Kind::part:
      response.status = 206;
      response.headers.set("Content-Range",
                           "bytes " + std::to_string(range.offset) + "-" +
                               std::to_string(range.offset + range.length - 1) + "/" +
                               std::to_string(size));
      break;
    case RangeAnswer::Kind::whole: break;
  }
  response.body = open_part(range);
  return response;
}

SharedBytes part_of(std::shared_ptr<const std::string> bytes, const ByteRange& range) {
  const std::string_view part = std::string_view(*bytes).substr(range.offset, range.length);
  return {std::move(bytes), part};
}

// What stands for a body that HEAD does not send.
struct NoBytes : Source {
  std::size_t read(std::span<std::byte>) override { return 0; }
};

Response manifest_response(const Request& request, const VersionRecord& record,
                           std::shared_ptr<const ManifestTable> manifest) {
  const std::string etag = strong_tag(record.version.digest.to_string());
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("ETag", etag);
  response.headers.set("Repr-Digest", repr_digest(record.version.digest));
  set_version_headers(response.headers, record.version);
  set_revalidated(response.headers, request);
  if (request.none_match(etag)) {
    response.status = 304;
  } else {
    const std::string_view bytes = manifest->bytes();
    response.body = SharedBytes{std::move(manifest), bytes};
  }
  return response;
}

Response component_response(const Request& request, std::string bytes) {
  const Digest digest = Digest::of(bytes);
  Response response;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("ETag", strong_tag(digest.to_string()));
  response.headers.set("Repr-Digest", repr_digest(digest));
  set_revalidated(response.headers, request);
  if (request.none_match(strong_tag(digest.to_string()))) {
    response.status = 304;
  } else {
    response.body = std::move(bytes);
  }
  return response;
}

}  // namespace

const ManifestFile& find_stored_file(const ManifestTable& manifest, std::string_view path,
                                     const std::vector<std::string>& platforms) {
  std::string wanted(path);
  for (int links = 0; links <= kLinksFollowedMax; ++links) {
    const ManifestFile* file = manifest.find(wanted, platforms);
    if (file == nullptr) throw_none(manifest, wanted, platforms);
    if (file->digest) return *file;
    if (file->directory) {
      throw Error(ErrorCode::not_found, "'" + wanted + "' is an empty directory");
    }
    if (!file->locations.empty()) throw_elsewhere(*file);
    wanted = link_target(wanted, file->link);
  }
  throw Error(ErrorCode::not_found, "'" + std::string(path) + "' is a link in a circle");
}

Response get_manifest(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  if (const auto component = request.query("component")) {
    return component_response(
        request, services.versions.component_manifest(record->version, *component));
  }
  return manifest_response(request, *record, services.versions.manifest(record->version));
}

std::optional<Response> get_manifest_from_memory(const Request& request,
                                                 Services& services) {
  if (request.query("component")) return std::nullopt;
  const auto record =
      services.versions.remembered(artifact_of(request), kind_of(request), ref_of(request));
  if (!record) return std::nullopt;
  auto manifest = services.versions.remembered_manifest(record->version);
  if (!manifest) return std::nullopt;
  return manifest_response(request, *record, std::move(manifest));
}

Response get_file(const Request& request, Services& services) {
  auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  auto manifest = services.versions.contents(record->version);
  const FoundFile found = find_file(request, std::move(record), std::move(manifest));
  const BlobPlace blob =
      services.blobs.get_named(found.version().namespace_id, *found.file->digest);

  Response response = file_response(
      request, found, [&](const ByteRange& range) -> decltype(Response::body) {
        if (request.head().method == "HEAD") {
          return ByteStream{std::make_unique<NoBytes>(), range.length};
        }
        if (auto bytes = services.blobs.load_hot(blob)) return part_of(bytes, range);
        return ByteStream{services.blobs.open(blob, range.offset, range.length),
                          range.length};
      });
  count_download(request, services, found.version(), response);
  return response;
}

std::optional<Response> get_file_from_memory(const Request& request, Services& services) {
  auto record =
      services.versions.remembered(artifact_of(request), kind_of(request), ref_of(request));
  if (!record) return std::nullopt;
  auto manifest = services.versions.remembered_contents(record->version);
  if (!manifest) return std::nullopt;
  const FoundFile found = find_file(request, std::move(record), std::move(manifest));

  const auto blob =
      services.blobs.remembered(found.version().namespace_id, *found.file->digest);
  if (!blob) return std::nullopt;
  auto bytes = services.blobs.remembered_bytes(*blob);
  if (!bytes) return std::nullopt;
  Response response = file_response(request, found, [&](const ByteRange& range) {
    return part_of(std::move(bytes), range);
  });
  count_download(request, services, found.version(), response);
  return response;
}

}  // namespace mendel::registry::api
