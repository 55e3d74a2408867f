#pragma once

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "cli/agent/attempt_files.h"
#include "cli/api_client.h"
#include "storage/base/fd.h"

namespace mendel::cli {

// Brings the log of an attempt to the server while it grows, in pieces of at most 256 KiB,
// each with its place, so that one that is sent twice is kept once. What cannot be sent now
// is sent later. Any thread.
class JobLog {
 public:
  JobLog(const AttemptFiles& files, ServerAccess access, const std::string& job,
         int attempt);
  ~JobLog();

  // A line of the agent's own. What cannot be written (a full disk) is left out.
  void say(std::string_view text);

  // Returns once the server has all of it. Throws what sending throws.
  void flush();

 private:
  void send_until_stopped(std::stop_token stop);
  void send_all();

  const AttemptFiles files_;
  const std::string path_;
  std::mutex sending_;
  ApiClient server_;
  std::uint64_t offset_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

inline constexpr std::size_t kLogPieceSizeMax = 256u << 10;

}  // namespace mendel::cli
