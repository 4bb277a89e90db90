#include "ui/create/video_draft.h"

#include <QDateTime>
#include <QUndoCommand>

#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"
#include "ui/create/field_texts.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
constexpr qint64 kOneEdit = 1'000;  // ms between two changes of a field that still are one step
}

// A step of the history: the job before and after. Jobs are small values, so nothing cleverer is needed.
class VideoDraft::Edit final : public QUndoCommand {
 public:
  Edit(VideoDraft& draft, VideoJob after, QString field, const QString& what)
      : QUndoCommand(what),
        draft_(draft),
        before_(draft.job_),
        after_(std::move(after)),
        field_(std::move(field)),
        when_(QDateTime::currentMSecsSinceEpoch()) {}

  void undo() override { draft_.assign(before_, field_); }
  void redo() override { draft_.assign(after_, field_); }
  int id() const override { return field_.isEmpty() ? -1 : 1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = static_cast<const Edit*>(other);
    if (next->field_ != field_ || next->when_ - when_ > kOneEdit) return false;
    after_ = next->after_;
    when_ = next->when_;
    setObsolete(after_ == before_);
    return true;
  }

 private:
  VideoDraft& draft_;
  VideoJob before_, after_;
  QString field_;  // "": several
  qint64 when_;
};

VideoDraft::VideoDraft(QObject* parent) : QObject(parent) {}

QString VideoDraft::text(std::string_view name) const {
  auto job = job_;
  const auto fields = fields_of(job);
  const auto* found = field_named(fields, name);
  return found != nullptr ? field_text(*found) : QString();
}

bool VideoDraft::is_set(std::string_view name) const {
  VideoJob fresh;
  const auto fields = fields_of(fresh);
  const auto* found = field_named(fields, name);
  return found != nullptr && field_text(*found) != text(name);
}

Result<> VideoDraft::set(std::string_view name, const QString& text) {
  auto after = job_;
  VideoJob fresh;
  const auto fields = fields_of(after), fresh_fields = fields_of(fresh);
  const auto* field = field_named(fields, name);
  if (field == nullptr) return Error{ErrorCode::Usage, "a video job has no field " + std::string(name)};
  if (text.isEmpty())
    copy_field(*field, *field_named(fresh_fields, name));
  else
    RUBATO_OK(set_from_text(*field, utf8(text), utf8(field_words(name).label)));
  if (after == job_) return {};
  undo_.push(new Edit(*this, std::move(after), qt(name), tr("change of %1").arg(field_words(name).label)));
  return {};
}

void VideoDraft::replace(const VideoJob& job, const QString& what) {
  if (!(job == job_)) undo_.push(new Edit(*this, job, {}, what));
}

void VideoDraft::restore(const VideoJob& job) {
  undo_.clear();
  assign(job, {});
}

void VideoDraft::assign(const VideoJob& job, const QString& field) {
  job_ = job;
  Q_EMIT changed(field);
}

const FieldRef* field_named(const Fields& fields, std::string_view name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

QString field_text(const FieldRef& field) {
  const auto value = detail::value_of(field);
  if (value.is_null()) return {};
  if (value.is_string()) return qt(value.get<std::string>());
  return qt(value.dump());
}

void copy_field(const FieldRef& to, const FieldRef& from) {
  std::visit(
      [&](const auto& target) {
        using Target = std::decay_t<decltype(target)>;
        const auto& source = std::get<Target>(from.value);
        if constexpr (std::is_same_v<Target, std::shared_ptr<PolicyRef>>)
          target->choose(source->chosen());
        else
          *target = *source;
      },
      to.value);
}

}  // namespace rubato::ui
