// Preferences of the window: its language and its theme. Both take effect at once; there is nothing to confirm.
#pragma once

#include <QDialog>

class QComboBox;
class QLabel;
class QPushButton;
class QSettings;

namespace rubato::ui {

class PreferencesDialog final : public QDialog {
  Q_OBJECT
 public:
  PreferencesDialog(QSettings& settings, QWidget* parent);

  QComboBox* language() { return language_; }
  QComboBox* theme() { return theme_; }

 Q_SIGNALS:
  void theme_chosen(const QString& id);
  void shortcuts_wanted();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void speak();
  void choose_language();

  QSettings& settings_;
  QLabel *language_label_, *theme_label_, *note_;
  QComboBox *language_, *theme_;
  QPushButton *shortcuts_, *close_;
};

}  // namespace rubato::ui
