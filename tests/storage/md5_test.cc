#include "storage/base/md5.h"

#include <gtest/gtest.h>

#include "storage/base/digest.h"

namespace mendel {
namespace {

std::string md5_of(std::string_view text) {
  Md5 md5;
  for (const char& c : text) md5.update(as_bytes(std::string_view(&c, 1)));
  return md5.finish();
}

// RFC 1321, appendix A.5.
TEST(Md5, GivesTheExamplesOfTheRfc) {
  EXPECT_EQ(md5_of(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_of("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5_of("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace
}  // namespace mendel
