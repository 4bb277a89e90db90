#include "ui/widgets/engine_text.h"

#include <QRegularExpression>

#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"
#include "ui/create/field_texts.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

struct Advice {
  const char *pattern, *instead;
};

// What a person at the window does instead; the whole advice first, single commands after it.
constexpr Advice kAdvice[] = {
    {"choose another name or pass --overwrite always", "move it away, or choose another folder in the File menu"},
    {"--overwrite always replaces it", "move the old one away first"},
    {"say what the video shows with -p TEXT", "write what the video shows"},
    {"leave out --image, or use a model", "take the first frame away, or choose a model"},
    {"the same command( without --trace)? goes on from there", "“Try again” in the queue goes on from there"},
    {"the same command( without --trace)? only decodes them", "“Try again” in the queue only decodes them"},
    {"run the same command again", "try again"},
    {"add it again with 'queue add'", "render it again from its settings"},
    {" \\(rubato-cli models info [^)]* lists them\\)", ""},
    {"'rubato-cli doctor' checks the engine and the GPU", "the page System checks the engine and the GPU"},
    {"; 'rubato-cli run [^']*' renders it", ", and the window takes one job at a time"},
    {"'rubato-cli models info [^']*' looks at it", "the page Models shows it"},
    {"run 'rubato-cli models scan' on the folder", "look again on the page Models once its folder is added: the one"},
    {" with 'rubato-cli models check'", ""},
    {"a model's name that 'models list' shows", "a model of the page Models"},
};

// The setting that a flag stands for; "" if it is none of a job's.
QString label_of_flag(QString flag) {
  flag.replace(QLatin1Char('-'), QLatin1Char('_'));
  const bool no = flag.startsWith(QLatin1String("no_"));
  if (no) flag.remove(0, 3);
  VideoJob job;
  for (const auto& field : fields_of(job))
    if (qt(field.name) == flag && field.group != Group::Inspection) return field_words(field.name).label;
  return {};
}

}  // namespace

QString for_window(std::string_view sentence) {
  auto text = qt(sentence);
  if (!text.contains(QLatin1Char('-')) && !text.contains(QLatin1String("command"))) return text;
  for (const auto& advice : kAdvice)
    text.replace(QRegularExpression(QLatin1String(advice.pattern)), QString::fromUtf8(advice.instead));
  static const QRegularExpression flag(QStringLiteral("(?<![\\w-])--([a-z][a-z0-9-]*)(=?)"));
  qsizetype from = 0;
  for (auto match = flag.match(text, from); match.hasMatch(); match = flag.match(text, from)) {
    const auto label = label_of_flag(match.captured(1));
    if (label.isEmpty()) {
      from = match.capturedEnd();
      continue;
    }
    const auto said = QString(QChar(0x201c) + label + QChar(0x201d) +
                              (match.capturedLength(2) > 0 ? QStringLiteral(" ") : QString()));
    text.replace(match.capturedStart(), match.capturedLength(), said);
    from = match.capturedStart() + said.size();
  }
  return text;
}

}  // namespace rubato::ui
