#include "cli/background_sha256.h"

#include <algorithm>
#include <utility>

namespace mendel::cli {

BackgroundSha256::BackgroundSha256() : spare_(kBlocks) {
  thread_ = std::jthread([this] { run(); });
}

BackgroundSha256::~BackgroundSha256() { close(); }

void BackgroundSha256::update(std::span<const std::byte> data) {
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), kBlockSizeBytes - filling_.size()));
    filling_.insert(filling_.end(), piece.begin(), piece.end());
    data = data.subspan(piece.size());
    if (filling_.size() == kBlockSizeBytes) hand_over();
  }
}

Digest BackgroundSha256::finish() {
  if (!filling_.empty()) hand_over();
  close();
  thread_.join();
  return sha256_.finish();
}

void BackgroundSha256::hand_over() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !spare_.empty(); });
  full_.push_back(std::exchange(filling_, std::move(spare_.back())));
  spare_.pop_back();
  changed_.notify_all();
}

void BackgroundSha256::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

void BackgroundSha256::run() {
  for (std::unique_lock lock(mutex_);;) {
    changed_.wait(lock, [&] { return is_closed_ || !full_.empty(); });
    if (full_.empty()) return;
    Block block = std::move(full_.front());
    full_.pop_front();
    lock.unlock();
    sha256_.update(block);
    block.clear();
    lock.lock();
    spare_.push_back(std::move(block));
    changed_.notify_all();
  }
}

}  // namespace mendel::cli
