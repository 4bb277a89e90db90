// Publication: how a finished job's files get from its work folder to their final names, exactly once, whatever
// happens in between.
//
//   1. the worker has written and synced its files below out, latents, trace in the work folder (work_folders.h)
//   2. publish.json in the work folder lists them with their hashes and final names (atomic): the decision
//   3. each file is renamed to its final name; over another file only if an earlier result of the same job put it
//      there and nobody changed it since, or if asked to. All names are looked at before the first rename.
//   4. what the clip that it took the place of has beyond it (a longer one's last pictures) is removed, where a record
//      lists it and nobody changed it since; replaced.json, written before the first rename, says which files
//   5. done.json, written in the work folder, is renamed to KEY.done: the job is done; the work folder goes
// Whoever claims the job after a crash finds publish.json and goes on with step 3; a file that has arrived already is
// recognised by its hash. Before step 2 the job counts as unfinished and its partial work is continued.
// Every step is a rename out of the work folder, or within it: whoever lost the folder with its claim publishes
// nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"

namespace rubato {

struct PublishedFile {
  std::string path;  // relative to OUT
  std::string work;  // relative to the work folder
  std::string kind;  // "video", "frames", "metadata", "latents", "trace"
  std::string sha256;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // of the published file; while it is unchanged the hash need not be computed again
};

// What KEY.done says. There is at least one file, and no name leads out of its folder.
struct DoneRecord {
  std::string job;  // its id in the run that made it
  std::vector<PublishedFile> files;
  std::string frames_sha256;                        // of the pixels before encoding; "" when there are none
  nlohmann::json facts = nlohmann::json::object();  // timings, device, versions, host
};

// What a job's files may take the place of.
enum class Replace {
  Own,   // what an earlier result of the same job put there and nobody changed since
  Made,  // also what a job's record lists: of this job even if it was changed, of others while it is as they made it
  Any,   // every file
};

// What all records of a folder list: by path, the files as they were made.
class MadeFiles {
 public:
  explicit MadeFiles(std::filesystem::path out);
  // A job made the file `path` (relative to OUT), and it is unchanged since.
  bool holds(const std::string& path) const;

 private:
  std::filesystem::path out_;
  std::multimap<std::string, PublishedFile> files_;
};

class Publication {
 public:
  // `out` is the run's output folder, `work` the job's work folder; it need not exist while nothing is published.
  Publication(std::filesystem::path out, std::string key, std::filesystem::path work);

  std::filesystem::path work_folder() const { return work_; }

  // The record of a job that is done. Nothing: not done (a damaged record counts as none).
  std::optional<DoneRecord> done() const;
  // There is a record, and it cannot be read: which files are the job's is not known. "" = there is none, or a whole
  // one.
  std::string damaged_record() const;
  // Why a done job's files are no longer what was rendered: "clip.mp4 is missing", "clip.mp4 was changed"; "" = they
  // are. Hashes only what has another size or time than recorded.
  std::string difference(const DoneRecord& record) const;

  // Step 2. Hashes the files of `record` in the work folder and fills in hashes and sizes.
  Result<> decide(DoneRecord record);
  // An earlier process came as far as step 2, and its files are all there, in the work folder or under their names.
  bool decided() const;
  // What it has decided; nothing when it has not, or the file is damaged.
  std::optional<DoneRecord> decision() const;
  // The first name of a decided publication that is another file's, as `replace` has it; "" = none.
  std::string in_the_way(Replace replace) const;
  // Steps 3 to 5. OutputExists when a name is another file's: nothing is changed then and nothing is lost, the files
  // stay in the work folder. CannotWrite on a full disk; call it again later.
  Result<DoneRecord> publish(Replace replace);
  // Step 2 again with other names, where those of the decision were taken meanwhile. CannotWrite.
  Result<> rename(const std::function<std::string(const PublishedFile& file)>& new_path);

  // Forgets that the job was done (its files are gone or are to be made anew). What is left of them may be replaced by
  // the new ones: the record moves to the work folder. CannotWrite.
  Result<> forget();
  // What is half done counts for nothing, and so does a decision. Files that have their names already stay own.
  void begin_anew();
  // The decision is void (a file of it was moved away): the job is to be rendered again. True: there was one.
  bool drop_broken_decision();
  // An earlier result of this job put the file `path` there (relative to OUT), and it is unchanged since.
  bool is_own(const std::string& path) const;
  // Whether the file that stands at `path` may be replaced; a folder never. `made`: the folder's records, if known.
  bool may_replace(const std::string& path, Replace replace, const MadeFiles* made = nullptr) const;
  // Removes the work folder and all in it.
  void clear_work();

 private:
  std::filesystem::path done_file() const { return state_ / (key_ + ".done"); }
  std::filesystem::path forgotten_file() const { return work_ / "forgotten.json"; }
  std::filesystem::path decision_file() const { return work_ / "publish.json"; }
  std::filesystem::path replaced_file() const { return work_ / "replaced.json"; }
  Result<> note_replaced(const DoneRecord& record) const;
  void remove_replaced(const DoneRecord& record) const;
  std::vector<PublishedFile> own_files() const;
  Error exists_error(const std::string& path) const;
  std::filesystem::path out_, state_, work_;
  std::string key_;
};

}  // namespace rubato
