#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace mendel::cli {

// Owns an open file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// What tells whether a file was changed without reading it.
struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp stamp_of(const struct stat& status);

// These throw what errno means, with the path. path is for the message.
FileStamp stamp_of(const Fd& file, std::string_view path);
Fd open_for_reading(const std::filesystem::path& path);
std::size_t read_at(const Fd& file, std::uint64_t offset, std::span<std::byte> buffer,
                    std::string_view path);
void write_all(const Fd& file, std::span<const std::byte> data, std::string_view path);

// A small file as a whole; nullopt if there is none.
std::optional<std::string> find_text(const std::filesystem::path& path);

// Replaces the file at once: whoever reads it sees the old text or the new one.
void replace_text(const std::filesystem::path& path, std::string_view text, ::mode_t mode);

}  // namespace mendel::cli
