// A studio with something on every page, for pictures and for looking whether it all fits.
#pragma once

#include <gtest/gtest.h>

#include "tests/gui/fake_engine.h"
#include "tests/gui/sample_run.h"
#include "ui/create/video_draft.h"
#include "ui/queue/queue_model.h"

namespace rubato::test {

inline void fill(FakeStudio& fake) {
  auto& studio = *fake.studio;
  ASSERT_TRUE(studio.draft().set("prompt", QStringLiteral("a small cyan ring circles around in a forest")).ok());
  ASSERT_TRUE(studio.draft().set("steps", QStringLiteral("12")).ok());
  VideoJob job = studio.draft().job();
  job.model = "/models/practice";
  job.out = "/tmp/x.mp4";
  job.size = Size{128, 128};
  for (const auto* prompt :
       {"a small cyan ring circles around in a forest", "a big red star waits, then shrinks on a checkered floor",
        "a small white star rises over the sea", "a big yellow heart grows at sunset"}) {
    job.prompt = prompt;
    studio.queue().add(job, QLatin1String(prompt), ui::QueueModel::Turn::Last);
    auto sample = sample_run();
    for (int i = 0; i < 4; ++i) {
      sample.job->prompt = prompt;
      sample.job->steps = 12 + 6 * i;
      sample.record.report["seconds"]["denoise"] = 6.0 + 3 * i;
      studio.library().add({.path = std::string("/clips/") + prompt + std::to_string(i) + ".mp4",
                            .title = prompt,
                            .prompt = prompt,
                            .model = "practice-video",
                            .seed = "7",
                            .size = {128, 128},
                            .frames = 65,
                            .fps = 16,
                            .seconds = 8.3,
                            .bytes = 120'000,
                            .added = 1.7e9 + i,
                            .starred = i == 1,
                            .job = video_job_to_json(*sample.job).dump(),
                            .tags = i == 2 ? std::vector<std::string>{"night", "keep"} : std::vector<std::string>{},
                            .record = to_json(sample.record).dump()});
    }
  }
  const auto failed = fake.engine->begin();
  fake.engine->fail(
      failed, {ErrorCode::OutOfMemory, "there is not enough memory for 81 frames of 1280x720; 640x352 might fit"});
  const auto running = fake.engine->begin();
  fake.engine->tell(running, {.phase = QStringLiteral("denoise"),
                              .done = 12,
                              .total = 30,
                              .fraction = 0.4,
                              .eta_s = 9,
                              .lo_s = 8,
                              .hi_s = 12});
  fake.engine->show(running, 11);
  studio.models().rescan();
}

inline constexpr auto kDoctor = R"({"checks": [
  {"id": "version", "state": "ok", "detail": "0.1.0", "remedy": ""},
  {"id": "engine", "state": "ok", "detail": "/usr/bin/rubato-worker answers after 0.9 s", "remedy": ""},
  {"id": "gpu", "state": "note", "detail": "no NVIDIA GPU: everything works on the CPU, slowly", "remedy": ""},
  {"id": "disk", "state": "warn", "detail": "1.2 GB free here, 1.2 GB for temporary files, 1.2 GB for the cache",
   "remedy": "Free some space; a long clip and its unfinished work can take gigabytes."},
  {"id": "media", "state": "fail", "detail": "rubato-media is not there", "remedy": "Install it beside this program."}]})";

}  // namespace rubato::test
