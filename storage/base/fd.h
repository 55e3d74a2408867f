#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace mendel {

// An open file descriptor, closed when it goes.
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

// The calls below go on after EINTR and after partial results, and throw what
// throw_posix_error() makes of a failure on path.

// flags as in open(2); O_CLOEXEC is added.
Fd open_file(const std::string& path, int flags, mode_t mode);

// Fills buffer from offset on; returns fewer bytes than buffer.size() only at the end.
std::size_t read_at(const Fd& file, const std::string& path, std::uint64_t offset,
                    std::span<std::byte> buffer);
void write_all(const Fd& file, const std::string& path, std::span<const std::byte> data);

// Returns once what was written is on the medium.
void sync_file(const Fd& file, const std::string& path);

// Returns once the names in the directory are.
void sync_directory(const std::string& path);

}  // namespace mendel
