// The library as people keep it: tags, what is looked for, the trash and the
// way back, copies elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QSignalSpy>
#include <QToolButton>
#include <QUndoStack>

#include "engine/base/files.h"
#include "tests/gui/fake_engine.h"
#include "ui/library/export_clips.h"
#include "ui/library/filter_bar.h"
#include "ui/library/library_model.h"
#include "ui/library/tag_editor.h"
#include "ui/library/trash.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"

namespace rubato::ui {
namespace {

namespace fs = std::filesystem;
using test::wait_until;
using testing::ElementsAre;
using testing::HasSubstr;

// A trash of its own, as the desktop's is found: by these two.
class OwnTrash {
 public:
  explicit OwnTrash(const fs::path& data) {
    for (const char* name : {"XDG_DATA_HOME", "HOME"}) {
      before_.emplace_back(name, qgetenv(name));
      qputenv(name, data.c_str());
    }
  }
  ~OwnTrash() {
    for (const auto& [name, value] : before_) value.isNull() ? qunsetenv(name) : qputenv(name, value);
  }

 private:
  std::vector<std::pair<const char*, QByteArray>> before_;
};

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  ASSERT_TRUE(write_file_atomically(file, text, Overwrite::Never).ok());
}

struct Library {
  Library() {
    fs::create_directories(folder / "data");
    QObject::connect(&model, &LibraryModel::refused, [this](const QString& text) { refusals.append(text); });
  }
  QString add(const std::string& name, LibraryItem item = {}) {
    item.path = (folder / ("clips/" + name + ".mp4")).string();
    item.title = item.prompt = name;
    if (item.model.empty()) item.model = "practice-video";
    if (item.added == 0) item.added = ++clock;
    write(item.path, "clip " + name);
    write(item.path + ".json", "how " + name);
    const auto path = item.path;
    model.add(std::move(item));
    for (int row = 0; row < model.rowCount(); ++row)
      if (model.item(row).path == path) return QString::fromStdString(model.item(row).id);
    return {};
  }
  std::vector<std::string> tags_of(const QString& id) { return model.find(id)->tags; }

