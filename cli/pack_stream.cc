#include "cli/pack_stream.h"

#include <utility>

namespace mendel::cli {

PackStream::PackStream(ServerAccess access, std::string packs_path, ChunkMap& sent)
    : packs_path_(std::move(packs_path)), sent_(sent), server_(std::move(access)) {}

PackStream::~PackStream() {
  queue_.fail(
      std::make_exception_ptr(Error(ErrorCode::cancelled, "the push was given up")));
}

Sink& PackStream::begin_pack() {
  if (!sender_.joinable()) sender_ = std::jthread([this] { send(); });
  return queue_;
}

void PackStream::end_pack(storage::PackIndex index, std::vector<storage::StoredBlob>) {
  queue_.flush();
  for (const storage::RecordLocation& record : index.records()) {
    const auto type = record.header.type;
    if (type == storage::RecordType::chunk || type == storage::RecordType::blob) {
      sent_.add(record.header.digest, index.name());
    }
  }
}

void PackStream::finish_request() {
  if (!sender_.joinable()) return;
  queue_.close();
  sender_.join();
  if (failure_) std::rethrow_exception(failure_);
  queue_.reset();
}

void PackStream::send() {
  try {
    server_.upload(packs_path_, "application/vnd.mendel.pack", queue_);
  } catch (const std::exception&) {
    failure_ = std::current_exception();
    queue_.fail(failure_);
  }
}

}  // namespace mendel::cli
