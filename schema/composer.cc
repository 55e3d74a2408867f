#include "schema/composer.h"

namespace mendel::schema {

std::string Composer::numbered(std::string_view sql, std::span<const std::string> values) {
  std::string text;
  for (const std::string& value : values) {
    const auto place = sql.find("{}");
    parameters_.push_back(value);
    text += sql.substr(0, place);
    text += '$';
    text += std::to_string(parameters_.size());
    sql.remove_prefix(place + 2);
  }
  text += sql;
  return text;
}

}  // namespace mendel::schema
