#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/io.h"

namespace mendel::registry {

// One member of a tar archive. Its name is directory/path, or path without a directory.
struct TarEntry {
  enum class Kind : std::uint8_t { file, executable, link, directory };

  Kind kind = Kind::file;
  std::string_view directory;
  std::string_view path;
  std::uint64_t size_bytes = 0;  // of files
  std::string_view target;       // of links

  std::string name() const;
};

// How long the archive will be, to the byte.
std::uint64_t tar_size(std::span<const TarEntry> entries);

// An archive in the pax interchange format (POSIX.1-2001, "pax"; a plain ustar header where
// that can say everything), whose bytes depend on the entries and contents alone: no owner,
// time 0, modes 0644, 0755 and 0777. contents gives the bytes of all files, one after the
// other. What the entries' views point at outlives this. For one thread.
class TarSource : public Source {
 public:
  TarSource(std::vector<TarEntry> entries, std::unique_ptr<Source> contents);

  // Throws data_loss if contents ends early.
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::size_t read_some(std::span<std::byte> buffer);
  void begin_next();

  const std::vector<TarEntry> entries_;
  const std::unique_ptr<Source> contents_;
  std::size_t next_ = 0;
  std::string pending_;  // headers, padding, the end
  std::size_t pending_offset_ = 0;
  std::uint64_t content_left_ = 0;
  std::size_t padding_ = 0;
  bool ended_ = false;
};

}  // namespace mendel::registry
