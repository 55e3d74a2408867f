#include "registry/api/uploads.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "registry/api/json.h"
#include "registry/services/uploads.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kBlobsAskedMax = 16'384;
constexpr std::size_t kChunksAskedMax = 4'096;

Upload upload_of(const Request& request, Services& services) {
  return services.uploads.get(request.ns().id, request.path("id"));
}

json to_json(const Request& request, const Upload& upload) {
  return {{"id", upload.id},
          {"namespace", request.ns().name},
          {"expires_at", format_rfc3339(upload.expires_at)}};
}

json to_json(const std::vector<UploadService::StoredPack>& packs) {
  json list = json::array();
  for (const auto& pack : packs) {
    list.push_back({{"name", pack.name.to_string()}, {"size_bytes", pack.size_bytes}});
  }
  return list;
}

std::vector<Digest> asked_digests(const Request& request, std::size_t count_max) {
  ObjectReader body(request.json());
  std::vector<Digest> digests;
  const json asked = body.required_array("digests");
  if (asked.size() > count_max) {
    body.problem("digests", "has at most " + std::to_string(count_max) + " digests");
  }
  for (const json& text : asked) {
    const auto digest = text.is_string()
                            ? Digest::find_in(text.get_ref<const std::string&>())
                            : std::nullopt;
    if (!digest) {
      body.problem("digests",
                   text.dump() + " is no digest: sha256: and 64 lower-case hex digits");
      break;
    }
    digests.push_back(*digest);
  }
  body.finish();
  return digests;
}

class PacksConsumer : public BodyConsumer {
 public:
  explicit PacksConsumer(std::unique_ptr<UploadService::Ingest> ingest)
      : ingest_(std::move(ingest)) {}

  void consume(std::span<const std::byte> data) override { ingest_->append(data); }

  Response finish() override {
    const auto [packs, blobs] = ingest_->finish();
    return json_response(200, {{"packs", to_json(packs)}, {"blobs", blobs}});
  }

 private:
  const std::unique_ptr<UploadService::Ingest> ingest_;
};

}  // namespace

Response create_upload(const Request& request, Services& services) {
  if (!request.body().empty()) ObjectReader(request.json()).finish();

  const Upload upload = services.uploads.create(request.ns().id, request.caller());

  Response response = json_response(201, to_json(request, upload));
  response.headers.set("Location",
                       "/api/v1/namespaces/" + request.ns().name + "/uploads/" + upload.id);
  return response;
}

Response get_upload(const Request& request, Services& services) {
  const Upload upload = upload_of(request, services);
  json body = to_json(request, upload);
  body["packs"] = to_json(services.uploads.packs(upload));
  return json_response(200, body);
}

Response delete_upload(const Request& request, Services& services) {
  services.uploads.remove(request.ns().id, request.path("id"));
  return no_content();
}

Response find_missing_blobs(const Request& request, Services& services) {
  const std::vector<Digest> digests = asked_digests(request, kBlobsAskedMax);
  const Upload upload = upload_of(request, services);
  return json_response(200,
                       {{"missing", services.uploads.find_missing_blobs(upload, digests)}});
}

Response find_chunks(const Request& request, Services& services) {
  const std::vector<Digest> digests = asked_digests(request, kChunksAskedMax);
  const Upload upload = upload_of(request, services);
  const auto found = services.uploads.find_chunks(upload, digests);

  json packs = json::array();
  json numbers = json::array();
  std::unordered_map<Digest, std::size_t> number_of;
  for (const auto& pack : found) {
    if (!pack) {
      numbers.push_back(0);
      continue;
    }
    const auto [known, is_new] = number_of.emplace(*pack, packs.size() + 1);
    if (is_new) packs.push_back(pack->to_string());
    numbers.push_back(known->second);
  }
  return json_response(200, {{"packs", std::move(packs)}, {"found", std::move(numbers)}});
}

std::unique_ptr<BodyConsumer> receive_packs(const Request& request, Services& services) {
  const auto type = request.header("Content-Type");
  if (!type || *type != "application/vnd.mendel.pack") {
    throw Error(ErrorCode::invalid_argument,
                "Content-Type must be application/vnd.mendel.pack");
  }
  return std::make_unique<PacksConsumer>(
      services.uploads.begin_ingest(upload_of(request, services)));
}

}  // namespace mendel::registry::api
