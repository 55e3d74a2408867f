#pragma once

// For statement files only: this is where libpqxx is in sight.

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <pqxx/pqxx>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// A query of ours: a constant beside the one function that runs it. The name is unique in
// the program, prepared on each connection when first used there, and appears in messages.
struct Statement {
  const char* name;
  const char* sql;
};

// A statement that was put together of fixed pieces (schema/composer.h): its text is no
// constant, and no user's text is in it. name: prepared on each connection under it, and of
// this text alone; empty: planned anew each time.
struct ComposedStatement {
  std::string sql;
  std::vector<std::string> parameters;  // as parameter() makes them
  std::string name = {};
};

using Rows = pqxx::result;
using Row = pqxx::row;

// --- How values go to the server --------------------------------------------------------
//
// parameter() is text whose type the statement tells: bytea for a Digest or bytes,
// timestamptz for a Timestamp, text, uuid or jsonb for text; an empty optional is null.
// Throws invalid_argument for text with a NUL, which PostgreSQL cannot hold.

std::string parameter(std::string_view text);
std::string parameter(const Digest& digest);
std::string parameter(const std::vector<std::byte>& bytes);
std::string parameter(Timestamp time);
inline std::string parameter(const std::string& text) {
  return parameter(std::string_view(text));
}
inline std::string parameter(const char* text) { return parameter(std::string_view(text)); }
inline std::string parameter(bool truth) { return truth ? "t" : "f"; }
template <std::integral Number>
std::string parameter(Number number) {
  return std::to_string(number);
}
template <std::floating_point Number>
std::string parameter(Number number) {
  return pqxx::to_string(number);
}
template <class Value>
std::optional<std::string> parameter(const std::optional<Value>& value) {
  if (!value) return std::nullopt;
  return parameter(*value);
}

// One array parameter, for statements that handle many rows at once:
//   insert into t (digest, path) select * from unnest($1::bytea[], $2::text[])
//   … where digest = any($1::bytea[])
// It travels in PostgreSQL's binary format, so the statement must give the exact type:
// Digest and bytes are bytea[], 64-bit numbers bigint[], std::int32_t integer[], bool
// boolean[], double float8[], Timestamp timestamptz[], text text[]; empty optionals are
// nulls. (For uuid[] write $1::text[]::uuid[].)
class ArrayParameter {
 public:
  // PostgreSQL's element types by their object identifiers, which never change
  // (pg_type.dat).
  enum class Element : std::uint32_t {
    boolean = 16,
    bytea = 17,
    bigint = 20,
    integer = 23,
    text = 25,
    float8 = 701,
    timestamptz = 1184,
  };

  explicit ArrayParameter(Element element) : element_(element) {}

  void append(const Digest& digest) { append_raw(as_text(digest.bytes())); }
  void append(const std::vector<std::byte>& bytes) { append_raw(as_text(bytes)); }
  void append(std::int64_t number);
  void append(std::uint64_t number) { append(static_cast<std::int64_t>(number)); }
  void append(std::int32_t number);
  void append(bool truth) { append_raw({truth ? "\1" : "\0", 1}); }
  void append(double number);
  void append(Timestamp time);
  void append(std::string_view text);
  void append(const std::string& text) { append(std::string_view(text)); }
  template <class Value>
  void append(const std::optional<Value>& value) {
    value ? append(*value) : append_null();
  }

  pqxx::binarystring encoded() const;

 private:
  void append_null();
  void append_raw(std::string_view bytes);

  Element element_;
  std::string elements_;
  std::uint32_t count_ = 0;
  bool has_nulls_ = false;
};

