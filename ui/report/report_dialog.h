// The report of one run: how long what took, the settings and which of them are not the model's own, what it ran on
// and with, memory, attempts, warnings, files.
#pragma once

#include <QDialog>
#include <QList>

#include "ui/report/run.h"
#include "ui/report/run_report.h"

class QLabel;
class QPushButton;
class QScrollArea;

namespace rubato::ui {

class PhaseBar;
class ReportSection;
class Studio;

class ReportDialog final : public QDialog {
  Q_OBJECT
 public:
  explicit ReportDialog(QWidget* parent = nullptr);
  void show_run(Run run);
  const Run& run() const { return run_; }
  QList<ReportSection*> sections() const { return sections_; }

 private:
  void copy();
  void save();

  Run run_;
  QLabel* title_;
  QLabel* summary_;
  QScrollArea* scroll_;
  PhaseBar* bar_;
  QList<ReportSection*> sections_;
  QPushButton* copy_;
  QPushButton* save_;
};

// Opened at once, filled when the run was read; closing it deletes it.
ReportDialog* open_clip_report(Studio& studio, const QString& clip, QWidget* parent);
ReportDialog* open_job_report(Studio& studio, const QString& job, QWidget* parent);

}  // namespace rubato::ui
