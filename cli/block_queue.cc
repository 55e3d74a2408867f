#include "cli/block_queue.h"

#include <algorithm>
#include <utility>

namespace mendel::cli {

void BlockQueue::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    if (filling_.capacity() == 0) begin_block();
    const auto piece = data.first(std::min(data.size(), kBlockSizeBytes - filling_.size()));
    filling_.insert(filling_.end(), piece.begin(), piece.end());
    data = data.subspan(piece.size());
    if (filling_.size() == kBlockSizeBytes) flush();
  }
}

void BlockQueue::begin_block() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return cause_ || !spare_.empty() || blocks_made_ < kBlocks; });
  if (cause_) std::rethrow_exception(cause_);
  if (spare_.empty()) {
    ++blocks_made_;
    filling_.reserve(kBlockSizeBytes);
  } else {
    filling_ = std::move(spare_.back());
    spare_.pop_back();
  }
}

void BlockQueue::flush() {
  if (filling_.empty()) return;
  const std::lock_guard lock(mutex_);
  if (cause_) std::rethrow_exception(cause_);
  full_.push_back(std::exchange(filling_, {}));
  changed_.notify_all();
}

void BlockQueue::flush_if_starving() {
  {
    const std::lock_guard lock(mutex_);
    if (!full_.empty()) return;
  }
  flush();
}

void BlockQueue::close() {
  flush();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::span<const std::byte> BlockQueue::wait_for_unread() {
  if (read_ == reading_.size()) {
    std::unique_lock lock(mutex_);
    if (reading_.capacity() != 0) {
      reading_.clear();
      spare_.push_back(std::exchange(reading_, {}));
      changed_.notify_all();
    }
    read_ = 0;
    changed_.wait(lock, [&] { return cause_ || closed_ || !full_.empty(); });
    if (cause_) std::rethrow_exception(cause_);
    if (full_.empty()) return {};
    reading_ = std::move(full_.front());
    full_.pop_front();
  }
  return std::span(reading_).subspan(read_);
}

std::size_t BlockQueue::next(std::span<std::byte> buffer) {
  const auto unread = wait_for_unread();
  const std::size_t size = std::min(buffer.size(), unread.size());
  std::ranges::copy(unread.first(size), buffer.begin());
  read_ += size;
  return size;
}

std::span<const std::byte> BlockQueue::next_block() {
  const auto unread = wait_for_unread();
  read_ += unread.size();
  return unread;
}

void BlockQueue::fail(std::exception_ptr cause) {
  const std::lock_guard lock(mutex_);
  if (!cause_) cause_ = cause;
  changed_.notify_all();
}

void BlockQueue::reset() {
  const std::lock_guard lock(mutex_);
  closed_ = false;
}

}  // namespace mendel::cli
