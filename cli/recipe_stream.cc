#include "cli/recipe_stream.h"

#include <algorithm>

// The answer is, for each leaf: its size as 4 bytes, little-endian, and the encoded leaf.

namespace mendel::cli {

namespace {

constexpr std::size_t kSizeFieldBytes = 4;
constexpr std::size_t kLeafSizeMax = 1u << 20;

class LeafSplitter : public Sink {
 public:
  explicit LeafSplitter(const std::function<void(const storage::Recipe&)>& visit)
      : visit_(visit) {}

  void write(std::span<const std::byte> data) override {
    pending_.insert(pending_.end(), data.begin(), data.end());
    std::span<const std::byte> rest = pending_;
    while (rest.size() >= kSizeFieldBytes) {
      const std::size_t size = leaf_size(rest);
      if (rest.size() < kSizeFieldBytes + size) break;
      visit_(storage::decode_recipe(rest.subspan(kSizeFieldBytes, size)));
      rest = rest.subspan(kSizeFieldBytes + size);
    }
    pending_.erase(pending_.begin(), pending_.end() - std::ptrdiff_t(rest.size()));
  }

  void finish() const {
    if (!pending_.empty()) throw Error(ErrorCode::unavailable, "a recipe was cut short");
  }

 private:
  static std::size_t leaf_size(std::span<const std::byte> bytes) {
    std::size_t size = 0;
    for (std::size_t i = kSizeFieldBytes; i-- > 0;) {
      size = size << 8 | std::to_integer<std::size_t>(bytes[i]);
    }
    if (size > kLeafSizeMax)
      throw Error(ErrorCode::data_loss, "a recipe's leaf is too large");
    return size;
  }

  const std::function<void(const storage::Recipe&)>& visit_;
  std::vector<std::byte> pending_;
};

}  // namespace

bool visit_recipe(ApiClient& server, const std::string& recipe_path,
                  const std::function<void(const storage::Recipe& leaf)>& visit) {
  LeafSplitter splitter(visit);
  HttpRequest request;
  request.url = recipe_path;
  try {
    server.stream(std::move(request), splitter);
  } catch (const Error& error) {
    const bool is_absent =
        error.code() == ErrorCode::not_found || error.code() == ErrorCode::gone;
    if (!is_absent) throw;
    return false;
  }
  splitter.finish();
  return true;
}

}  // namespace mendel::cli
