// What a job tries, one thing after the other, when memory runs out: free caches, a smaller decode tile, parts of the
// model out of memory, its layers one by one, branches of guidance apart. At the end of the ladder only this job fails.
//
// The ladder decides; whoever runs the job does what plan() says and tries the failed stage again, from where it stood.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/job/memory_plan.h"

namespace rubato {

enum class MemoryStage { Load, Text, Start, Denoise, Decode };

class MemoryLadder {
 public:
  struct Job {
    bool on_gpu = false;
    bool guided = true;  // there are two branches
    std::int64_t width = 0, height = 0;
  };
  // plan: what the job starts with.
  MemoryLadder(MemoryPlan plan, Job job) : plan_(plan), job_(job) {}

  const MemoryPlan& plan() const { return plan_; }
  // Takes the next step for a stage that ran out of memory at `where` ("after step 3 of 30", may be empty) and gives
  // the sentence about it; nothing when no step is left. tile: the one a decode was tried with (0 = whole frames).
  std::optional<std::string> next(MemoryStage stage, const std::string& where, std::int64_t tile = 0);

  // {"plan": {…}, "steps": [{"stage": "denoise", "where": …, "step": "offload_parts"}]}
  nlohmann::json report() const;

 private:
  struct Step {
    MemoryStage stage;
    std::string where;
    const char* name;
  };
  std::optional<std::string> take(MemoryStage stage, const std::string& where, const char* name,
                                  const std::string& sentence);

  MemoryPlan plan_;
  Job job_;
  std::optional<MemoryStage> caches_freed_for_;
  std::vector<Step> steps_;
};

// Gives cached memory back: that of the device's allocator, and what malloc holds.
void free_memory_caches(at::Device device);

}  // namespace rubato
