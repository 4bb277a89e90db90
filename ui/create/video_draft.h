// VideoDraft: the video job that is being written. Everything that changes it can be undone.
//
// Fields are seen as text, as a table cell gives them: "" means that the field is open and the model decides. One edit
// is one step of the undo stack; quick edits of the same field in a row are one step.
#pragma once

#include <QObject>
#include <QString>
#include <QUndoStack>
#include <string_view>

#include "engine/base/error.h"
#include "pipelines/job/video_job.h"

namespace rubato::ui {

class VideoDraft final : public QObject {
  Q_OBJECT
 public:
  explicit VideoDraft(QObject* parent = nullptr);

  const VideoJob& job() const { return job_; }
  QUndoStack& undo() { return undo_; }

  QString text(std::string_view field) const;
  bool is_set(std::string_view field) const;  // differs from what a new job has
  // JobInvalid: the text is no value of this field; then nothing has changed. The sentence names the nearest value.
  Result<> set(std::string_view field, const QString& text);
  void reset(std::string_view field) { (void)set(field, {}); }
  // One step: the settings of a clip or of a job file. `what` stands in the undo menu.
  void replace(const VideoJob& job, const QString& what);
  // What was kept from an earlier session; begins a new history.
  void restore(const VideoJob& job);

 Q_SIGNALS:
  void changed(const QString& field);  // "": any number of them

 private:
  class Edit;
  void assign(const VideoJob& job, const QString& field);

  VideoJob job_;
  QUndoStack undo_;
};

// The field of this name; nullptr if there is none.
const FieldRef* field_named(const Fields& fields, std::string_view name);
// Its value as a table cell; "" when it is open.
QString field_text(const FieldRef& field);
// Gives `to` the value of `from`; both are fields of the same name.
void copy_field(const FieldRef& to, const FieldRef& from);

}  // namespace rubato::ui
