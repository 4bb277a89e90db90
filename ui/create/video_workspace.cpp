#include "ui/create/video_workspace.h"

#include <QDockWidget>
#include <QFormLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "ui/create/copy_command.h"
#include "ui/create/model_picker.h"
#include "ui/create/prompt_panel.h"
#include "ui/create/render_bar.h"
#include "ui/create/render_desk.h"
#include "ui/create/render_panel.h"
#include "ui/create/settings_form.h"
#include "ui/queue/render_model.h"
#include "ui/shell/commands.h"
#include "ui/shell/studio.h"
#include "ui/stage/player.h"
#include "ui/stage/stage.h"
#include "ui/widgets/empty_state.h"

namespace rubato::ui {

VideoWorkspace::VideoWorkspace(Studio& studio, QWidget* parent) : QMainWindow(parent, Qt::Widget), studio_(studio) {
  setCentralWidget(make_centre());
  const auto dock = [this](const char* name, const QString& title, QWidget* content, Qt::DockWidgetArea area) {
    auto* made = new QDockWidget(title);
    made->setObjectName(QLatin1String(name));
    made->setWidget(content);
    made->setFeatures(QDockWidget::DockWidgetMovable | QDockWidget::DockWidgetFloatable |
                      QDockWidget::DockWidgetClosable);
    addDockWidget(area, made);
    return made;
  };
  prompt_ = new PromptPanel(studio.draft(), studio.check());
  auto* left = dock("promptDock", tr("Prompt"), prompt_, Qt::LeftDockWidgetArea);
  auto* right = dock("settingsDock", tr("Settings"), make_settings(), Qt::RightDockWidgetArea);
  resizeDocks({left, right}, {296, 352}, Qt::Horizontal);
  // By Tab as the eye goes: prompt, settings, render, stage.
  setTabOrder(prompt_, form_);
  setFocusProxy(prompt_->prompt());

  studio.commands().add({.id = QStringLiteral("create.command"),
                         .text = tr("Copy as command line"),
                         .menu = Menu::Create,
                         .shortcut = Qt::CTRL | Qt::SHIFT | Qt::Key_C,
                         .icon = QStringLiteral("command"),
                         .help = tr("The line of rubato-cli that renders these settings"),
                         .scope = this},
                        [this] { copy_draft_command_line(studio_); });

  connect(&studio.render(), &RenderModel::pictured, this, &VideoWorkspace::show_preview);
  connect(&studio.render(), &RenderModel::changed, this, [this] {
    if (!studio_.render().running() && stage_->previewing()) stage_->clear_preview();
  });
  // What was asked for here is what one wants to see.
  connect(&studio.desk(), &RenderDesk::queued, stage_, [this] {
    if (!studio_.render().running()) stage_->follow_preview(true);
  });
}

QWidget* VideoWorkspace::make_centre() {
  auto* page = new QWidget;
  stage_ = new Stage(studio_.player(), studio_.commands());
  auto* empty = new EmptyState(QStringLiteral("video"), tr("No clip yet"),
                               tr("Write on the left what the video shows, then render it. The preview appears here."));
  stage_->set_empty(empty);
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(stage_, 1);
  auto* bar = new RenderBar(studio_.render());
  layout->addWidget(bar);
  connect(bar, &RenderBar::preview_wanted, stage_, &Stage::follow_preview);
  connect(stage_, &Stage::preview_followed, bar, &RenderBar::set_following);
  return page;
}

QWidget* VideoWorkspace::make_settings() {
  auto* page = new QWidget;
  page->setObjectName(QStringLiteral("panel"));
  page->setAttribute(Qt::WA_StyledBackground);
  auto* picker = new ModelPicker(studio_.draft(), studio_.models());
  auto* label = new QLabel(tr("Model"));
  label->setBuddy(picker);
  label->setMinimumWidth(104);
  auto* row = new QHBoxLayout;
  row->setContentsMargins(16, 8, 16, 0);
  row->setSpacing(8);
  row->addWidget(label);
  row->addWidget(picker, 1);
  form_ = new SettingsForm(studio_.draft(), studio_.check());
  render_panel_ = new RenderPanel(studio_.check(), studio_.desk(), studio_.commands());
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addLayout(row);
  layout->addWidget(form_, 1);
  layout->addWidget(render_panel_);
  page->setMinimumWidth(328);
  return page;
}

void VideoWorkspace::show_preview() {
  const auto& render = studio_.render();
  const auto picture = render.picture();
  if (picture.isNull() || !stage_->follows_preview()) return;
  studio_.player().stop();
  stage_->show_preview(picture, render.size(), tr("Preview after step %1").arg(render.preview_step() + 1));
}

}  // namespace rubato::ui
