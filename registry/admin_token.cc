#include "registry/admin_token.h"

#include <fcntl.h>

#include <cstdio>
#include <fstream>

#include "storage/base/digest.h"
#include "storage/base/fd.h"
#include "storage/base/posix_error.h"

namespace mendel::registry {

std::optional<std::string> read_admin_token(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  std::ifstream stream(file);
  std::string secret;
  std::getline(stream, secret);
  return secret;
}

void write_admin_token(const std::filesystem::path& file, const std::string& secret) {
  write_private_file(file, secret);
}

void write_private_file(const std::filesystem::path& file, const std::string& line) {
  const std::string temporary = file.string() + ".new";
  std::filesystem::remove(temporary);
  {
    const Fd out = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
    write_all(out, temporary, as_bytes(line + "\n"));
    sync_file(out, temporary);
  }
  if (std::rename(temporary.c_str(), file.c_str()) != 0) {
    throw_posix_error("give its name to", file.string(), errno);
  }
  sync_directory(file.parent_path().string());
}

}  // namespace mendel::registry
