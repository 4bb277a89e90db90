#include "ui/models/models_model.h"

#include <algorithm>

#include "pipelines/job/places.h"
#include "ui/widgets/background.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

ModelsModel::ModelsModel(Scan scan, QObject* parent) : QAbstractTableModel(parent), scan_(std::move(scan)) {}

int ModelsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(answer_.scan.models.size());
}
int ModelsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : Columns; }

QVariant ModelsModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const auto& model = entry(index.row());
  if (role == kPathRole) return qt(model.root);
  if (role == Qt::ToolTipRole) return index.column() == Where ? qt(model.root) : qt(model.summary());
  if (role == Qt::TextAlignmentRole && index.column() == Bytes) return int(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case Name:
      return qt(model.title.empty() ? model.name : model.title);
    case Kind:
      return model.practice ? tr("video, practice") : model.kind == "video" ? tr("video") : qt(model.kind);
    case Bytes:
      return bytes_text(model.bytes);
    case State:
      return model_state(model);
    case Where:
      return qt(model.root);
    default:
      return {};
  }
}

QVariant ModelsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  const QString names[] = {tr("Model"), tr("Makes"), tr("Size"), tr("State"), tr("Where")};
  return section < Columns ? names[section] : QString();
}

void ModelsModel::rescan() {
  ++scanning_;
  in_background(this, scan_, [this](Answer answer) {
    if (--scanning_ > 0) return;  // a newer scan is under way
    beginResetModel();
    answer_ = std::move(answer);
    endResetModel();
    Q_EMIT scanned();
  });
}

std::vector<ModelEntry> ModelsModel::usable() const {
  std::vector<ModelEntry> models;
  for (const auto& model : answer_.scan.models)
    if (model.kind == "video" && model.family == "wan" && model.form == ModelEntry::Form::PipelineFolder &&
        model.complete() && model.problems.empty())
      models.push_back(model);
  return models;
}

QString model_state(const ModelEntry& model) {
  QStringList missing;
  for (const auto& part : model.parts)
    if (!part.missing.empty()) missing.append(qt(part.name));
  if (!missing.isEmpty()) return ModelsModel::tr("missing: %1").arg(listed(missing));
  return model.problems.empty() ? ModelsModel::tr("complete") : ModelsModel::tr("damaged");
}

ModelsModel::Scan user_scan(const UserFolders& user) {
  return [user] {
    ModelsModel::Answer answer;
    const auto where = model_folders(user);
    if (!where) {
      answer.problem = for_window(where.error().message);
      return answer;
    }
    answer.folders = where->folders;
    auto all = where->folders;
    if (!where->practice.empty()) all.push_back(where->practice);
    answer.scan = scan_models(all, where->cache);
    return answer;
  };
}

Result<> add_model_folder(const UserFolders& user, const std::filesystem::path& folder) {
  RUBATO_TRY(folders, remembered_folders(user));
  if (std::find(folders.begin(), folders.end(), folder) != folders.end()) return {};
  folders.push_back(folder);
  return remember_folders(user, folders);
}

Result<> remove_model_folder(const UserFolders& user, const std::filesystem::path& folder) {
  RUBATO_TRY(folders, remembered_folders(user));
  folders.erase(std::remove(folders.begin(), folders.end(), folder), folders.end());
  return remember_folders(user, folders);
}

}  // namespace rubato::ui
