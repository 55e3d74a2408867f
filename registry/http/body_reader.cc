#include "registry/http/body_reader.h"

#include <algorithm>
#include <array>
#include <vector>

namespace mendel::registry::http {

void BodyReader::start() {
  const api::RequestHead& head = parser_.head();
  bytes_left_ = head.content_length.value_or(0);
  ended_ = !head.has_body;
  size_bytes_ = 0;
}

Task<BodyReader::Part> BodyReader::read_some(std::span<std::byte> buffer) {
  for (;;) {
    const Part arrived = take_arrived(buffer);
    if (arrived.size > 0 || arrived.state != Received::more) co_return arrived;

    const auto until = SteadyClock::now() + limits_.receive_timeout;
    std::size_t came = 0;
    if (parser_.is_chunked()) {
      const std::span<char> room = input_.room(limits_.body_buffer_size_bytes_min);
      came = co_await connection_.read_some(room, until);
      input_.received(came);
    } else {
      const std::size_t size = std::min<std::uint64_t>(buffer.size(), bytes_left_);
      const std::span<char> room{reinterpret_cast<char*>(buffer.data()), size};
      came = co_await connection_.read_some(room, until);
    }
    if (came == 0) {
      co_return Part{connection_.timed_out() ? Received::timed_out : Received::gone, 0};
    }
    if (!parser_.is_chunked()) {
      bytes_left_ -= came;
      ended_ = bytes_left_ == 0;
      co_return counted({ended_ ? Received::whole : Received::more, came});
    }
  }
}

Task<BodyReader::Part> BodyReader::fill(std::span<std::byte> buffer) {
  Part filled;
  while (filled.state == Received::more && filled.size < buffer.size()) {
    const Part part = co_await read_some(buffer.subspan(filled.size));
    filled.state = part.state;
    filled.size += part.size;
  }
  co_return filled;
}

Task<Received> BodyReader::drop() {
  std::vector<std::byte> scratch(InputBuffer::kSizeBytesIdle);
  Received state = ended_ ? Received::whole : Received::more;
  while (state == Received::more) {
    if (size_bytes_ > limits_.dropped_bytes_max) co_return Received::whole;
    const Part part = co_await read_some(scratch);
    state = part.state;
  }
  co_return state;
}

void BodyReader::drop_arrived() {
  std::array<std::byte, 4096> scratch;
  Part taken{ended_ ? Received::whole : Received::more, scratch.size()};
  while (taken.state == Received::more && taken.size > 0) taken = take_arrived(scratch);
}

// What of the body has been received already.
BodyReader::Part BodyReader::take_arrived(std::span<std::byte> buffer) {
  const std::string_view arrived = input_.unread();
  if (parser_.is_chunked()) {
    const auto decoded = parser_.decode_chunks(arrived, buffer);
    input_.take(decoded.taken);
    ended_ = decoded.state == decoded.end;
    const bool is_stuck = decoded.taken == 0 && !buffer.empty() &&
                          arrived.size() > limits_.head_size_bytes_max;
    if (decoded.state == decoded.malformed || is_stuck) {
      return counted({Received::malformed, decoded.made});
    }
    return counted({ended_ ? Received::whole : Received::more, decoded.made});
  }
  const std::size_t size =
      std::min<std::uint64_t>(std::min(arrived.size(), buffer.size()), bytes_left_);
  std::copy_n(arrived.data(), size, reinterpret_cast<char*>(buffer.data()));
  input_.take(size);
  bytes_left_ -= size;
  ended_ = bytes_left_ == 0;
  return counted({ended_ ? Received::whole : Received::more, size});
}

BodyReader::Part BodyReader::counted(Part part) {
  size_bytes_ += part.size;
  return part;
}

}  // namespace mendel::registry::http
