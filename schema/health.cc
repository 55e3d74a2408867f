#include "schema/health.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kPing{"ping", "select 1"};

}  // namespace

void ping(Transaction& tx) { tx.exec(kPing); }

}  // namespace mendel::schema
