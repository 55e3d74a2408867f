#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "storage/base/io.h"

namespace mendel::testing {

// Keeps what is written to it.
struct VectorSink : Sink {
  void write(std::span<const std::byte> data) override {
    bytes.insert(bytes.end(), data.begin(), data.end());
  }

  std::vector<std::byte> bytes;
};

}  // namespace mendel::testing
