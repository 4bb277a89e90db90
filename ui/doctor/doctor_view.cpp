#include "ui/doctor/doctor_view.h"

#include <QClipboard>
#include <QGridLayout>
#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>
#include <utility>

#include "ui/shell/studio.h"
#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

struct Look {
  const char* icon;
  const char* color;
  QString word;
};

Look look_of(const QString& state) {
  if (state == QLatin1String("ok")) return {"ok", "good", DoctorView::tr("in order")};
  if (state == QLatin1String("note")) return {"info", "dim", DoctorView::tr("note")};
  if (state == QLatin1String("warn")) return {"warning", "warning", DoctorView::tr("look at this")};
  return {"error", "bad", DoctorView::tr("needs mending")};
}

QString title_of(const QString& id) {
  const std::pair<const char*, QString> titles[] = {{"version", DoctorView::tr("Version")},
                                                    {"engine", DoctorView::tr("Engine")},
                                                    {"isolation", DoctorView::tr("Isolation")},
                                                    {"gpu", DoctorView::tr("GPU")},
                                                    {"cpu", DoctorView::tr("Processor")},
                                                    {"memory", DoctorView::tr("Memory")},
                                                    {"disk", DoctorView::tr("Disk")},
                                                    {"media", DoctorView::tr("Media")},
                                                    {"models", DoctorView::tr("Models")},
                                                    {"folders", DoctorView::tr("User folders")},
                                                    {"practice", DoctorView::tr("Practice model")}};
  for (const auto& [name, title] : titles)
    if (id == QLatin1String(name)) return title;
  return id;
}

}  // namespace

DoctorView::DoctorView(Studio& studio, QWidget* parent)
    : QWidget(parent),
      studio_(studio),
      state_(new QLabel),
      again_(new QPushButton(icon(QStringLiteral("reset")), tr("Check again"))),
      findings_(new QVBoxLayout) {
  auto* heading = new QLabel(tr("Is everything here that a render needs?"));
  heading->setObjectName(QStringLiteral("title"));
  heading->setWordWrap(true);
  state_->setObjectName(QStringLiteral("dim"));
  auto* copy = new QPushButton(icon(QStringLiteral("copy")), tr("Copy the report"));
  connect(copy, &QPushButton::clicked, this,
          [this] { QGuiApplication::clipboard()->setText(QString::fromUtf8(answer_)); });
  connect(again_, &QPushButton::clicked, this, &DoctorView::check);
  auto* top = new QHBoxLayout;
  top->setSpacing(8);
  top->addWidget(heading, 1);
  top->addWidget(copy);
  top->addWidget(again_);

  auto* page = new QWidget;
  page->setLayout(findings_);
  page->setMaximumWidth(960);
  findings_->setContentsMargins(0, 0, 8, 0);
  findings_->setSpacing(8);
  auto* scroll = new QScrollArea;
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setWidgetResizable(true);
  scroll->setAccessibleName(tr("Findings"));
  scroll->setWidget(page);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 16, 16, 16);
  layout->setSpacing(8);
  layout->addLayout(top);
  layout->addWidget(state_);
  layout->addSpacing(8);
  layout->addWidget(scroll, 1);

  connect(&process_, &QProcess::finished, this, [this] { show_answer(process_.readAllStandardOutput()); });
  connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) cannot_run();
  });
  setFocusProxy(again_);
}

void DoctorView::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (!std::exchange(asked_, true)) check();
}

void DoctorView::cannot_run() {
  again_->setEnabled(true);
  state_->setText(tr("The check cannot run: rubato-cli is not beside this program."));
}

void DoctorView::check() {
  if (process_.state() != QProcess::NotRunning) return;
  again_->setEnabled(false);
  state_->setText(tr("Looking at this machine; the engine is started for it, which takes some seconds…"));
  if (studio_.rubato_cli().empty()) return cannot_run();
  process_.start(qt(studio_.rubato_cli()), {QStringLiteral("doctor"), QStringLiteral("--json")});
}

void DoctorView::show_answer(const QByteArray& json) {
  asked_ = true;
  again_->setEnabled(true);
  answer_ = json;
  while (auto* item = findings_->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  const auto checks = QJsonDocument::fromJson(json).object()[QLatin1String("checks")].toArray();
  int wrong = 0;
  for (const auto& value : checks) {
    const auto finding = value.toObject();
    const auto look = look_of(finding[QLatin1String("state")].toString());
    const auto title = title_of(finding[QLatin1String("id")].toString());
    const auto remedy = finding[QLatin1String("remedy")].toString();
    wrong += qstrcmp(look.icon, "warning") == 0 || qstrcmp(look.icon, "error") == 0;
    auto* row = new QWidget;
    auto* grid = new QGridLayout(row);
    grid->setContentsMargins(0, 4, 0, 4);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    grid->setColumnMinimumWidth(1, 120);
    grid->setColumnStretch(2, 1);
    auto* picture = new QLabel;
    picture->setPixmap(icon(QLatin1String(look.icon), look.color).pixmap(20, 20));
    picture->setToolTip(look.word);
    picture->setAccessibleName(look.word);
    auto* name = new QLabel(title);
    name->setObjectName(QStringLiteral("heading"));
    auto* detail = new QLabel(finding[QLatin1String("detail")].toString());
    detail->setWordWrap(true);
    detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    grid->addWidget(picture, 0, 0);
    grid->addWidget(name, 0, 1);
    grid->addWidget(detail, 0, 2);
    if (!remedy.isEmpty()) {
      auto* advice = new QLabel(remedy);
      advice->setObjectName(QStringLiteral("dim"));
      advice->setWordWrap(true);
      grid->addWidget(advice, 1, 2);
    }
    findings_->addWidget(row);
  }
  findings_->addStretch();
  state_->setText(checks.isEmpty() ? tr("The check gave no answer; run rubato-cli doctor in a terminal.")
                  : wrong == 0     ? tr("Everything is in order.")
                                   : tr("%n thing(s) to look at.", nullptr, wrong));
}

}  // namespace rubato::ui
