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
  bool operator==(const LibraryItem&) const = default;
};

class LibraryStore {
 public:
  static Result<LibraryStore> open(const std::filesystem::path& file);
  LibraryStore(LibraryStore&&) noexcept;
  LibraryStore& operator=(LibraryStore&&) noexcept;
  ~LibraryStore();

  // A path that is there already is replaced and keeps its id and star. Gives the item as it is kept.
  Result<LibraryItem> add(LibraryItem item);
  Result<std::vector<LibraryItem>> list() const;  // newest first
  Result<std::optional<LibraryItem>> find(std::string_view id) const;
  Result<> set_starred(std::string_view id, bool starred);
  // Takes it out of the library; the file is not touched. Usage for an unknown id. add() of what was removed brings it
  // back as it was.
  Result<LibraryItem> remove(std::string_view id);

 private:
  struct State;
  explicit LibraryStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// library.sqlite in the state folder.
std::filesystem::path library_file(const std::filesystem::path& state_folder);

}  // namespace rubato
