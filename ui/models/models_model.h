// ModelsModel: the models on this machine, as a table. Scans run in the background; what was known stays in sight until
// the new answer is there.
#pragma once

#include <QAbstractTableModel>
#include <filesystem>
#include <functional>
#include <vector>

#include "engine/base/files.h"
#include "engine/files/model_scan.h"

namespace rubato::ui {

class ModelsModel final : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Name, Kind, Bytes, State, Where, Columns };
  static constexpr int kPathRole = Qt::UserRole;

  // What a scan gives, and the folders it looked into; runs on a thread of the pool. Tests give their own.
  struct Answer {
    std::vector<std::filesystem::path> folders;
    ModelScan scan;
    QString problem;
  };
  using Scan = std::function<Answer()>;
  explicit ModelsModel(Scan scan, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  void rescan();
  bool scanning() const { return scanning_ > 0; }
  const Answer& answer() const { return answer_; }
  const ModelEntry& entry(int row) const { return answer_.scan.models[static_cast<std::size_t>(row)]; }
  // Models that can make a video now.
  std::vector<ModelEntry> usable() const;

 Q_SIGNALS:
  void scanned();

 private:
  Scan scan_;
  Answer answer_;
  int scanning_ = 0;
};

// "complete", or what is missing: "text_encoder, vae missing".
QString model_state(const ModelEntry& model);

// The folders that are remembered for this user, and the practice models.
ModelsModel::Scan user_scan(const UserFolders& user);
// Adds a folder to those that are remembered, or takes it out.
Result<> add_model_folder(const UserFolders& user, const std::filesystem::path& folder);
Result<> remove_model_folder(const UserFolders& user, const std::filesystem::path& folder);

}  // namespace rubato::ui
