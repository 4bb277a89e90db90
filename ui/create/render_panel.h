// Below the settings: what the draft will take of memory and time, what stands in its way, and the button that renders.
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace rubato::ui {

class Commands;
class DraftCheck;
class RenderDesk;

class RenderPanel final : public QWidget {
  Q_OBJECT
 public:
  RenderPanel(DraftCheck& check, RenderDesk& desk, Commands& commands, QWidget* parent = nullptr);
  QPushButton* button() { return button_; }

 private:
  void refresh();

  DraftCheck& check_;
  QLabel* memory_;
  QLabel* time_;
  QLabel* problem_;
  QPushButton* button_;
};

}  // namespace rubato::ui
