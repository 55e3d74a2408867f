#include "cli/upload_session.h"

#include <algorithm>

#include "cli/api_path.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kBlobsPerQuestion = 16'384;
constexpr std::size_t kChunksPerQuestion = 4'096;

Json question(std::span<const Digest> digests) {
  Json list = Json::array();
  for (const Digest& digest : digests) list.push_back(digest.to_string());
  return {{"digests", std::move(list)}};
}

[[noreturn]] void throw_nonsense() {
  throw Error(ErrorCode::internal, "the server's answer about what it has makes no sense");
}

}  // namespace

UploadSession UploadSession::open(ApiClient& server, const Name& ns) {
  const std::string uploads = namespace_path(ns) + "/uploads";
  const Json made = server.post(uploads, Json::object());
  return {server, uploads + "/" + percent_encode(made.at("id").get<std::string>())};
}

std::vector<std::size_t> UploadSession::find_missing_blobs(
    std::span<const Digest> digests) {
  std::vector<std::size_t> missing;
  for (std::size_t begin = 0; begin < digests.size(); begin += kBlobsPerQuestion) {
    const auto batch =
        digests.subspan(begin).first(std::min(kBlobsPerQuestion, digests.size() - begin));
    const Json answer = server_->ask(path_ + "/blobs", question(batch));
    for (const Json& item : answer.at("missing")) {
      const auto position = item.get<std::size_t>();
      if (position >= batch.size()) throw_nonsense();
      missing.push_back(begin + position);
    }
  }
  return missing;
}

std::vector<std::optional<Digest>> UploadSession::find_chunks(
    std::span<const Digest> digests) {
  std::vector<std::optional<Digest>> found;
  found.reserve(digests.size());
  for (std::size_t begin = 0; begin < digests.size(); begin += kChunksPerQuestion) {
    const auto batch =
        digests.subspan(begin).first(std::min(kChunksPerQuestion, digests.size() - begin));
    const Json answer = server_->ask(path_ + "/chunks", question(batch));
    std::vector<Digest> packs;
    for (const Json& name : answer.at("packs"))
      packs.push_back(Digest::parse(name.get<std::string>()));
    const Json& numbers = answer.at("found");
    if (numbers.size() != batch.size()) throw_nonsense();
    for (const Json& item : numbers) {
      const auto number = item.get<std::size_t>();
      if (number > packs.size()) throw_nonsense();
      found.push_back(number ? std::optional(packs[number - 1]) : std::nullopt);
    }
  }
  return found;
}

void UploadSession::abandon() { server_->remove(path_, nullptr); }

std::vector<std::optional<Digest>> ChunkFinder::find(std::span<const Digest> digests) {
  std::vector<std::optional<Digest>> found(digests.size());
  std::vector<Digest> unknown;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    found[i] = told_.find(digests[i]);
    if (found[i]) continue;
    unknown.push_back(digests[i]);
    positions.push_back(i);
  }
  if (unknown.empty()) return found;
  const auto answers = upload_.find_chunks(unknown);
  for (std::size_t i = 0; i < positions.size(); ++i) found[positions[i]] = answers[i];
  return found;
}

}  // namespace mendel::cli
