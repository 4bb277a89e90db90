#include "pipelines/job/batch/dependencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "engine/base/text.h"

namespace rubato {
namespace {

constexpr std::size_t kMostHints = 20;        // the nearest of many names takes a while to find
constexpr std::size_t kMostCircleNames = 12;  // in a message

// What a name in `after` means: one job of an entry, or all of them.
struct Target {
  std::size_t entry = 0;
  std::ptrdiff_t job = -1;  // -1 = all
};

class Resolver {
 public:
  Resolver(const std::vector<DependencyEntry>& entries, Problems& problems) : entries_(entries), problems_(problems) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      targets_.emplace(entries[i].id, Target{i, -1});
      for (std::size_t k = 0; k < entries[i].job_ids.size(); ++k)
        targets_.emplace(entries[i].job_ids[k], Target{i, static_cast<std::ptrdiff_t>(k)});
    }
    waits_for_.resize(entries.size());
  }

  void look_up() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      for (const auto& name : entries_[i].after) {
        if (const auto found = targets_.find(name); found != targets_.end())
          waits_for_[i].push_back(found->second);
        else
          problems_.add(entries_[i].pointer + "/after", fmt::format("'{}' waits for '{}', but no job has this id{}",
                                                                    entries_[i].id, clip_utf8(name, 80), hint(name)));
      }
      std::sort(waits_for_[i].begin(), waits_for_[i].end(),
                [](const Target& a, const Target& b) { return std::pair(a.entry, a.job) < std::pair(b.entry, b.job); });
    }
  }

  bool too_many(std::size_t most) const {
    std::size_t total = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::size_t each = 0;
      for (const auto& target : waits_for_[i]) each += target.job < 0 ? entries_[target.entry].job_ids.size() : 1;
      const std::size_t jobs = entries_[i].job_ids.size();
      if (each > 0 && jobs > (most - total) / each) return true;
      total += each * jobs;
    }
    return false;
  }

  // Depth first without recursion: a chain may be as long as the file.
  void find_circles() {
    enum class Mark : char { New, Open, Closed };
    std::vector<Mark> marks(entries_.size(), Mark::New);
    std::vector<std::pair<std::size_t, std::size_t>> path;  // entry, which of its targets is next
    for (std::size_t start = 0; start < entries_.size(); ++start) {
      if (marks[start] != Mark::New) continue;
      path.push_back({start, 0});
      marks[start] = Mark::Open;
      while (!path.empty()) {
        auto& [entry, next] = path.back();
        if (next == waits_for_[entry].size()) {
          marks[entry] = Mark::Closed;
          path.pop_back();
          continue;
        }
        const std::size_t target = waits_for_[entry][next++].entry;
        if (marks[target] == Mark::Open) {
          report_circle(path, target);
        } else if (marks[target] == Mark::New) {
          marks[target] = Mark::Open;
          path.push_back({target, 0});
        }
      }
    }
  }

  std::vector<std::string> names(std::size_t entry) const {
    std::vector<std::string> ids;
    const Target* last = nullptr;  // sorted: what it says again, alone or as a part of all, stands right behind it
    for (const auto& target : waits_for_[entry]) {
      if (last != nullptr && last->entry == target.entry && (last->job < 0 || last->job == target.job)) continue;
      last = &target;
      const auto& jobs = entries_[target.entry].job_ids;
      if (target.job < 0)
        ids.insert(ids.end(), jobs.begin(), jobs.end());
      else
        ids.push_back(jobs[static_cast<std::size_t>(target.job)]);
    }
    return ids;
  }

 private:
  std::string hint(const std::string& name) {
    if (hints_++ >= kMostHints) return {};
    if (all_names_.empty())
      for (const auto& entry : entries_) all_names_.push_back(entry.id);
    return did_you_mean(name, all_names_);
  }

  void report_circle(const std::vector<std::pair<std::size_t, std::size_t>>& path, std::size_t target) {
    auto at = std::find_if(path.begin(), path.end(), [&](const auto& step) { return step.first == target; });
    std::string circle;
    std::size_t named = 0;
    for (auto step = at; step != path.end() && named < kMostCircleNames; ++step, ++named)
      circle += entries_[step->first].id + " → ";
    const auto length = static_cast<std::size_t>(path.end() - at);
    if (length > named) circle += fmt::format("… ({} more) → ", length - named);
    problems_.add(entries_[target].pointer + "/after",
                  length == 1 ? fmt::format("'{}' waits for itself", entries_[target].id)
                              : fmt::format("these jobs wait for each other: {}{}", circle, entries_[target].id));
  }

  const std::vector<DependencyEntry>& entries_;
  Problems& problems_;
  std::unordered_map<std::string, Target> targets_;
  std::vector<std::vector<Target>> waits_for_;
  std::vector<std::string> all_names_;
  std::size_t hints_ = 0;
};

}  // namespace

std::vector<std::vector<std::string>> resolve_after(const std::vector<DependencyEntry>& entries, std::size_t most,
                                                    Problems& problems) {
  Resolver resolver(entries, problems);
  resolver.look_up();
  if (resolver.too_many(most)) {
    problems.add("", fmt::format("the jobs name more than {} jobs to wait for altogether", most));
    return {};
  }
  resolver.find_circles();
  std::vector<std::vector<std::string>> after;
  after.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) after.push_back(resolver.names(i));
  return after;
}

}  // namespace rubato
