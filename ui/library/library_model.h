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
  static constexpr int kTagsRole = Qt::UserRole + 3;   // QStringList

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
  // Undoable: `after` in place of `before`, in each of the clips; their other tags stay.
  void change_tags(const QStringList& ids, const QStringList& before, const QStringList& after);
  // Undoable: the clips and what stands beside them. All or none; gives their number. refused() says why none.
  int move_to_trash(const QStringList& ids);

  // What there is to look for, each once, in the order in which people expect it.
  QStringList models() const;
  QStringList tags() const;
  QStringList sizes() const;                              // as size_text() has them
  QStringList common_tags(const QStringList& ids) const;  // that all of these have

 Q_SIGNALS:
  void refused(const QString& text);
  void changed();

 private:
  class TakeOut;
  class ChangeTags;
  class Trash;
  void put_tags(const QString& id, const std::vector<std::string>& tags);
  void forget(const QString& id);  // in the store, too
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
  struct Wanted {
    QStringList words;
    bool starred = false;
    QString model, tag, size;  // "" = any
    double since = 0;          // seconds since 1970
    bool operator==(const Wanted&) const = default;
  };
  explicit LibraryFilter(LibraryModel& model, QObject* parent = nullptr);
  void set_wanted(const Wanted& wanted);
  void set_words(const QString& words);
  void set_starred_only(bool only);

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  const LibraryModel& library_;
  Wanted wanted_;
};

// "832 × 480"
QString size_text(const Size& size);

// From rubato-media, kept as PNG files in the cache folder.
LibraryModel::Thumbnailer media_thumbnails(const std::filesystem::path& cache_folder);

}  // namespace rubato::ui
