#pragma once

#include "cli/push_transfer.h"

namespace mendel::cli {

// Sends content into a namespace, and goes on with what is missing when a connection
// breaks, a few times.
SentManifest send_persistently(ApiClient& server, const PushBase& base, const Name& ns,
                               PushContent& content);

}  // namespace mendel::cli
