#include "storage/manifest_reader.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "storage/base/error.h"

namespace mendel::storage {

namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& pointer, const std::string& rule) {
  throw Error(
      ErrorCode::unprocessable,
      "the manifest breaks a rule: " + (pointer.empty() ? "it" : pointer) + " " + rule,
      {{pointer, rule}});
}

// Takes a manifest's JSON as it is parsed. Where it is in the document is one of seven
// places; everything that has no business there is refused as soon as it is seen, so that
// neither depth nor size of what is unknown matters.
class Reader : public nlohmann::json_sax<json> {
 public:
  Manifest take() { return std::move(manifest_); }

  bool null() override { unexpected("null"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    unexpected("a number that is no integer in range");
  }
  bool binary(binary_t&) override { unexpected("binary"); }

  bool boolean(bool value) override {
    if (place_ == Place::file && (key_ == "executable" || key_ == "directory")) {
      (key_ == "executable" ? file().executable : file().directory) = value;
      return true;
    }
    unexpected("a boolean");
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::file && key_ == "size") {
      file().size_bytes = value;
      return true;
    }
    if (place_ == Place::top && key_ == "format") {
      if (value != 1) refuse(pointer(), "is not 1, the only format there is");
      return true;
    }
    unexpected("a number");
  }

  bool string(string_t& value) override {
    switch (place_) {
      case Place::top:
        if (key_ != "kind") break;
        if (const auto kind = parse_artifact_kind(value)) {
          manifest_.kind = *kind;
          return true;
        }
        refuse(pointer(), "is none of model, dataset, environment");
      case Place::file:
        if (key_ == "digest") {
          file().digest = digest(value);
        } else if (std::string* member = text_member()) {
          *member = std::move(value);
        } else {
          break;
        }
        return true;
      case Place::component:
        if (key_ == "digest") {
          component().digest = digest(value);
        } else {
          (key_ == "name" ? component().name : component().ref) = std::move(value);
        }
        return true;
      case Place::locations: file().locations.push_back(std::move(value)); return true;
      case Place::outside:
      case Place::files:
      case Place::components: break;
    }
    unexpected("a string");
  }

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::outside: place_ = Place::top; return true;
      case Place::files:
        manifest_.files.emplace_back();
        place_ = Place::file;
        return true;
      case Place::components:
        manifest_.components.emplace_back();
        place_ = Place::component;
        return true;
      case Place::top:
      case Place::file:
      case Place::component:
      case Place::locations: break;
    }
    unexpected("an object");
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::top && key_ == "files") {
      place_ = Place::files;
    } else if (place_ == Place::top && key_ == "components") {
      place_ = Place::components;
    } else if (place_ == Place::file && key_ == "locations") {
      place_ = Place::locations;
    } else {
      unexpected("a list");
    }
    return true;
  }

  bool end_object() override {
    place_ = place_ == Place::file        ? Place::files
             : place_ == Place::component ? Place::components
                                          : Place::outside;
    return true;
  }

  bool end_array() override {
    place_ = place_ == Place::locations ? Place::file : Place::top;
    return true;
  }

  bool key(string_t& name) override {
    key_ = std::move(name);
    if (!is_known()) refuse(pointer(), "is not a member that a manifest has");
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const json::exception&) override {
    throw Error(ErrorCode::unprocessable,
                "the manifest is not JSON (at byte " + std::to_string(position) + ")");
  }

 private:
  enum class Place { outside, top, files, file, locations, components, component };

  ManifestFile& file() { return manifest_.files.back(); }
  ManifestComponent& component() { return manifest_.components.back(); }

  std::string* text_member() {
    if (key_ == "path") return &file().path;
    if (key_ == "platform") return &file().platform;
    if (key_ == "link") return &file().link;
    if (key_ == "checksum") return &file().checksum;
    return nullptr;
  }

  bool is_known() {
    if (place_ == Place::top) {
      return key_ == "components" || key_ == "files" || key_ == "format" || key_ == "kind";
    }
    if (place_ == Place::component)
      return key_ == "digest" || key_ == "name" || key_ == "ref";
    return key_ == "digest" || key_ == "directory" || key_ == "executable" ||
           key_ == "size" || key_ == "locations" || text_member() != nullptr;
  }

  Digest digest(const std::string& text) {
    if (const auto digest = Digest::find_in(text)) return *digest;
    refuse(pointer(), "is not 'sha256:' and 64 lower-case hexadecimal digits");
  }

  std::string pointer() const {
    const auto last = [](const auto& list) { return std::to_string(list.size() - 1); };
    const auto next = [](const auto& list) { return std::to_string(list.size()); };
    switch (place_) {
      case Place::outside: return "";
      case Place::top: return "/" + key_;
      case Place::files: return "/files/" + next(manifest_.files);
      case Place::file: return "/files/" + last(manifest_.files) + "/" + key_;
      case Place::locations:
        return "/files/" + last(manifest_.files) + "/locations/" +
               next(manifest_.files.back().locations);
      case Place::components: return "/components/" + next(manifest_.components);
      case Place::component:
        return "/components/" + last(manifest_.components) + "/" + key_;
    }
    return "";
  }

  [[noreturn]] void unexpected(const std::string& what) {
    refuse(pointer(), "is " + what + ", which has no place there");
  }

  Place place_ = Place::outside;
  std::string key_;
  Manifest manifest_;
};

}  // namespace

Manifest read_manifest(std::string_view text) {
  Reader reader;
  json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace mendel::storage
