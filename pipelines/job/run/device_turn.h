// DeviceTurn: processes of one user that render on the same GPU take turns, one job at a time, instead of running out
// of its memory together.
//
// A turn is an flock on a file in the runtime folder, which the kernel gives back when its holder dies. The file bears
// the name of the card itself (gpu_identity): under CUDA_VISIBLE_DEVICES two processes may see different cards as
// cuda:0, or one card as cuda:0 and as cuda:1. The CPU needs no turns. Not for threads of one process.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"

namespace rubato {

class DeviceTurn {
 public:
  // `folder` is made if it is missing, for this user alone. `device`: "cpu", "cuda:0".
  DeviceTurn(std::filesystem::path folder, const std::string& device);
  // $XDG_RUNTIME_DIR/rubato, else /tmp/rubato-UID.
  static std::filesystem::path usual_folder();

  // Takes the turn if nobody has it; true when it is ours (also when it was). A folder that cannot be used gives true:
  // turns are a courtesy, not a condition.
  bool take();
  void give_back();
  bool held() const { return name_.empty() || static_cast<bool>(lock_); }

 private:
  std::filesystem::path folder_;
  std::string name_;  // of the file; "" = no turns are needed
  UniqueFd lock_;
};

}  // namespace rubato
