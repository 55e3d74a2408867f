#include "tests/testing/toy_application.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "storage/base/digest.h"

namespace mendel::testing {

namespace api = mendel::registry::api;

namespace {

std::byte toy_byte(std::uint64_t offset) {
  return static_cast<std::byte>(offset * 31 + (offset >> 12));
}

class ToySource : public Source {
 public:
  ToySource(ToyApplication& toy, std::uint64_t size, std::uint64_t fails_at)
      : toy_(toy), size_(size), fails_at_(fails_at) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t size = std::min<std::uint64_t>(buffer.size(), size_ - offset_);
    if (offset_ + size > fails_at_) throw Error(ErrorCode::data_loss, "a broken source");
    for (std::size_t i = 0; i < size; ++i) buffer[i] = toy_byte(offset_ + i);
    offset_ += size;
    toy_.bytes_read += size;
    return size;
  }

 private:
  ToyApplication& toy_;
  const std::uint64_t size_;
  const std::uint64_t fails_at_;
  std::uint64_t offset_ = 0;
};

class AwaySource : public Source {
 public:
  std::size_t read(std::span<std::byte>) override {
    throw Error(ErrorCode::unavailable, "the object store is away");
  }
};

api::Response text(int status, std::string body) {
  api::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

// "/stream/12" begins with "/stream/" and ends with 12.
std::optional<std::uint64_t> number_after(std::string_view prefix,
                                          std::string_view target) {
  if (!target.starts_with(prefix)) return std::nullopt;
  return std::stoull(std::string(target.substr(prefix.size())));
}

}  // namespace

std::string toy_bytes(std::uint64_t size) {
  std::string bytes(size, '\0');
  for (std::uint64_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(toy_byte(i));
  return bytes;
}

class ToyExchange : public api::Exchange {
 public:
  ToyExchange(ToyApplication& toy, const api::RequestHead& head)
      : toy_(toy), head_(head), target_(head.target) {}

  std::optional<api::Response> answer_from_memory() noexcept override {
    if (target_ == "/memory") return text(200, "hello");
    if (const auto size = number_after("/shared/", target_)) {
      const auto bytes = std::make_shared<const std::string>(toy_bytes(*size));
      api::Response response;
      response.body = api::SharedBytes{bytes, *bytes};
      return response;
    }
    return std::nullopt;
  }

  std::optional<api::Response> begin() noexcept override {
    toy_.count_begun();
    if (target_ == "/forbidden") return text(403, "forbidden");
    if (!exists()) return text(404, "nothing here");
    return std::nullopt;
  }

  Body body() const override {
    if (target_ == "/echo") return Body::whole;
    if (target_ == "/count" || target_ == "/picky") return Body::stream;
    return Body::none;
  }
  std::uint64_t body_size_max() const override {
    return target_ == "/echo" ? 100'000 : std::uint64_t{1} << 40;
  }

  std::optional<api::Response> consume(std::span<const std::byte> data) noexcept override {
    toy_.bytes_consumed += data.size();
    consumed_ += data.size();
    if (target_ == "/picky") return text(422, "not what was promised");
    return std::nullopt;
  }

  api::Response answer(std::string body) noexcept override {
    if (target_ == "/echo") return text(200, std::move(body));
    if (target_ == "/count") return text(200, std::to_string(consumed_));
    if (target_ == "/ignore") return text(200, "ignored");
    if (target_ == "/empty") return text(204, "");
    if (target_ == "/not-modified") return text(304, "");
    if (target_ == "/gate") {
      toy_.pass_gate();
      return text(200, "passed");
    }
    if (const auto milliseconds = number_after("/wait/", target_)) {
      return toy_.answer_or_wait(std::chrono::milliseconds(*milliseconds));
    }
    if (target_ == "/injection") {
      api::Response response = text(200, "");
      response.headers.set("X-Value", "a\r\nX-Injected: b");
      response.headers.set("X-Name\r\nX-Injected", "c");
      response.headers.set("Content-Length", "77");
      return response;
    }
    return stream();
  }

  api::Response answer_again() noexcept override { return answer(""); }

  api::Response refuse(int status, std::string_view detail) noexcept override {
    return text(status, std::string(detail));
  }

  void completed(const api::Completion& completion) noexcept override {
    toy_.note(head_, completion);
  }

 private:
  bool exists() const {
    constexpr std::array<std::string_view, 9> kTargets = {
        "/empty", "/not-modified", "/injection", "/away",  "/gate",
        "/echo",  "/count",        "/picky",     "/ignore"};
    return std::ranges::count(kTargets, target_) > 0 || target_.starts_with("/stream/") ||
           target_.starts_with("/chunked/") || target_.starts_with("/broken/") ||
           target_.starts_with("/wait/");
  }

  api::Response stream() {
    api::Response response;
    constexpr auto kNever = UINT64_MAX;
    if (const auto size = number_after("/stream/", target_)) {
      response.body =
          api::ByteStream{std::make_unique<ToySource>(toy_, *size, kNever), *size};
    } else if (const auto size = number_after("/chunked/", target_)) {
      response.body =
          api::ByteStream{std::make_unique<ToySource>(toy_, *size, kNever), std::nullopt};
    } else if (const auto fails_at = number_after("/broken/", target_)) {
      response.body =
          api::ByteStream{std::make_unique<ToySource>(toy_, 1 << 20, *fails_at), 1 << 20};
    } else {
      response.body = api::ByteStream{std::make_unique<AwaySource>(), 1};
    }
    return response;
  }

  ToyApplication& toy_;
  const api::RequestHead& head_;
  const std::string_view target_;
  std::uint64_t consumed_ = 0;
};

std::unique_ptr<api::Exchange> ToyApplication::open(const RequestHead& head) noexcept {
  return std::make_unique<ToyExchange>(*this, head);
}

void ToyApplication::count_begun() {
  {
    const std::lock_guard lock(mutex_);
    ++begun_;
  }
  changed_.notify_all();
}

void ToyApplication::note(const RequestHead& head, const Completion& completion) {
  {
    const std::lock_guard lock(mutex_);
    completed_.push_back(completion);
    heads_.push_back(head);
  }
  changed_.notify_all();
}

void ToyApplication::pass_gate() {
  std::unique_lock lock(mutex_);
  ++at_gate_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return gate_is_open_; });
  --at_gate_;
}

