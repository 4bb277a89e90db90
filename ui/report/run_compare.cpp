#include "ui/report/run_compare.h"

#include <QCheckBox>
#include <QLabel>
#include <QLocale>
#include <QScrollArea>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/report/flat_table.h"
#include "ui/shell/studio.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

QString open_or(const QString& value) { return value.isEmpty() ? RunCompareView::tr("open") : value; }

template <typename List, typename Same>
auto* find_like(const List& list, Same same) {
  const auto found = std::find_if(list.begin(), list.end(), same);
  return found != list.end() ? &*found : nullptr;
}

// "+1.2 s (+14 %)"
QString change(double from, double to) {
  const QLocale locale;
  const auto signed_text = [&](double value, int digits) {
    const auto text = locale.toString(std::abs(value), 'f', digits);
    return value < 0 ? QString(QChar(0x2212)) + text : value > 0 ? QLatin1Char('+') + text : text;
  };
  const auto seconds = signed_text(std::round((to - from) * 10) / 10, 1);
  if (from <= 0) return RunCompareView::tr("%1 s").arg(seconds);
  return RunCompareView::tr("%1 s (%2 %)").arg(seconds, signed_text(std::round(100 * (to - from) / from), 0));
}

ReportTable settings_of_both(const Run& a, const Run& b, Differences shown, int& differences) {
  ReportTable table{.title = RunCompareView::tr("Settings"),
                    .heads = {RunCompareView::tr("Setting"), RunCompareView::tr("A"), RunCompareView::tr("B")},
                    .rows = {},
                    .note = {},
                    .nothing = RunCompareView::tr("Both runs have the same settings.")};
  if (!a.job || !b.job) {
    table.nothing = RunCompareView::tr("The settings of one of them are not known.");
    return table;
  }
  const auto ours = settings_of(a), theirs = settings_of(b);
  QList<ReportRow> alike;
  const auto put = [&](const QString& label, const QString& left, const QString& right) {
    const bool differs = left != right;
    differences += differs ? 1 : 0;
    (differs ? table.rows : alike).append({{label, open_or(left), open_or(right)}, differs});
  };
  for (const auto& setting : ours) {
    if (setting.name == "out") continue;  // two clips never have one file
    const auto* other = find_like(theirs, [&](const auto& s) { return s.name == setting.name; });
    put(setting.label, setting.value, other != nullptr ? other->value : QString());
  }
  for (const auto& setting : theirs)
    if (find_like(ours, [&](const auto& s) { return s.name == setting.name; }) == nullptr)
      put(setting.label, {}, setting.value);
  if (shown == Differences::AndWhatIsAlike) table.rows += alike;
  return table;
}

ReportTable times_of_both(const Run& a, const Run& b) {
  ReportTable table{.title = RunCompareView::tr("Time"),
                    .heads = {RunCompareView::tr("Phase"), RunCompareView::tr("A"), RunCompareView::tr("B"),
                              RunCompareView::tr("Change")},
                    .rows = {},
                    .note = {},
                    .nothing = RunCompareView::tr("What the phases took is not known of both.")};
  const auto ours = phases_of(a), theirs = phases_of(b);
  if (ours.isEmpty() || theirs.isEmpty()) return table;
  double sum_a = 0, sum_b = 0;
  bool whole = true;
  const auto put = [&](const QString& name, const PhaseSeconds* left, const PhaseSeconds* right) {
    const auto text = [](const PhaseSeconds* phase) {
      return phase != nullptr ? short_seconds(phase->seconds) : RunCompareView::tr("not known");
    };
    whole = whole && left != nullptr && right != nullptr;
    if (left != nullptr && right != nullptr) {
      sum_a += left->seconds;
      sum_b += right->seconds;
    }
    table.rows.append({{name, text(left), text(right),
                        left != nullptr && right != nullptr ? change(left->seconds, right->seconds) : QString()}});
  };
  for (const auto& phase : ours)
    put(phase.name, &phase, find_like(theirs, [&](const auto& p) { return p.phase == phase.phase; }));
  for (const auto& phase : theirs)
    if (find_like(ours, [&](const auto& p) { return p.phase == phase.phase; }) == nullptr)
      put(phase.name, nullptr, &phase);
  table.rows.append({{whole ? RunCompareView::tr("Together") : RunCompareView::tr("Of what both have"),
                      short_seconds(sum_a), short_seconds(sum_b), change(sum_a, sum_b)},
                     true});
  if (a.record.report.is_object() && b.record.report.is_object()) {
    const auto place = [](const Run& run) {
      const auto device = run.record.report.value("device", nlohmann::json::object());
      return device.is_object() ? device.value("model", nlohmann::json()) : nlohmann::json();
    };
    if (place(a) != place(b)) table.note = RunCompareView::tr("They were rendered on different devices.");
  }
  return table;
}

}  // namespace

