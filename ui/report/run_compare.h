// Two runs against each other: the settings in which they differ, and what each phase took.
#pragma once

#include <QWidget>
#include <array>
#include <optional>

#include "ui/report/run_report.h"

class QCheckBox;
class QLabel;

namespace rubato::ui {

class ReportSection;
class Studio;

struct RunComparison {
  ReportTable settings, times;
  int differences = 0;  // settings
};
enum class Differences { Only, AndWhatIsAlike };
RunComparison compare_runs(const Run& a, const Run& b, Differences shown);

class RunCompareView final : public QWidget {
  Q_OBJECT
 public:
  explicit RunCompareView(Studio& studio, QWidget* parent = nullptr);
  // Ids of clips of the library.
  void open(const QString& a, const QString& b);
  void swap();
  QString first() const { return ids_[0]; }  // the clip that is A
  ReportSection* settings() { return settings_; }
  ReportSection* times() { return times_; }
  QCheckBox* all() { return all_; }

 private:
  void refresh();

  Studio& studio_;
  std::array<QString, 2> ids_;
  std::array<std::optional<Run>, 2> runs_;
  quint64 asked_ = 0;
  QLabel* state_;
  QCheckBox* all_;
  ReportSection* settings_;
  ReportSection* times_;
};

}  // namespace rubato::ui
