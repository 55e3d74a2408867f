#pragma once

#include <thread>

#include "cli/api_client.h"
#include "cli/block_queue.h"
#include "cli/chunk_map.h"
#include "storage/blob_writer.h"

namespace mendel::cli {

// Where a push writes its packs: to the server, or nowhere (--dry-run).
class PackOutlet : public storage::PackTarget {
 public:
  // Lets what is written go if nothing else is on its way: for a writer that makes little
  // of much input.
  virtual void nudge() = 0;

  // Between packs. Returns when the server keeps everything that was written so far.
  virtual void finish_request() = 0;
};

// Sends packs to the server while they are written: a thread of its own takes them from a
// queue. Packs that follow each other go in one request, because the server hashes a blob
// of many packs as they pass; finish_request() ends it. A request in which nothing flows
// for long is broken off by the server, so whoever is going to be silent finishes first.
//
// For one thread, which is thrown what goes wrong on the other. The chunks of each whole
// pack are added to sent: later recipes of this stream may refer to them.
class PackStream : public PackOutlet {
 public:
  PackStream(ServerAccess access, std::string packs_path, ChunkMap& sent);
  ~PackStream() override;

  Sink& begin_pack() override;
  void end_pack(storage::PackIndex index, std::vector<storage::StoredBlob> blobs) override;

  void nudge() override { queue_.flush_if_starving(); }
  void finish_request() override;

 private:
  void send();

  const std::string packs_path_;
  ChunkMap& sent_;
  ApiClient server_;
  BlockQueue queue_;
  std::exception_ptr failure_;
  std::jthread sender_;  // while a request is open
};

// Writes packs to nowhere.
class PackDrain : public PackOutlet {
 public:
  Sink& begin_pack() override { return nowhere_; }
  void end_pack(storage::PackIndex, std::vector<storage::StoredBlob>) override {}
  void nudge() override {}
  void finish_request() override {}

 private:
  struct Nowhere : Sink {
    void write(std::span<const std::byte>) override {}
  };
  Nowhere nowhere_;
};

}  // namespace mendel::cli
