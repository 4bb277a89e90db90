// The report of a run: what it says, in which order, and that nothing of a job can act in it.
#include "pipelines/job/batch/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rubato {
namespace {

using testing::HasSubstr;
using testing::Not;

RunReport sample() {
  RunReport report{.title = "shots.csv", .started = "2026-01-31T12:00:00Z", .finished = "2026-01-31T13:00:00Z"};
  report.wall_s = 3600;
  report.versions = {{"rubato", "0.1.0"}, {"torch", "2.11"}};
  ReportJob done{.id = "done-1", .prompt = "a ring", .state = ReportState::Done, .total_s = 65, .index = 1};
  done.outputs = {{"a/ring #1?.mp4", 2'000'000, std::string(64, 'a')}};
  done.phase_s = {{"denoise", 60}, {"decode", 5}};
  done.seed = UINT64_MAX;
  done.size = Size{832, 480};
  done.frames = 81;
  ReportJob failed{.id = "bad-1", .state = ReportState::Failed, .reason = "NaN after step 31", .index = 2};
  failed.source = "shots.csv, line 3";
  failed.attempts = 2;
  ReportJob waiting{.id = "wait-1", .state = ReportState::Queued, .index = 3};
  report.jobs = {done, failed, waiting};
  return report;
}

TEST(RunReport, SaysWhatNeedsAPersonFirst) {
  const auto html = report_html(sample());
  EXPECT_THAT(html, HasSubstr("1 of 3 jobs are done, 1 failed, 1 not started."));
  EXPECT_LT(html.find("bad-1"), html.find("wait-1"));
  EXPECT_LT(html.find("wait-1"), html.find("done-1"));
  for (const auto* part : {"NaN after step 31", "shots.csv, line 3 · 2 attempts", "832×480", "81 frames", "1 min 05 s",
                           "18446744073709551615", "2.0 MB", "2026-01-31 12:00:00 UTC to 2026-01-31 13:00:00 UTC",
                           "rubato 0.1.0 · torch 2.11", "1 h 00 min"})
    EXPECT_THAT(html, HasSubstr(part));
}

TEST(RunReport, CountsInWords) {
  RunReport report;
  EXPECT_THAT(report_html(report), HasSubstr("There were no jobs."));
  report.jobs.push_back({.id = "a", .state = ReportState::Done});
  EXPECT_THAT(report_html(report), HasSubstr("The job is done."));
  report.jobs.push_back({.id = "b", .state = ReportState::Skipped});
  EXPECT_THAT(report_html(report), HasSubstr("All 2 jobs are done."));
}

TEST(RunReport, TellsThisRunFromAllRuns) {
  RunReport report = sample();
  ReportJob before{.id = "before", .state = ReportState::Skipped, .total_s = 115};
  before.outputs = {{"b.mp4", 3'000'000, ""}};
  report.jobs.push_back(before);
  const auto html = report_html(report);
  for (const auto* part : {"This run took</dt><dd>1 h 00 min<", "This run rendered</dt><dd>1 job, 2.0 MB<",
                           "All runs worked on jobs for</dt><dd>3 min 00 s<", "Files of all runs</dt><dd>5.0 MB<"})
    EXPECT_THAT(html, HasSubstr(part));
  EXPECT_EQ(report_json(report)["totals"]["bytes_now"], 2'000'000);
}

TEST(RunReport, PutsManyPicturesInOneLineAndSidecarsBehindTheClip) {
  RunReport report;
  ReportJob job{.id = "a", .state = ReportState::Done};
  job.outputs.push_back({"f.json", 500, std::string(64, 'b'), "metadata"});
  for (const auto* name : {"f_00.png", "f_01.png", "f_02.png"})
    job.outputs.push_back({name, 1000, std::string(64, 'c'), "frames"});
  report.jobs = {job};
  const auto html = report_html(report);
  EXPECT_THAT(html, HasSubstr("<div><a href=\"./f_00.png\"><bdi>f_00.png</bdi></a> to "
                              "<a href=\"./f_02.png\"><bdi>f_02.png</bdi></a></div><details>"
                              "<summary class=\"sub\">3 pictures, 3.0 kB</summary>"));
  EXPECT_THAT(html, HasSubstr("<bdi>f_01.png</bdi> sha256 cccccccccccc…"));
  EXPECT_THAT(html, Not(HasSubstr("href=\"./f_01.png\"")));
  EXPECT_LT(html.find("3 pictures"), html.find("<div class=\"sub\"><a href=\"./f.json\">"));
}

TEST(RunReport, LoadsNothingAndEscapesEverything) {
  const std::string evil = "<img src=x onerror=alert(1)>\"'&\x01\xFF";
  RunReport report = sample();
  report.title = report.started = report.outcome = report.command = report.host = report.device = evil;
  report.versions = {{evil, evil}};
  for (auto& job : report.jobs) {
    job.id = job.name = job.prompt = job.reason = job.source = evil;
    job.phase_s = {{evil, 1}};
    job.outputs = {{evil, 1, evil}, {"javascript:alert(1)", 1, ""}, {"/etc/passwd", 1, ""}, {"//host/x", 1, ""}};
  }
  const auto html = report_html(report);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  EXPECT_THAT(html, Not(HasSubstr("href=\"/")));
  EXPECT_THAT(html, HasSubstr("href=\"./javascript%3Aalert%281%29\""));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;??"));
  EXPECT_THAT(report_html(sample()), HasSubstr("<a href=\"./a/ring%20%231%3F.mp4\">"));
}

TEST(RunReport, JsonHasTheSameFacts) {
  const auto json = report_json(sample());
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["totals"]["jobs"], 3);
  EXPECT_EQ(json["totals"]["states"]["failed"], 1);
  EXPECT_EQ(json["totals"]["states"]["skipped"], 0);
  EXPECT_EQ(json["totals"]["bytes"], 2'000'000);
  EXPECT_EQ(json["jobs"][0]["id"], "done-1");  // the file's order
  EXPECT_EQ(json["jobs"][0]["size"], "832x480");
  EXPECT_EQ(json["jobs"][0]["seed"], UINT64_MAX);
  EXPECT_EQ(json["jobs"][0]["phases"][1]["name"], "decode");
  EXPECT_EQ(json["jobs"][1]["state"], "failed");
  EXPECT_FALSE(json["jobs"][1].contains("seed"));
  EXPECT_EQ(json["versions"]["torch"], "2.11");
}

}  // namespace
}  // namespace rubato
