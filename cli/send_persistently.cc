#include "cli/send_persistently.h"

#include <fmt/core.h>

#include "cli/interrupt.h"

namespace mendel::cli {

namespace {

constexpr int kAttemptsMax = 4;

}  // namespace

SentManifest send_persistently(ApiClient& server, const PushBase& base, const Name& ns,
                               PushContent& content) {
  for (int attempt = 1;; ++attempt) {
    try {
      const UploadSession upload = UploadSession::open(server, ns);
      return send_content(server.access(), upload, base, content, Delivery::send);
    } catch (const Error& error) {
      if (attempt == kAttemptsMax || !is_transient(error.code())) throw;
      fmt::print(stderr, "mendel: {}; going on with what is missing\n", error.what());
    }
    sleep_unless_interrupted(std::chrono::seconds(attempt));
  }
}

}  // namespace mendel::cli
