// What people read about a run, as tables of words: made of a Run alone, so that window, tests and copies say the same.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "ui/report/run.h"

namespace rubato::ui {

struct ReportRow {
  QStringList cells;
  bool marked = false;  // shown in bold; its words say why
};

struct ReportTable {
  QString title;
  QStringList heads;
  QList<ReportRow> rows;
  QString note;     // one sentence above the table; may be empty
  QString nothing;  // said in place of a table without rows
};

struct PhaseSeconds {
  std::string phase;  // "denoise"
  QString name;       // "Denoising"
  double seconds = 0;
};

struct RunReport {
  QString title, summary;
  QList<PhaseSeconds> phases;  // in the order of a render; empty: not known
  ReportTable times, settings, origin, memory, course, warnings, files;
  QList<const ReportTable*> tables() const { return {&times, &settings, &origin, &memory, &course, &warnings, &files}; }
};

RunReport report_of(const Run& run);
nlohmann::json report_json(const Run& run);

QList<PhaseSeconds> phases_of(const Run& run);
// "1.2 s", "2 min 5 s"
QString short_seconds(double seconds);

// One setting of a run as people read it.
struct SettingText {
  std::string name;
  QString label, value;          // value: "" = open
  std::optional<QString> usual;  // what the model gives; nothing: it has none, or is not here
  bool differs = false;          // from it
};
// Those that are worth looking at, in the order of the schema.
QList<SettingText> settings_of(const Run& run);

}  // namespace rubato::ui
