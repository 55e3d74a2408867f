// A journal of events is a plain file of NDJSON: a line is in it once its '\n' is. It can
// be read with any tool, and be made by any, too: so a last line without an end counts if
// it is an object, as an editor may have left it.

#include "cli/kpi_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

#include "cli/journal_lock.h"
#include "cli/kpi_lines.h"
#include "cli/local_file.h"
#include "storage/base/digest.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

// Of what stands behind the last end of a line, so much is looked at; a line is shorter.
constexpr std::size_t kTailSize = kKpiLineSizeMax + 1;

void truncate(const Fd& file, const fs::path& path, std::uint64_t size) {
  if (::ftruncate(file.get(), off_t(size)) != 0) {
    throw_posix_error("cut", path.native(), errno);
  }
}

// Where the next line begins; with what has to be written before it.
struct End {
  std::uint64_t size;
  std::string_view missing = "";
};

End mended_end(const Fd& file, const fs::path& path) {
  const std::uint64_t size = stamp_of(file, path.native()).size_bytes;
  std::string tail(std::min<std::uint64_t>(size, kTailSize), '\0');
  read_at(file, path.native(), size - tail.size(),
          std::as_writable_bytes(std::span(tail.data(), tail.size())));
  if (tail.empty() || tail.back() == '\n') return {size};

  const auto end = tail.rfind('\n');
  if (end == std::string::npos && tail.size() < size) {
    throw Error(ErrorCode::data_loss, path.native() + " is no journal of events");
  }
  const std::string rest = tail.substr(end == std::string::npos ? 0 : end + 1);
  if (Json::parse(rest, nullptr, false).is_object()) return {size, "\n"};
  truncate(file, path, size - rest.size());
  return {size - rest.size()};
}

}  // namespace

std::string kpi_line(const Json& event) {
  std::string line;
  try {
    line = event.dump();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::invalid_argument,
                std::string("this cannot be recorded: ") + error.what());
  }
  if (line.size() > kKpiLineSizeMax) {
    throw Error(ErrorCode::too_large, "an event has at most 64 KiB");
  }
  return line;
}

void append_kpi_lines(const fs::path& journal, std::string_view lines) {
  const JournalLock lock = JournalLock::hold_alone(journal);
  const Fd file = open_file(journal.native(), O_RDWR | O_CREAT, 0600);
  const End end = mended_end(file, journal);
  if (::lseek(file.get(), off_t(end.size), SEEK_SET) < 0) {
    throw_posix_error("seek in", journal.native(), errno);
  }
  try {
    write_all(file, journal.native(),
              as_bytes(std::string(end.missing) + std::string(lines)));
    sync_file(file, journal.native());
  } catch (const Error&) {
    // Should this fail, too, what is left is cut off by whoever appends next.
    [[maybe_unused]] const int cut = ::ftruncate(file.get(), off_t(end.size));
    throw;
  }
  // Whoever comes next waits for the lock, and then finds the name on the medium, too.
  if (end.size == 0) sync_directory(fs::absolute(journal).parent_path().native());
}

}  // namespace mendel::cli
