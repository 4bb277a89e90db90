// The settings of the draft as a form, made from the job schema: a row a field, with label, editor, unit, tool tip, and
// a button that opens the field again. Fields that the chosen model has no use for are not shown.
#pragma once

#include <QMap>
#include <QScrollArea>
#include <string>

class QGridLayout;
class QLabel;
class QToolButton;

namespace rubato {
struct FieldRef;
}

namespace rubato::ui {

class DraftCheck;
class FieldEditor;
class VideoDraft;

class SettingsForm final : public QScrollArea {
  Q_OBJECT
 public:
  SettingsForm(VideoDraft& draft, DraftCheck& check, QWidget* parent = nullptr);

  // The input of a field, for tests and for whoever wants to lead the eye there; nullptr if it has no row.
  QWidget* input(const std::string& field) const;
  bool shows(const std::string& field) const;

 private:
  struct Row {
    QLabel* label = nullptr;
    QWidget* cell = nullptr;
    FieldEditor* editor = nullptr;
    QToolButton* reset = nullptr;
    QLabel* problem = nullptr;
    bool advanced = false;
  };
  void add_row(const FieldRef& field, QGridLayout* grid, bool advanced);
  void refresh();         // values
  void learn_of_model();  // what open fields come to, steps, choices, which rows there are
  void fold(bool open);

  VideoDraft& draft_;
  DraftCheck& check_;
  QMap<QString, Row> rows_;
  QToolButton* more_;
  QWidget* advanced_;
};

}  // namespace rubato::ui
