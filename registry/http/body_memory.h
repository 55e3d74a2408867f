#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace mendel::registry::http {

// The memory that bodies in flight may take, all connections together. May be used from
// all threads; outlives its claims.
class BodyMemory {
 public:
  explicit BodyMemory(std::size_t bytes_max)
      : bytes_max_(bytes_max), bytes_left_(bytes_max) {}

  std::size_t bytes_max() const { return bytes_max_; }

  // A part of it, given back in the end.
  class Claim {
   public:
    Claim() = default;
    explicit Claim(BodyMemory& memory) : memory_(&memory) {}
    Claim(Claim&& other) noexcept
        : memory_(other.memory_), bytes_(std::exchange(other.bytes_, 0)) {}
    Claim& operator=(Claim&& other) noexcept {
      std::swap(memory_, other.memory_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Claim() {
      if (bytes_ > 0) memory_->bytes_left_ += bytes_;
    }

    // False, and nothing changed, when that would not leave bytes_spared to others.
    [[nodiscard]] bool grow(std::size_t bytes, std::size_t bytes_spared = 0) {
      std::size_t left = memory_->bytes_left_;
      do {
        if (left < bytes + bytes_spared) return false;
      } while (!memory_->bytes_left_.compare_exchange_weak(left, left - bytes));
      bytes_ += bytes;
      return true;
    }

   private:
    BodyMemory* memory_ = nullptr;
    std::size_t bytes_ = 0;
  };

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_left_;
};

// One buffer of a streamed body: of the size that is wanted while streams take no more than
// half of the memory, else of the smallest size, which is not counted. The other half is
// for whole bodies, which cannot do with less: peers who take their downloads slowly must
// not keep others from sending a document.
class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(BodyMemory& memory, std::size_t size_wanted, std::size_t size_min)
      : claim_(memory),
        size_(size_wanted > size_min && claim_.grow(size_wanted, memory.bytes_max() / 2)
                  ? size_wanted
                  : std::min(size_wanted, size_min)),
        bytes_(std::make_unique_for_overwrite<std::byte[]>(size_)) {}

  std::span<std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  BodyMemory::Claim claim_;
  std::size_t size_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace mendel::registry::http
