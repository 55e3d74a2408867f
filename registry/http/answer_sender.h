#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "registry/api/application.h"
#include "registry/http/asio.h"
#include "registry/http/connection.h"
#include "registry/http/download.h"
#include "registry/http/hop.h"
#include "registry/http/loop.h"
#include "registry/http/request_parser.h"

namespace mendel::registry::http {

// Sends the answers of one connection. A streamed body is read by workers, one buffer while
// the one before is on its way.
class AnswerSender {
 public:
  AnswerSender(Loop& loop, Connection& connection, const RequestParser& parser, Hop& hop)
      : loop_(loop), connection_(connection), parser_(parser), hop_(hop) {}

  // On a worker that has made an answer: reads the first buffer of a streamed body, which
  // saves a hop.
  void read_ahead(api::Response& response);

  // Sends the answer to the request that was parsed last, and notes in completion what went
  // out. keeps_alive: whether the connection may go on; it is told whether it does. Where
  // the body's first bytes cannot be read, exchange says so instead.
  Task<bool> send(api::Response response, api::Exchange& exchange, bool& keeps_alive,
                  api::Completion& completion);

  // A body that was not sent to its end may hold files: it is dropped on a worker.
  bool is_unfinished() const { return download_ && !download_->is_over(); }
  void drop() { download_.reset(); }

 private:
  Task<bool> send_from_memory(std::string_view body, api::Completion& completion);
  Task<bool> send_download(bool is_chunked, api::Completion& completion);

  bool write_head(const api::Response& response, bool& keeps_alive);
  bool is_streamed(const api::Response& response) const;
  void start_download(api::ByteStream stream);
  void read_download();

  Loop& loop_;
  Connection& connection_;
  const RequestParser& parser_;
  Hop& hop_;
  std::string head_text_;
  std::unique_ptr<Download> download_;
  std::optional<int> failure_;  // of the download: the status that tells of it
};

// The application's problem document for what the server refuses itself.
api::Response refusal(api::Exchange& exchange, int status, std::string_view detail);

}  // namespace mendel::registry::http
