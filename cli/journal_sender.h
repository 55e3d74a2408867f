#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/journal.h"
#include "cli/record_delivery.h"

namespace mendel::cli {

// Delivers a journal from where the last time ended, in its order. As long as this lives,
// nobody else does.
//
// What the server refuses for good is set aside, with the reason, and the rest goes on. A
// server that is away, or does not know the caller, ends it by an Error; whatever was
// delivered is, and a repetition goes on from there.
class JournalSender {
 public:
  JournalSender(ApiClient& server, const JournalPlaces& places);

  // What was set aside before is tried again, first.
  void send_rejected();
  void send();

  // Removes from the journal what is on the server.
  void remove_delivered();

  struct Refusal {
    std::string type;  // of the record; "damaged" for bytes that are none
    std::string reason;
  };
  const std::vector<Refusal>& refusals() const { return refusals_; }
  const RecordDelivery::Counts& counts() const { return delivery_.counts(); }

  // Bytes at the end that are no whole record: a kill, or somebody who appends just now.
  std::uint64_t bytes_cut_short() const { return bytes_cut_short_; }

 private:
  // Records that are delivered by one request: metrics that follow each other.
  struct Group {
    std::vector<Json> records;
    std::size_t point_count = 0;
    std::uint64_t end = 0;
  };

  void send_items();
  void add_to_group(Json record, std::uint64_t end);
  void deliver_group();
  void deliver_or_reject(const Json& record);
  void reject(const Json& record, const Error& error);
  void reject_damage(const JournalItem& item, const ReadAt& read);
  void remember(std::uint64_t offset);
  void remember_on_disk();
  void remove_records();
  void remove_blobs();
  std::vector<Json> records_left() const;

  JournalPlaces places_;
  JournalLock alone_;
  RecordDelivery delivery_;
  std::string id_;            // of the journal; empty: there are no records
  std::uint64_t offset_ = 0;  // what is before it is delivered
  std::chrono::steady_clock::time_point next_write_;
  Group group_;
  std::vector<Refusal> refusals_;
  std::uint64_t bytes_cut_short_ = 0;
};

}  // namespace mendel::cli
