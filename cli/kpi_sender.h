#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "storage/codec.h"

namespace mendel::cli {

// Delivers files of events. Each event counts once, however often it is sent, so whatever
// stops this it is begun anew; what can be repeated at once is.
class KpiSender {
 public:
  struct Rejection {
    std::string file;
    std::uint64_t line = 0;
    std::string event_id;
    Json problem;
  };

  explicit KpiSender(ApiClient& server) : server_(server) {}

  // "-" is standard input. Throws when the server is away for long, or the token is not
  // valid; what it rejects is kept.
  void send(const std::string& file);

  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t rejected() const { return rejected_; }
  const std::vector<Rejection>& rejections() const {
    return rejections_;
  }                                                                 // the first ones
  const std::vector<std::string>& notes() const { return notes_; }  // a sentence each

 private:
  void send(const std::string& file, std::istream& stream);
  Json post(const std::string& lines);
  void reject(Rejection rejection);

  ApiClient& server_;
  storage::Compressor compressor_;
  std::uint64_t accepted_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t rejected_ = 0;
  std::vector<Rejection> rejections_;
  std::vector<std::string> notes_;
};

}  // namespace mendel::cli
