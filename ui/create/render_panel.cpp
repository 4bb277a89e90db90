#include "ui/create/render_panel.h"

#include <QLabel>
#include <QPushButton>
#include <QStyle>
#include <QVBoxLayout>
#include <numeric>

#include "ui/create/draft_check.h"
#include "ui/create/render_desk.h"
#include "ui/shell/commands.h"
#include "ui/theme/theme.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

RenderPanel::RenderPanel(DraftCheck& check, RenderDesk& desk, Commands& commands, QWidget* parent)
    : QWidget(parent),
      check_(check),
      memory_(new QLabel),
      time_(new QLabel),
      problem_(new QLabel),
      button_(new QPushButton) {
  setObjectName(QStringLiteral("panel"));
  setAttribute(Qt::WA_StyledBackground);
  auto* render = commands.add({.id = QStringLiteral("create.render"),
                               .text = tr("Render"),
                               .menu = Menu::Create,
                               .shortcut = Qt::CTRL | Qt::Key_Return,
                               .icon = QStringLiteral("render"),
                               .help = tr("Puts the clip behind what the queue holds already")},
                              [&desk] { desk.render(QueueModel::Turn::Last); });
  commands.add({.id = QStringLiteral("create.render_next"),
                .text = tr("Render next"),
                .menu = Menu::Create,
                .shortcut = Qt::CTRL | Qt::SHIFT | Qt::Key_Return,
                .icon = {},
                .help = tr("Puts the clip in front of what waits in the queue")},
               [&desk] { desk.render(QueueModel::Turn::Next); });
  commands.add({.id = QStringLiteral("create.vary"),
                .text = tr("Vary the seed"),
                .menu = Menu::Create,
                .shortcut = Qt::CTRL | Qt::Key_R,
                .icon = QStringLiteral("dice"),
                .help = tr("Renders the same settings once more with a new seed")},
               [&desk] { desk.render(QueueModel::Turn::Last, RenderDesk::Seed::New); });
  commands.add({.id = QStringLiteral("create.four"),
                .text = tr("Render with four new seeds"),
                .menu = Menu::Create,
                .shortcut = Qt::CTRL | Qt::SHIFT | Qt::Key_R,
                .icon = {},
                .help = tr("Four jobs that differ by their seed alone")},
               [&desk] {
                 for (int i = 0; i < 4 && desk.can_render(); ++i)
                   desk.render(QueueModel::Turn::Last, RenderDesk::Seed::New);
               });
  button_->setObjectName(QStringLiteral("primary"));
  button_->setIcon(icon(QStringLiteral("render"), "on_accent"));
  button_->setText(render->text());
  button_->setToolTip(tr("%1 (%2)").arg(render->statusTip(), render->shortcut().toString(QKeySequence::NativeText)));
  button_->setMinimumHeight(36);
  connect(button_, &QPushButton::clicked, render, &QAction::trigger);
  for (auto* label : {memory_, time_, problem_}) label->setWordWrap(true);
  memory_->setObjectName(QStringLiteral("dim"));
  time_->setObjectName(QStringLiteral("dim"));
  problem_->setObjectName(QStringLiteral("warning"));

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 8, 16, 16);
  layout->setSpacing(4);
  layout->addWidget(memory_);
  layout->addWidget(time_);
  layout->addWidget(problem_);
  layout->addSpacing(4);
  layout->addWidget(button_);
  connect(&check_, &DraftCheck::judged, this, &RenderPanel::refresh);
  refresh();
}

void RenderPanel::refresh() {
  const auto& verdict = check_.verdict();
  problem_->setText(verdict.problem);
  problem_->setVisible(!verdict.problem.isEmpty());
  memory_->setVisible(verdict.memory.has_value());
  time_->setVisible(verdict.resolved.has_value());
  if (verdict.memory) {
    const auto bytes = std::max(verdict.memory->device_bytes, verdict.memory->host_bytes);
    const auto fit = verdict.memory->fit == Fit::Fits              ? tr("fits")
                     : verdict.memory->fit == Fit::FitsWithOffload ? tr("fits, with parts loaded in turn")
                                                                   : tr("may not fit");
    memory_->setText(tr("Memory: %1").arg(listed({bytes_text(bytes), fit})));
    memory_->setToolTip(for_window(verdict.memory->sentence));
  }
  double expected = 0;
  for (const auto& [phase, seconds] : verdict.time.expected_s) expected += seconds;
  time_->setText(expected <= 0 ? tr("Time: not measured here yet")
                 : verdict.time.estimated
                     ? tr("Time: about %1, estimated from another size").arg(seconds_text(expected))
                     : tr("Time: about %1, as measured here").arg(seconds_text(expected)));
  button_->setEnabled(verdict.resolved.has_value());
}

}  // namespace rubato::ui
