#include "tests/fuzz/hostile_list.h"

#include <cstdlib>

#include "cli/dataset_list.h"
#include "cli/params.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::testing {

namespace {

using cli::Lossy;
using cli::ParamsNotation;

void require(bool promise) {
  if (!promise) std::abort();
}

template <typename Read>
bool accepts(Read read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument ||
            error.code() == ErrorCode::too_large);
    return false;
  }
}

bool accepts_params(std::span<const std::byte> input, ParamsNotation notation) {
  const auto read = [&](Lossy lossy) {
    return cli::parse_params(as_text(input), notation, lossy);
  };
  const bool accepted = accepts([&] {
    const nlohmann::json params = read(Lossy::refuse);
    require(params.is_object());
    const std::string canonical = storage::canonical_json(params);
    require(canonical.find("\\u0000") == canonical.npos);
    // Canonical JSON is read back as itself, in both notations' terms.
    require(cli::parse_params(canonical, ParamsNotation::json, Lossy::refuse) == params);
  });
  const bool accepted_as_text = accepts([&] { read(Lossy::as_text); });
  require(!accepted || accepted_as_text);
  return accepted;
}

}  // namespace

bool read_hostile_yaml(std::span<const std::byte> input) {
  return accepts_params(input, ParamsNotation::yaml);
}

bool read_hostile_json(std::span<const std::byte> input) {
  return accepts_params(input, ParamsNotation::json);
}

bool read_hostile_list(std::span<const std::byte> input) {
  const std::string_view text = as_text(input);
  const auto notation =
      text.starts_with('{') ? cli::ListNotation::json_lines : cli::ListNotation::csv;
  return accepts([&] {
    storage::Manifest manifest{
        storage::ArtifactKind::dataset, cli::parse_dataset_list(text, notation), {}};
    storage::normalise(manifest);
    require(storage::decode_manifest(storage::encode_manifest(manifest)) == manifest);
    for (const auto& file : manifest.files) require(!file.locations.empty());
  });
}

}  // namespace mendel::testing
