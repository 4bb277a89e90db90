// The library: which clips were made here and how, in one SQLite file (library.sqlite in the state folder).
//
// It holds what is needed to show, search and make again; the clips stay where they are, and say the same of
// themselves. Every change has reached the disk when the call returns. Not thread-safe. Errors: CannotWrite (disk full,
// folder read-only, file of a newer version), Corrupt, CannotRead.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/field.h"

namespace rubato {

struct LibraryItem {
  std::string id;  // empty on adding: a new ULID
  std::string path;
  std::string title, prompt, model;  // model: its name
  std::string seed;                  // decimal; "" = not known
  Size size;
  int frames = 0, fps = 0;
  double seconds = 0;  // that the render took
  std::uint64_t bytes = 0;
  double added = 0;  // seconds since 1970; 0 on adding: now
  bool starred = false;
  std::string job;  // as JSON, resolved
  std::string frames_sha256;
  std::vector<std::string> tags;  // as normal_tags() has them
  std::string record;             // of the render, as JSON (render_record.h); "" = none was kept
  bool operator==(const LibraryItem&) const = default;
};

class LibraryStore {
 public:
  static Result<LibraryStore> open(const std::filesystem::path& file);
  LibraryStore(LibraryStore&&) noexcept;
  LibraryStore& operator=(LibraryStore&&) noexcept;
  ~LibraryStore();

  // A path that is there already is replaced and keeps its id, star and tags. Gives the item as it is kept.
  Result<LibraryItem> add(LibraryItem item);
  Result<std::vector<LibraryItem>> list() const;  // newest first
  Result<std::optional<LibraryItem>> find(std::string_view id) const;
  Result<> set_starred(std::string_view id, bool starred);
  // In place of those it has; gives them as they are kept. Usage for an unknown id.
  Result<std::vector<std::string>> set_tags(std::string_view id, const std::vector<std::string>& tags);
  // Takes it out of the library; the file is not touched. Usage for an unknown id. add() of what was removed brings it
  // back as it was.
  Result<LibraryItem> remove(std::string_view id);

 private:
  struct State;
  explicit LibraryStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// White space trimmed and made single blanks, empty ones left out, each once (whatever the case of ASCII letters: the
// first spelling stays), at most 64 bytes each and 32 of them, in the order of the alphabet.
std::vector<std::string> normal_tags(const std::vector<std::string>& tags);

// library.sqlite in the state folder.
std::filesystem::path library_file(const std::filesystem::path& state_folder);

}  // namespace rubato
