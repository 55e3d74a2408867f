#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <vector>

#include "registry/api/application.h"

namespace mendel::testing {

// An application whose answers are easy to foretell; what it does is said by the target:
//
//   /memory            answered from memory: "hello"
//   /shared/N          N bytes from shared memory
//   /empty             204
//   /not-modified      304
//   /injection         a header value with CRLF in it
//   /stream/N          N bytes made while they are sent, with Content-Length
//   /chunked/N         the same without
//   /broken/N          a stream of 1 MiB that fails after N bytes
//   /away              a stream whose first read throws unavailable
//   /gate              waits on its worker until open_gate()
//   /wait/N            200 "passed" once the gate is open; before, 204 after N milliseconds
//   /echo              answers with its whole body, up to 100 000 bytes
//   /count             consumes a streamed body and answers with its size
//   /picky             consumes a streamed body and answers 422 after the first buffer
//   /ignore            takes no body, answers "ignored"
//   /forbidden         refused by begin() with 403
//   anything else      404 from begin()
class ToyApplication : public mendel::registry::api::Application {
 public:
  using Completion = mendel::registry::api::Completion;
  using RequestHead = mendel::registry::api::RequestHead;
  using Response = mendel::registry::api::Response;

  std::unique_ptr<mendel::registry::api::Exchange> open(
      const RequestHead& head) noexcept override;

  void open_gate();
  void wait_for_begun(int count);    // begin() was called that often
  void wait_for_at_gate(int count);  // so many workers wait at the gate
  void wait_for_waiting(int count);  // so many requests wait without one
  void wake_all();                   // of those, whatever the gate
  int passed_on();                   // wakes that came for clients that had gone
  std::vector<Completion> wait_for_completed(std::size_t count);
  std::vector<RequestHead> heads();  // of completed requests

  std::atomic<std::uint64_t> bytes_read = 0;      // from the sources of streams
  std::atomic<std::uint64_t> bytes_consumed = 0;  // of streamed bodies

 private:
  friend class ToyExchange;
  void count_begun();
  void pass_gate();
  void note(const RequestHead& head, const Completion& completion);
  Response answer_or_wait(std::chrono::milliseconds time_max);
  mendel::registry::api::Waiting begin_waiting(std::function<void()> wake);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool gate_is_open_ = false;
  int begun_ = 0;
  int at_gate_ = 0;
  int passed_on_ = 0;
  std::list<std::function<void()>> waiting_;
  std::vector<Completion> completed_;
  std::vector<RequestHead> heads_;
};

// What the streams of the toy consist of.
std::string toy_bytes(std::uint64_t size);

}  // namespace mendel::testing
