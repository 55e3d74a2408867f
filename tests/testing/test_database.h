#pragma once

#include <memory>
#include <string>

#include "schema/database.h"

namespace mendel::testing {

// A migrated database of its own for one test, dropped at the end.
//
// It is made on the server that MENDEL_TEST_DATABASE names (postgresql://…, a role that may
// create databases), otherwise on a private one that all test programs of this build share:
// the first that needs it starts it, and it ends by itself when it is no longer used
// (tests/testing/test_server.cc).
class TestDatabase {
 public:
  TestDatabase();
  static TestDatabase without_tables();
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  schema::Database& database() { return *database_; }

  // For a Database of the test's own, or a server program.
  const std::string& url() const { return url_; }

 private:
  explicit TestDatabase(const std::string& template_name);

  std::string name_;
  std::string url_;
  std::unique_ptr<schema::Database> database_;
};

}  // namespace mendel::testing
