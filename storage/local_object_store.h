#pragma once

#include <memory>
#include <string>

#include "storage/object_store.h"

namespace mendel::storage {

// Objects as files below a directory of a local or network file system, under their keys.
//
// What is being written lies in tmp/ of that directory and gets its name by link(2) once it
// is on the medium, then the directory's entry is put there too: commit() returns when all
// of it would survive a power failure. Keys in tmp/ are refused. What a crash leaves in
// tmp/ is removed by the next store that is opened: a writer locks its file (flock), so
// that servers which share the directory do not remove each other's. On a file system
// without locks it goes a day later.
//
// Files that are read stay open, up to open_files_max. One removed by another server can be
// read here until it is closed.
class LocalObjectStore : public ObjectStore {
 public:
  LocalObjectStore(const std::string& directory, std::size_t open_files_max);
  ~LocalObjectStore() override;

  std::unique_ptr<ObjectWriter> create() override;
  std::size_t read(std::string_view key, std::uint64_t offset,
                   std::span<std::byte> buffer) override;
  std::optional<ObjectInfo> find(std::string_view key) override;
  std::vector<ObjectInfo> list(std::string_view prefix, std::string_view start_after,
                               std::size_t limit) override;
  void remove(std::string_view key) override;

 private:
  class Writer;
  class OpenFiles;
  class DurableDirectories;

  std::string path_of(std::string_view key) const;

  const std::string directory_;
  const std::unique_ptr<OpenFiles> open_files_;
  const std::unique_ptr<DurableDirectories> directories_;
};

}  // namespace mendel::storage
