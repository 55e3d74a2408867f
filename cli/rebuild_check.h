#pragma once

#include <string>
#include <vector>

#include "cli/resolve.h"

namespace mendel::cli {

// One thing that making a version again needs, and whether it can still be had.
struct RebuildItem {
  enum class State {
    available,
    unrecorded,    // nobody said what it was
    elsewhere,     // outside of the registry, with a digest or checksum to tell it by
    unverifiable,  // outside, and nothing tells whether it is the same
    missing
  };

  std::string of;  // a reference, or a URI
  std::string
      what;  // "bytes", "hyperparameters", "commit", "patch", "environment", "input"
  State state = State::available;
  std::string detail;
};

const char* to_string(RebuildItem::State state);

// Whether it can be had, for sure or at least as far as can be told from here.
bool is_lost(RebuildItem::State state);

enum class BytesAre { asked_for, rehashed };

// Walks everything that the version was made from, itself first. Bytes are asked for (the
// first of each file) or read and hashed; commits are fetched from their repositories, each
// once, and where that fails the server is asked whether it can.
std::vector<RebuildItem> check_rebuild(ApiClient& server, const ResolvedVersion& version,
                                       BytesAre bytes_are);

}  // namespace mendel::cli
