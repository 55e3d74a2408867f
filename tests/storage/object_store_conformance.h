#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/object_store.h"

namespace mendel::storage {

// A medium under test: a store and what it lies on. Each call makes an empty one.
struct ObjectStoreMedium {
  virtual ~ObjectStoreMedium() = default;
  virtual ObjectStore& store() = 0;
};
using MakeObjectStoreMedium = std::function<std::unique_ptr<ObjectStoreMedium>()>;

// What every ObjectStore must do. Each implementation is one line
//
//   INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreConformance, ::testing::Values(make_local));
//
// and a promise in object_store.h that no test here checks is not a promise.
class ObjectStoreConformance : public ::testing::TestWithParam<MakeObjectStoreMedium> {
 protected:
  void put(std::string_view key, std::string_view content);
  std::string get(std::string_view key);
  std::vector<std::string> keys(std::string_view prefix, std::string_view start_after,
                                std::size_t limit);

  const std::unique_ptr<ObjectStoreMedium> medium = GetParam()();
  ObjectStore& store = medium->store();
};

}  // namespace mendel::storage
