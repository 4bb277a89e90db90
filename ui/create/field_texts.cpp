#include "ui/create/field_texts.h"

#include <QCoreApplication>
#include <QLocale>

#include "pipelines/job/field_value.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

struct Words {
  Q_DECLARE_TR_FUNCTIONS(Fields)
};

struct Row {
  std::string_view name;
  const char *label, *unit, *help;
  FormPlace place;
};

constexpr Row kRows[] = {
    {"prompt", QT_TRANSLATE_NOOP("Fields", "Prompt"), "", QT_TRANSLATE_NOOP("Fields", "What the video shows"),
     FormPlace::Elsewhere},
    {"negative_prompt", QT_TRANSLATE_NOOP("Fields", "Not in the clip"), "",
     QT_TRANSLATE_NOOP("Fields", "What the video should not show"), FormPlace::Elsewhere},
    {"model", QT_TRANSLATE_NOOP("Fields", "Model"), "", QT_TRANSLATE_NOOP("Fields", "The model that makes the clip"),
     FormPlace::Elsewhere},
    {"image", QT_TRANSLATE_NOOP("Fields", "First frame"), "",
     QT_TRANSLATE_NOOP("Fields", "The picture that the clip begins with: a file of yours"), FormPlace::Basic},
    {"size", QT_TRANSLATE_NOOP("Fields", "Size"), QT_TRANSLATE_NOOP("Fields", "pixels"),
     QT_TRANSLATE_NOOP("Fields", "Width and height of the clip"), FormPlace::Basic},
    {"frames", QT_TRANSLATE_NOOP("Fields", "Length"), QT_TRANSLATE_NOOP("Fields", "frames"),
     QT_TRANSLATE_NOOP("Fields", "How many frames the clip has; most models take a multiple of four and one more"),
     FormPlace::Basic},
    {"fps", QT_TRANSLATE_NOOP("Fields", "Frame rate"), QT_TRANSLATE_NOOP("Fields", "fps"),
     QT_TRANSLATE_NOOP("Fields", "Frames that are shown in a second"), FormPlace::Basic},
    {"steps", QT_TRANSLATE_NOOP("Fields", "Steps"), "",
     QT_TRANSLATE_NOOP("Fields", "Steps of denoising: more take longer and show finer detail"), FormPlace::Basic},
    {"guidance", QT_TRANSLATE_NOOP("Fields", "Guidance"), "",
     QT_TRANSLATE_NOOP("Fields", "How strictly the prompt is followed; at 1 there is no guidance"), FormPlace::Basic},
    {"guidance_2", QT_TRANSLATE_NOOP("Fields", "Guidance, second expert"), "",
     QT_TRANSLATE_NOOP("Fields", "Guidance of the second expert, of models that have two"), FormPlace::Basic},
    {"seed", QT_TRANSLATE_NOOP("Fields", "Seed"), "",
     QT_TRANSLATE_NOOP("Fields", "Seed of the noise: the same seed gives the same clip"), FormPlace::Basic},
    {"max_sequence_length", QT_TRANSLATE_NOOP("Fields", "Prompt length"), QT_TRANSLATE_NOOP("Fields", "tokens"),
     QT_TRANSLATE_NOOP("Fields", "How many tokens of the prompt are used"), FormPlace::Advanced},
    {"rate", QT_TRANSLATE_NOOP("Fields", "Latent frame rate"), "",
     QT_TRANSLATE_NOOP("Fields", "How the rate of latent frames is chosen"), FormPlace::Advanced},
    {"attention", QT_TRANSLATE_NOOP("Fields", "Attention"), "",
     QT_TRANSLATE_NOOP("Fields", "How attention is computed"), FormPlace::Advanced},
    {"cache", QT_TRANSLATE_NOOP("Fields", "Reuse of steps"), "",
     QT_TRANSLATE_NOOP("Fields", "What is reused between the steps of denoising"), FormPlace::Advanced},
    {"device", QT_TRANSLATE_NOOP("Fields", "Device"), "", QT_TRANSLATE_NOOP("Fields", "Where to compute"),
     FormPlace::Advanced},
    {"dtype", QT_TRANSLATE_NOOP("Fields", "Precision"), "",
     QT_TRANSLATE_NOOP("Fields", "Precision of the computation; auto: float32 on the CPU, bfloat16 on a GPU"),
     FormPlace::Advanced},
    {"reserve", QT_TRANSLATE_NOOP("Fields", "GPU memory to leave"), "",
     QT_TRANSLATE_NOOP("Fields", "Memory of the GPU that is left to other programs"), FormPlace::Advanced},
    {"max_ram", QT_TRANSLATE_NOOP("Fields", "Memory limit"), "",
     QT_TRANSLATE_NOOP("Fields", "Memory of the computer that a render may take"), FormPlace::Advanced},
    {"name", QT_TRANSLATE_NOOP("Fields", "Title"), "",
     QT_TRANSLATE_NOOP("Fields", "Title for the lists and for the file"), FormPlace::Advanced},
    {"keep_latents", QT_TRANSLATE_NOOP("Fields", "Keep latents"), "",
     QT_TRANSLATE_NOOP("Fields", "Keeps the folder with the finished latents"), FormPlace::Advanced},
    {"metadata", QT_TRANSLATE_NOOP("Fields", "Write how it was made"), "",
     QT_TRANSLATE_NOOP("Fields", "Writes how the clip was made into the file and beside it"), FormPlace::Advanced},
    {"out", QT_TRANSLATE_NOOP("Fields", "File"), "", QT_TRANSLATE_NOOP("Fields", "The file that is written"),
     FormPlace::Elsewhere},
    {"overwrite", QT_TRANSLATE_NOOP("Fields", "Overwrite"), "",
     QT_TRANSLATE_NOOP("Fields", "What happens when the file exists"), FormPlace::Elsewhere},
    {"id", QT_TRANSLATE_NOOP("Fields", "Identifier"), "", QT_TRANSLATE_NOOP("Fields", "Identifier in reports"),
     FormPlace::Elsewhere},
};