void ToyApplication::open_gate() {
  {
    const std::lock_guard lock(mutex_);
    gate_is_open_ = true;
  }
  changed_.notify_all();
  wake_all();
}

api::Response ToyApplication::answer_or_wait(std::chrono::milliseconds time_max) {
  const std::lock_guard lock(mutex_);
  if (gate_is_open_) return text(200, "passed");
  api::Response response = text(204, "");
  response.wait = api::Wait{time_max, [this](std::function<void()> wake) {
                              return begin_waiting(std::move(wake));
                            }};
  return response;
}

api::Waiting ToyApplication::begin_waiting(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (gate_is_open_) wake();
  const auto place = waiting_.insert(waiting_.end(), std::move(wake));
  changed_.notify_all();
  return {.place = std::shared_ptr<void>(nullptr,
                                         [this, place](void*) {
                                           const std::lock_guard erasing(mutex_);
                                           waiting_.erase(place);
                                           changed_.notify_all();
                                         }),
          .pass_on = [this] {
            const std::lock_guard passing(mutex_);
            ++passed_on_;
            changed_.notify_all();
          }};
}

void ToyApplication::wake_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& wake : waiting_) wake();
}

void ToyApplication::wait_for_waiting(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return static_cast<int>(waiting_.size()) == count; });
}

int ToyApplication::passed_on() {
  const std::lock_guard lock(mutex_);
  return passed_on_;
}

void ToyApplication::wait_for_begun(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return begun_ >= count; });
}

void ToyApplication::wait_for_at_gate(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return at_gate_ >= count; });
}

std::vector<api::Completion> ToyApplication::wait_for_completed(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return completed_.size() >= count; });
  return completed_;
}

std::vector<api::RequestHead> ToyApplication::heads() {
  const std::lock_guard lock(mutex_);
  return heads_;
}

}  // namespace mendel::testing
