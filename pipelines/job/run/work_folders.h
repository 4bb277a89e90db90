// Work folders: OUT/.rubato/work/KEY.TOKEN, where the holder of a claim renders its job.
//
// The token is the claim's (claims.h), so each holder has a folder of its own. Who takes a job over takes the work over
// too: one rename of the folder to a name of the new token. From then on the former holder, should it only have been
// stopped, finds nothing under its paths: whatever it would save, publish or record fails for want of the folder, and
// nobody makes a folder of an old token again. What it has open are temporary files, which are removed.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "engine/base/error.h"

namespace rubato {

class WorkFolders {
 public:
  // Looks at what is there now. `state_folder` is OUT/.rubato; it need not exist.
  explicit WorkFolders(const std::filesystem::path& state_folder);

  // The one that a job would go on from: where a publication is decided, else the newest; a name that does not exist
  // when there is none.
  std::filesystem::path of(const std::string& key) const;
  // All that are there, by key.
  const std::multimap<std::string, std::filesystem::path>& all() const { return found_; }

  static std::filesystem::path named(const std::filesystem::path& state_folder, const std::string& key,
                                     const std::string& token);
  // Makes the folder of this claim out of what earlier claims of the job left, or empty. Returns the name of the folder
  // that it was; "" for an empty one. To be called while nobody can take the claim over. CannotWrite.
  static Result<std::string> adopt(const std::filesystem::path& state_folder, const std::string& key,
                                   const std::string& token);

 private:
  std::filesystem::path work_;
  std::multimap<std::string, std::filesystem::path> found_;
};

}  // namespace rubato
