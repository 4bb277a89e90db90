// Left work: work folders (work_folders.h) of jobs that their job file does not hold any more, because they were edited
// or taken out of it.
//
// A job goes on from its folder as long as it is the same; once it is edited it is another job, and the folder would
// lie there for ever. So each folder says in owner.json which job file on which host it is worked on for. One whose
// file has been read whole, on that host, and holds no job of its key any more is told of, and goes when that run has
// come to its end, unless a finished clip waits in it. Whatever is not known for sure stays: folders of other job
// files, of other hosts, and of those that do not say whose they are. failed.csv is a part of other files: it owns
// nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "pipelines/job/run/work_folders.h"

namespace rubato {

struct LeftWork {
  std::filesystem::path folder;
  std::string key;
  std::string job;  // its id in the file; "" = not known
  std::uint64_t bytes = 0;
  bool finished = false;   // a rendered clip that has not got its names yet: a person's to decide
  bool removable = false;  // nothing can go on from it
};

// Writes down for which job of which file a work folder is used. Best effort.
void note_owner(const std::filesystem::path& work_folder, const std::filesystem::path& job_file,
                const std::string& job);

// `keys`: of all jobs of `job_file`, which is absolute. Folders of other files are left out.
std::vector<LeftWork> left_work(const WorkFolders& folders, const std::set<std::string>& keys,
                                const std::filesystem::path& job_file);

// "Half-done work of shot-3 (12 MB in DIR), which shots.csv no longer holds, is removed at the end of this run." One
// sentence a kind, whatever the number of folders.
std::vector<std::string> sentences(const std::vector<LeftWork>& left, const std::filesystem::path& job_file);

}  // namespace rubato
