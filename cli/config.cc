#include "cli/config.h"

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/local_file.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"

namespace mendel::cli {

namespace {

constexpr std::uint64_t kCacheSizeMax = 10ull << 30;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return {};
}

std::string_view host_of(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.starts_with('[')) return rest.substr(0, rest.find(']') + 1);
  return rest.substr(0, rest.find(':'));
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos;
}

Login decode_login(const std::filesystem::path& file, std::string_view text) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("url") || !document["url"].is_string()) {
    throw Error(ErrorCode::invalid_argument,
                file.string() + " is not a login: run 'mendel login' again");
  }
  return {document["url"], document.value("token", ""),
          document.value("plain_http", false)};
}

}  // namespace

std::filesystem::path login_file() {
  const std::string base = environment("XDG_CONFIG_HOME");
  if (!base.empty()) return std::filesystem::path(base) / "mendel/config.json";
  return std::filesystem::path(environment("HOME")) / ".config/mendel/config.json";
}

std::optional<Login> find_login(const std::filesystem::path& file) {
  const auto text = find_text(file);
  if (!text) return std::nullopt;
  return decode_login(file, *text);
}

void save_login(const std::filesystem::path& file, const Login& login) {
  const nlohmann::json document = {
      {"url", login.url}, {"token", login.token}, {"plain_http", login.plain_http}};
  std::error_code status;
  std::filesystem::create_directories(file.parent_path(), status);
  if (status) throw_posix_error("create", file.parent_path().string(), status.value());
  replace_text(file, document.dump(2) + "\n", /*mode=*/0600);
}

ServerAccess resolve_access(const GlobalOptions& options) {
  const auto login = find_login(login_file());
  ServerAccess access;
  access.url = first_of({options.url, environment("MENDEL_URL"), login ? login->url : ""});
  if (access.url.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "no server: run 'mendel login URL', or set MENDEL_URL, or give --url");
  }
  access.url = parse_server_url(access.url);
  const bool at_home = login && login->url == access.url;

  access.token = options.token_file.empty() ? environment("MENDEL_TOKEN")
                                            : read_token(options.token_file);
  if (access.token.empty() && at_home) access.token = login->token;
  access.trusted = resolve_trust(options.ca_file);
  if (!access.token.empty()) {
    require_private_channel(access.url,
                            options.plain_http || (at_home && login->plain_http));
  }
  return access;
}

std::optional<CacheSettings> cache_settings() {
  const std::string directory = environment("MENDEL_CACHE");
  if (directory.empty()) return std::nullopt;
  const std::string size_max = environment("MENDEL_CACHE_MAX");
  return CacheSettings{directory, size_max.empty() ? kCacheSizeMax : parse_size(size_max)};
}

std::uint64_t parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "KMGT";
  std::uint64_t size = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, size);
  const auto unit = stop == end ? kUnits.npos : kUnits.find(*stop);
  const int shift = stop == end ? 0 : 10 * (int(unit) + 1);
  const bool is_whole = stop == end || (unit != kUnits.npos && stop + 1 == end);
  if (status != std::errc() || !is_whole || size > (UINT64_MAX >> shift)) {
    throw Error(ErrorCode::invalid_argument,
                "'" + std::string(text) + "' is no size: write 500M, or 20G");
  }
  return size << shift;
}

std::string read_token(const std::string& file) {
  std::string token;
  if (file == "-") {
    std::getline(std::cin, token);
  } else {
    const auto text = find_text(file);
    if (!text) throw Error(ErrorCode::invalid_argument, "no token file " + file);
    token = text->substr(0, text->find('\n'));
  }
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty())
    throw Error(ErrorCode::invalid_argument, "there is no token in " + file);
  return token;
}

std::string parse_server_url(std::string_view url) {
  const auto refuse = [&](const char* rule) {
    throw Error(ErrorCode::invalid_argument, "'" + std::string(url) + "': " + rule);
  };
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    refuse("the URL of a server begins with https:// or http://");
  }
  if (url.find('@') != url.npos) refuse("the URL of a server holds no credentials");
  if (url.find_first_of("?# \t") != url.npos) refuse("the URL of a server holds no query");
  if (host_of(url).empty()) refuse("the URL names no host");
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

bool travels_in_clear(std::string_view server_url) {
  return server_url.starts_with("http://") && !is_loopback(host_of(server_url));
}

void require_private_channel(std::string_view server_url, bool plain_http) {
  if (plain_http || !travels_in_clear(server_url)) return;
  throw Error(ErrorCode::permission_denied,
              "the token would travel in clear to " + std::string(server_url) +
                  ": use https://, or allow it with --plain-http");
}

}  // namespace mendel::cli