  test::TempFolder folder;
  OwnTrash trash{folder / "data"};
  double clock = 0;
  LibraryStore store = std::move(LibraryStore::open(library_file(folder.path())).value());
  QUndoStack undo;
  LibraryModel model{store, undo, [](const LibraryItem&) { return QImage(); }};
  QStringList refusals;
};

// ---- Tags
// ------------------------------------------------------------------------------------------------------

TEST(LibraryTags, OfSeveralClipsAreChangedInOneStepThatIsUndone) {
  Library library;
  const auto a = library.add("a", {.tags = {"night", "sea"}}), b = library.add("b", {.tags = {"sea"}});
  TagEditor editor(library.model);
  editor.set_clips({a, b});
  EXPECT_EQ(editor.text(), QStringLiteral("sea"));  // what both have
  editor.setText({});
  QTest::keyClicks(&editor, QStringLiteral("keep,  blue   hour ,"));
  QTest::keyClick(&editor,
                  Qt::Key_Escape);  // closes the list of known tags, or takes the words back
  editor.set_clips({a, b});
  editor.setText({});
  QTest::keyClicks(&editor, QStringLiteral("keep,  blue   hour ,"));
  QTest::keyClick(&editor, Qt::Key_Return);
  EXPECT_THAT(library.tags_of(a), ElementsAre("blue hour", "keep", "night"));  // its own stays
  EXPECT_THAT(library.tags_of(b), ElementsAre("blue hour", "keep"));
  EXPECT_EQ(library.store.find(b.toStdString())->value().tags, library.tags_of(b));
  EXPECT_EQ(editor.text(), QStringLiteral("blue hour, keep"));
  ASSERT_EQ(library.undo.count(), 1);
  library.undo.undo();
  EXPECT_THAT(library.tags_of(a), ElementsAre("night", "sea"));
  EXPECT_THAT(library.tags_of(b), ElementsAre("sea"));
  EXPECT_EQ(editor.text(), QStringLiteral("sea"));
}

TEST(LibraryTags, WhatIsTypedBelongsToTheClipThatWasChosen) {
  Library library;
  const auto a = library.add("a"), b = library.add("b");
  TagEditor editor(library.model);
  editor.set_clips({a});
  QTest::keyClicks(&editor, QStringLiteral("first"));
  editor.set_clips({b});
  EXPECT_THAT(library.tags_of(a), ElementsAre("first"));
  EXPECT_TRUE(library.tags_of(b).empty());
  EXPECT_EQ(editor.text(), QString());
}

// ---- What is looked for
// ----------------------------------------------------------------------------------------

TEST(LibraryFilterBar, ModelTagStarDaySizeAndWordsLeaveWhatFitsThemAll) {
  Library library;
  const double now = static_cast<double>(QDateTime::currentSecsSinceEpoch());
  library.add("ring", {.model = "wan", .size = {832, 480}, .added = now, .starred = true, .tags = {"sea"}});
  library.add("star", {.model = "wan", .size = {128, 128}, .added = now - 3 * 86'400, .tags = {"sea", "night"}});
  library.add("heart", {.size = {128, 128}, .added = now - 20 * 86'400});
  LibraryFilter filter(library.model);
  FilterBar bar(library.model, filter);
  const auto shown = [&] {
    std::vector<std::string> names;
    for (int row = 0; row < filter.rowCount(); ++row)
      names.push_back(filter.index(row, 0).data().toString().toStdString());
    return names;
  };
  const auto choose = [](QComboBox* box, const char* text) {
    box->setCurrentIndex(box->findText(QString::fromUtf8(text)));
  };
  EXPECT_THAT(shown(), ElementsAre("ring", "star", "heart"));
  choose(bar.models(), "wan");
  EXPECT_THAT(shown(), ElementsAre("ring", "star"));
  choose(bar.tags(), "night");
  EXPECT_THAT(shown(), ElementsAre("star"));
  bar.clear();
  EXPECT_THAT(shown(), ElementsAre("ring", "star", "heart"));
  choose(bar.sizes(), "128 × 128");
  choose(bar.days(), "The last 7 days");
  EXPECT_THAT(shown(), ElementsAre("star"));
  choose(bar.days(), "Today");
  EXPECT_THAT(shown(), ElementsAre());
  bar.clear();
  bar.stars()->setChecked(true);
  EXPECT_THAT(shown(), ElementsAre("ring"));
  bar.clear();
  bar.search()->setText(QStringLiteral("NIGHT wan"));  // words of a tag and of a model
  EXPECT_THAT(shown(), ElementsAre("star"));
  // A tag that is gone cannot be looked for any more.
  bar.clear();
  choose(bar.tags(), "night");
  library.model.change_tags({QString::fromStdString(library.model.item(1).id)}, {QStringLiteral("night")}, {});
  EXPECT_TRUE(wait_until([&] { return bar.tags()->currentIndex() == 0; }));
  EXPECT_THAT(shown(), ElementsAre("ring", "star", "heart"));
}

// ---- The trash
// -------------------------------------------------------------------------------------------------

TEST(LibraryTrash, TakesTheClipAndItsSidecarAndUndoBringsBothBack) {
  Library library;
  const auto a = library.add("a", {.starred = true, .tags = {"keep"}}), b = library.add("b");
  library.add("c");
  const auto before = *library.store.list();
  EXPECT_EQ(library.model.move_to_trash({a, b}), 2);
  EXPECT_EQ(library.model.rowCount(), 1);
  EXPECT_FALSE(fs::exists(library.folder / "clips/a.mp4"));
  EXPECT_FALSE(fs::exists(library.folder / "clips/b.mp4.json"));
  const auto trash = library.folder / "data/Trash";
  EXPECT_EQ(std::distance(fs::directory_iterator(trash / "files"), {}), 4);
  EXPECT_EQ(std::distance(fs::directory_iterator(trash / "info"), {}), 4);
  library.undo.undo();
  EXPECT_EQ(*library.store.list(), before);
  EXPECT_EQ(read_file(library.folder / "clips/a.mp4", 100).value(), "clip a");
  EXPECT_EQ(read_file(library.folder / "clips/b.mp4.json", 100).value(), "how b");
  EXPECT_TRUE(fs::is_empty(trash / "files"));
  EXPECT_TRUE(fs::is_empty(trash / "info"));
  library.undo.redo();
  EXPECT_EQ(library.model.rowCount(), 1);
  EXPECT_FALSE(fs::exists(library.folder / "clips/a.mp4"));
  library.undo.undo();
  EXPECT_EQ(*library.store.list(), before);
  EXPECT_TRUE(library.refusals.isEmpty());
}

TEST(LibraryTrash, WithoutOneNothingIsDeletedAndThatIsSaid) {
  Library library;
  const auto a = library.add("a");
  write(library.folder / "data/Trash",
        "in the way");  // where the folder would be
  EXPECT_EQ(library.model.move_to_trash({a}), 0);
  EXPECT_EQ(library.model.rowCount(), 1);
  EXPECT_EQ(read_file(library.folder / "clips/a.mp4", 100).value(), "clip a");
  EXPECT_TRUE(fs::exists(library.folder / "clips/a.mp4.json"));
  EXPECT_FALSE(library.undo.canUndo());
  ASSERT_EQ(library.refusals.size(), 1);
  EXPECT_THAT(library.refusals[0].toStdString(), HasSubstr("nothing was deleted"));
}

TEST(LibraryTrash, AClipThatIsGoneIsNotPretendedToBeTrashed) {
  Library library;
  const auto a = library.add("a");
  fs::remove(library.folder / "clips/a.mp4");
  EXPECT_EQ(library.model.move_to_trash({a}), 0);
  EXPECT_THAT(library.refusals.join(QLatin1Char(' ')).toStdString(), HasSubstr("not there any more"));
  EXPECT_TRUE(fs::exists(library.folder / "clips/a.mp4.json"));
}

TEST(LibraryTrash, UndoReplacesNothingAndSaysWhenTheTrashWasEmptied) {
  Library library;
  const auto a = library.add("a"), b = library.add("b");
  EXPECT_EQ(library.model.move_to_trash({a}), 1);
  write(library.folder / "clips/a.mp4.json", "newer");  // meanwhile
  library.undo.undo();
  EXPECT_EQ(library.refusals.size(), 1);
  EXPECT_EQ(read_file(library.folder / "clips/a.mp4.json", 100).value(), "newer");
  EXPECT_FALSE(fs::exists(library.folder / "clips/a.mp4"));  // both or none
  EXPECT_EQ(library.model.rowCount(), 1);
  EXPECT_EQ(library.model.move_to_trash({b}), 1);
  fs::remove_all(library.folder / "data/Trash/files");
  library.undo.undo();
  EXPECT_THAT(library.refusals.join(QLatin1Char(' ')).toStdString(), HasSubstr("not in the trash any more"));
  EXPECT_EQ(library.model.rowCount(), 0);
}

// ---- Copies
// ----------------------------------------------------------------------------------------------------

TEST(ExportClips, TakesTheSidecarAlongAndReplacesNothing) {
  const test::TempFolder folder;
  write(folder / "clips/a.mp4", std::string(3'000'000, 'a'));
  write(folder / "clips/a.mp4.json", "how");
  write(folder / "clips/b.mp4", "b");
  write(folder / "out/a.mp4", "theirs");
  write(folder / "out/b.mp4.json", "theirs");
  const auto copies = export_clips({folder / "clips/a.mp4", folder / "clips/b.mp4"}, folder / "out");
  ASSERT_TRUE(copies.ok()) << copies.error().message;
  EXPECT_THAT(*copies, ElementsAre(folder / "out/a (2).mp4", folder / "out/b (2).mp4"));
  EXPECT_EQ(read_file(folder / "out/a.mp4", 100).value(), "theirs");
  EXPECT_EQ(read_file(folder / "out/b.mp4.json", 100).value(), "theirs");
  EXPECT_EQ(read_file(folder / "out/a (2).mp4", 4'000'000).value(), std::string(3'000'000, 'a'));
  EXPECT_EQ(read_file(folder / "out/a (2).mp4.json", 100).value(), "how");
  EXPECT_FALSE(fs::exists(folder / "out/b (2).mp4.json"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "out"), {}),
            5);  // no temporary is left
}

TEST(ExportClips, NothingIsCopiedWhereOneClipIsMissing) {
  const test::TempFolder folder;
  write(folder / "a.mp4", "a");
  fs::create_directories(folder / "out");
  const auto copies = export_clips({folder / "a.mp4", folder / "gone.mp4"}, folder / "out");
  ASSERT_FALSE(copies.ok());
  EXPECT_THAT(copies.error().message, HasSubstr("nothing was copied"));
  EXPECT_TRUE(fs::is_empty(folder / "out"));
}

// ---- In the window
// ---------------------------------------------------------------------------------------------

TEST(LibraryPage, TagsByKeyAndTheTrashByDelete) {
  test::FakeStudio fake;
  fs::create_directories(*fake.folder / "data");
  const OwnTrash trash(*fake.folder / "data");
  auto& studio = *fake.studio;
  studio.settings().setValue(QStringLiteral("welcomed"), true);
  for (const auto* name : {"a", "b"}) {
    write(*fake.folder / (std::string("clips/") + name + ".mp4"), name);
    studio.library().add({.path = (*fake.folder / (std::string("clips/") + name + ".mp4")).string(),
                          .title = name,
                          .prompt = name,
                          .model = "m",
                          .added = *name - 'a' + 1.0});
  }
  MainWindow window(studio, builtin_workspaces());
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowActive(&window));
  window.show_workspace(QStringLiteral("library"));
  auto* clips = window.findChild<QListView*>(QStringLiteral("clips"));
  auto* tags = window.findChild<TagEditor*>();
  ASSERT_NE(tags, nullptr);
  clips->setCurrentIndex(clips->model()->index(0, 0));
  clips->setFocus();
  QTest::keyClick(clips, Qt::Key_T);
  ASSERT_TRUE(tags->hasFocus());
  QTest::keyClicks(tags, QStringLiteral("sea, s"));  // letters that are typed are letters
  QTest::keyClick(tags, Qt::Key_Return);
  EXPECT_THAT(studio.library().item(0).tags, ElementsAre("s", "sea"));
  EXPECT_FALSE(studio.library().item(0).starred);
  clips->setFocus();
  QTest::keyClick(clips, Qt::Key_Delete);
  EXPECT_EQ(studio.library().rowCount(), 1);
  EXPECT_TRUE(clips->currentIndex().isValid());
  EXPECT_FALSE(fs::exists(*fake.folder / "clips/b.mp4"));
  QTest::keyClick(&window, Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(studio.library().rowCount(), 2);
  EXPECT_TRUE(fs::exists(*fake.folder / "clips/b.mp4"));
  EXPECT_THAT(studio.library().item(0).tags, ElementsAre("s", "sea"));
}

}  // namespace
}  // namespace rubato::ui
