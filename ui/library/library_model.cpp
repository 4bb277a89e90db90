#include "ui/library/library_model.h"

#include <QUndoCommand>
#include <algorithm>
#include <tuple>

#include "engine/base/guard.h"
#include "pipelines/job/media_client.h"
#include "ui/widgets/background.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

class LibraryModel::TakeOut final : public QUndoCommand {
 public:
  TakeOut(LibraryModel& library, LibraryItem item)
      : QUndoCommand(LibraryModel::tr("take “%1” out of the library").arg(one_line(qt(item.title), 40))),
        library_(library),
        item_(std::move(item)) {}
  void redo() override {
    if (const auto done = library_.store_.remove(item_.id); !done)
      Q_EMIT library_.refused(for_window(done.error().message));
    library_.drop(qt(item_.id));
  }
  void undo() override { library_.add(item_); }

 private:
  LibraryModel& library_;
  LibraryItem item_;
};

LibraryModel::LibraryModel(LibraryStore& store, QUndoStack& undo, Thumbnailer thumbnails, QObject* parent)
    : QAbstractListModel(parent), store_(store), undo_(undo), thumbnailer_(std::move(thumbnails)) {
  reload();
}

int LibraryModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(items_.size());
}

QVariant LibraryModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const auto& item = this->item(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return one_line(qt(item.title), 80);
    case Qt::ToolTipRole:
      return qt(item.prompt);
    case Qt::AccessibleTextRole: {
      QStringList parts{one_line(qt(item.title), 80), tr("%Ln frame(s)", nullptr, item.frames),
                        moment_text(item.added)};
      if (item.starred) parts += tr("starred");
      return listed(parts);
    }
    case Qt::DecorationRole: {
      const auto found = thumbnails_.find(item.id);
      if (found != thumbnails_.end()) return found->second;
      want_thumbnail(item);
      return {};
    }
    case kIdRole:
      return qt(item.id);
    case kStarredRole:
      return item.starred;
    case kTagsRole: {
      QStringList tags;
      for (const auto& tag : item.tags) tags.append(qt(tag));
      return tags;
    }
    case kWordsRole:
      return qt(item.title + '\n' + item.prompt + '\n' + item.model + '\n' + item.seed + '\n' + item.path) +
             QLatin1Char('\n') + index.data(kTagsRole).toStringList().join(QLatin1Char('\n'));
    default:
      return {};
  }
}

void LibraryModel::want_thumbnail(const LibraryItem& item) const {
  if (!asked_.insert(item.id).second) return;
  auto* self = const_cast<LibraryModel*>(this);  // asking for a picture does not change what is known
  in_background(
      self, [item, make = thumbnailer_] { return make(item); },
      [self, id = item.id](const QImage& image) {
        if (image.isNull()) return;
        self->thumbnails_[id] = QPixmap::fromImage(image);
        if (const int row = self->row_of(qt(id)); row >= 0)
          Q_EMIT self->dataChanged(self->index(row), self->index(row), {Qt::DecorationRole});
      });
}

int LibraryModel::row_of(const QString& id) const {
  const auto name = utf8(id);
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&](const LibraryItem& item) { return item.id == name; });
  return found != items_.end() ? static_cast<int>(found - items_.begin()) : -1;
}

std::optional<LibraryItem> LibraryModel::find(const QString& id) const {
  const int row = row_of(id);
  return row >= 0 ? std::optional(item(row)) : std::nullopt;
}

void LibraryModel::add(LibraryItem item) {
  const auto kept = store_.add(std::move(item));
  if (!kept) return Q_EMIT refused(for_window(kept.error().message));
  thumbnails_.erase(kept->id);
  asked_.erase(kept->id);
  drop(qt(kept->id));
  // Newest first, as the store has them.
  const auto place = std::find_if(items_.begin(), items_.end(), [&](const LibraryItem& other) {
    return std::tie(other.added, other.id) < std::tie(kept->added, kept->id);
  });
  const auto row = static_cast<int>(place - items_.begin());
  beginInsertRows({}, row, row);
  items_.insert(place, *kept);
  endInsertRows();
  Q_EMIT changed();
}

void LibraryModel::drop(const QString& id) {
  const int row = row_of(id);
  if (row < 0) return;
  beginRemoveRows({}, row, row);
  items_.erase(items_.begin() + row);
  endRemoveRows();
  Q_EMIT changed();
}

void LibraryModel::set_starred(const QString& id, bool starred) {
  if (const auto done = store_.set_starred(utf8(id), starred); !done)
    return Q_EMIT refused(for_window(done.error().message));
  if (const int row = row_of(id); row >= 0) {
    items_[static_cast<std::size_t>(row)].starred = starred;
    Q_EMIT dataChanged(index(row), index(row));
  }
}

void LibraryModel::take_out(const QString& id) {
  if (auto item = find(id)) undo_.push(new TakeOut(*this, std::move(*item)));
}

void LibraryModel::reload() {
  auto items = store_.list();
  if (!items) return Q_EMIT refused(for_window(items.error().message));
  beginResetModel();
  items_ = std::move(*items);
  endResetModel();
  Q_EMIT changed();
}

LibraryFilter::LibraryFilter(LibraryModel& model, QObject* parent) : QSortFilterProxyModel(parent), library_(model) {
  setSourceModel(&model);
}

void LibraryFilter::set_words(const QString& words) {
  auto wanted = wanted_;
  wanted.words = words.split(QLatin1Char(' '), Qt::SkipEmptyParts);
  set_wanted(wanted);
}

void LibraryFilter::set_starred_only(bool only) {
  auto wanted = wanted_;
  wanted.starred = only;
  set_wanted(wanted);
}

void LibraryFilter::set_wanted(const Wanted& wanted) {
  if (wanted == wanted_) return;
  wanted_ = wanted;
  invalidateFilter();
}

bool LibraryFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  const auto index = sourceModel()->index(row, 0, parent);
  const auto& item = library_.item(row);
  if (wanted_.starred && !item.starred) return false;
  if (!wanted_.model.isEmpty() && qt(item.model) != wanted_.model) return false;
  if (!wanted_.size.isEmpty() && size_text(item.size) != wanted_.size) return false;
  if (item.added < wanted_.since) return false;
  if (!wanted_.tag.isEmpty() && std::count(item.tags.begin(), item.tags.end(), utf8(wanted_.tag)) == 0) return false;
  if (wanted_.words.isEmpty()) return true;
  const auto text = index.data(LibraryModel::kWordsRole).toString();
  return std::all_of(wanted_.words.begin(), wanted_.words.end(),
                     [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

LibraryModel::Thumbnailer media_thumbnails(const std::filesystem::path& cache_folder) {
  return [folder = cache_folder / "thumbnails"](const LibraryItem& item) -> QImage {
    const auto file = folder / (item.id + ".png");
    std::error_code failed;
    const auto clip_time = std::filesystem::last_write_time(item.path, failed);
    if (!failed && std::filesystem::exists(file, failed) && std::filesystem::last_write_time(file, failed) >= clip_time)
      if (QImage kept(qt(file)); !kept.isNull()) return kept;
    const auto found = guard([&] { return MediaClient().thumbnail(item.path, LibraryModel::kThumbnail); });
    if (!found || found->count < 1) return {};
    const QImage image =
        QImage(found->frame(0).data(), found->width, found->height, 3 * found->width, QImage::Format_RGB888)
            .convertToFormat(QImage::Format_RGB32);
    std::filesystem::create_directories(folder, failed);
    image.save(qt(file), "PNG");
    return image;
  };
}

}  // namespace rubato::ui
