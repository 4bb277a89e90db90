// The first page that a newcomer sees: three ways to begin.
#pragma once

#include <QWidget>

namespace rubato::ui {

class FirstRun final : public QWidget {
  Q_OBJECT
 public:
  explicit FirstRun(QWidget* parent = nullptr);

 Q_SIGNALS:
  void practice_wanted();
  void folder_wanted();
  void look_wanted();
};

}  // namespace rubato::ui
