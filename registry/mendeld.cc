// The server: builds the graph of what there is, runs it until it is told to stop, and
// takes it down in reverse.

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "registry/admin_token.h"
#include "registry/api/metrics.h"
#include "registry/api/router.h"
#include "registry/api/routes.h"
#include "registry/api/version_json.h"
#include "registry/http/server.h"
#include "registry/http/workers.h"
#include "registry/options.h"
#include "registry/secret_keys.h"
#include "registry/services/pause.h"
#include "registry/services/purge.h"
#include "registry/services/registry.h"
#include "registry/services/secret.h"
#include "registry/services/tokens.h"
#include "schema/database.h"
#include "schema/migrator.h"
#include "schema/private_server.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "storage/local_object_store.h"

namespace mendel::registry {
namespace {

constexpr std::size_t kOpenPacksMax = 256;
constexpr std::size_t kQueuedRequestsMax = 1024;

// A purge keeps one open to be the only one, while it works with another.
constexpr std::size_t kConnectionsOfAPurge = 2;

constexpr auto kPurgeRetryPeriod = std::chrono::minutes(1);

// Signals that end the server are taken by one thread, which waits for them.
class StopSignals {
 public:
  StopSignals() {
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  int wait() const {
    int received = 0;
    sigwait(&signals_, &received);
    return received;
  }

 private:
  sigset_t signals_;
};

// What is kept: PostgreSQL and the object store.
struct Stores {
  std::unique_ptr<schema::PrivateServer> private_server;  // none with --database
  std::unique_ptr<schema::Database> database;
  // The change feed has a connection of its own: however busy the workers are, what is
  // remembered stays believable.
  std::unique_ptr<schema::Database> feed_database;
  std::unique_ptr<storage::LocalObjectStore> objects;
};

Stores open_stores(const Options& options) {
  Stores stores;
  std::string url = options.database;
  if (url.empty()) {
    stores.private_server =
        std::make_unique<schema::PrivateServer>(options.data, options.postgres_user);
    url = stores.private_server->url();
  }
  stores.database =
      std::make_unique<schema::Database>(url, options.workers + kConnectionsOfAPurge);
  stores.feed_database = std::make_unique<schema::Database>(url, 1);
  schema::migrate(*stores.database, schema::embedded_migrations());
  std::filesystem::create_directories(options.objects);
  stores.objects =
      std::make_unique<storage::LocalObjectStore>(options.objects.string(), kOpenPacksMax);
  return stores;
}

void establish_admin_token(const Options& options, TokenService& tokens) {
  using Others = TokenService::OtherBootstrapTokens;
  const auto file = options.data / "admin-token";
  auto secret = options.new_admin_token ? std::nullopt : read_admin_token(file);
  if (!secret) {
    secret = make_secret();
    write_admin_token(file, *secret);
    spdlog::info("the administrator's token is in {}", file.string());
  }
  tokens.establish_bootstrap_token(*secret,
                                   options.new_admin_token ? Others::revoke : Others::keep);
}

http::ServerOptions server_options(const Options& options) {
  http::ServerOptions server{.address = options.listen_address,
                             .port = options.listen_port,
                             .tls = std::nullopt,
                             .io_threads = options.io_threads,
                             .limits = {}};
  if (!options.tls_certificate.empty()) {
    server.tls = http::TlsFiles{options.tls_certificate, options.tls_key};
  }
  return server;
}

// Says where it can be reached, for people in the log and for scripts in
// DIR/run/mendeld.url.
void announce_url(const Options& options, std::uint16_t port) {
  const bool ipv6 = options.listen_address.find(':') != std::string::npos;
  const std::string url =
      fmt::format("{}://{}{}{}:{}", options.tls_certificate.empty() ? "http" : "https",
                  ipv6 ? "[" : "", options.listen_address, ipv6 ? "]" : "", port);
  std::filesystem::create_directories(options.data / "run");
  std::ofstream(options.data / "run" / "mendeld.url") << url << "\n";
  spdlog::info("listening on {}", url);
}

void set_up_log(const Options& options) {
  auto logger = std::make_shared<spdlog::logger>(
      "mendeld", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%fZ level=%l %v",
                      spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(options.log_level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// What an earlier server was killed over. A store that is away is waited for.
void finish_purges(PurgeService& purge, std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      const auto outcome = purge.remove_bytes();
      for (const auto& problem : outcome.bytes.problems)
        spdlog::error("purge: {}", problem);
      return;
    } catch (const Error& error) {
      spdlog::warn("purge: {}", error.what());
    }
    pause_unless_stopped(stop, kPurgeRetryPeriod);
  }
}

Outside outside_of(const Options& options) {
  return {.rules = AddressRules::parse(options.egress_allow),
          .git_cache = options.data / "git-cache",
          .keys = load_secret_keys(options),
          .poll_period = std::chrono::seconds(options.poll_seconds)};
}

void run(const Options& options) {
  check(options);
  const StopSignals signals;
  std::filesystem::create_directories(options.data);
  Stores stores = open_stores(options);
  const SystemClock clock;
  Registry registry(*stores.database, *stores.feed_database, *stores.objects, clock,
                    api::render_version, options.client_dir, outside_of(options));
  establish_admin_token(options, registry.tokens);

  api::Metrics metrics;
  api::Router router(api::routes(), registry.services, metrics);
  http::Workers workers({.threads = options.workers, .queue_max = kQueuedRequestsMax});
  http::Server server(server_options(options), router, workers);
  registry.changes.start();
  registry.downloads.start();
  registry.run_upkeep.start();
  registry.job_upkeep.start();
  registry.source_resolution.start();
  registry.poller.start();
  registry.trigger_dispatcher.start();
  registry.chainer.start();
  registry.roll_up.start();
  registry.anchors.start();
  registry.pace_watch.start();
  server.start();
  announce_url(options, server.port());
  std::jthread purger([&](std::stop_token stop) { finish_purges(registry.purge, stop); });

  const int received = signals.wait();
  spdlog::info("stopping after signal {}", received);
  registry.purge.stop();
  registry.git_remotes.stop();
  purger = {};
  server.stop(std::chrono::seconds(options.drain_seconds));
  workers.stop();
  registry.chainer.stop();
  registry.anchors.stop();
  registry.roll_up.stop();
  registry.pace_watch.stop();
  registry.source_resolution.stop();
  registry.job_upkeep.stop();
  registry.poller.stop();
  registry.trigger_dispatcher.stop();
  registry.run_upkeep.stop();
  registry.downloads.stop();
  registry.changes.stop();
  spdlog::info("stopped");
}

}  // namespace
}  // namespace mendel::registry

int main(int argc, char** argv) {
  int exit_status = 0;
  const auto options = mendel::registry::parse_options(argc, argv, exit_status);
  if (!options) return exit_status;
  mendel::registry::set_up_log(*options);
  try {
    mendel::registry::run(*options);
    return 0;
  } catch (const std::exception& error) {
    spdlog::critical("mendeld cannot go on: {}", error.what());
    return 1;
  }
}
