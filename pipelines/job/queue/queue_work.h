// QueueWork: the files of one job of a queue, from the folder it renders in to their final names.
//
// It renders in ROOT/.rubato/work/ID, where ROOT is the folder that all its outputs share, and is published from there
// as the jobs of a run are (publication.h): a file has its final name only when it is whole, and a crash between the
// last byte and the queue's note of it neither loses nor repeats the work. What is left of .rubato goes with the job.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/protocol.h"
#include "pipelines/job/queue/queue_store.h"
#include "pipelines/job/run/publication.h"
#include "pipelines/job/video_job.h"

namespace rubato {

class QueueWork {
 public:
  // `job`: resolved, its outputs absolute; `id`: of the queue, unique for ever.
  QueueWork(VideoJob job, std::string id);

  const std::filesystem::path& root() const { return root_; }
  // The job as a worker gets it: on `device`, its outputs below the work folder.
  VideoJob for_worker(const std::string& device) const;
  Result<> make_folders() const;

  // The first file or folder that stands where the job is to write, with its whole path, and that neither it made nor
  // it may overwrite; "" = none. To be asked before hours are spent on it.
  std::string in_the_way() const;

  // The published files of a result that an earlier session came to but did not note; empty: there is none. Errors as
  // of publish().
  Result<std::vector<JobOutput>> earlier_result() const;
  // From what the worker made to the final names. CannotWrite on a full disk, OutputExists when another file has a
  // name: what was rendered stays in the work folder, and earlier_result() goes on from there.
  Result<std::vector<JobOutput>> publish(const protocol::Done& done) const;
  // Removes the work folder and every record; the published files stay.
  void clear() const;

 private:
  Publication publication() const { return {root_, id_, root_ / ".rubato" / "work" / id_}; }
  Result<std::vector<JobOutput>> move_into_place() const;
  DoneRecord record_of(const protocol::Done& done) const;

  VideoJob job_;
  std::string id_;
  std::filesystem::path root_;
};

}  // namespace rubato
