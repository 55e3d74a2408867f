#include "registry/options.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <thread>

#include "registry/services/egress/address_rules.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::string_view kFileScheme = "file://";

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

// "127.0.0.1:8230", "[::1]:8230".
void parse_listen(const std::string& text, Options& options) {
  const auto colon = text.rfind(':');
  std::size_t parsed = 0;
  unsigned long port = 65536;
  if (colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
      text.find_first_not_of("0123456789", colon + 1) == std::string::npos) {
    port = std::stoul(text.substr(colon + 1, 6), &parsed);
  }
  if (port > 65535) {
    throw CLI::ValidationError("--listen", "must be ADDRESS:PORT, such as 127.0.0.1:8230");
  }
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  options.listen_address = address == "localhost" ? "127.0.0.1" : address;
  options.listen_port = static_cast<std::uint16_t>(port);
}

std::filesystem::path parse_objects(std::string_view url) {
  if (!url.starts_with(kFileScheme) || url.substr(kFileScheme.size()).empty()) {
    throw CLI::ValidationError("--objects", "must be file:///DIRECTORY");
  }
  return url.substr(kFileScheme.size());
}

// PREFIX/share/mendel/client for a program in PREFIX/bin, installed or just built.
std::filesystem::path installed_client_dir() {
  std::error_code unknown;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  return program.parent_path().parent_path() / "share/mendel/client";
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, int& exit_status) {
  Options options;
  options.client_dir = installed_client_dir();
  options.io_threads = std::max(1u, std::thread::hardware_concurrency());
  std::string listen = "127.0.0.1:8230";
  std::string objects;

  CLI::App app("mendeld keeps the pedigree of every model: the server of Mendel.",
               "mendeld");
  app.set_version_flag("--version", "mendeld " MENDEL_VERSION);
  app.set_config("--config", "",
                 "Read options from FILE (TOML or INI), as names without --")
      ->envname("MENDELD_CONFIG");
  const auto add = [&app](const std::string& name, auto& value, const std::string& text) {
    std::string variable = "MENDELD_" + name;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    return app.add_option("--" + name, value, text)
        ->envname(variable)
        ->capture_default_str();
  };
  const auto add_flag = [&app](const std::string& name, bool& value,
                               const std::string& text) {
    std::string variable = "MENDELD_" + name;
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    app.add_flag("--" + name, value, text)->envname(variable);
  };
  add("data", options.data, "Directory that everything is kept under")->required();
  add("listen", listen, "ADDRESS:PORT to listen on; port 0 takes a free one");
  add("database", options.database,
      "postgresql://… of an existing server, in place of the private one under --data");
  add("objects", objects,
      "file:///DIRECTORY for the object store, in place of DATA/objects");
  add("client-dir", options.client_dir,
      "Directory with the packages of the command mendel that are served at /client/");
  add("tls-certificate", options.tls_certificate, "PEM file with the certificate chain");
  add("tls-key", options.tls_key, "PEM file with the private key");
  add_flag("plain-http", options.plain_http,
           "Listen beyond loopback without TLS, so that tokens travel in clear");
  add_flag("new-admin-token", options.new_admin_token,
           "Revoke the administrator's token and write a new one to DATA/admin-token");
  add("log-level", options.log_level, "How much to log")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  add("postgres-user", options.postgres_user,
      "User that the private PostgreSQL runs as when mendeld is root");
  add("io-threads", options.io_threads, "Threads that serve connections")
      ->check(CLI::Range(1, 256));
  add("workers", options.workers, "Threads that do what blocks, each with a connection")
      ->check(CLI::Range(1, 90));
  add("drain-seconds", options.drain_seconds,
      "How long running requests may take at the end")
      ->check(CLI::Range(0, 3600));
  add("egress-allow", options.egress_allow,
      "Inner networks (10.0.0.0/8) and hosts (git.example.org, *.example.org) that the "
      "server itself may connect to, by plain http also; else it takes https to public "
      "addresses")
      ->delimiter(',');
  add("poll-seconds", options.poll_seconds,
      "How often repositories are looked at that triggers listen to and no hook tells of")
      ->check(CLI::Range(1, 86400));
  try {
    app.parse(argc, argv);
    parse_listen(listen, options);
    options.objects = objects.empty() ? options.data / "objects" : parse_objects(objects);
    return options;
  } catch (const CLI::ParseError& error) {
    constexpr int kUsage = 2;
    exit_status = app.exit(error) == 0 ? 0 : kUsage;
    return std::nullopt;
  }
}

void check(const Options& options) {
  AddressRules::parse(options.egress_allow);
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    throw Error(ErrorCode::invalid_argument, "--tls-certificate and --tls-key go together");
  }
  if (!is_loopback(options.listen_address) && options.tls_certificate.empty() &&
      !options.plain_http) {
    throw Error(ErrorCode::invalid_argument,
                "listening on " + options.listen_address +
                    " without TLS would send tokens in clear: give --tls-certificate and "
                    "--tls-key, or --plain-http if something before it speaks TLS");
  }
}

}  // namespace mendel::registry
