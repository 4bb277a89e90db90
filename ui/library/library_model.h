// LibraryModel: the clips that were made here, newest first, with thumbnails. Taking one out can be undone.
#pragma once

#include <QAbstractListModel>
#include <QPixmap>
#include <QSortFilterProxyModel>
#include <QUndoStack>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "pipelines/job/library/library_store.h"

namespace rubato::ui {

class LibraryModel final : public QAbstractListModel {
  Q_OBJECT
 public:
  static constexpr int kIdRole = Qt::UserRole;
  static constexpr int kStarredRole = Qt::UserRole + 1;
  static constexpr int kWordsRole = Qt::UserRole + 2;  // all that a search looks at
  static constexpr int kThumbnail = 256;               // pixels of the longer side

  // A picture of a clip; called on a thread of the pool. Null: there is none.
  using Thumbnailer = std::function<QImage(const LibraryItem&)>;
  LibraryModel(LibraryStore& store, QUndoStack& undo, Thumbnailer thumbnails, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

  const LibraryItem& item(int row) const { return items_[static_cast<std::size_t>(row)]; }
  std::optional<LibraryItem> find(const QString& id) const;
  int row_of(const QString& id) const;

  void add(LibraryItem item);
  void set_starred(const QString& id, bool starred);
  void take_out(const QString& id);  // undoable; the file stays

 Q_SIGNALS:
  void refused(const QString& text);
  void changed();

 private:
  class TakeOut;
  void reload();
  void drop(const QString& id);  // the row alone
  void want_thumbnail(const LibraryItem& item) const;

  LibraryStore& store_;
  QUndoStack& undo_;
  Thumbnailer thumbnailer_;
  std::vector<LibraryItem> items_;
  mutable std::unordered_map<std::string, QPixmap> thumbnails_;  // by id
  mutable std::set<std::string> asked_;
};

// What a search and the star leave of the library.
class LibraryFilter final : public QSortFilterProxyModel {
  Q_OBJECT
 public:
  explicit LibraryFilter(LibraryModel& model, QObject* parent = nullptr);
  void set_words(const QString& words);
  void set_starred_only(bool only);

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  QStringList words_;
  bool starred_only_ = false;
};

// From rubato-media, kept as PNG files in the cache folder.
LibraryModel::Thumbnailer media_thumbnails(const std::filesystem::path& cache_folder);

}  // namespace rubato::ui
