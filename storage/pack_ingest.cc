#include "storage/pack_ingest.h"

#include <utility>

#include "storage/base/error.h"
#include "storage/manifest.h"
#include "storage/object_keys.h"

namespace mendel::storage {

class PackIngest::Impl : private PackParser::Visitor {
 public:
  Impl(PackCache& packs, PackScope& scope, Listener& listener)
      : packs_(packs),
        scope_(scope),
        listener_(listener),
        blobs_(packs, scope),
        parser_(*this, ErrorCode::unprocessable) {}

  void append(std::span<const std::byte> data) { parser_.append(data); }
  void finish() { parser_.finish(); }

 private:
  void pack_bytes(std::span<const std::byte> bytes) override {
    if (!object_) object_ = packs_.objects().create();
    object_->append(bytes);
  }

  Sha256* message_around(const RecordHeader& header) override {
    return header.type == RecordType::chunk ? blobs_.blob_around(header.digest) : nullptr;
  }

  void record(const RecordHeader& header, std::span<const std::byte> raw) override {
    switch (header.type) {
      case RecordType::chunk: blobs_.add_chunk(header.digest, raw); return;
      case RecordType::blob: blobs_.add_blob(header.digest, raw); return;
      case RecordType::recipe: blobs_.add_recipe(header.digest, raw); return;
      case RecordType::manifest:
        blobs_.require_no_open_leaf();
        decode_manifest(as_text(raw));
        manifests_.push_back(header.digest);
        return;
    }
  }

  void pack_end(PackIndex index) override {
    blobs_.require_no_open_leaf();
    scope_.refuse_purged(blobs_.completed());
    object_->commit(pack_key(index.name()));
    object_.reset();
    packs_.remember(index);

    IngestedPack pack;
    pack.blobs = blobs_.end_pack(index.name());
    pack.index = std::make_shared<const PackIndex>(std::move(index));
    pack.manifests = std::exchange(manifests_, {});
    listener_.pack_stored(std::move(pack));
  }

  PackCache& packs_;
  PackScope& scope_;
  Listener& listener_;
  BlobVerifier blobs_;
  std::unique_ptr<ObjectWriter> object_;  // the pack that is coming in
  std::vector<Digest> manifests_;
  PackParser parser_;
};

PackIngest::PackIngest(PackCache& packs, PackScope& scope, Listener& listener)
    : impl_(std::make_unique<Impl>(packs, scope, listener)) {}
PackIngest::~PackIngest() = default;

void PackIngest::append(std::span<const std::byte> data) { impl_->append(data); }
void PackIngest::finish() { impl_->finish(); }

}  // namespace mendel::storage
