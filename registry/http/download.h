#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "registry/api/message.h"
#include "registry/http/body_memory.h"
#include "registry/http/limits.h"

namespace mendel::registry::http {

// An answer's body on its way from its source: while one of two buffers is sent, the other
// is filled.
class Download {
 public:
  Download(api::ByteStream stream, const Limits& limits, BodyMemory& memory);

  // Fills the buffer whose turn it is; the part before the last one may be overwritten.
  // Throws what the source throws, and data_loss when it ends before its size.
  void read_next();

  std::span<const std::byte> part() const { return part_; }  // what was read last
  bool is_over() const { return is_over_; }                  // and whether that was all

 private:
  const Limits& limits_;
  BodyMemory& memory_;
  std::unique_ptr<Source> source_;
  std::optional<std::uint64_t> bytes_left_;
  std::array<BodyBuffer, 2> buffers_;
  std::size_t turn_ = 0;
  std::span<const std::byte> part_;
  bool is_over_ = false;
};

}  // namespace mendel::registry::http
