#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/fd.h"

namespace mendel::cli {

// What tells whether a file was changed without reading it.
struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp stamp_of(const struct stat& status);

// The time, as stamps have it.
std::int64_t now_ns();

// These throw what errno means, with the path. path is for the message.
FileStamp stamp_of(const Fd& file, std::string_view path);
Fd open_for_reading(const std::filesystem::path& path);

// A small file as a whole; nullopt if there is none.
std::optional<std::string> find_text(const std::filesystem::path& path);
std::string read_text(const Fd& file, std::string_view path);

// Replaces the file at once: whoever reads it sees the old text or the new one.
void replace_text(const std::filesystem::path& path, std::string_view text, ::mode_t mode);

}  // namespace mendel::cli
