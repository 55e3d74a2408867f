#pragma once

#include <atomic>

#include "storage/base/error.h"
#include "storage/object_store.h"

namespace mendel::testing {

// An object store of which one call fails, with an Error of the test's choice: create,
// append, commit, read, find, list and remove count, from 0. Loops over the failing call
// show that a caller stands a fault anywhere: see storage_test.
class FaultyObjectStore : public storage::ObjectStore {
 public:
  FaultyObjectStore(storage::ObjectStore& objects, int failing_call, Error error)
      : objects_(objects), failing_call_(failing_call), error_(std::move(error)) {}

  // Whether the failing call came. If not, the loop has seen them all.
  bool failed() const { return failed_; }

  // From now on every call passes.
  void stop_failing() { is_armed_ = false; }

  std::unique_ptr<storage::ObjectWriter> create() override {
    count_call();
    return std::make_unique<Writer>(*this, objects_.create());
  }
  std::size_t read(std::string_view key, std::uint64_t offset,
                   std::span<std::byte> buffer) override {
    count_call();
    return objects_.read(key, offset, buffer);
  }
  std::optional<storage::ObjectInfo> find(std::string_view key) override {
    count_call();
    return objects_.find(key);
  }
  std::vector<storage::ObjectInfo> list(std::string_view prefix,
                                        std::string_view start_after,
                                        std::size_t limit) override {
    count_call();
    return objects_.list(prefix, start_after, limit);
  }
  void remove(std::string_view key) override {
    count_call();
    objects_.remove(key);
  }

 private:
  class Writer : public storage::ObjectWriter {
   public:
    Writer(FaultyObjectStore& store, std::unique_ptr<storage::ObjectWriter> object)
        : store_(store), object_(std::move(object)) {}

    void append(std::span<const std::byte> data) override {
      store_.count_call();
      object_->append(data);
    }
    void commit(std::string_view key) override {
      store_.count_call();
      object_->commit(key);
    }

   private:
    FaultyObjectStore& store_;
    const std::unique_ptr<storage::ObjectWriter> object_;
  };

  void count_call() {
    if (calls_++ != failing_call_ || !is_armed_) return;
    failed_ = true;
    throw error_;
  }

  storage::ObjectStore& objects_;
  const int failing_call_;
  const Error error_;
  std::atomic<int> calls_ = 0;
  std::atomic<bool> is_armed_ = true;
  std::atomic<bool> failed_ = false;
};

}  // namespace mendel::testing
