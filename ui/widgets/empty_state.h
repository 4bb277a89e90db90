// What a page shows when it has nothing yet: one sentence about why, and the button for what to do next.
#pragma once

#include <QWidget>

class QPushButton;
class QVBoxLayout;

namespace rubato::ui {

class EmptyState final : public QWidget {
  Q_OBJECT
 public:
  EmptyState(const QString& icon, const QString& title, const QString& text, QWidget* parent = nullptr);
  // A button below the text; the first is the primary one.
  QPushButton* add_choice(const QString& text, const QString& icon = {});

 private:
  QVBoxLayout* layout_;
  bool primary_ = true;
};

}  // namespace rubato::ui
