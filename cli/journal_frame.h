#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mendel::cli {

// How a journal keeps its records in one file, so that a write that was cut short, and
// bytes that rotted, are told from what is whole. The format is drawn in journal_frame.cc.

inline constexpr std::size_t kJournalHeadSize = 48;
inline constexpr std::size_t kJournalPayloadSizeMax = 16u << 20;

// The beginning of a journal that is made now.
std::string new_journal_head();

// Which journal it is: 32 characters that no other one has. nullopt: it does not begin as a
// journal does.
std::optional<std::string> find_journal_id(std::string_view head);

// Throws too_large beyond kJournalPayloadSizeMax.
std::string encode_journal_frame(std::string_view payload);

// Fills the buffer with what is there from offset on; fewer bytes only at the end.
using ReadAt =
    std::function<std::size_t(std::uint64_t offset, std::span<std::byte> buffer)>;

struct JournalItem {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::optional<std::string> payload;  // nullopt: these bytes are no frame, later ones are
};

// Yields the frames from offset on, which is where the head or a frame ends. Memory: one
// frame. Throws nothing of its own.
class JournalReader {
 public:
  JournalReader(ReadAt read, std::uint64_t offset)
      : read_(std::move(read)), offset_(offset) {}

  // nullopt: nothing whole is left, which is the end, or a frame that was cut short.
  std::optional<JournalItem> next();

  // Where the last item ended.
  std::uint64_t offset() const { return offset_; }

 private:
  std::optional<JournalItem> find_frame(std::uint64_t begin);
  std::optional<std::uint64_t> find_next_frame(std::uint64_t after);

  ReadAt read_;
  std::uint64_t offset_;
};

// Whether a frame ends exactly there: then all before it is whole, too, as every append
// looks first. Reads that frame alone.
bool frame_ends_at(const ReadAt& read, std::uint64_t end);

}  // namespace mendel::cli
