#include "ui/create/field_texts.h"

#include <QCoreApplication>

#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

struct Row {
  std::string_view name;
  const char* label;
  const char* unit;
  FormPlace place;
};

constexpr Row kRows[] = {
    {"prompt", QT_TRANSLATE_NOOP("Fields", "Prompt"), "", FormPlace::Elsewhere},
    {"negative_prompt", QT_TRANSLATE_NOOP("Fields", "Not in the clip"), "", FormPlace::Elsewhere},
    {"model", QT_TRANSLATE_NOOP("Fields", "Model"), "", FormPlace::Elsewhere},
    {"image", QT_TRANSLATE_NOOP("Fields", "First frame"), "", FormPlace::Basic},
    {"size", QT_TRANSLATE_NOOP("Fields", "Size"), QT_TRANSLATE_NOOP("Fields", "pixels"), FormPlace::Basic},
    {"frames", QT_TRANSLATE_NOOP("Fields", "Length"), QT_TRANSLATE_NOOP("Fields", "frames"), FormPlace::Basic},
    {"fps", QT_TRANSLATE_NOOP("Fields", "Frame rate"), QT_TRANSLATE_NOOP("Fields", "fps"), FormPlace::Basic},
    {"steps", QT_TRANSLATE_NOOP("Fields", "Steps"), "", FormPlace::Basic},
    {"guidance", QT_TRANSLATE_NOOP("Fields", "Guidance"), "", FormPlace::Basic},
    {"guidance_2", QT_TRANSLATE_NOOP("Fields", "Guidance, second expert"), "", FormPlace::Basic},
    {"seed", QT_TRANSLATE_NOOP("Fields", "Seed"), "", FormPlace::Basic},
    {"max_sequence_length", QT_TRANSLATE_NOOP("Fields", "Prompt length"), QT_TRANSLATE_NOOP("Fields", "tokens"),
     FormPlace::Advanced},
    {"rate", QT_TRANSLATE_NOOP("Fields", "Latent frame rate"), "", FormPlace::Advanced},
    {"attention", QT_TRANSLATE_NOOP("Fields", "Attention"), "", FormPlace::Advanced},
    {"cache", QT_TRANSLATE_NOOP("Fields", "Reuse of steps"), "", FormPlace::Advanced},
    {"device", QT_TRANSLATE_NOOP("Fields", "Device"), "", FormPlace::Advanced},
    {"dtype", QT_TRANSLATE_NOOP("Fields", "Precision"), "", FormPlace::Advanced},
    {"reserve", QT_TRANSLATE_NOOP("Fields", "GPU memory to leave"), "", FormPlace::Advanced},
    {"max_ram", QT_TRANSLATE_NOOP("Fields", "Memory limit"), "", FormPlace::Advanced},
    {"name", QT_TRANSLATE_NOOP("Fields", "Title"), "", FormPlace::Advanced},
    {"keep_latents", QT_TRANSLATE_NOOP("Fields", "Keep latents"), "", FormPlace::Advanced},
    {"metadata", QT_TRANSLATE_NOOP("Fields", "Write how it was made"), "", FormPlace::Advanced},
    {"out", QT_TRANSLATE_NOOP("Fields", "File"), "", FormPlace::Elsewhere},
    {"overwrite", QT_TRANSLATE_NOOP("Fields", "Overwrite"), "", FormPlace::Elsewhere},
    {"id", QT_TRANSLATE_NOOP("Fields", "Identifier"), "", FormPlace::Elsewhere},
};

}  // namespace

FieldWords field_words(std::string_view name) {
  for (const auto& row : kRows)
    if (row.name == name)
      return {QCoreApplication::translate("Fields", row.label),
              *row.unit == '\0' ? QString() : QCoreApplication::translate("Fields", row.unit), row.place};
  auto label = qt(name).replace(QLatin1Char('_'), QLatin1Char(' '));
  if (!label.isEmpty()) label[0] = label[0].toUpper();
  return {label, {}, FormPlace::Advanced};
}

}  // namespace rubato::ui
