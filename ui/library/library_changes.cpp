// What can be undone in the library: tags, and the way to the trash.
#include <QUndoCommand>
#include <algorithm>

#include "ui/library/library_model.h"
#include "ui/library/trash.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

// Tags of several clips, as they were and as they are.
class LibraryModel::ChangeTags final : public QUndoCommand {
 public:
  using Tags = std::vector<std::string>;
  struct Change {
    QString id;
    Tags before, after;
  };
  ChangeTags(LibraryModel& library, std::vector<Change> changes)
      : QUndoCommand(LibraryModel::tr("tags of %n clip(s)", nullptr, static_cast<int>(changes.size()))),
        library_(library),
        changes_(std::move(changes)) {}
  void redo() override {
    for (const auto& change : changes_) library_.put_tags(change.id, change.after);
  }
  void undo() override {
    for (const auto& change : changes_) library_.put_tags(change.id, change.before);
  }

 private:
  LibraryModel& library_;
  std::vector<Change> changes_;
};

// The files go first: a clip without a row could not be found again, a row without a clip says what it misses.
class LibraryModel::Trash final : public QUndoCommand {
 public:
  Trash(LibraryModel& library, std::vector<LibraryItem> items)
      : QUndoCommand(LibraryModel::tr("move %n clip(s) to the trash", nullptr, static_cast<int>(items.size()))),
        library_(library),
        items_(std::move(items)) {}

  void redo() override {
    std::vector<std::filesystem::path> files;
    for (const auto& item : items_) {
      const auto of_clip = files_of_clip(item.path);
      files.insert(files.end(), of_clip.begin(), of_clip.end());
    }
    auto moved = to_trash(files);
    if (!moved) return give_up(moved.error());
    moved_ = std::move(*moved);
    for (const auto& item : items_) library_.forget(qt(item.id));
  }

  void undo() override {
    if (const auto back = out_of_trash(moved_); !back) return give_up(back.error());
    for (const auto& item : items_) library_.add(item);
  }

  const std::vector<TrashedFile>& moved() const { return moved_; }

 private:
  void give_up(const Error& error) {
    setObsolete(true);
    Q_EMIT library_.refused(for_window(error.message));
  }
  LibraryModel& library_;
  std::vector<LibraryItem> items_;
  std::vector<TrashedFile> moved_;
};

void LibraryModel::change_tags(const QStringList& ids, const QStringList& before, const QStringList& after) {
  std::vector<ChangeTags::Change> changes;
  for (const auto& id : ids) {
    const auto item = find(id);
    if (!item) continue;
    // What only some of them have is not shown, and stays.
    auto tags = after;
    for (const auto& tag : item->tags)
      if (!before.contains(qt(tag))) tags.append(qt(tag));
    std::vector<std::string> wanted;
    for (const auto& tag : tags) wanted.push_back(utf8(tag));
    wanted = normal_tags(wanted);
    if (wanted != item->tags) changes.push_back({id, item->tags, std::move(wanted)});
  }
  if (!changes.empty()) undo_.push(new ChangeTags(*this, std::move(changes)));
}

void LibraryModel::put_tags(const QString& id, const std::vector<std::string>& tags) {
  const int row = row_of(id);
  if (row < 0) return;
  auto kept = store_.set_tags(utf8(id), tags);
  if (!kept) return Q_EMIT refused(for_window(kept.error().message));
  items_[static_cast<std::size_t>(row)].tags = std::move(*kept);
  Q_EMIT dataChanged(index(row), index(row));
  Q_EMIT changed();
}

int LibraryModel::move_to_trash(const QStringList& ids) {
  std::vector<LibraryItem> items;
  for (const auto& id : ids) {
    auto item = find(id);
    if (!item) continue;
    std::error_code failed;
    if (!std::filesystem::exists(item->path, failed)) {
      Q_EMIT refused(tr("%1 is not there any more; take the clip out of the library instead.").arg(qt(item->path)));
      return 0;
    }
    items.push_back(std::move(*item));
  }
  if (items.empty()) return 0;
  const int before = rowCount();
  undo_.push(new Trash(*this, std::move(items)));
  return before - rowCount();
}

void LibraryModel::forget(const QString& id) {
  if (const auto done = store_.remove(utf8(id)); !done) Q_EMIT refused(for_window(done.error().message));
  drop(id);
}

namespace {
QStringList sorted(QStringList list) {
  list.removeDuplicates();
  list.sort(Qt::CaseInsensitive);
  return list;
}
}  // namespace

QStringList LibraryModel::models() const {
  QStringList list;
  for (const auto& item : items_)
    if (!item.model.empty()) list.append(qt(item.model));
  return sorted(list);
}

QStringList LibraryModel::tags() const {
  QStringList list;
  for (const auto& item : items_)
    for (const auto& tag : item.tags) list.append(qt(tag));
  return sorted(list);
}

QStringList LibraryModel::sizes() const {
  std::vector<Size> all;
  for (const auto& item : items_)
    if (item.size.width > 0) all.push_back(item.size);
  std::sort(all.begin(), all.end(), [](const Size& a, const Size& b) {
    return std::pair(a.width * a.height, a.width) < std::pair(b.width * b.height, b.width);
  });
  QStringList list;
  for (const auto& size : all)
    if (list.isEmpty() || list.back() != size_text(size)) list.append(size_text(size));
  return list;
}

QStringList LibraryModel::common_tags(const QStringList& ids) const {
  QStringList common;
  bool first = true;
  for (const auto& id : ids) {
    const auto item = find(id);
    if (!item) continue;
    QStringList its;
    for (const auto& tag : item->tags) its.append(qt(tag));
    if (first)
      common = its;
    else
      common.removeIf([&](const QString& tag) { return !its.contains(tag); });
    first = false;
  }
  return common;
}

QString size_text(const Size& size) { return LibraryModel::tr("%1 × %2").arg(size.width).arg(size.height); }

}  // namespace rubato::ui
