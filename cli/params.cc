#include "cli/params.h"

#include <cstdio>
#include <fstream>
#include <iostream>

#include "cli/params_place.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"
#include "storage/utf8.h"

namespace mendel::cli {

using nlohmann::json;

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string read_all(std::istream& stream, const std::string& file) {
  std::string text(kParamsSizeMax + 1, '\0');
  stream.read(text.data(), std::streamsize(text.size()));
  if (stream.bad()) throw Error(ErrorCode::invalid_argument, "cannot read " + file);
  text.resize(std::size_t(stream.gcount()));
  if (text.size() > kParamsSizeMax) {
    throw Error(ErrorCode::too_large, "hyperparameters may take " +
                                          std::to_string(kParamsSizeMax >> 20) +
                                          " MiB, and no more");
  }
  return text;
}

std::string read_file(const std::string& file) {
  if (file == "-") return read_all(std::cin, "standard input");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(ErrorCode::not_found, "cannot be opened");
  return read_all(stream, file);
}

ParamsNotation notation_of(const std::string& file, std::string_view text) {
  if (file.ends_with(".json")) return ParamsNotation::json;
  if (file.ends_with(".yaml") || file.ends_with(".yml")) return ParamsNotation::yaml;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && text[first] == '{' ? ParamsNotation::json
                                                  : ParamsNotation::yaml;
}

}  // namespace

json parse_params(std::string_view text, ParamsNotation notation, Lossy lossy) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!storage::is_utf8(text)) {
    throw Error(ErrorCode::invalid_argument, "the hyperparameters are not UTF-8");
  }
  json params = notation == ParamsNotation::json ? read_json_params(text, lossy)
                                                 : read_yaml_params(text, lossy);
  if (!params.is_object()) {
    throw Error(ErrorCode::invalid_argument,
                "the hyperparameters are no mapping of names to values");
  }
  storage::canonical_json(params);
  return params;
}

std::vector<json> parse_yaml_documents(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!storage::is_utf8(text)) {
    throw Error(ErrorCode::invalid_argument, "the file is not UTF-8");
  }
  std::vector<json> documents = read_yaml_documents(text);
  std::erase(documents, json());
  return documents;
}

json load_params(const std::string& file, Lossy lossy) {
  try {
    const std::string text = read_file(file);
    return parse_params(text, notation_of(file, text), lossy);
  } catch (const Error& error) {
    throw Error(error.code(), "--params " + file + ": " + error.what(), error.fields());
  }
}

}  // namespace mendel::cli
