// Chooses the model of the draft among those that can make a video now.
#pragma once

#include <QComboBox>

namespace rubato::ui {

class ModelsModel;
class VideoDraft;

class ModelPicker final : public QComboBox {
  Q_OBJECT
 public:
  ModelPicker(VideoDraft& draft, ModelsModel& models, QWidget* parent = nullptr);

 private:
  void fill();
  void show_choice();

  VideoDraft& draft_;
  ModelsModel& models_;
};

}  // namespace rubato::ui
