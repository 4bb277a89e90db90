#include "ui/report/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QLabel>
#include <QListView>
#include <QTreeView>

#include "pipelines/job/command_line.h"
#include "tests/gui/fake_engine.h"
#include "tests/gui/sample_run.h"
#include "ui/create/draft_check.h"
#include "ui/create/video_draft.h"
#include "ui/queue/queue_model.h"
#include "ui/report/flat_table.h"
#include "ui/report/phase_bar.h"
#include "ui/report/report_dialog.h"
#include "ui/report/run_compare.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"
#include "ui/stage/compare_model.h"
#include "ui/stage/compare_view.h"

namespace rubato::ui {
namespace {

using test::sample_run;
using test::wait_until;
using testing::Contains;
using testing::HasSubstr;

// "Steps | 12 | 30"
std::vector<std::string> lines_of(const ReportTable& table) {
  std::vector<std::string> lines;
  for (const auto& row : table.rows) lines.push_back(row.cells.join(QStringLiteral(" | ")).toStdString());
  return lines;
}
std::string said(const ReportTable& table) { return (table.note + table.nothing).toStdString(); }

TEST(RunReport, SaysWhichSettingsAreNotTheModels) {
  const auto report = report_of(sample_run());
  const auto lines = lines_of(report.settings);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0], "Steps | 12 | 30");
  EXPECT_TRUE(report.settings.rows[0].marked);
  EXPECT_FALSE(report.settings.rows[1].marked);
  EXPECT_THAT(lines, Contains("Guidance | 3.5 | the same"));
  EXPECT_THAT(lines, Contains("Seed | 7 | "));  // nobody's default
  EXPECT_THAT(lines, Contains("Length | 65 frames | the same"));
}

TEST(RunReport, HasTimeMemoryAttemptsWarningsAndHashes) {
  const auto report = report_of(sample_run());
  EXPECT_THAT(lines_of(report.times),
              testing::ElementsAre("Loading the model | 1.0 s | 10.0 %", "Reading the prompt | 0.5 s | 5.0 %",
                                   "Denoising | 6.0 s | 60.0 %", "Decoding | 2.0 s | 20.0 %",
                                   "Writing the file | 0.5 s | 5.0 %", "Together | 10.0 s | 100.0 %"));
  EXPECT_THAT(lines_of(report.memory), Contains("Most of the computer's memory | 334.0 MB"));
  EXPECT_THAT(lines_of(report.memory), Contains(HasSubstr("smaller tiles")));
  EXPECT_THAT(lines_of(report.course), Contains("Starts | 2"));
  EXPECT_THAT(lines_of(report.course), Contains("Engines that died with it | 1"));
  EXPECT_THAT(lines_of(report.warnings), Contains(HasSubstr("going on from step 4")));
  EXPECT_THAT(lines_of(report.files), Contains("SHA-256 of the frames | 0f1e2d"));
  EXPECT_THAT(lines_of(report.origin), Contains("Rubato | 0.1.0, revision abc123"));
  EXPECT_THAT(lines_of(report.origin), Contains("Model | practice-video (practice model)"));
}

// Nothing is left out silently, and nothing is made up.
TEST(RunReport, WhatIsNotKnownIsSaid) {
  const auto report = report_of(ui::Run{.title = QStringLiteral("a"), .path = QStringLiteral("/gone.mp4")});
  for (const auto* table : report.tables()) {
    EXPECT_TRUE(table->rows.isEmpty() || table == &report.files) << table->title.toStdString();
    EXPECT_FALSE(said(*table).empty()) << table->title.toStdString();
  }
  EXPECT_THAT(said(report.files), HasSubstr("not there any more"));
  EXPECT_TRUE(report.phases.isEmpty());
  auto foreign = sample_run();
  foreign.defaults.reset();
  EXPECT_THAT(said(report_of(foreign).settings), HasSubstr("not on this machine"));
  EXPECT_FALSE(report_of(foreign).settings.rows[0].marked);
}

TEST(RunReport, OddReportsOfAnEngineDoNoHarm) {
  auto run = sample_run();
  for (const char* odd : {"[]", "7", R"({"seconds":[1],"memory":"much","libraries":[3],"model":[],"device":7})",
                          R"({"seconds":{"denoise":"x","load":-1},"memory":{"steps":{"a":1},"plan":3}})"}) {
    run.record.report = nlohmann::json::parse(odd);
    EXPECT_TRUE(report_of(run).phases.isEmpty()) << odd;
  }
}

