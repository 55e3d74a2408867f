#pragma once

#include <filesystem>
#include <span>
#include <utility>

#include "storage/base/fd.h"

namespace mendel::cli {

// A file that is being made beside its place. Dropped without having been moved there, it
// is removed.
class PartialFile {
 public:
  // Makes the file, which must not exist, to be written and read.
  static PartialFile create(std::filesystem::path path, ::mode_t mode);

  // Takes over what was made at path.
  PartialFile(std::filesystem::path path, Fd file)
      : path_(std::move(path)), file_(std::move(file)) {}
  PartialFile(PartialFile&& other) noexcept = default;
  PartialFile& operator=(PartialFile&& other) noexcept;
  ~PartialFile();

  const std::filesystem::path& path() const { return path_; }
  const Fd& file() const { return file_; }
  void write(std::span<const std::byte> data) { write_all(file_, path_.native(), data); }

  // It has another name now.
  Fd release() && { return std::move(file_); }

 private:
  std::filesystem::path path_;
  Fd file_;
};

}  // namespace mendel::cli