template <class T>
constexpr ArrayParameter::Element kElementOf = ArrayParameter::Element::text;
template <class T>
constexpr auto kElementOf<std::optional<T>> = kElementOf<T>;
template <>
inline constexpr auto kElementOf<Digest> = ArrayParameter::Element::bytea;
template <>
inline constexpr auto kElementOf<std::vector<std::byte>> = ArrayParameter::Element::bytea;
template <>
inline constexpr auto kElementOf<std::int64_t> = ArrayParameter::Element::bigint;
template <>
inline constexpr auto kElementOf<std::uint64_t> = ArrayParameter::Element::bigint;
template <>
inline constexpr auto kElementOf<std::int32_t> = ArrayParameter::Element::integer;
template <>
inline constexpr auto kElementOf<bool> = ArrayParameter::Element::boolean;
template <>
inline constexpr auto kElementOf<double> = ArrayParameter::Element::float8;
template <>
inline constexpr auto kElementOf<Timestamp> = ArrayParameter::Element::timestamptz;

inline pqxx::binarystring parameter(const ArrayParameter& array) { return array.encoded(); }

// array_of(digests), or one column of a row of structs: array_of(files, &File::path).
template <std::ranges::input_range Range, class Projection = std::identity>
ArrayParameter array_of(const Range& range, Projection projection = {}) {
  using Value = std::remove_cvref_t<
      std::invoke_result_t<Projection&, std::ranges::range_reference_t<const Range>>>;
  ArrayParameter array(kElementOf<Value>);
  for (const auto& element : range) array.append(std::invoke(projection, element));
  return array;
}

// --- How values come back ---------------------------------------------------------------
//
// at<T>(row, "column"), with T one of std::string, bool, std::int32_t, std::int64_t,
// double, Digest, std::vector<std::byte>, Timestamp, or std::optional of one of them. A
// null in a column that is not optional, or a column that is not there, is a bug:
// Error{internal}.

Digest parse_digest(const pqxx::field& field);
std::vector<std::byte> parse_bytes(const pqxx::field& field);
Timestamp parse_timestamp(const pqxx::field& field);

template <class T>
struct FieldReader {
  static T read(const pqxx::field& field) { return field.as<T>(); }
};
template <>
struct FieldReader<Digest> {
  static Digest read(const pqxx::field& field) { return parse_digest(field); }
};
template <>
struct FieldReader<std::vector<std::byte>> {
  static std::vector<std::byte> read(const pqxx::field& field) {
    return parse_bytes(field);
  }
};
template <>
struct FieldReader<Timestamp> {
  static Timestamp read(const pqxx::field& field) { return parse_timestamp(field); }
};
template <class T>
struct FieldReader<std::optional<T>> {
  static std::optional<T> read(const pqxx::field& field) {
    if (field.is_null()) return std::nullopt;
    return FieldReader<T>::read(field);
  }
};

template <class T>
T at(const Row& row, const char* column) {
  return FieldReader<T>::read(row[column]);
}

// --- The transaction --------------------------------------------------------------------

// Rows must not outlive the transaction. After a statement has failed the transaction can
// only be rolled back: whoever catches its error gets Error{internal} from the commit.
class Transaction {
 public:
  explicit Transaction(pqxx::transaction_base& transaction) : transaction_(transaction) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  template <class... Args>
  Rows exec(const Statement& statement, const Args&... args) {
    prepare(statement);
    failed_ = true;
    Rows rows = transaction_.exec_prepared(statement.name, parameter(args)...);
    failed_ = false;
    return rows;
  }

  Rows exec(const ComposedStatement& statement);

  // For statements that give one row always, and one row or none.
  template <class... Args>
  Row exec_one(const Statement& statement, const Args&... args) {
    return only_row(statement, exec(statement, args...));
  }
  template <class... Args>
  std::optional<Row> exec_optional(const Statement& statement, const Args&... args) {
    const Rows rows = exec(statement, args...);
    if (rows.empty()) return std::nullopt;
    return only_row(statement, rows);
  }

  // How many rows it inserted, updated or deleted.
  template <class... Args>
  std::int64_t exec_counting(const Statement& statement, const Args&... args) {
    return static_cast<std::int64_t>(exec(statement, args...).affected_rows());
  }

  // Several statements without parameters: a migration.
  void exec_script(std::string_view sql);

  bool failed() const { return failed_; }

 private:
  void prepare(const Statement& statement);
  static Row only_row(const Statement& statement, const Rows& rows);

  pqxx::transaction_base& transaction_;
  bool failed_ = false;
};

}  // namespace mendel::schema
