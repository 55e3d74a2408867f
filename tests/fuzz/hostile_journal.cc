#include "tests/fuzz/hostile_journal.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "cli/journal_frame.h"
#include "storage/base/digest.h"

namespace mendel::testing {

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

cli::ReadAt reader_of(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, std::span<std::byte> buffer) -> std::size_t {
    if (offset >= bytes.size()) return 0;
    const std::size_t count = std::min<std::size_t>(buffer.size(), bytes.size() - offset);
    std::ranges::copy(as_bytes(std::string_view(bytes).substr(offset, count)),
                      buffer.begin());
    return count;
  };
}

struct Walk {
  std::size_t frames = 0;
  std::size_t damaged = 0;
  std::uint64_t end = 0;
};

Walk walk(const std::string& bytes) {
  Walk walk;
  cli::JournalReader reader(reader_of(bytes), 0);
  bool was_damaged = false;
  while (const auto item = reader.next()) {
    require(item->begin == walk.end && item->end > item->begin &&
            item->end <= bytes.size());
    walk.end = item->end;
    if (item->payload) {
      const auto framed = bytes.substr(item->begin, item->end - item->begin);
      require(cli::encode_journal_frame(*item->payload) == framed);
      require(cli::frame_ends_at(reader_of(bytes), item->end));
    } else {
      require(!was_damaged);
    }
    was_damaged = !item->payload;
    ++(item->payload ? walk.frames : walk.damaged);
  }
  require(!was_damaged && reader.offset() == walk.end);
  return walk;
}

}  // namespace

bool read_hostile_journal(std::span<const std::byte> input) {
  std::string bytes(as_text(input));
  const Walk first = walk(bytes);
  const bool whole = first.end == bytes.size() && first.damaged == 0;

  bytes.resize(first.end);
  bytes += cli::encode_journal_frame("{}");
  const Walk second = walk(bytes);
  require(second.frames == first.frames + 1 && second.damaged == first.damaged);
  require(second.end == bytes.size());
  return whole;
}

}  // namespace mendel::testing
