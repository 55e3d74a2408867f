// A journal is a directory:
//
//   journal         the records, in the order of their appends (framed: journal_frame.cc)
//   blobs/ab/abcd…  what the records name by its SHA-256: files of checkpoints and of
//   pushes,
//                   their manifests (canonical, as on the server), patches of sources
//   delivered       {"journal": which, "offset": n}: the records before n are on the server
//   rejected        what the server refused for good: a line of JSON each, with the record
//                   and the server's problem; rejected.again: those that are being tried
//                   once more
//   append.lock     held while the file of records grows
//   use.lock        shared by whoever keeps blobs and then appends their record, and held
//                   alone by `mendel send --remove` while it removes blobs
//   send.lock       held by one `mendel send` at a time
//
// A record is a JSON object. Those of these types are delivered, by the requests of the
// HTTP interface; any other is kept for a mendel that knows it:
//
//   {"type": "run", "body": {"id": "<UUIDv7>", "namespace": …, "name": …, …}}
//                                                    POST /api/v1/runs
//   {"type": "metrics", "run": ID, "metrics": [{"name", "step", "value", "time"}]}
//                                                    POST /api/v1/runs/ID/metrics
//   {"type": "checkpoint", "run": ID, "body": {"step", "manifest": "sha256:…", "kind",
//    "metrics"}}                                     POST /api/v1/runs/ID/checkpoints
//   {"type": "finish", "run": ID, "body": {"status", "finished_at", "resources", …}}
//                                                    PATCH /api/v1/runs/ID
//   {"type": "push", "kind": "model", "name": "lhcb/x", "key": UUID, "body": {"manifest":
//    "sha256:…", …}}                                 POST /api/v1/models/lhcb/x/versions
//
// cli/python/mendel_run.py writes the same.

#include "cli/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "cli/interrupt.h"
#include "cli/local_file.h"
#include "cli/partial_file.h"
#include "storage/base/posix_error.h"
#include "storage/base/sha256.h"
#include "storage/base/uuid.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

constexpr int kReadsMax = 4;
constexpr std::size_t kBufferSize = 1u << 20;

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(path.parent_path().string());
  if (errno != EEXIST) throw_posix_error("create", path.native(), errno);
}

fs::path made(const fs::path& directory) {
  const fs::path whole = fs::absolute(directory).lexically_normal();
  std::error_code status;
  fs::create_directories(whole.parent_path(), status);
  if (status) throw_posix_error("create", whole.parent_path().native(), status.value());
  const fs::path place = whole.has_filename() ? whole : whole.parent_path();
  make_directory(place);
  return place;
}

std::string encode_record(const Json& record) {
  try {
    return record.dump();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::invalid_argument,
                std::string("this cannot be recorded: ") + error.what());
  }
}

// Where the last whole frame ends.
std::uint64_t end_of_frames(const ReadAt& read) {
  JournalReader reader(read, kJournalHeadSize);
  while (reader.next()) {
  }
  return reader.offset();
}

void truncate(const Fd& file, const fs::path& path, std::uint64_t size) {
  if (::ftruncate(file.get(), off_t(size)) != 0) {
    throw_posix_error("cut", path.native(), errno);
  }
}

// Cuts off what a kill left, so that the next frame begins where one ends.
std::uint64_t mended_size(const Fd& file, const fs::path& path) {
  const std::uint64_t size = stamp_of(file, path.native()).size_bytes;
  const ReadAt read = reader_of(file, path);
  if (size < kJournalHeadSize) {
    truncate(file, path, 0);
    return 0;
  }
  std::string head(kJournalHeadSize, '\0');
  read(0, std::as_writable_bytes(std::span(head)));
  if (!find_journal_id(head)) {
    throw Error(ErrorCode::data_loss, path.native() + " is no journal");
  }
  if (size == kJournalHeadSize || frame_ends_at(read, size)) return size;
  const std::uint64_t end = end_of_frames(read);
  truncate(file, path, end);
  return end;
}