RunComparison compare_runs(const Run& a, const Run& b, Differences shown) {
  RunComparison comparison;
  comparison.settings = settings_of_both(a, b, shown, comparison.differences);
  comparison.times = times_of_both(a, b);
  return comparison;
}

RunCompareView::RunCompareView(Studio& studio, QWidget* parent)
    : QWidget(parent),
      studio_(studio),
      state_(new QLabel),
      all_(new QCheckBox(tr("Show what is alike, too"))),
      settings_(new ReportSection),
      times_(new ReportSection) {
  setObjectName(QStringLiteral("panel"));
  state_->setObjectName(QStringLiteral("dim"));
  state_->setWordWrap(true);
  auto* page = new QWidget;
  auto* inside = new QVBoxLayout(page);
  inside->setContentsMargins(12, 8, 4, 16);
  inside->setSpacing(12);
  inside->addWidget(state_);
  inside->addWidget(all_);
  inside->addWidget(settings_);
  inside->addWidget(times_);
  inside->addStretch();
  auto* scroll = new QScrollArea;
  scroll->setObjectName(QStringLiteral("panel"));
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  // Always there: its coming and going would change the width, by which the tables' height goes.
  scroll->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  scroll->setAccessibleName(tr("What differs between the two runs"));
  scroll->setWidget(page);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(scroll);
  setMinimumWidth(264);
  setFocusProxy(all_);
  connect(all_, &QCheckBox::toggled, this, &RunCompareView::refresh);
  refresh();
}

void RunCompareView::open(const QString& a, const QString& b) {
  const auto question = ++asked_;
  ids_ = {a, b};
  runs_ = {};
  int which = 0;
  for (const auto& id : ids_) {
    if (const auto item = studio_.library().find(id))
      read_clip(*item, studio_.run_sources(), this, [this, which, question](Run run) {
        if (question != asked_) return;
        runs_[static_cast<std::size_t>(which)] = std::move(run);
        refresh();
      });
    ++which;
  }
  refresh();
}

void RunCompareView::swap() { open(ids_[1], ids_[0]); }

void RunCompareView::refresh() {
  const bool both = runs_[0] && runs_[1];
  for (auto* widget : {static_cast<QWidget*>(all_), static_cast<QWidget*>(settings_), static_cast<QWidget*>(times_)})
    widget->setVisible(both);
  state_->setVisible(true);
  if (!both) return state_->setText(tr("Reading the runs…"));
  const auto found =
      compare_runs(*runs_[0], *runs_[1], all_->isChecked() ? Differences::AndWhatIsAlike : Differences::Only);
  const bool known = runs_[0]->job && runs_[1]->job;
  state_->setText(known ? tr("%n setting(s) differ.", nullptr, found.differences) : QString());
  state_->setVisible(known);
  all_->setVisible(known);
  settings_->show_table(found.settings);
  times_->show_table(found.times);
}

}  // namespace rubato::ui
