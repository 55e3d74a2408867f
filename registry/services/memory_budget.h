#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace mendel::registry {

// A number of bytes that many share. Nobody waits: what can't be had now is refused. Any
// thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : bytes_left_(bytes_max) {}

  // Gives its bytes back when it goes.
  class Share {
   public:
    Share(MemoryBudget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (budget_ != nullptr) budget_->bytes_left_ += bytes_;
    }

   private:
    MemoryBudget* budget_;
    std::size_t bytes_;
  };

  std::optional<Share> try_take(std::size_t bytes) {
    for (std::size_t left = bytes_left_; bytes <= left;) {
      if (bytes_left_.compare_exchange_weak(left, left - bytes)) return Share(*this, bytes);
    }
    return std::nullopt;
  }

 private:
  std::atomic<std::size_t> bytes_left_;
};

}  // namespace mendel::registry
