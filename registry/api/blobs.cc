#include "registry/api/blobs.h"

#include <utility>

#include "registry/api/json.h"
#include "registry/services/blobs.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

Response blob_response(int status, const Digest& digest, std::uint64_t size_bytes) {
  return json_response(status,
                       {{"digest", digest.to_string()}, {"size_bytes", size_bytes}});
}

class BlobConsumer : public BodyConsumer {
 public:
  BlobConsumer(const Digest& digest, std::unique_ptr<BlobService::Upload> upload)
      : digest_(digest), upload_(std::move(upload)) {}

  void consume(std::span<const std::byte> data) override { upload_->append(data); }

  Response finish() override {
    const auto [outcome, size_bytes] = upload_->finish();
    const bool created = outcome == BlobService::Upload::Outcome::created;
    return blob_response(created ? 201 : 200, digest_, size_bytes);
  }

 private:
  const Digest digest_;
  const std::unique_ptr<BlobService::Upload> upload_;
};

}  // namespace

std::unique_ptr<BodyConsumer> put_blob(const Request& request, Services& services) {
  const Digest digest = Digest::parse(request.path("digest"));
  return std::make_unique<BlobConsumer>(
      digest,
      services.blobs.begin_upload(request.ns().id, digest, request.head().content_length));
}

Response head_blob(const Request& request, Services& services) {
  const Digest digest = Digest::parse(request.path("digest"));
  const auto blob = services.blobs.find(request.ns().id, digest);
  if (!blob) {
    services.blobs.refuse_purged_here(request.ns().id, digest);
    throw Error(ErrorCode::not_found,
                "namespace " + request.ns().name + " has no blob " + digest.to_string());
  }
  return blob_response(200, digest, blob->size_bytes());
}

}  // namespace mendel::registry::api
