#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/database.h"

namespace mendel::schema {

// The log of an attempt: pieces of bytes, one after the other.

struct JobLogRow {
  std::int64_t received = 0;  // bytes that the agent has sent
  std::int64_t kept = 0;      // bytes that can be read
  bool has_ended = false;     // the attempt has: nothing follows
};
std::optional<JobLogRow> find_job_log(Transaction& tx, std::int64_t job_id,
                                      std::int32_t attempt);

// Adds a piece at the end of what is kept; received is how far the agent's bytes have come.
// The job is locked.
void append_job_log(Transaction& tx, std::int64_t job_id, std::int32_t attempt,
                    std::int64_t position, const std::vector<std::byte>& bytes,
                    std::int64_t received);
void skip_job_log(Transaction& tx, std::int64_t job_id, std::int32_t attempt,
                  std::int64_t received);

struct JobLogPiece {
  std::int64_t position = 0;
  std::vector<std::byte> bytes;
};
// Pieces that reach beyond offset, in order, up to limit of them.
std::vector<JobLogPiece> list_job_log(Transaction& tx, std::int64_t job_id,
                                      std::int32_t attempt, std::int64_t offset,
                                      std::int64_t limit);

}  // namespace mendel::schema
