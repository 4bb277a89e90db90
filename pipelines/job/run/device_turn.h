// DeviceTurn: processes of one user that render on the same GPU take turns, one job at a time, instead of running out
// of its memory together.
//
// A turn is an flock on a file in the runtime folder, which the kernel gives back when its holder dies. The CPU needs
// no turns. Not for threads of one process.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"

namespace rubato {

class DeviceTurn {
 public:
  // `folder` is made if it is missing, for this user alone. `device`: "cpu", "cuda:0".
  DeviceTurn(std::filesystem::path folder, std::string device);
  // $XDG_RUNTIME_DIR/rubato, else /tmp/rubato-UID.
  static std::filesystem::path usual_folder();

  // Takes the turn if nobody has it; true when it is ours (also when it was). A folder that cannot be used gives true:
  // turns are a courtesy, not a condition.
  bool take();
  void give_back();
  bool held() const { return free_for_all_ || static_cast<bool>(lock_); }

 private:
  std::filesystem::path folder_;
  std::string device_;
  bool free_for_all_;
  UniqueFd lock_;
};

}  // namespace rubato
