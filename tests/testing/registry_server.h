#pragma once

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "registry/api/metrics.h"
#include "registry/api/router.h"
#include "registry/api/routes.h"
#include "registry/api/version_json.h"
#include "registry/services/registry.h"
#include "storage/memory_object_store.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/outside_of_tests.h"
#include "tests/testing/test_database.h"
#include "tests/testing/wait.h"

namespace mendel::testing {

// An answer, read to its end.
struct Answer {
  int status = 0;
  registry::api::Headers headers;
  std::string body;

  std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or("(none)"));
  }
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

// A whole registry without sockets: requests go to its router, as the HTTP server would
// hand them over. The caller is its administrator unless a token is given; an empty
// Authorization is none. The stores outlive it.
class ServerOverStores {
 public:
  using HeaderList = std::vector<std::pair<std::string, std::string>>;

  ServerOverStores(schema::Database& database, schema::Database& feed_database,
                   storage::ObjectStore& objects)
      : registry_(database, feed_database, objects, clock_, registry::api::render_version,
                  /*client_directory=*/"", outside_of_tests()) {
    registry_.tokens.establish_bootstrap_token(
        kAdminToken, registry::TokenService::OtherBootstrapTokens::keep);
    registry_.changes.start();
    eventually([this] { return registry_.changes.fresh(); });
  }
  ~ServerOverStores() { registry_.changes.stop(); }

  Answer send(const std::string& method, const std::string& target, std::string body = "",
              const HeaderList& headers = {}) {
    auto head = head_of(method, target, headers);
    head.has_body = !body.empty();
    head.content_length = body.size();
    return finish(head, std::move(body));
  }

  // What memory alone answers; status 0: nothing.
  Answer send_to_memory(const std::string& method, const std::string& target,
                        const HeaderList& headers = {}) {
    const auto head = head_of(method, target, headers);
    auto response = router_.open(head)->answer_from_memory();
    return response ? read(std::move(*response)) : Answer();
  }

  ManualClock& clock() { return clock_; }

  std::string put_blob(const std::string& ns, const std::string& bytes) {
    const std::string digest = Digest::of(bytes).to_string();
    send("PUT", "/api/v1/namespaces/" + ns + "/blobs/" + digest, bytes);
    return digest;
  }

 private:
  static inline const std::string kAdminToken = "mdl_" + std::string(43, 'A');

  static registry::api::RequestHead head_of(const std::string& method,
                                            const std::string& target,
                                            const HeaderList& headers) {
    registry::api::RequestHead head;
    head.id = "0190b8a4-0000-7000-8000-000000000000";
    head.method = method;
    head.target = target;
    const bool is_anonymous =
        std::ranges::find(headers, std::pair<std::string, std::string>(
                                       "Authorization", "")) != headers.end();
    if (!is_anonymous) head.headers.set("Authorization", "Bearer " + kAdminToken);
    for (const auto& [name, value] : headers) {
      if (!value.empty()) head.headers.set(name, value);
    }
    return head;
  }

  Answer finish(const registry::api::RequestHead& head, std::string body) {
    using Body = registry::api::Exchange::Body;
    const auto exchange = router_.open(head);
    if (auto refusal = exchange->begin()) return read(*std::move(refusal));
    if (exchange->body() == Body::stream) {
      if (auto refusal = exchange->consume(as_bytes(body))) {
        return read(std::move(*refusal));
      }
      body.clear();
    }
    return read(exchange->answer(std::move(body)));
  }

  static Answer read(registry::api::Response response) {
    Answer answer{response.status, response.headers, ""};
    if (auto* text = std::get_if<std::string>(&response.body)) {
      answer.body = std::move(*text);
    } else if (auto* shared = std::get_if<registry::api::SharedBytes>(&response.body)) {
      answer.body = shared->bytes;
    } else {
      auto& stream = std::get<registry::api::ByteStream>(response.body);
      std::string piece(10'000, '\0');
      for (std::size_t size = piece.size(); size == piece.size();) {
        size = stream.source->read(std::as_writable_bytes(std::span(piece)));
        answer.body.append(piece, 0, size);
      }
    }
    return answer;
  }

  ManualClock clock_{parse_rfc3339("2024-02-13T00:00:00Z")};
  registry::Registry registry_;
  registry::api::Metrics metrics_;
  registry::api::Router router_{registry::api::routes(), registry_.services, metrics_};
};

struct OwnStores {
  TestDatabase own_database;
  storage::MemoryObjectStore own_objects;
};

// One over a database and a memory of its own.
class RegistryServer : private OwnStores, public ServerOverStores {
 public:
  RegistryServer() : ServerOverStores(database(), database(), own_objects) {}

  schema::Database& database() { return own_database.database(); }
};

}  // namespace mendel::testing