void write_at(const Fd& file, const fs::path& path, std::uint64_t offset,
              std::string_view bytes) {
  if (::lseek(file.get(), off_t(offset), SEEK_SET) < 0) {
    throw_posix_error("seek in", path.native(), errno);
  }
  try {
    write_all(file, path.native(), as_bytes(bytes));
    sync_file(file, path.native());
  } catch (const Error&) {
    // Should this fail, too, what is left is cut off by whoever appends next.
    [[maybe_unused]] const int cut = ::ftruncate(file.get(), off_t(offset));
    throw;
  }
}

struct Copied {
  Digest digest;
  std::uint64_t size_bytes;
};

Copied copy(const Fd& source, const fs::path& path, const PartialFile& target) {
  std::vector<std::byte> buffer(kBufferSize);
  Sha256 sha256;
  for (std::uint64_t offset = 0;;) {
    throw_if_interrupted();
    const std::size_t count = read_at(source, path.native(), offset, buffer);
    const auto data = std::span(buffer).first(count);
    sha256.update(data);
    write_all(target.file(), target.path().native(), data);
    offset += count;
    if (count < buffer.size()) return {sha256.finish(), offset};
  }
}

}  // namespace

fs::path JournalPlaces::blob(const Digest& digest) const {
  const std::string hex = digest.hex();
  return blobs() / hex.substr(0, 2) / hex;
}

Journal::Journal(const fs::path& directory)
    : places_{made(directory)}, in_use_(JournalLock::share(places_.use_lock())) {
  make_directory(places_.blobs());
}

void Journal::append(const Json& record) {
  const std::string frame = encode_journal_frame(encode_record(record));
  const fs::path path = places_.records();
  const JournalLock lock = JournalLock::hold_alone(places_.append_lock());
  const Fd file = open_file(path.native(), O_RDWR | O_CREAT, 0600);
  const std::uint64_t size = mended_size(file, path);
  write_at(file, path, size, size == 0 ? new_journal_head() + frame : frame);
  if (size == 0) sync_directory(places_.directory.native());
}

fs::path Journal::temporary_path() const {
  return places_.blobs() / (".new-" + make_uuid_v7(SystemClock().now()));
}

void Journal::keep_as(const fs::path& temporary, const Digest& digest) {
  const fs::path target = places_.blob(digest);
  make_directory(target.parent_path());
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    throw_posix_error("keep", target.native(), errno);
  }
  sync_directory(target.parent_path().native());
}

Digest Journal::keep(std::string_view bytes) {
  const Digest digest = Digest::of(bytes);
  if (fs::exists(places_.blob(digest))) return digest;
  PartialFile file = PartialFile::create(temporary_path(), 0600);
  file.write(as_bytes(bytes));
  sync_file(file.file(), file.path().native());
  keep_as(file.path(), digest);
  std::move(file).release();
  return digest;
}

Digest Journal::keep_file(ScannedFile& file) {
  for (int reads = 1;; ++reads) {
    const Fd source = open_for_reading(file.source);
    const FileStamp before = stamp_of(source, file.source.native());
    PartialFile target = PartialFile::create(temporary_path(), 0600);
    const Copied copied = copy(source, file.source, target);
    if (stamp_of(source, file.source.native()) == before) {
      file.entry.size_bytes = copied.size_bytes;
      if (fs::exists(places_.blob(copied.digest))) return copied.digest;
      sync_file(target.file(), target.path().native());
      keep_as(target.path(), copied.digest);
      std::move(target).release();
      return copied.digest;
    }
    if (reads == kReadsMax) {
      throw Error(ErrorCode::aborted, file.source.native() + " changes while it is read");
    }
  }
}

Digest Journal::keep(storage::Manifest manifest) {
  storage::normalise(manifest);
  return keep(encode_manifest(manifest));
}

ReadAt reader_of(const Fd& file, const fs::path& path) {
  return [&file, &path](std::uint64_t offset, std::span<std::byte> buffer) {
    return read_at(file, path.native(), offset, buffer);
  };
}

}  // namespace mendel::cli
