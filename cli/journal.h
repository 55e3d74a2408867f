#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api_client.h"
#include "cli/journal_frame.h"
#include "cli/journal_lock.h"
#include "cli/tree_scan.h"
#include "storage/manifest.h"

namespace mendel::cli {

// Where things are in a journal's directory. What each of them is: journal.cc.
struct JournalPlaces {
  std::filesystem::path directory;

  std::filesystem::path records() const { return directory / "journal"; }
  std::filesystem::path blob(const Digest& digest) const;
  std::filesystem::path blobs() const { return directory / "blobs"; }
  std::filesystem::path delivered() const { return directory / "delivered"; }
  std::filesystem::path rejected() const { return directory / "rejected"; }
  std::filesystem::path rejected_again() const { return directory / "rejected.again"; }
  std::filesystem::path append_lock() const { return directory / "append.lock"; }
  std::filesystem::path use_lock() const { return directory / "use.lock"; }
  std::filesystem::path send_lock() const { return directory / "send.lock"; }
};

// A directory that takes what a run records where there is no network, until `mendel send`
// delivers it. What was appended is there after a kill or a power failure at any later
// instant; what a kill cut short is as if it had never begun. Several processes may append
// at once.
//
// Bytes are kept by their digest, each content once, before the record that names them is
// appended. As long as this lives nothing of that is removed, so it should not live long.
class Journal {
 public:
  // Makes the directory unless there is one.
  explicit Journal(const std::filesystem::path& directory);

  // Returns once the record, a JSON object with a type, is on the medium. Throws
  // invalid_argument for text that is not UTF-8, too_large.
  void append(const Json& record);

  Digest keep(std::string_view bytes);
  Digest keep(storage::Manifest manifest);  // its canonical bytes

  // Copies the file into the journal, and tells its entry how large it is. Throws aborted
  // for a file that does not stop changing.
  Digest keep_file(ScannedFile& file);

 private:
  void keep_as(const std::filesystem::path& temporary, const Digest& digest);
  std::filesystem::path temporary_path() const;

  JournalPlaces places_;
  JournalLock in_use_;
};

// Reads the file through a ReadAt; both outlive it.
ReadAt reader_of(const Fd& file, const std::filesystem::path& path);

}  // namespace mendel::cli