// What the schema says of fields that are left open.
constexpr const char* kOpen[] = {
    QT_TRANSLATE_NOOP("Fields", "a new one"),    QT_TRANSLATE_NOOP("Fields", "none"),
    QT_TRANSLATE_NOOP("Fields", "what is free"), QT_TRANSLATE_NOOP("Fields", "the model's"),
    QT_TRANSLATE_NOOP("Fields", "on"),           QT_TRANSLATE_NOOP("Fields", "off")};

QString translated(const char* text) { return *text == '\0' ? QString() : Words::tr(text); }

QString names_text(const std::vector<std::string_view>& names) {
  QStringList list;
  for (const auto name : names) list.append(qt(name));
  return listed(list);
}

}  // namespace

FieldWords field_words(std::string_view name) {
  for (const auto& row : kRows)
    if (row.name == name) return {translated(row.label), translated(row.unit), translated(row.help), row.place};
  auto label = qt(name).replace(QLatin1Char('_'), QLatin1Char(' '));
  if (!label.isEmpty()) label[0] = label[0].toUpper();
  return {label, {}, {}, FormPlace::Advanced};
}

QString rule_text(const FieldRef& field) {
  const QLocale locale;
  return std::visit(detail::Overloaded{
                        [&](const IntRange& rule) {
                          return Words::tr("%1 to %2").arg(locale.toString(rule.min), locale.toString(rule.max));
                        },
                        [&](const RealRange& rule) {
                          return Words::tr("%1 to %2").arg(locale.toString(rule.min), locale.toString(rule.max));
                        },
                        [](const Choice& rule) { return names_text(rule.names); },
                        [&](const SizeSpec& rule) {
                          return Words::tr("%1 to %2 a side").arg(locale.toString(rule.min), locale.toString(rule.max));
                        },
                        [](const SeedSpec&) { return Words::tr("0 or more"); },
                        [](const BytesSpec&) { return Words::tr("an amount such as 1.5GiB or 800MB"); },
                        [](const DeviceText&) { return QStringLiteral("auto, cpu, cuda, cuda:N"); },
                        [&](const Method&) { return names_text(detail::policy_of(field)->methods()); },
                        [](const auto&) { return QString(); },
                    },
                    field.rule);
}

QString default_text(const FieldRef& field) {
  const auto text = describe_default(field);
  for (const auto* known : kOpen)
    if (text == known) return translated(known);
  return number_text(qt(text));
}

QString number_text(const QString& text) {
  bool number = false;
  const double value = text.toDouble(&number);
  if (!number || !text.contains(QLatin1Char('.'))) return text;
  return QLocale().toString(value, 'f', QLocale::FloatingPointShortest);
}

}  // namespace rubato::ui
