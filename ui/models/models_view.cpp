#include "ui/models/models_view.h"

#include <QFileDialog>
#include <QGridLayout>
#include <QHeaderView>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QTreeView>
#include <QVBoxLayout>

#include "ui/models/models_model.h"
#include "ui/shell/commands.h"
#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/tall_rows.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

ModelsView::ModelsView(Studio& studio, QWidget* parent)
    : QWidget(parent),
      studio_(studio),
      models_(studio.models()),
      table_(new QTreeView),
      folders_(new QListWidget),
      state_(new QLabel),
      details_(new QLabel),
      remove_(new QPushButton(tr("Remove"))) {
  make_commands();
  table_->setModel(&models_);
  table_->setItemDelegate(new TallRows(table_));
  folders_->setItemDelegate(new TallRows(folders_));
  table_->setRootIsDecorated(false);
  table_->setUniformRowHeights(true);
  table_->setAllColumnsShowFocus(true);
  table_->setAccessibleName(tr("Models"));
  auto* header = table_->header();
  header->setStretchLastSection(true);
  header->resizeSection(ModelsModel::Name, 280);
  header->resizeSection(ModelsModel::Kind, 128);
  header->resizeSection(ModelsModel::Bytes, 96);
  header->resizeSection(ModelsModel::State, 240);
  state_->setObjectName(QStringLiteral("dim"));
  details_->setWordWrap(true);
  details_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  details_->setObjectName(QStringLiteral("dim"));
  details_->setAccessibleName(tr("Parts of the chosen model"));
  details_->setMinimumHeight(72);
  details_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  auto* where = new QLabel(
      tr("Rubato reads diffusers folders (with model_index.json and its parts) and Hugging Face hub caches, where they "
         "lie, and never changes or downloads them. Weights must be safetensors: a pickle (.pt, .pth, .ckpt, .bin) can "
         "run code when it is opened, so it is refused."));
  where->setWordWrap(true);
  where->setObjectName(QStringLiteral("dim"));

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 16, 16, 16);
  layout->setSpacing(8);
  layout->addWidget(make_folders());
  layout->addSpacing(8);
  layout->addWidget(state_);
  layout->addWidget(table_, 1);
  layout->addWidget(details_);
  layout->addWidget(where);
  connect(&models_, &ModelsModel::scanned, this, &ModelsView::refresh);
  connect(table_->selectionModel(), &QItemSelectionModel::currentChanged, this, &ModelsView::show_details);
  setFocusProxy(table_);
  refresh();
}

void ModelsView::make_commands() {
  const auto add = [&](const char* id, const QString& text, QKeySequence keys, const char* icon_name, auto run) {
    studio_.commands().add({.id = QLatin1String(id),
                            .text = text,
                            .menu = Menu::Models,
                            .shortcut = keys,
                            .icon = QLatin1String(icon_name),
                            .help = {}},
                           run);
  };
  add("models.add", tr("Add a folder with models…"), {}, "folder-add", [this] { add_folder(); });
  add("models.rescan", tr("Look for models again"), Qt::Key_F5, "reset", [this] {
    models_.rescan();
    refresh();
  });
}

QWidget* ModelsView::make_folders() {
  auto* page = new QWidget;
  auto* heading = new QLabel(tr("Folders"));
  heading->setObjectName(QStringLiteral("heading"));
  folders_->setAccessibleName(tr("Folders with models"));
  folders_->setMaximumHeight(96);
  auto* add = new QPushButton(icon(QStringLiteral("folder-add")), tr("Add a folder…"));
  auto* again = new QPushButton(icon(QStringLiteral("reset")), tr("Look again"));
  connect(add, &QPushButton::clicked, this, &ModelsView::add_folder);
  connect(again, &QPushButton::clicked, studio_.commands().find(QStringLiteral("models.rescan")), &QAction::trigger);
  connect(remove_, &QPushButton::clicked, this, [this] {
    if (const auto* item = folders_->currentItem())
      change_folders(remove_model_folder(studio_.user(), path_of(item->text())));
  });
  connect(folders_, &QListWidget::currentRowChanged, this, [this](int row) { remove_->setEnabled(row >= 0); });
  auto* buttons = new QVBoxLayout;
  buttons->setSpacing(4);
  buttons->addWidget(add);
  buttons->addWidget(remove_);
  buttons->addWidget(again);
  buttons->addStretch();
  auto* grid = new QGridLayout(page);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(8);
  grid->addWidget(heading, 0, 0);
  grid->addWidget(folders_, 1, 0);
  grid->addLayout(buttons, 1, 1);
  return page;
}

void ModelsView::add_folder() {
  const auto folder = QFileDialog::getExistingDirectory(this, tr("A folder with models"));
  if (!folder.isEmpty()) change_folders(add_model_folder(studio_.user(), path_of(folder)));
}

void ModelsView::change_folders(const Result<>& done) {
  if (!done) return Q_EMIT studio_.said(for_window(done.error().message));
  models_.rescan();
  refresh();
}

void ModelsView::refresh() {
  const auto& answer = models_.answer();
  folders_->clear();
  for (const auto& folder : answer.folders) folders_->addItem(qt(folder));
  remove_->setEnabled(folders_->currentRow() >= 0);
  QString text = models_.scanning()
                     ? tr("Looking for models…")
                     : tr("%Ln file(s) seen, models among them: %L1", nullptr, static_cast<int>(answer.scan.files))
                           .arg(models_.rowCount());
  if (answer.folders.empty() && !models_.scanning())
    text = tr("Add the folder of your checkpoints to use them; the practice model is always here.");
  if (!answer.problem.isEmpty()) text = answer.problem;
  state_->setText(text);
  if (!table_->currentIndex().isValid() && models_.rowCount() > 0) table_->setCurrentIndex(models_.index(0, 0));
  show_details();
}

void ModelsView::show_details() {
  const int row = table_->currentIndex().row();
  if (row < 0 || row >= models_.rowCount()) return details_->setText({});
  const auto& model = models_.entry(row);
  QStringList lines;
  for (const auto& part : model.parts)
    lines.append(part.missing.empty() ? tr("%1: there, %2").arg(qt(part.name), bytes_text(part.weight_bytes))
                                      : qt(part.lack()));
  for (const auto& problem : model.problems) lines.append(for_window(problem));
  details_->setText(lines.join(QLatin1Char('\n')));
}

}  // namespace rubato::ui
