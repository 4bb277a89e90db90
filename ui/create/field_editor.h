// An editor for one field of the job schema, chosen by the field's rule: a number box, a list, a switch, a line of
// text.
//
// It speaks text, as a table cell does: "" means that the field is open. While it is open the editor shows what the
// model would take, dimmed.
#pragma once

#include <QWidget>
#include <optional>

#include "pipelines/job/field.h"

namespace rubato::ui {

class FieldEditor : public QWidget {
  Q_OBJECT
 public:
  // Never null: a rule that has no editor of its own gets a line of text.
  static FieldEditor* make(const FieldRef& field, QWidget* parent);

  virtual void set_text(const QString& text) = 0;
  virtual void set_open_text(const QString& text) = 0;  // what the field comes to when it is open; "" = not known
  virtual void set_step(int) {}                         // of numbers
  virtual void set_choices(const QStringList&) {}       // offered beside what is typed
  virtual QWidget* input() = 0;                         // that has the focus and the accessible name

 Q_SIGNALS:
  void edited(const QString& text);

 protected:
  using QWidget::QWidget;
};

}  // namespace rubato::ui
