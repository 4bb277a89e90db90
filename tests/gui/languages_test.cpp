// The translations themselves: complete, with the same placeholders and accelerators as the sources, and up to date.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QApplication>
#include <QFile>
#include <QLocale>
#include <QProcess>
#include <QRegularExpression>
#include <QXmlStreamReader>
#include <set>

#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"
#include "tests/support/temp_folder.h"
#include "ui/create/field_texts.h"
#include "ui/languages/language.h"
#include "ui/theme/theme.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

struct Message {
  QString context, source, state;  // "" = finished
  bool numerus = false;
  QStringList forms;
};

QByteArray bytes_of(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

std::vector<Message> messages_of(const QByteArray& ts) {
  std::vector<Message> all;
  QXmlStreamReader xml(ts);
  QString context;
  while (!xml.atEnd()) {
    if (xml.readNext() != QXmlStreamReader::StartElement) continue;
    if (xml.name() == QLatin1String("name")) context = xml.readElementText();
    if (xml.name() == QLatin1String("message"))
      all.push_back({context, {}, {}, xml.attributes().value(QLatin1String("numerus")) == QLatin1String("yes"), {}});
    if (xml.name() == QLatin1String("source")) all.back().source = xml.readElementText();
    if (xml.name() == QLatin1String("translation")) {
      all.back().state = xml.attributes().value(QLatin1String("type")).toString();
      if (!all.back().numerus) all.back().forms = {xml.readElementText()};
    }
    if (xml.name() == QLatin1String("numerusform")) all.back().forms.append(xml.readElementText());
  }
  EXPECT_FALSE(xml.hasError()) << xml.errorString().toStdString();
  return all;
}

// %1, %n, each as often as it stands there; that a number is written in the user's way (%L1) is the translator's
// choice.
QStringList placeholders(const QString& text) {
  QStringList found;
  static const QRegularExpression one(QStringLiteral("%L?([0-9]+|n)"));
  for (auto it = one.globalMatch(text); it.hasNext();) found.append(it.next().captured(1));
  found.sort();
  return found;
}

int accelerators(const QString& text) {
  static const QRegularExpression one(QStringLiteral("&[A-Za-z]"));
  auto it = one.globalMatch(text);
  int count = 0;
  for (; it.hasNext(); it.next()) ++count;
  return count;
}

class Translation : public testing::TestWithParam<const char*> {
 protected:
  QString file() const {
    return QStringLiteral(RUBATO_SOURCES "/ui/languages/rubato_%1.ts").arg(QLatin1String(GetParam()));
  }
};

TEST_P(Translation, IsComplete) {
  const auto all = messages_of(bytes_of(file()));
  EXPECT_FALSE(all.empty());
  const bool english = GetParam() == std::string("en");
  for (const auto& message : all) {
    const auto what = (message.context + QStringLiteral(": ") + message.source).toStdString();
    EXPECT_EQ(message.state.toStdString(), "") << what;
    // As many forms as the language has.
    EXPECT_EQ(message.forms.size(), message.numerus && GetParam() != std::string("zh_CN") ? 2 : 1) << what;
    for (const auto& form : message.forms) {
      EXPECT_FALSE(form.isEmpty()) << what;
      EXPECT_EQ(placeholders(form), placeholders(message.source)) << what << " ⇒ " << form.toStdString();
      EXPECT_EQ(accelerators(form), accelerators(message.source)) << what << " ⇒ " << form.toStdString();
      EXPECT_EQ(form.count(QChar(0x2026)), message.source.count(QChar(0x2026))) << what;
      EXPECT_EQ(form.count(QStringLiteral(";;")), message.source.count(QStringLiteral(";;"))) << what;
      EXPECT_FALSE(english && form.contains(QLatin1String("(s)"))) << what;
    }
  }
}

// Reads the sources again: every text that they have is in the file, and none that they had.
TEST_P(Translation, IsUpToDate) {
  const test::TempFolder folder;
  const auto copy = QString::fromStdString((folder / "rubato.ts").string());
  ASSERT_TRUE(QFile::copy(file(), copy));
  QStringList arguments{QStringLiteral("ui"),
                        QStringLiteral("-I"),
                        QStringLiteral("."),
                        QStringLiteral("-silent"),
                        QStringLiteral("-no-obsolete"),
                        QStringLiteral("-locations"),
                        QStringLiteral("none"),
                        QStringLiteral("-source-language"),
                        QStringLiteral("en"),
                        QStringLiteral("-target-language"),
                        QLatin1String(GetParam())};
  if (GetParam() == std::string("en")) arguments.append(QStringLiteral("-pluralonly"));
  QProcess lupdate;
  lupdate.setWorkingDirectory(QStringLiteral(RUBATO_SOURCES));
  lupdate.start(QStringLiteral(RUBATO_LUPDATE), arguments + QStringList{QStringLiteral("-ts"), copy});
  ASSERT_TRUE(lupdate.waitForFinished(60'000));
  EXPECT_EQ(lupdate.exitCode(), 0);
  // Its warnings (a class without Q_OBJECT, say) are of texts that would not be found when the program runs.
  EXPECT_THAT(lupdate.readAllStandardError().toStdString(), testing::Not(testing::HasSubstr("lacks Q_OBJECT")));
  const auto key = [](const Message& message) {
    return (message.context + QLatin1Char('|') + message.source).toStdString();
  };
  std::set<std::string> kept, read;
  for (const auto& message : messages_of(bytes_of(file()))) kept.insert(key(message));
  for (const auto& message : messages_of(bytes_of(copy))) read.insert(key(message));
  for (const auto& text : read) EXPECT_TRUE(kept.contains(text)) << text << " is new: run packaging/languages.sh";
  for (const auto& text : kept) EXPECT_TRUE(read.contains(text)) << text << " has gone: run packaging/languages.sh";
}

INSTANTIATE_TEST_SUITE_P(Languages, Translation, testing::Values("en", "de", "zh_CN"));

TEST(Language, TheBestOfThoseThatTheSystemNamesIsTaken) {
  const auto best = [](const char* names) {
    return best_language(QString::fromLatin1(names).split(QLatin1Char(' '))).toStdString();
  };
  EXPECT_EQ(best("de-AT en"), "de");
  EXPECT_EQ(best("fr-FR de"), "de");
  EXPECT_EQ(best("zh-Hans-SG"), "zh_CN");
  EXPECT_EQ(best("zh-CN"), "zh_CN");
  EXPECT_EQ(best("zh-TW de"), "de");  // traditional Chinese is another script
  EXPECT_EQ(best("en-GB de"), "en");
  EXPECT_EQ(best("C"), "en");
}

TEST(Language, NumbersAndPluralsFollowIt) {
  const auto moment = [] { return moment_text(86'400.0 * 365).toStdString(); };
  apply_language(*qApp, QStringLiteral("de"));
  EXPECT_EQ(bytes_text(1'400'000'000).toStdString(), "1,4 GB");
  EXPECT_EQ(number_text(QStringLiteral("3.5")).toStdString(), "3,5");
  EXPECT_EQ(moment(), "1. Jan. 1971");
  EXPECT_EQ(theme_named(QStringLiteral("dark")).title.toStdString(), "Dunkel");
  EXPECT_EQ(QCoreApplication::translate("rubato::ui::LibraryModel", "%Ln frame(s)", nullptr, 1).toStdString(),
            "1 Bild");
  EXPECT_EQ(QCoreApplication::translate("rubato::ui::LibraryModel", "%Ln frame(s)", nullptr, 1'065).toStdString(),
            "1.065 Bilder");
  apply_language(*qApp, QStringLiteral("zh_CN"));
  EXPECT_EQ(moment(), "1971年1月1日");
  EXPECT_EQ(listed({QStringLiteral("a"), QStringLiteral("b")}).toStdString(), "a，b");
  apply_language(*qApp, QStringLiteral("en"));
  EXPECT_EQ(bytes_text(1'400'000'000).toStdString(), "1.4 GB");
  EXPECT_EQ(moment(), "1 Jan 1971");
  EXPECT_EQ(QCoreApplication::translate("rubato::ui::LibraryModel", "%Ln frame(s)", nullptr, 1).toStdString(),
            "1 frame");
}

TEST(FieldTexts, EveryFieldOfTheFormHasHelpOfItsOwn) {
  VideoJob job;
  for (const auto& field : fields_of(job)) {
    if (field.group == Group::Inspection) continue;
    EXPECT_FALSE(field_words(field.name).help.isEmpty()) << field.name;
  }
}

TEST(EngineText, AFlagBecomesItsSetting) {
  const auto said = [](const char* sentence) { return for_window(sentence).toStdString(); };
  EXPECT_EQ(said("there is not enough memory; --frames 49 or --size 640x352 would fit"),
            "there is not enough memory; “Length” 49 or “Size” 640x352 would fit");
  EXPECT_EQ(said("leave 2 GB more with --reserve=1GiB"), "leave 2 GB more with “GPU memory to leave” 1GiB");
  EXPECT_EQ(said("/a/b.mp4 exists already; choose another name or pass --overwrite always"),
            "/a/b.mp4 exists already; move it away, or choose another folder in the File menu");
  EXPECT_EQ(said("step 12 of 30 is kept in x; the same command goes on from there"),
            "step 12 of 30 is kept in x; “Try again” in the queue goes on from there");
  // What is no setting, and names with dashes in them, are left alone.
  EXPECT_EQ(said("unknown --colour in /tmp/a--steps-b.mp4"), "unknown --colour in /tmp/a--steps-b.mp4");
}

}  // namespace
}  // namespace rubato::ui
