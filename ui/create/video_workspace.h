// The Video workspace: prompt on the left, stage in the middle, settings and the render button on the right.
#pragma once

#include <QMainWindow>

namespace rubato::ui {

class PromptPanel;
class RenderPanel;
class SettingsForm;
class Stage;
class Studio;

class VideoWorkspace final : public QMainWindow {
  Q_OBJECT
 public:
  explicit VideoWorkspace(Studio& studio, QWidget* parent = nullptr);

  Stage* stage() { return stage_; }
  PromptPanel* prompt() { return prompt_; }
  SettingsForm* form() { return form_; }
  RenderPanel* render_panel() { return render_panel_; }

 private:
  QWidget* make_centre();
  QWidget* make_settings();
  void show_preview();

  Studio& studio_;
  Stage* stage_ = nullptr;
  PromptPanel* prompt_ = nullptr;
  SettingsForm* form_ = nullptr;
  RenderPanel* render_panel_ = nullptr;
};

}  // namespace rubato::ui
