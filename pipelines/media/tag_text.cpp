#include "pipelines/media/tag_text.h"

#include <array>
#include <utility>

namespace rubato {
namespace {

constexpr std::array<std::pair<char, std::string_view>, 5> kEntities{
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}}};

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    std::string_view entity;
    for (const auto& [plain, name] : kEntities)
      if (c == plain) entity = name;
    if (entity.empty()) {
      out += c;
    } else {
      out += entity;
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t used = 1;
    char c = text.front();
    for (const auto& [plain, name] : kEntities) {
      if (text.starts_with(name)) {
        c = plain;
        used = name.size();
        break;
      }
    }
    out += c;
    text.remove_prefix(used);
  }
  return out;
}

// Between the first `open` and the `close` after it.
std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
  const auto begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + open.size());
  const auto end = text.find(close);
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end);
}

}  // namespace

std::string xmp_packet(std::string_view json, std::string_view comment) {
  std::string text =
      "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
      "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
      "xmlns:rubato=\"urn:rubato:metadata:1\">";
  if (!comment.empty())
    text += "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">" + escape(comment) +
            "</rdf:li></rdf:Alt></dc:description>";
  if (!json.empty()) text += "<rubato:metadata>" + escape(json) + "</rubato:metadata>";
  return text + "</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>";
}

XmpText parse_xmp(std::string_view packet) {
  return {unescape(between(packet, "<rubato:metadata>", "</rubato:metadata>")),
          unescape(between(between(packet, "<dc:description>", "</dc:description>"), "xml:lang=\"x-default\">", "<"))};
}

}  // namespace rubato
