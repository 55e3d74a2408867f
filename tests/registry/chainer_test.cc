#include "registry/services/ledger/chainer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "registry/services/ledger/chain_hash.h"
#include "schema/ledger_chain.h"
#include "schema/transaction.h"
#include "storage/base/error.h"
#include "tests/registry/ledger_fixture.h"
#include "tests/testing/wait.h"

namespace mendel::registry {
namespace {

using namespace std::chrono_literals;

class ChainerTest : public LedgerTest {
 protected:
  std::vector<schema::ChainedBatchRow> chain() {
    return database().read("list the chain", [](schema::Transaction& tx) {
      return schema::list_chained_batches(tx, 0, 100'000);
    });
  }

  // What anybody can check about a chain, and where it ends.
  void expect_sound(const std::vector<schema::ChainedBatchRow>& batches) {
    ChainHead head;
    for (const auto& batch : batches) {
      EXPECT_EQ(batch.sequence, head.sequence + 1);
      EXPECT_GE(batch.recorded_at, head.recorded_at);
      const Digest hash = hash_of({.previous = head.hash,
                                   .sequence = batch.sequence,
                                   .recorded_at = batch.recorded_at,
                                   .entry_count = batch.entry_count,
                                   .digest = batch.digest});
      EXPECT_EQ(batch.hash, hash);
      EXPECT_EQ(batch.entries_through, head.entry_count + batch.entry_count);
      head = {batch.sequence, batch.entries_through, batch.recorded_at, batch.hash};
    }
    EXPECT_EQ(chainer.head(), head);
  }

  LedgerRow event(const std::string& id) {
    return {.event_id = id, .occurred_at = clock.now()};
  }

  Chainer chainer{database(), clock};
};

TEST_F(ChainerTest, AnEmptyChainHasAHeadOfZeros) {
  EXPECT_EQ(chainer.chain_some(), 0);
  EXPECT_EQ(chainer.head(), ChainHead());
  EXPECT_EQ(chainer.close_book(clock.now()), ChainHead());
}

TEST_F(ChainerTest, ChainsWhatIsCommittedInOrder) {
  commit_batch({event("a"), event("b")});
  commit({event("c"), event("d")});
  EXPECT_EQ(chainer.chain_some(), 3);
  EXPECT_EQ(chainer.chain_some(), 0);

  const auto batches = chain();
  ASSERT_EQ(batches.size(), 3);
  EXPECT_EQ(batches[0].entry_count, 2);
  EXPECT_EQ(batches[2].entries_through, 4);
  EXPECT_EQ(batches[2].recorded_at, clock.now());
  expect_sound(batches);
}

TEST_F(ChainerTest, ChainsMoreThanFitIntoOneTransaction) {
  tell(R"sql(
    insert into kpi_batch (id, entry_count, digest, received_at, principal_id)
    select n, 1, decode(repeat('ab', 32), 'hex'), '2024-02-13', 1
      from generate_series(1, 2500) as n)sql");
  EXPECT_EQ(chainer.close_book(clock.now()).sequence, 2500);
  expect_sound(chain());
}

TEST_F(ChainerTest, RecordsLaterThanBeforeThoughTheClockJumpsBack) {
  commit({event("a")});
  chainer.chain_some();
  clock.advance(-1h);
  commit({event("b")});
  chainer.chain_some();
  commit({event("c")});
  chainer.chain_some();

  const auto batches = chain();
  ASSERT_EQ(batches.size(), 3);
  EXPECT_EQ(batches[1].recorded_at, batches[0].recorded_at + 1us);
  EXPECT_EQ(batches[2].recorded_at, batches[0].recorded_at + 2us);
  expect_sound(batches);
}

TEST_F(ChainerTest, AClosedBookIsNotAddedTo) {
  commit({event("a")});
  const Timestamp at = clock.now();
  const ChainHead head = chainer.close_book(at);
  EXPECT_EQ(head.sequence, 1);
  EXPECT_EQ(head.recorded_at, at);

  commit({event("b")});  // the clock stands still
  chainer.chain_some();
  EXPECT_EQ(chainer.close_book(at), head);
  EXPECT_GT(chain().back().recorded_at, at);
  clock.advance(1s);
  EXPECT_EQ(chainer.close_book(clock.now()).sequence, 2);
  EXPECT_EQ(chainer.close_book(at), head);
}

TEST_F(ChainerTest, ABookIsClosedThoughNothingWasRecorded) {
  const Timestamp at = clock.now();
  EXPECT_EQ(chainer.close_book(at), ChainHead());
  commit({event("a")});
  EXPECT_EQ(chainer.close_book(at), ChainHead());
  clock.advance(1s);
  EXPECT_EQ(chainer.close_book(clock.now()).sequence, 1);
  EXPECT_EQ(chainer.close_book(at), ChainHead());
}

// Whoever was told that an event is in, and then notes the time, finds it in a report of
// it.
TEST_F(ChainerTest, RecordsWhatItReceivedWhenItReceivedIt) {
  commit({event("a")});
  const Timestamp at = clock.now();
  clock.advance(1s);
  commit({event("b")});
  clock.advance(1s);
  EXPECT_EQ(chainer.chain_some(), 2);
  EXPECT_EQ(chain().front().recorded_at, at);
  EXPECT_EQ(chainer.close_book(at).sequence, 1);
}

TEST_F(ChainerTest, WhatWasReceivedByThenCountsAsRecordedByThen) {
  const Timestamp at = clock.now();
  commit({event("a")});
  clock.advance(24h);
  commit({event("b")});
  EXPECT_EQ(chainer.close_book(at).sequence, 1);
  EXPECT_EQ(chainer.close_book(clock.now()).sequence, 2);
  EXPECT_EQ(chain().back().recorded_at, clock.now());
}

// A correction comes after its event, whatever the clock of the server that took it says.
TEST_F(ChainerTest, KeepsTheOrderOfThoseWhoseClocksDiffer) {
  const Timestamp at = clock.now();
  clock.advance(24h);
  commit_batch({event("a")}, at - 1h);
  commit_batch({event("b")}, at + 1h);
  commit_batch({event("c")}, at - 1h);
  EXPECT_EQ(chainer.close_book(at).sequence, 1);
  EXPECT_EQ(chainer.chain_some(), 2);
  const auto batches = chain();
  ASSERT_EQ(batches.size(), 3);
  EXPECT_LT(batches[0].id, batches[1].id);
  EXPECT_LT(batches[1].id, batches[2].id);
  expect_sound(batches);
}

TEST_F(ChainerTest, ATimeToComeIsRefused) {
  try {
    chainer.close_book(clock.now() + 1min);
    FAIL() << "the book was closed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

// Goal: what is not committed when the book is closed is recorded later, however early it
// began.
TEST_F(ChainerTest, ATransactionThatIsLateIsRecordedLate) {
  const Timestamp at = clock.now();
  ChainHead head;
  database().transact("be late", [&](schema::Transaction& late) {
    late.exec_script(R"sql(
      insert into kpi_batch (id, entry_count, digest, received_at, principal_id)
      values (nextval('kpi_batch_id'), 1, decode(repeat('ab', 32), 'hex'), '2024-02-12', 1)
    )sql");
    commit({event("a")});
    head = chainer.close_book(at);
  });
  EXPECT_EQ(head.sequence, 1);
  EXPECT_EQ(chainer.chain_some(), 1);
  EXPECT_EQ(chainer.close_book(at), head);
  EXPECT_GT(chain().back().recorded_at, at);
}

TEST_F(ChainerTest, TheThreadChainsWhatItIsWokenFor) {
  chainer.start();
  commit({event("a")});
  chainer.wake();
  EXPECT_TRUE(testing::eventually([&] { return chainer.head().sequence == 1; }));
  chainer.stop();
}

// Goal: several servers write, chain and close the book at once; nothing is lost, the chain
// has no gap, and every book stays as it was when it was closed.
TEST_F(ChainerTest, SeveralServersDoSoAtOnce) {
  constexpr int kWriters = 3;
  constexpr int kBatches = 60;
  struct Book {
    Timestamp at;
    ChainHead head;
  };
  std::vector<Book> books;
  std::atomic<bool> is_over = false;
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        for (int batch = 0; batch < kBatches; ++batch) {
          commit({event(std::to_string(writer) + "-" + std::to_string(batch))});
        }
      });
    }
    std::vector<std::jthread> chainers;
    for (int server = 0; server < 2; ++server) {
      chainers.emplace_back([&] {
        Chainer other(database(), clock);
        while (!is_over) other.chain_some();
      });
    }
    std::jthread reader([&] {
      Chainer other(database(), clock);
      while (!is_over) {
        clock.advance(1ms);
        const Timestamp at = clock.now();
        books.push_back({at, other.close_book(at)});
      }
    });
    writers.clear();
    is_over = true;
  }
  chainer.chain_some();
  const auto batches = chain();
  EXPECT_EQ(batches.size(), kWriters * kBatches);
  expect_sound(batches);
  ASSERT_FALSE(books.empty());
  for (const Book& book : books) EXPECT_EQ(chainer.close_book(book.at), book.head);
}

}  // namespace
}  // namespace mendel::registry
