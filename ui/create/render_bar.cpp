#include "ui/create/render_bar.h"

#include <QGridLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>

#include "ui/queue/render_model.h"
#include "ui/theme/theme.h"

namespace rubato::ui {

RenderBar::RenderBar(RenderModel& render, QWidget* parent)
    : QWidget(parent),
      render_(render),
      phase_(new QLabel),
      time_(new QLabel),
      bar_(new QProgressBar),
      preview_(new QPushButton(tr("Preview"))),
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
  auto* layout = new QGridLayout(this);
  layout->setContentsMargins(16, 8, 16, 8);
  layout->setHorizontalSpacing(8);
  layout->setVerticalSpacing(8);
  layout->addWidget(phase_, 0, 0);
  layout->addWidget(time_, 0, 1, 1, 3);
  layout->addWidget(bar_, 1, 0, 1, 4);
  layout->addWidget(preview_, 2, 0, Qt::AlignLeft);
  layout->addWidget(stop_, 2, 2);
  layout->addWidget(cancel_, 2, 3);
  layout->setColumnStretch(0, 1);
  preview_->setCheckable(true);
  preview_->setChecked(true);
  preview_->setToolTip(tr("Show on the stage what is being rendered"));
  connect(preview_, &QPushButton::clicked, this, &RenderBar::preview_wanted);
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
