#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "registry/services/caller.h"
#include "registry/services/jobs/job_leases.h"
#include "schema/database.h"

namespace mendel::registry {

// What a job's command says, as its agent sends it: bytes of each attempt, of which a piece
// is taken once, however often it is sent. Any thread.
class JobLogs {
 public:
  explicit JobLogs(schema::Database& database) : database_(database) {}

  // How many bytes of the attempt have come. Throws already_exists once the attempt is
  // over, and, naming where the log goes on, where offset leaves a gap. Beyond kJobBytesMax
  // for all attempts of a job nothing is kept, and the log says so.
  std::int64_t append(const Caller& caller, const JobLeases::AttemptKey& attempt,
                      std::int64_t offset, std::string_view bytes);

  struct Piece {
    std::string bytes;
    std::int64_t size = 0;  // of the log of this attempt, as it is now
    bool is_last = false;   // the attempt has ended, and nothing follows these bytes
  };
  // From offset on, kPieceBytesMax at the most. Throws not_found for an attempt that there
  // was not.
  Piece read(std::int64_t job_id, std::int32_t attempt, std::int64_t offset);

  static constexpr std::int64_t kJobBytesMax = 64 << 20;
  static constexpr std::int64_t kPieceBytesMax = 1 << 20;

 private:
  schema::Database& database_;
};

}  // namespace mendel::registry
