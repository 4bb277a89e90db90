#include "ui/report/report_dialog.h"

#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "ui/report/flat_table.h"
#include "ui/report/phase_bar.h"
#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

ReportDialog::ReportDialog(QWidget* parent)
    : QDialog(parent),
      title_(new QLabel(tr("Reading the run…"))),
      summary_(new QLabel),
      scroll_(new QScrollArea),
      bar_(new PhaseBar),
      copy_(new QPushButton(icon(QStringLiteral("copy")), tr("Copy as JSON"))),
      save_(new QPushButton(icon(QStringLiteral("disk")), tr("Save as JSON…"))) {
  setWindowTitle(tr("Run report"));
  setAttribute(Qt::WA_DeleteOnClose);
  setObjectName(QStringLiteral("runReport"));
  title_->setObjectName(QStringLiteral("title"));
  summary_->setObjectName(QStringLiteral("dim"));
  for (auto* label : {title_, summary_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  auto* page = new QWidget;
  page->setObjectName(QStringLiteral("panel"));
  auto* inside = new QVBoxLayout(page);
  inside->setContentsMargins(16, 8, 16, 16);
  inside->setSpacing(20);
  for (int i = 0; i < 7; ++i) {
    sections_.append(new ReportSection);
    inside->addWidget(sections_.back());
  }
  sections_.front()->set_picture(bar_);
  inside->addStretch();
  scroll_->setObjectName(QStringLiteral("panel"));
  scroll_->setWidgetResizable(true);
  scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  // Always there: its coming and going would change the width, by which the tables' height goes.
  scroll_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  scroll_->setAccessibleName(tr("Run report"));
  scroll_->setWidget(page);
  auto* close = new QPushButton(tr("Close"));
  close->setDefault(true);
  connect(close, &QPushButton::clicked, this, &QDialog::close);
  connect(copy_, &QPushButton::clicked, this, &ReportDialog::copy);
  connect(save_, &QPushButton::clicked, this, &ReportDialog::save);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(copy_);
  buttons->addWidget(save_);
  buttons->addStretch();
  buttons->addWidget(close);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 16, 16, 16);
  layout->setSpacing(8);
  layout->addWidget(title_);
  layout->addWidget(summary_);
  layout->addWidget(scroll_, 1);
  layout->addLayout(buttons);
  resize(820, 640);
  scroll_->hide();
  summary_->hide();
  copy_->setEnabled(false);
  save_->setEnabled(false);
  close->setFocus();
}

void ReportDialog::show_run(Run run) {
  run_ = std::move(run);
  const auto report = report_of(run_);
  title_->setText(report.title.isEmpty() ? tr("This run is not known any more.") : report.title);
  summary_->setText(report.summary);
  summary_->setVisible(!report.summary.isEmpty());
  if (report.title.isEmpty()) return;
  bar_->show_phases(report.phases);
  scroll_->show();
  const auto tables = report.tables();
  for (qsizetype i = 0; i < sections_.size(); ++i) sections_[i]->show_table(*tables[i]);
  copy_->setEnabled(true);
  save_->setEnabled(true);
}

void ReportDialog::copy() { QGuiApplication::clipboard()->setText(qt(report_json(run_).dump(2))); }

void ReportDialog::save() {
  const auto proposed =
      run_.path.isEmpty() ? QStringLiteral("report.json") : run_.path + QStringLiteral(".report.json");
  const auto file = QFileDialog::getSaveFileName(this, tr("Save the report"), proposed);
  if (file.isEmpty()) return;
  // The dialog has asked about a file that is there already.
  const auto saved = write_file_atomically(path_of(file), report_json(run_).dump(2) + "\n", Overwrite::Always);
  if (!saved) QMessageBox::warning(this, tr("The report was not saved"), qt(saved.error().message));
}

namespace {
ReportDialog* opened(QWidget* parent) {
  auto* dialog = new ReportDialog(parent);
  dialog->show();
  return dialog;
}
}  // namespace

ReportDialog* open_clip_report(Studio& studio, const QString& clip, QWidget* parent) {
  const auto item = studio.library().find(clip);
  if (!item) return nullptr;
  auto* dialog = opened(parent);
  read_clip(*item, studio.run_sources(), dialog, [dialog](Run run) { dialog->show_run(std::move(run)); });
  return dialog;
}

ReportDialog* open_job_report(Studio& studio, const QString& job, QWidget* parent) {
  auto* dialog = opened(parent);
  read_job(job, studio.engine(), studio.run_sources(), dialog, [dialog](Run run) { dialog->show_run(std::move(run)); });
  return dialog;
}

}  // namespace rubato::ui