TEST(RunCompare, OnlyTheDifferencesAndWhatTheyCost) {
  const auto a = sample_run();
  auto b = sample_run();
  b.job->steps = 30;
  b.job->negative_prompt = "rain";
  b.record.report["seconds"]["denoise"] = 15.0;
  const auto only = compare_runs(a, b, Differences::Only);
  EXPECT_EQ(only.differences, 2);
  EXPECT_THAT(lines_of(only.settings),
              testing::UnorderedElementsAre("Steps | 12 | 30", "Not in the clip | open | rain"));
  EXPECT_THAT(lines_of(only.times), Contains("Denoising | 6.0 s | 15.0 s | +9.0 s (+150 %)"));
  EXPECT_THAT(lines_of(only.times), Contains("Together | 10.0 s | 19.0 s | +9.0 s (+90 %)"));
  const auto back = compare_runs(b, a, Differences::Only);
  EXPECT_THAT(lines_of(back.times), Contains("Denoising | 15.0 s | 6.0 s | \u22129.0 s (\u221260 %)"));
  EXPECT_GT(compare_runs(a, b, Differences::AndWhatIsAlike).settings.rows.size(), only.settings.rows.size());
  EXPECT_TRUE(compare_runs(a, a, Differences::Only).settings.rows.isEmpty());
}

TEST(RunCompare, APhaseThatOneOfThemLacksIsNotCounted) {
  auto a = sample_run(), b = sample_run();
  b.record.report["seconds"].erase("mux");
  const auto lines = lines_of(compare_runs(a, b, Differences::Only).times);
  EXPECT_THAT(lines, Contains("Writing the file | 0.5 s | not known | "));
  EXPECT_THAT(lines, Contains("Of what both have | 9.5 s | 9.5 s | 0.0 s (0 %)"));
}

struct Window : test::FakeStudio {
  Window() {
    studio->settings().setValue(QStringLiteral("welcomed"), true);
    window = std::make_unique<MainWindow>(*studio, builtin_workspaces());
    window->show();
    EXPECT_TRUE(QTest::qWaitForWindowActive(window.get()));
  }
  // Renders one clip, start to end.
  std::string render(const char* prompt, int steps) {
    (void)studio->draft().set("prompt", QLatin1String(prompt));
    (void)studio->draft().set("steps", QString::number(steps));
    EXPECT_TRUE(wait_until([&] { return studio->check().settled(); }));
    studio->commands().find(QStringLiteral("create.render"))->trigger();
    const auto id = engine->begin();
    auto report = sample_run().record.report;
    report["seconds"]["denoise"] = steps / 2.0;
    engine->finish(id, (*folder / ("clips/" + std::string(prompt) + ".mp4")).string(), report);
    return id;
  }
  ReportDialog* dialog() { return window->findChild<ReportDialog*>(); }
  std::unique_ptr<MainWindow> window;
};

TEST(ReportDialog, OpensFromTheLibraryByKeyAndOutlivesTheQueue) {
  Window w;
  w.render("ring", 12);
  w.studio->queue().reload();
  w.studio->queue().clear_ended();
  ASSERT_EQ(w.studio->queue().rowCount(), 0);
  w.window->show_workspace(QStringLiteral("library"));
  auto* clips = w.window->findChild<QListView*>(QStringLiteral("clips"));
  clips->setFocus();
  QTest::keyClick(clips, Qt::Key_I);
  ASSERT_TRUE(wait_until([&] { return w.dialog() != nullptr && !w.dialog()->run().title.isEmpty(); }));
  EXPECT_EQ(w.dialog()->run().record.attempts, 1);
  EXPECT_TRUE(w.dialog()->run().kept);
  const auto sections = w.dialog()->sections();
  EXPECT_THAT(lines_of(sections[0]->table()->report().table()), Contains("Denoising | 6.0 s | 60.0 %"));
  EXPECT_THAT(lines_of(sections[1]->table()->report().table()), Contains("Steps | 12 | 30"));
  // What is painted stands in words, too.
  const auto* bar = w.dialog()->findChild<PhaseBar*>();
  EXPECT_FALSE(bar->accessibleName().isEmpty());
  EXPECT_THAT(bar->accessibleDescription().toStdString(), HasSubstr("Denoising: 6.0 s"));
  // Ctrl+C takes a row along.
  auto* table = sections[1]->table();
  table->setFocus();
  table->selectRow(0);
  QTest::keyClick(table, Qt::Key_C, Qt::ControlModifier);
  EXPECT_EQ(QApplication::clipboard()->text(), QStringLiteral("Steps\t12\t30"));
  QTest::keyClick(w.dialog(), Qt::Key_Escape);
  EXPECT_TRUE(wait_until([&] { return w.dialog() == nullptr; }));
}

