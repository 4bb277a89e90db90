// Copies of clips in a folder of the user's choice, with what stands beside them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/base/error.h"

namespace rubato::ui {

// Nothing is replaced: where a name is taken the copy gets "NAME (2)". A copy has its name only when it is whole. Gives
// the copies of the clips, in order. CannotRead: a clip is not there; CannotWrite: no room (asked before anything is
// copied) or no right. Copies that were finished before a failure stay.
Result<std::vector<std::filesystem::path>> export_clips(const std::vector<std::filesystem::path>& clips,
                                                        const std::filesystem::path& folder);

}  // namespace rubato::ui
