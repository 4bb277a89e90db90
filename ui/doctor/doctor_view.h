// The System workspace: what `rubato-cli doctor` finds, with what to do about it. The same check, so the same answers.
#pragma once

#include <QProcess>
#include <QWidget>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace rubato::ui {

class Studio;

class DoctorView final : public QWidget {
  Q_OBJECT
 public:
  explicit DoctorView(Studio& studio, QWidget* parent = nullptr);

  // The findings of an answer of `rubato-cli doctor --json`; also for tests.
  void show_answer(const QByteArray& json);

 protected:
  void showEvent(QShowEvent* event) override;  // looks for the first time when it is looked at

 private:
  void check();
  void cannot_run();

  Studio& studio_;
  QProcess process_;
  QLabel* state_;
  QPushButton* again_;
  QVBoxLayout* findings_;
  QByteArray answer_;
  bool asked_ = false;
};

}  // namespace rubato::ui
