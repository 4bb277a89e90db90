#include "engine/files/problem_list.h"

namespace rubato {

std::string shown_name(std::string_view name) {
  std::string text(clip_utf8(name, 100));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  if (text.size() < name.size()) text += "…";
  return text;
}

}  // namespace rubato
