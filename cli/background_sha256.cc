#include "cli/background_sha256.h"

namespace mendel::cli {

BackgroundSha256::BackgroundSha256() {
  thread_ = std::jthread([this] {
    for (auto bytes = queue_.next_block(); !bytes.empty(); bytes = queue_.next_block()) {
      sha256_.update(bytes);
    }
  });
}

BackgroundSha256::~BackgroundSha256() { queue_.close(); }

void BackgroundSha256::update(std::span<const std::byte> data) { queue_.write(data); }

Digest BackgroundSha256::finish() {
  queue_.close();
  thread_.join();
  return sha256_.finish();
}

}  // namespace mendel::cli
