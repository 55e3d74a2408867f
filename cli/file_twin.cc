#include "cli/file_twin.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "cli/interrupt.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kCopySizeBytes = 1u << 20;

// Without a path: the answer holds for the file that is open, whatever was renamed since.
bool is_fenced(const Fd& file) {
  struct stat status;
  return ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & 0222) == 0;
}

}  // namespace

std::optional<PartialFile> clone_file(const Fd& original, const std::filesystem::path& twin,
                                      ::mode_t mode) {
  PartialFile clone = PartialFile::create(twin, mode);
  if (::ioctl(clone.file().get(), FICLONE, original.get()) != 0) return std::nullopt;
  return clone;
}

std::optional<PartialFile> link_file(const std::filesystem::path& original,
                                     const std::filesystem::path& twin) {
  if (::linkat(AT_FDCWD, original.c_str(), AT_FDCWD, twin.c_str(), 0) != 0) {
    return std::nullopt;
  }
  PartialFile link(twin, Fd(::open(twin.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)));
  if (!link.file()) {
    ::unlink(twin.c_str());
    return std::nullopt;
  }
  const bool is_above_modes = ::faccessat(AT_FDCWD, twin.c_str(), W_OK, AT_EACCESS) == 0;
  if (is_above_modes || !is_fenced(link.file())) return std::nullopt;
  return link;
}

PartialFile copy_file(const Fd& original, const std::filesystem::path& twin,
                      ::mode_t mode) {
  PartialFile copy = PartialFile::create(twin, mode);
  std::vector<std::byte> buffer(kCopySizeBytes);
  for (std::uint64_t offset = 0;;) {
    throw_if_interrupted();
    const std::size_t count = read_at(original, twin.native(), offset, buffer);
    copy.write(std::span(buffer).first(count));
    offset += count;
    if (count < buffer.size()) return copy;
  }
}

}  // namespace mendel::cli
