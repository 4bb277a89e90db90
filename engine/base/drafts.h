// Drafts: files and folders under temporary names, `.NAME.RANDOM.tmp`, whose writer renames them when they are whole.
//
// A writer holds a lock on its draft (flock), which the kernel takes back when the writer dies: that is how a draft
// that nobody will ever finish is told from one that is being written, here or in another container.
#pragma once

#include <filesystem>

namespace rubato {

// Marks what was just made as somebody's draft, for as long as the descriptor and its copies are open. False: somebody
// took it for left behind a moment ago; it is gone, make another.
bool hold_draft(int fd, const std::filesystem::path& draft);

// Removes from a folder the drafts of outputs whose writers are dead: named as Rubato names them, of this user, and
// held by nobody. Best effort.
void remove_dead_drafts(const std::filesystem::path& folder);

}  // namespace rubato
