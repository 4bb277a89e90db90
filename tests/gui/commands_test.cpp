#include "ui/shell/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QWidget>
#include <fstream>

#include "tests/support/temp_folder.h"
#include "ui/shell/command_palette.h"

namespace rubato::ui {
namespace {

using testing::HasSubstr;

void fill(Commands& commands, QWidget* stage, QWidget* queue) {
  const auto add = [&](const char* id, QKeySequence keys, QWidget* scope) {
    commands.add({.id = QLatin1String(id),
                  .text = QLatin1String(id),
                  .menu = Menu::Edit,
                  .shortcut = keys,
                  .icon = {},
                  .help = {},
                  .scope = scope},
                 [] {});
  };
  add("render", Qt::CTRL | Qt::Key_Return, nullptr);
  add("undo", Qt::CTRL | Qt::Key_Z, nullptr);
  add("star", Qt::Key_S, stage);
  add("stop", Qt::Key_S, queue);
}

TEST(Commands, AShortcutThatBelongsToAnotherIsRefusedByName) {
  Commands commands({});
  QWidget stage, queue;
  fill(commands, &stage, &queue);
  const auto done = commands.set_shortcut(QStringLiteral("undo"), Qt::CTRL | Qt::Key_Return);
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error().message, HasSubstr("render"));
  EXPECT_EQ(commands.find(QStringLiteral("undo"))->shortcut(), QKeySequence(Qt::CTRL | Qt::Key_Z));
}

TEST(Commands, TwoPlacesMayHaveTheSameKeyButNotAPlaceAndTheWindow) {
  Commands commands({});
  QWidget stage, queue;
  fill(commands, &stage, &queue);
  EXPECT_EQ(commands.conflict(QStringLiteral("star"), Qt::Key_S), nullptr);
  EXPECT_FALSE(commands.set_shortcut(QStringLiteral("undo"), Qt::Key_S).ok());
  EXPECT_FALSE(commands.set_shortcut(QStringLiteral("star"), Qt::CTRL | Qt::Key_Z).ok());
}

TEST(Commands, AChangedShortcutIsThereAfterAStartAndCanBeReset) {
  const test::TempFolder folder;
  const auto file = folder / "config/shortcuts.json";
  QWidget stage, queue;
  {
    Commands commands(file);
    fill(commands, &stage, &queue);
    ASSERT_TRUE(commands.set_shortcut(QStringLiteral("render"), Qt::Key_F9).ok());
  }
  Commands commands(file);
  fill(commands, &stage, &queue);
  EXPECT_EQ(commands.find(QStringLiteral("render"))->shortcut(), QKeySequence(Qt::Key_F9));
  ASSERT_TRUE(commands.reset_shortcut(QStringLiteral("render")).ok());
  EXPECT_EQ(commands.find(QStringLiteral("render"))->shortcut(), QKeySequence(Qt::CTRL | Qt::Key_Return));
}

TEST(Commands, ADamagedFileCountsAsEmpty) {
  const test::TempFolder folder;
  folder.write("shortcuts.json", "{\"render\": 7, ");
  Commands commands(folder / "shortcuts.json");
  QWidget stage, queue;
  fill(commands, &stage, &queue);
  EXPECT_EQ(commands.find(QStringLiteral("render"))->shortcut(), QKeySequence(Qt::CTRL | Qt::Key_Return));
}

TEST(CommandPalette, BeginningsOfWordsCountMore) {
  const auto score = [](const char* text, const char* words) {
    return CommandPalette::score(QLatin1String(text), QLatin1String(words));
  };
  EXPECT_EQ(score("Render next", "queue"), 0);
  EXPECT_GT(score("Render next", "ren"), score("Surrender", "ren"));
  EXPECT_GT(score("Render next", "ne re"), 0);
}

}  // namespace
}  // namespace rubato::ui
