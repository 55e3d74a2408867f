#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <vector>

#include "storage/base/http_client.h"
#include "storage/base/io.h"

namespace mendel::cli {

// A pipe between two threads with room for kBlocks blocks: whoever writes waits for room,
// and whoever reads for bytes. The blocks go round, so that no memory is asked for while it
// runs.
class BlockQueue : public Sink, public HttpBody {
 public:
  static constexpr std::size_t kBlockSizeBytes = 256u << 10;
  static constexpr std::size_t kBlocks = 16;

  // For the one writer. Throws what fail() was given.
  void write(std::span<const std::byte> data) override;
  void flush();              // lets the reader have what is written, a whole block or not
  void flush_if_starving();  // only if it has nothing else
  void close();              // the end; flushes

  // For the one reader.
  std::size_t next(std::span<std::byte> buffer) override;

  // Without a copy, valid until its next call: what is left of a block, or the next one.
  // Empty at the end.
  std::span<const std::byte> next_block();

  // Ends both sides: their calls throw this.
  void fail(std::exception_ptr cause);

  // For the next use, after both sides have ended.
  void reset();

 private:
  void begin_block();
  std::span<const std::byte> wait_for_unread();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<std::byte>> full_;
  std::vector<std::vector<std::byte>> spare_;
  std::size_t blocks_made_ = 0;
  bool closed_ = false;
  std::exception_ptr cause_;

  std::vector<std::byte> filling_;  // the writer's
  std::vector<std::byte> reading_;  // the reader's
  std::size_t read_ = 0;            // of reading_
};

}  // namespace mendel::cli
