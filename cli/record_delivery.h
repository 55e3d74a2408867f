#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "cli/journal.h"
#include "cli/push_base.h"
#include "storage/base/reference.h"

namespace mendel::cli {

// What a journal's record may be, as far as this mendel knows.
bool is_known_record(const Json& record);

// The contents that a record names, as far as the journal has them.
std::set<Digest> blobs_of(const Json& record, const JournalPlaces& places);

// Brings records to the server, each by the request that it stands for. All of it may be
// repeated. What a record holds is checked: throws invalid_argument for one that makes no
// sense, unprocessable where the journal lacks what it names, and what the server answers.
class RecordDelivery {
 public:
  RecordDelivery(ApiClient& server, const JournalPlaces& places)
      : server_(server), places_(places) {}

  void deliver(const Json& record);

  struct Counts {
    std::uint64_t runs = 0;
    std::uint64_t points = 0;
    std::uint64_t duplicate_points = 0;
    std::uint64_t checkpoints = 0;
    std::uint64_t finished = 0;
    std::uint64_t sent_bytes = 0;
    std::vector<std::string> versions;  // that pushes made, or were the newest already
  };
  const Counts& counts() const { return counts_; }

 private:
  void deliver_run(const Json& record);
  void deliver_metrics(const Json& record);
  void deliver_checkpoint(const Json& record);
  void deliver_finish(const Json& record);
  void deliver_push(const Json& record);

  void send_patch(const Json& body, const Name& ns);
  void send_manifest(const Json& body, const PushBase& base, const Name& ns);
  const Name& namespace_of(const std::string& run);

  ApiClient& server_;
  const JournalPlaces& places_;
  Counts counts_;
  std::map<std::string, Name> namespaces_;  // of runs
};

}  // namespace mendel::cli
