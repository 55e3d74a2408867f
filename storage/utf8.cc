#include "storage/utf8.h"

#include <cstddef>

namespace mendel::storage {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// The size of the well-formed sequence that text begins with, 0 if there is none: table 3-7
// of the Unicode standard, which narrows the second byte to keep out overlong forms and
// surrogates.
std::size_t sequence_size(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < size) return 0;

  const unsigned second_min = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned second_max = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte_at(text, 1) < second_min || byte_at(text, 1) > second_max) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

// Only two-byte sequences, U+0080 to U+07FF, come here.
unsigned fold(unsigned c) {
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;
  if (c >= 0x100 && c <= 0x137 && c != 0x130) return c | 1;
  if (c >= 0x139 && c <= 0x148) return c + (c & 1);
  if (c >= 0x14A && c <= 0x177) return c | 1;
  if (c == 0x178) return 0xFF;
  if (c >= 0x179 && c <= 0x17E) return c + (c & 1);
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 0x25;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 0x3F;
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 0x20;
  if (c == 0x3C2) return 0x3C3;
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;
  return c;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = sequence_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

void append_case_folded(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const unsigned lead = byte_at(text, at);
    if (lead >= 'A' && lead <= 'Z') {
      out += static_cast<char>(lead + ('a' - 'A'));
    } else if (lead >= 0xC2 && lead <= 0xDF) {
      const unsigned folded = fold((lead & 0x1F) << 6 | (byte_at(text, ++at) & 0x3F));
      out += static_cast<char>(0xC0 | folded >> 6);
      out += static_cast<char>(0x80 | (folded & 0x3F));
    } else {
      out += text[at];
    }
  }
}

}  // namespace mendel::storage
