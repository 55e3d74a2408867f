#include "cli/verified_file.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

struct Outcome {
  std::string bytes;
  bool finished = false;
};

class Recorder : public FileReceiver {
 public:
  explicit Recorder(Outcome& outcome) : outcome_(outcome) {}
  void write(std::span<const std::byte> data) override { outcome_.bytes += as_text(data); }
  void finish() override { outcome_.finished = true; }

 private:
  Outcome& outcome_;
};

class Verified : public ::testing::Test {
 protected:
  Verified() {
    wanted.path = "a";
    wanted.digest = Digest::of("content");
    wanted.size_bytes = 7;
  }

  storage::ManifestFile wanted;
  Outcome outcome;
  Progress progress{"testing", 7};
};

TEST_F(Verified, FinishesWhatIsRight) {
  VerifiedFile file(wanted, std::make_unique<Recorder>(outcome), progress);
  file.write(as_bytes("con"));
  file.write(as_bytes("tent"));
  file.finish();
  EXPECT_EQ(outcome.bytes, "content");
  EXPECT_TRUE(outcome.finished);
}

TEST_F(Verified, FinishesNothingThatHasAnotherDigest) {
  VerifiedFile file(wanted, std::make_unique<Recorder>(outcome), progress);
  file.write(as_bytes("c0ntent"));
  EXPECT_THROW(file.finish(), Error);
  EXPECT_FALSE(outcome.finished);
}

TEST_F(Verified, FinishesNothingThatIsTooShort) {
  VerifiedFile file(wanted, std::make_unique<Recorder>(outcome), progress);
  file.write(as_bytes("con"));
  EXPECT_THROW(file.finish(), Error);
  EXPECT_FALSE(outcome.finished);
}

TEST_F(Verified, TakesNoMoreThanTheFileHas) {
  VerifiedFile file(wanted, std::make_unique<Recorder>(outcome), progress);
  EXPECT_THROW(file.write(as_bytes("content!")), Error);
  EXPECT_EQ(outcome.bytes, "");
}

}  // namespace
}  // namespace mendel::cli
