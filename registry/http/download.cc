#include "registry/http/download.h"

#include <algorithm>
#include <limits>

#include "storage/base/error.h"

namespace mendel::registry::http {

Download::Download(api::ByteStream stream, const Limits& limits, BodyMemory& memory)
    : limits_(limits),
      memory_(memory),
      source_(std::move(stream.source)),
      bytes_left_(stream.size_bytes) {}

void Download::read_next() {
  turn_ ^= 1;
  BodyBuffer& buffer = buffers_[turn_];
  const std::uint64_t left =
      bytes_left_.value_or(std::numeric_limits<std::uint64_t>::max());
  if (buffer.span().empty()) {
    buffer =
        BodyBuffer(memory_, std::min<std::uint64_t>(limits_.body_buffer_size_bytes, left),
                   limits_.body_buffer_size_bytes_min);
  }

  const auto wanted =
      buffer.span().first(std::min<std::uint64_t>(buffer.span().size(), left));
  part_ = wanted.first(wanted.empty() ? 0 : source_->read(wanted));
  if (bytes_left_) {
    if (part_.size() < wanted.size()) {
      throw Error(ErrorCode::data_loss, "the source of an answer ended before its size");
    }
    *bytes_left_ -= part_.size();
  }
  is_over_ = bytes_left_ ? *bytes_left_ == 0 : part_.size() < wanted.size();
  if (is_over_) source_.reset();
}

}  // namespace mendel::registry::http
