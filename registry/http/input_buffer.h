#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace mendel::registry::http {

// Received bytes that nobody has taken yet.
class InputBuffer {
 public:
  static constexpr std::size_t kSizeBytesIdle = 4 << 10;

  bool empty() const { return begin_ == end_; }
  std::string_view unread() const { return {bytes_.data() + begin_, end_ - begin_}; }

  void take(std::size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Where the next bytes go, size_min at least; received() says how many came.
  std::span<char> room(std::size_t size_min) {
    if (begin_ > 0) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    }
    if (bytes_.size() - end_ < size_min) {
      bytes_.resize(std::max({kSizeBytesIdle, 2 * end_, end_ + size_min}));
    }
    return std::span(bytes_).subspan(end_);
  }
  void received(std::size_t size) { end_ += size; }

  // Back to what an idle connection may hold.
  void shrink() {
    if (empty() && bytes_.size() > kSizeBytesIdle) bytes_ = {};
  }

 private:
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace mendel::registry::http
