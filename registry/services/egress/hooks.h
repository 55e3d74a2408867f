#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/egress/push_body.h"
#include "registry/services/egress/vault.h"
#include "registry/services/egress/webhook_signature.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/hooks.h"
#include "storage/base/clock.h"

namespace mendel::registry {

struct Hook {
  std::string id;
  NamespaceId ns_id = 0;
  std::string ns;
  HookKind kind = HookKind::generic;
  std::string repository;  // as it was given
  Timestamp created_at;
  std::string created_by;
};

// Where hosts of repositories tell of pushes. A genuine delivery is an event in the
// transaction that notes the delivery, so that each counts once; it is heard by triggers of
// the hook's namespace alone, for its secret says nothing to others. Any thread.
class HookService {
 public:
  HookService(schema::Database& database, ChangeFeed& changes, AccessService& access,
              const Vault& vault, const Clock& clock)
      : database_(database),
        changes_(changes),
        access_(access),
        vault_(vault),
        clock_(clock) {}

  // Writers of the namespace. Throws invalid_argument for what is no repository.
  struct Wanted {
    Name ns;
    HookKind kind = HookKind::generic;
    std::string repository;
    std::optional<std::string> secret;  // absent: one is made
  };
  struct Made {
    Hook hook;
    std::string secret;
  };
  Made create(const Caller& caller, const Wanted& wanted);
  Page<Hook> list(const Caller& caller, const Name& ns, const PageRequest& page);

  // Throw not_found, also for who may not write in the hook's namespace.
  struct Details {
    Hook hook;
    std::vector<schema::DeliveryRow> deliveries;  // the newest
  };
  Details get(const Caller& caller, std::string_view id);
  void remove(const Caller& caller, std::string_view id);

  // A hook to deliver to, as it was found before the delivery's body is there. There is
  // always one: what is sent to a hook that does not exist fails as a wrong signature does.
  class Receiver {
   public:
    bool exists() const { return row_.has_value(); }
    std::size_t body_size_max() const;

   private:
    friend class HookService;
    HookKind kind_ = HookKind::generic;
    std::optional<schema::HookRow> row_;
    std::string secret_;
  };
  Receiver receiver(std::string_view kind, std::string_view id);

  struct Event {
    std::int64_t id = 0;
  };
  struct Duplicate {};
  using Received = std::variant<Event, Duplicate, NoPush>;

  // Throws not_found for a wrong signature, invalid_argument for a body that makes no
  // sense.
  Received receive(const Receiver& receiver, const HeaderLookup& header,
                   std::string_view body);

 private:
  schema::HookRow get_row(schema::Transaction& tx, const Caller& caller,
                          std::string_view id);
  Received note_delivery(const schema::HookRow& hook, schema::DeliveryRow delivery,
                         const std::optional<Push>& push);

  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
  const Vault& vault_;
  const Clock& clock_;
};

}  // namespace mendel::registry
