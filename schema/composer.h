#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "schema/transaction.h"

namespace mendel::schema {

// A piece of SQL that stands in our source: nothing else can be made into one.
struct FixedSql {
  std::string_view text;
  consteval FixedSql(const char* literal) : text(literal) {}  // NOLINT: literals as pieces
};

// Puts a statement together of fixed pieces. Each {} in a piece is the place of one value,
// which travels beside the statement and is never part of it:
//
//   composer.piece("f.path = {} and f.number < {}::float8", path, limit)
//
// Pieces are joined as strings; an SQL text that holds anything but pieces is a bug of the
// caller, so whoever uses this keeps to piece() and to operators between pieces.
class Composer {
 public:
  template <class... Values>
  std::string piece(FixedSql sql, const Values&... values) {
    const std::array<std::string, sizeof...(values)> texts{parameter(values)...};
    return numbered(sql.text, texts);
  }

  ComposedStatement finish(std::string sql) && {
    return {std::move(sql), std::move(parameters_)};
  }

 private:
  std::string numbered(std::string_view sql, std::span<const std::string> values);

  std::vector<std::string> parameters_;
};

}  // namespace mendel::schema
