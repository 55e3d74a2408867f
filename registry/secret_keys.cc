#include "registry/secret_keys.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "registry/admin_token.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::registry {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

KeyRing read_keys(const std::filesystem::path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0) throw_posix_error("look at", file.string(), errno);
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(ErrorCode::invalid_argument,
                file.string() + " holds secret keys, and others may read it: chmod 600");
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream)
    throw Error(ErrorCode::unavailable, "cannot read the secret keys in " + file.string());
  return KeyRing::parse(text);
}

}  // namespace

KeyRing load_secret_keys(const Options& options) {
  if (const auto keys = variable("MENDELD_SECRET_KEY"); !keys.empty())
    return KeyRing::parse(keys);
  if (const auto file = variable("MENDELD_SECRET_KEY_FILE"); !file.empty())
    return read_keys(file);
  const auto file = options.data / "secret-key";
  if (!std::filesystem::exists(file)) write_private_file(file, KeyRing::make_key());
  return read_keys(file);
}

}  // namespace mendel::registry
