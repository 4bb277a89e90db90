#include "ui/theme/theme.h"

#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QImage>
#include <QRegularExpression>

namespace rubato::ui {
namespace {

TEST(Theme, EveryPairOfTextAndGroundCanBeRead) {
  for (const auto& theme : builtin_themes())
    for (const auto& [text, ground] : text_pairs()) {
      ASSERT_TRUE(theme.colors.contains(QLatin1String(text))) << text;
      ASSERT_TRUE(theme.colors.contains(QLatin1String(ground))) << ground;
      EXPECT_GE(contrast(theme.color(text), theme.color(ground)), 4.5)
          << theme.id.toStdString() << ": " << text << " on " << ground;
    }
}

TEST(Theme, ContrastIsThatOfTheGuidelines) {
  EXPECT_NEAR(contrast(Qt::black, Qt::white), 21, 1e-9);
  EXPECT_NEAR(contrast(QColor(0x77, 0x77, 0x77), Qt::white), 4.48, 0.01);  // the guidelines' own example
}

TEST(Theme, ThereAreThreeAndAnUnknownOneIsTheDefault) {
  EXPECT_EQ(builtin_themes().size(), 3u);
  EXPECT_EQ(theme_named(QStringLiteral("nothing")).id, builtin_themes().front().id);
}

TEST(Theme, EveryColourOfTheSheetIsInEveryTheme) {
  QFile sheet(QStringLiteral(":/themes/studio.qss"));
  ASSERT_TRUE(sheet.open(QIODevice::ReadOnly));
  const auto text = QString::fromUtf8(sheet.readAll());
  QRegularExpression name(QStringLiteral("@([a-z_]+)"));
  for (auto found = name.globalMatch(text); found.hasNext();) {
    const auto color = found.next().captured(1);
    if (color == QLatin1String("name")) continue;  // of the comment
    for (const auto& theme : builtin_themes()) EXPECT_TRUE(theme.colors.contains(color)) << color.toStdString();
  }
}

TEST(Icons, EachDrawsSomethingInTheColourOfTheTheme) {
  for (const auto& file : QDir(QStringLiteral(":/icons")).entryList({QStringLiteral("*.svg")})) {
    const auto image = icon(file.chopped(4), "accent").pixmap(24, 24).toImage();
    ASSERT_FALSE(image.isNull()) << file.toStdString();
    int drawn = 0;
    for (int y = 0; y < image.height(); ++y)
      for (int x = 0; x < image.width(); ++x) drawn += qAlpha(image.pixel(x, y)) > 128;
    EXPECT_GT(drawn, 10) << file.toStdString();
  }
}

}  // namespace
}  // namespace rubato::ui
