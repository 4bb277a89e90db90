// spiece.model -> TokenizerSpec. The sentencepiece library reads and checks the file; the text is then tokenized by
// the same code as for tokenizer.json, because the reference, too, converts the file to its own Unigram and treats
// "</s>" and "<extra_id_0>" in a prompt as tokens, which the library would spell out.
#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <cmath>
#include <optional>

#include "engine/files/tokenizer_spec.h"

namespace rubato {
namespace {

// Walks the fields of one protobuf message. The library has no call that hands out the character map.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  // The next field: its bytes if it is length-delimited, its value if it is a varint. nullopt at the end or at damage.
  struct Field {
    std::uint64_t number = 0, value = 0;
    std::string_view bytes;
  };
  std::optional<Field> next() {
    const auto tag = varint();
    if (!tag) return std::nullopt;
    Field field{*tag >> 3, 0, {}};
    const std::uint64_t wire = *tag & 7;
    if (wire == 0 || wire == 2) {
      const auto value = varint();
      if (!value) return std::nullopt;
      field.value = *value;
    }
    const auto bytes = take(wire == 2 ? field.value : wire == 1 ? 8 : wire == 5 ? 4 : 0);
    if (!bytes || wire == 3 || wire == 4 || wire > 5) return std::nullopt;
    field.bytes = *bytes;
    return field;
  }
  // The last field of that number in a message.
  static std::optional<Field> last(std::string_view message, std::uint64_t number) {
    std::optional<Field> found;
    Fields fields(message);
    while (const auto field = fields.next())
      if (field->number == number) found = field;
    return found;
  }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> take(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view rest_;
};

}  // namespace

Result<TokenizerSpec> read_spiece_model(std::string_view bytes, const std::string& source) {
  // Field numbers and values of sentencepiece_model.proto.
  constexpr std::uint64_t kPiece = 1, kTrainerSpec = 2, kNormalizerSpec = 3;
  constexpr std::uint64_t kPieceType = 3, kModelType = 3, kPrecompiledCharsmap = 2;
  constexpr std::uint64_t kUnigram = 1, kControl = 3, kUserDefined = 4;
  const auto bad = [&](const std::string& why) { return Error{ErrorCode::ModelUnfit, source + why}; };

  sentencepiece::SentencePieceProcessor model;
  if (const auto status = model.LoadFromSerializedProto(bytes); !status.ok())
    return bad(" is not a SentencePiece model, or it is damaged");
  const int count = model.GetPieceSize();
  if (count <= 0 || static_cast<std::size_t>(count) > TokenizerSpec::kMaxPieces)
    return bad(fmt::format(" has {} pieces; the limit is {}", count, TokenizerSpec::kMaxPieces));

  TokenizerSpec spec;
  spec.source = source;
  spec.unk_id = model.unk_id();
  for (int id = 0; id < count; ++id) {
    spec.pieces.push_back(model.IdToPiece(id));
    spec.scores.push_back(static_cast<double>(model.GetScore(id)));
    if (spec.pieces.back().size() > TokenizerSpec::kMaxPieceBytes || !std::isfinite(spec.scores.back()))
      return bad(fmt::format(": piece {} is too long or has a score that is not finite", id));
  }

  std::size_t id = 0;
  Fields fields(bytes);
  while (const auto field = fields.next()) {
    if (field->number == kPiece && id < spec.pieces.size()) {
      const auto type = Fields::last(field->bytes, kPieceType);
      if (type && (type->value == kControl || type->value == kUserDefined)) {
        AddedToken token;
        token.content = spec.pieces[id];
        token.normalized = false;
        token.special = type->value == kControl;
        spec.added.push_back(std::move(token));
      }
      ++id;
    } else if (field->number == kTrainerSpec) {
      const auto kind = Fields::last(field->bytes, kModelType);
      if (kind && kind->value != kUnigram) return bad(" is not a Unigram model, which text encoders of this kind need");
    } else if (field->number == kNormalizerSpec) {
      const auto map = Fields::last(field->bytes, kPrecompiledCharsmap);
      if (!map || map->bytes.empty()) continue;
      RUBATO_TRY(charsmap, parse_charsmap(map->bytes, source));
      spec.normalizer.assign(1, std::move(charsmap));
    }
  }
  return spec;
}

}  // namespace rubato
