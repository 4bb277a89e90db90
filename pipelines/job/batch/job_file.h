// Job files: many jobs in one YAML, JSON, JSONL or CSV file, expanded into single jobs.
//
//   version: 1
//   defaults: {model: practice-video, steps: 20, out: "{job}-{var.look}-{seed}.mp4"}
//   presets:  {draft: {steps: 8}, fine: {steps: 40}}
//   matrix:   {size: [256x256, 384x256], look: [day, night], exclude: [{size: 384x256, look: night}]}
//   jobs:
//     - {id: ring, preset: draft, prompt: "a ring in a forest by {var.look}", seeds: 1..3}
//     - {id: cube, prompt: "a cube, {var.look}", after: ring, priority: 2}
//
// A list of jobs, one job alone, one JSON object a line (.jsonl), and a table whose header has the keys (.csv; an empty
// cell is an unset one) mean the same without the frame around them. A dotted key stands for a nested one: rate.method.
//
// What a job is made of, the later winning: defaults, its preset, its own keys, the matrix. Each job is made once for
// every combination of the matrix and once for every seed; a job that became several has ids "ring.1", "ring.2", …, and
// "ring" in `after` means all of them. Keys of the matrix that are keys of a job set them; others, and `var: {…}` of a
// job, are variables: {var.look} in texts (prompt, negative_prompt, name) and in `out`, which is a NameTemplate.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/video_job.h"

namespace rubato {

enum class BatchFormat { Yaml, Json, JsonLines, Csv };

struct BatchLimits {
  std::size_t max_bytes = 16u << 20;
  std::size_t max_jobs = 100'000;  // after expansion; checked before it
  int max_depth = 16;
  std::size_t max_string = 64u << 10;
};

// One job, as it will be rendered but for what its model says: variables are in place, relative inputs start at the
// file's folder.
struct BatchJob {
  VideoJob job;                    // job.id is never empty and unique in the file; job.out is a NameTemplate or ""
  std::vector<std::string> after;  // ids of jobs of this file, expanded, each once, in the file's order
  double priority = 0;             // the higher runs earlier
  std::string preset;              // "" = none
  std::map<std::string, std::string> variables;  // {var.x} by x
  int index = 0;                                 // 1-based, in the expanded file
  std::string source;                            // "shots.csv, line 17"
};

struct BatchFile {
  BatchFormat format = BatchFormat::Yaml;
  std::string name;                  // for messages: "shots.csv"
  std::vector<BatchJob> jobs;        // in the file's order; not ordered by `after` or priority
  std::vector<std::string> columns;  // of a CSV file: its header, in order; else empty
};

// Reads and expands a file, the format by its extension, else by its content. Every problem is named at once, with line
// and column and the nearest valid name or value (JobInvalid): unknown keys, values out of range, ids that stand twice,
// `after` of an unknown job or in a circle, names that leave the folder, jobs without a prompt, more than the limits.
// CannotRead when there is no such file. A job may leave its model, out and seed open; nothing is looked up.
Result<BatchFile> read_batch(const std::filesystem::path& file, const BatchLimits& limits = {});

// The same for a text at hand. `name` is the file's name, for messages and its extension; relative inputs start at
// `folder`.
Result<BatchFile> parse_batch(std::string_view text, std::string_view name, const std::filesystem::path& folder = {},
                              const BatchLimits& limits = {});

}  // namespace rubato
