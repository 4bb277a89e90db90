#include "ui/create/render_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/queue/render_model.h"
#include "ui/theme/theme.h"

namespace rubato::ui {

RenderBar::RenderBar(RenderModel& render, QWidget* parent)
    : QWidget(parent),
      render_(render),
      phase_(new QLabel),
      time_(new QLabel),
      bar_(new QProgressBar),
      preview_(new QToolButton),
      stop_(new QPushButton(tr("Stop after this step"))),
      cancel_(new QPushButton(tr("Cancel"))) {
  setObjectName(QStringLiteral("panel"));
  setAttribute(Qt::WA_StyledBackground);
  bar_->setTextVisible(false);
  bar_->setRange(0, 1000);
  bar_->setAccessibleName(tr("Progress of the render"));
  time_->setObjectName(QStringLiteral("dim"));
  time_->setAlignment(Qt::AlignRight);
  stop_->setToolTip(tr("Ends the render when the current step is done; what is done is kept for a retry"));
  cancel_->setToolTip(tr("Ends the render at once; it goes on from the last checkpoint when it is tried again"));
  cancel_->setIcon(icon(QStringLiteral("cancel")));
  auto* words = new QHBoxLayout;
  words->setSpacing(8);
  words->addWidget(phase_, 1);
  words->addWidget(time_);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(preview_);
  buttons->addStretch();
  buttons->addWidget(stop_);
  buttons->addWidget(cancel_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 8, 16, 8);
  layout->setSpacing(8);
  layout->addLayout(words);
  layout->addWidget(bar_);
  layout->addLayout(buttons);
  preview_->setObjectName(QStringLiteral("flat"));
  preview_->setIcon(icon(QStringLiteral("picture")));
  preview_->setIconSize({20, 20});
  preview_->setAccessibleName(tr("Preview"));
  preview_->setCheckable(true);
  preview_->setChecked(true);
  preview_->setToolTip(tr("Show on the stage what is being rendered"));
  connect(preview_, &QToolButton::clicked, this, &RenderBar::preview_wanted);
  connect(stop_, &QPushButton::clicked, &render_, &RenderModel::stop_after_step);
  connect(cancel_, &QPushButton::clicked, &render_, &RenderModel::cancel);
  connect(&render_, &RenderModel::changed, this, &RenderBar::refresh);
  refresh();
}

void RenderBar::refresh() {
  setVisible(render_.running());
  phase_->setText(render_.phase_line());
  time_->setText(render_.time_line());
  bar_->setValue(static_cast<int>(render_.progress().fraction * 1000));
  stop_->setEnabled(!render_.stopping());
}

void RenderBar::set_following(bool follows) { preview_->setChecked(follows); }

}  // namespace rubato::ui
