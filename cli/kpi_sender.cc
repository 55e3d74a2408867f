#include "cli/kpi_sender.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <utility>

#include "cli/interrupt.h"
#include "cli/kpi_lines.h"
#include "cli/output.h"
#include "storage/base/digest.h"
#include "storage/base/io.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kRejectionsMax = 1000;

// A server that is started anew takes some seconds.
constexpr int kAttemptsMax = 7;
constexpr std::chrono::milliseconds kFirstPause{250};

class TextSink : public Sink {
 public:
  void write(std::span<const std::byte> data) override { text_ += as_text(data); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Json answer_of(const std::string& text) {
  Json answer = Json::parse(text, nullptr, false);
  if (!answer.is_object() || !answer.contains("accepted")) {
    throw Error(ErrorCode::internal,
                "the server's answer says nothing of events: is this a Mendel server?");
  }
  return answer;
}

}  // namespace

void KpiSender::send(const std::string& file) {
  if (file == "-") return send("standard input", std::cin);
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    throw Error(ErrorCode::not_found, file + ": cannot be opened");
  }
  send(file, stream);
}

void KpiSender::send(const std::string& file, std::istream& stream) {
  KpiLines lines(stream);
  while (const auto batch = lines.next()) {
    throw_if_interrupted();
    const Json answer = post(batch->bytes);
    accepted_ += answer.value("accepted", std::uint64_t{0});
    duplicates_ += answer.value("duplicates", std::uint64_t{0});
    const Json rejected = answer.value("rejected", Json::array());
    rejected_ += answer.value("rejected_count", rejected.size()) - rejected.size();
    for (const Json& row : rejected) {
      const auto index = row.value("index", std::size_t{0});
      reject({.file = file,
              .line = index < batch->lines.size() ? batch->lines[index] : 0,
              .event_id = text_of(row, "event_id"),
              .problem = row.value("problem", Json::object())});
    }
  }
  for (const std::uint64_t line : lines.too_long()) {
    reject({.file = file,
            .line = line,
            .event_id = "",
            .problem = {{"type", "/problems/too-large"},
                        {"detail", "the line has more than 64 KiB; it was not sent"}}});
  }
  if (lines.bytes_cut_short() > 0) {
    notes_.push_back(fmt::format(
        "{}: the last line is no whole event (a kill cut it short); it was not sent",
        printable(file)));
  }
}

void KpiSender::reject(Rejection rejection) {
  ++rejected_;
  if (rejections_.size() < kRejectionsMax) rejections_.push_back(std::move(rejection));
}

Json KpiSender::post(const std::string& lines) {
  const auto compressed = compressor_.compress(as_bytes(lines));
  HttpRequest request{.method = "POST",
                      .url = "/api/v1/kpi-events",
                      .headers = {"Content-Type: application/x-ndjson"},
                      .body = std::string(as_text(compressed.stored))};
  if (compressed.codec == storage::Codec::zstd) {
    request.headers.push_back("Content-Encoding: zstd");
  }
  for (int attempt = 1;; ++attempt) {
    try {
      TextSink answer;
      server_.stream(request, answer);
      return answer_of(answer.text());
    } catch (const Error& error) {
      if (attempt == kAttemptsMax || !is_transient(error.code())) throw;
    }
    sleep_unless_interrupted(kFirstPause * (1 << (attempt - 1)));
  }
}

}  // namespace mendel::cli
