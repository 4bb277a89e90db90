// A run with something of everything.
#pragma once

#include <nlohmann/json.hpp>

#include "ui/report/run.h"

namespace rubato::test {

inline ui::Run sample_run() {
  VideoJob job;
  job.prompt = "a small cyan ring circles around in a forest";
  job.model = "practice-video";
  job.size = Size{128, 128};
  job.frames = 65;
  job.fps = 16;
  job.steps = 12;
  job.guidance = 3.5;
  job.seed = 7;
  job.out = "/clips/ring.mp4";
  VideoJob usual;
  usual.model = job.model;
  usual.size = job.size;
  usual.frames = job.frames;
  usual.fps = job.fps;
  usual.steps = 30;
  usual.guidance = 3.5;
  ui::Run run{.title = QStringLiteral("a small cyan ring circles around in a forest"),
              .path = QStringLiteral("/clips/ring.mp4"),
              .file_there = true,
              .made = 1.7e9,
              .seconds = 10.4,
              .bytes = 120'000,
              .job = job,
              .defaults = usual,
              .kept = true};
  run.record = {.attempts = 2,
                .deaths = 1,
                .created = 1.7e9 - 60,
                .started = 1.7e9 - 11,
                .ended = 1.7e9,
                .ran_on = "cpu",
                .warnings = {{1.7e9 - 8, "resumed", "going on from step 4"}},
                .files = {{"/clips/ring.mp4", "video", "9c1185a5c5e9fc54612808977ee8f548b2258d31", 120'000}}};
  run.record.report = {
      {"rubato", {{"version", "0.1.0"}, {"revision", "abc123"}}},
      {"model",
       {{"name", "practice-video"}, {"class", "WanPipeline"}, {"content_hash", "77de68daecd8"}, {"practice", true}}},
      {"device", {{"name", "cpu"}, {"model", "CPU"}, {"threads", 2}}},
      {"libraries", {{"libtorch", "2.11.0"}, {"libavcodec", "59.37.100"}}},
      {"seconds", {{"load", 1.0}, {"text", 0.5}, {"denoise", 6.0}, {"decode", 2.0}, {"mux", 0.5}}},
      {"memory",
       {{"plan", {{"offload", "none"}, {"tile", 0}}},
        {"steps", {{{"stage", "decode"}, {"where", ""}, {"step", "smaller tiles"}}}}}},
      {"peak_memory_bytes", 334'000'000},
      {"frames_sha256", "0f1e2d"}};
  return run;
}

}  // namespace rubato::test
