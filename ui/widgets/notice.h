// A line at the top of a page that says what happened and offers what can be done about it; it stays until it is
// answered or closed.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

class QLabel;
class QHBoxLayout;
class QToolButton;

namespace rubato::ui {

class Notice final : public QWidget {
  Q_OBJECT
 public:
  struct Choice {
    QString text;
    std::function<void()> run;
  };
  explicit Notice(QWidget* parent = nullptr);
  void show_text(const QString& text, std::vector<Choice> choices = {});
  QString text() const;

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void name_close();
  QLabel* label_;
  QHBoxLayout* choices_;
  QToolButton* close_;
};

}  // namespace rubato::ui