TEST(ReportDialog, OpensFromTheQueueForAJobThatFailed) {
  Window w;
  (void)w.studio->draft().set("prompt", QStringLiteral("ring"));
  ASSERT_TRUE(wait_until([&] { return w.studio->check().settled(); }));
  w.studio->commands().find(QStringLiteral("create.render"))->trigger();
  w.engine->fail(w.engine->begin(), {ErrorCode::OutOfMemory, "there is not enough memory"});
  w.window->show_workspace(QStringLiteral("queue"));
  auto* jobs = w.window->findChild<QTreeView*>(QStringLiteral("jobs"));
  ASSERT_TRUE(wait_until([&] { return jobs->currentIndex().isValid(); }));
  jobs->setFocus();
  QTest::keyClick(jobs, Qt::Key_I);
  ASSERT_TRUE(wait_until([&] { return w.dialog() != nullptr && !w.dialog()->run().title.isEmpty(); }));
  const auto report = report_of(w.dialog()->run());
  EXPECT_THAT(lines_of(report.course), Contains("What went wrong | there is not enough memory"));
  EXPECT_THAT(lines_of(report.course), Contains("State | Failed"));
}

TEST(ReportDialog, AClipOfAnEarlierVersionIsReadFromItsFile) {
  test::TempFolder folder;
  const auto file = folder / "old.mp4";
  ASSERT_TRUE(write_file_atomically(file, "clip", Overwrite::Never).ok());
  RunSources sources;
  sources.metadata = [&](const std::filesystem::path& asked) -> Result<nlohmann::json> {
    EXPECT_EQ(asked, file);
    auto metadata = sample_run().record.report;
    metadata["job"] = video_job_to_json(*sample_run().job);
    return metadata;
  };
  std::optional<ui::Run> run;
  QObject owner;
  read_clip({.path = file.string(), .title = "old"}, sources, &owner, [&](ui::Run read) { run = std::move(read); });
  ASSERT_TRUE(wait_until([&] { return run.has_value(); }));
  EXPECT_FALSE(run->kept);
  EXPECT_TRUE(run->file_there);
  EXPECT_EQ(run->job->steps, 12);
  EXPECT_EQ(phases_of(*run).size(), 5);
}

TEST(RunCompare, StandsBesideThePicturesAndFollowsThem) {
  Window w;
  w.render("ring", 12);
  w.render("star", 30);
  w.window->show_workspace(QStringLiteral("library"));
  auto* clips = w.window->findChild<QListView*>(QStringLiteral("clips"));
  auto* runs = w.window->findChild<RunCompareView*>();
  ASSERT_NE(runs, nullptr);
  clips->setFocus();
  QTest::keyClick(clips, Qt::Key_A, Qt::ControlModifier);
  QTest::keyClick(clips, Qt::Key_B);
  const auto lines = [&] { return lines_of(runs->settings()->table()->report().table()); };
  ASSERT_TRUE(wait_until([&] { return runs->isVisible() && !lines().empty(); }));
  const auto steps = [&](const char* text) {
    const auto all = lines();
    return std::find(all.begin(), all.end(), text) != all.end();
  };
  const bool newest_first = steps("Steps | 30 | 12");
  EXPECT_TRUE(newest_first || steps("Steps | 12 | 30"));
  w.studio->compare().swap();
  EXPECT_TRUE(wait_until([&] { return steps(newest_first ? "Steps | 12 | 30" : "Steps | 30 | 12"); }));
  // By keyboard from the pictures to the words.
  auto* picture = w.window->findChild<CompareView*>()->picture();
  picture->setFocus();
  QTest::keyClick(picture, Qt::Key_D);
  EXPECT_TRUE(runs->all()->hasFocus());
  const auto few = lines().size();
  QTest::keyClick(runs->all(), Qt::Key_Space);
  EXPECT_GT(lines().size(), few);
}

// Pasted into a shell it is the same job; the schema's own flags read it back (the shell's part: tests/property).
TEST(CopyAsCommandLine, FromTheLibraryTheQueueAndTheVideoPage) {
  Window w;
  w.render("it's a ring", 12);
  const auto spec = w.studio->library().item(0).job;
  const auto job = *video_job_from_json(nlohmann::json::parse(spec), "spec");
  const auto copied = [] { return QApplication::clipboard()->text().toStdString(); };
  for (const char* page : {"library", "queue"}) {
    QApplication::clipboard()->clear();
    w.window->show_workspace(QLatin1String(page));
    auto* place = QApplication::focusWidget();
    ASSERT_NE(place, nullptr);
    QTest::keyClick(place, Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    EXPECT_EQ(copied(), command_line(job)) << page;
  }
  VideoJob again;
  ASSERT_TRUE(apply_flags(again, command_flags(job)).ok());
  EXPECT_EQ(again, job);
  w.window->show_workspace(QStringLiteral("video"));
  w.studio->commands().find(QStringLiteral("create.command"))->trigger();
  EXPECT_THAT(copied(), HasSubstr("-p 'it'\\''s a ring' --steps 12"));
  EXPECT_THAT(copied(), testing::Not(HasSubstr("--seed")));  // it is open in the draft
}

}  // namespace
}  // namespace rubato::ui
