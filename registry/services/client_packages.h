#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/digest.h"
#include "storage/base/fd.h"
#include "storage/base/io.h"
#include "storage/base/reference.h"

namespace mendel::registry {

struct ClientPackage {
  std::string name;  // "mendel-linux-x86_64.tar.gz"
  std::uint64_t size_bytes;
  Digest digest;
};

// The command mendel as ci/package-client packs it: the files of one directory, for whoever
// has no client yet. They may be replaced while the server runs. Any thread.
class ClientPackages {
 public:
  // A directory that does not exist has none.
  explicit ClientPackages(std::filesystem::path directory);

  std::vector<ClientPackage> list();  // by name

  // A package and its bytes, from one and the same file. Throws not_found.
  struct Opened {
    ClientPackage package;
    std::unique_ptr<Source> bytes;
  };
  Opened open(const Name& name);

 private:
  struct Known {
    std::string stamp;
    Digest digest;
  };

  std::optional<Opened> find(const Name& name);
  Digest digest_of(const std::string& name, const Fd& file, const std::string& stamp);

  const std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by name: what was hashed already
};

}  // namespace mendel::registry
