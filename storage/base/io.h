#pragma once

#include <cstddef>
#include <span>

namespace mendel {

// Where bytes come from, and where they go. One caller at a time.

class Source {
 public:
  virtual ~Source() = default;

  // Fills buffer and returns how many bytes there were; fewer than buffer.size() only at
  // the end.
  virtual std::size_t read(std::span<std::byte> buffer) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(std::span<const std::byte> data) = 0;
};

}  // namespace mendel
