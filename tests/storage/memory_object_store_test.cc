#include "storage/memory_object_store.h"

#include "tests/storage/object_store_conformance.h"

namespace mendel::storage {
namespace {

struct MemoryMedium : ObjectStoreMedium {
  ObjectStore& store() override { return objects; }

  MemoryObjectStore objects;
};

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, ::testing::Values([] {
                           return std::make_unique<MemoryMedium>();
                         }));

}  // namespace
}  // namespace mendel::storage
