#include "ui/create/settings_form.h"

#include <QGridLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

#include "pipelines/job/capacity.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"
#include "ui/create/draft_check.h"
#include "ui/create/field_editor.h"
#include "ui/create/field_texts.h"
#include "ui/create/video_draft.h"
#include "ui/theme/theme.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

// A field that is newer than the table speaks as the schema does.
QString help_of(const FieldRef& field, const FieldWords& words) {
  return words.help.isEmpty() ? qt(field.help) : words.help;
}

// Help, range and default as one tool tip.
QString tool_tip(const FieldRef& field, const FieldWords& words) {
  QString tip =
      QStringLiteral("<b>%1</b><br>%2").arg(words.label.toHtmlEscaped(), help_of(field, words).toHtmlEscaped());
  if (const auto rule = rule_text(field); !rule.isEmpty())
    tip += QStringLiteral("<br>") + SettingsForm::tr("Takes: %1").arg(rule.toHtmlEscaped());
  if (const auto open = default_text(field); !open.isEmpty())
    tip += QStringLiteral("<br>") + SettingsForm::tr("By default: %1").arg(open.toHtmlEscaped());
  return tip;
}

// The model's own size, turned on its side, and squares and halves of it: all valid for the model.
QStringList sizes_near(const Size& size, const VideoModel& model) {
  QStringList sizes;
  const auto offer = [&](int width, int height) {
    width = std::max(width / model.width_multiple, 1) * model.width_multiple;
    height = std::max(height / model.height_multiple, 1) * model.height_multiple;
    const auto text = QStringLiteral("%1x%2").arg(width).arg(height);
    if (!sizes.contains(text)) sizes.append(text);
  };
  const int longer = std::max(size.width, size.height), shorter = std::min(size.width, size.height);
  offer(size.width, size.height);
  offer(size.height, size.width);
  offer(shorter, shorter);
  offer(longer * 3 / 4, shorter * 3 / 4);
  offer(shorter * 3 / 2, shorter);
  return sizes;
}

// The column of buttons stays as wide as a button, unless the whole row has gone.
void keep_room(QWidget* widget, bool keep) {
  auto policy = widget->sizePolicy();
  policy.setRetainSizeWhenHidden(keep);
  widget->setSizePolicy(policy);
}

}  // namespace

SettingsForm::SettingsForm(VideoDraft& draft, DraftCheck& check, QWidget* parent)
    : QScrollArea(parent), draft_(draft), check_(check), more_(new QToolButton), advanced_(new QWidget) {
  setObjectName(QStringLiteral("panel"));
  setWidgetResizable(true);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::NoFocus);
  auto* page = new QWidget;
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(16, 8, 8, 16);
  layout->setSpacing(8);
  auto* basic = new QGridLayout;
  auto* advanced = new QGridLayout(advanced_);
  for (auto* grid : {basic, advanced}) {
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(0);  // a row brings its own, so that a hidden one leaves no gap
    grid->setColumnMinimumWidth(0, 104);
    grid->setColumnStretch(1, 1);
  }
  more_->setObjectName(QStringLiteral("flat"));
  more_->setText(tr("Advanced"));
  more_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  more_->setCheckable(true);
  layout->addLayout(basic);
  layout->addWidget(more_);
  layout->addWidget(advanced_);
  layout->addStretch();
  setWidget(page);

  VideoJob job;
  for (const auto& field : fields_of(job)) {
    const auto place = field_words(field.name).place;
    if (field.group == Group::Inspection || place == FormPlace::Elsewhere) continue;
    // A choice of one is none.
    if (const auto* policy = detail::policy_of(field); policy != nullptr && policy->methods().size() < 2) continue;
    add_row(field, place == FormPlace::Basic ? basic : advanced, place == FormPlace::Advanced);
  }
  connect(more_, &QToolButton::toggled, this, &SettingsForm::fold);
  connect(&draft_, &VideoDraft::changed, this, &SettingsForm::refresh);
  connect(&check_, &DraftCheck::judged, this, &SettingsForm::learn_of_model);
  fold(false);
  learn_of_model();
  refresh();
}

void SettingsForm::add_row(const FieldRef& field, QGridLayout* grid, bool advanced) {
  const auto words = field_words(field.name);
  const std::string name(field.name);
  Row row;
  row.advanced = advanced;
  row.cell = new QWidget;
  row.editor = FieldEditor::make(field, row.cell);
  row.label =
      new QLabel(words.unit.isEmpty() ? words.label : tr("%1 (%2)", "setting (unit)").arg(words.label, words.unit));
  row.label->setWordWrap(true);
  row.label->setBuddy(row.editor->input());
  const auto tip = tool_tip(field, words);
  row.label->setToolTip(tip);
  row.editor->input()->setToolTip(tip);
  row.editor->input()->setAccessibleName(row.label->text());
  row.editor->input()->setAccessibleDescription(help_of(field, words));
  row.editor->input()->setObjectName(qt(field.name));
  row.reset = new QToolButton;
  row.reset->setObjectName(QStringLiteral("flat"));
  row.reset->setIcon(icon(QStringLiteral("reset"), "dim"));
  row.reset->setToolTip(tr("Back to the default"));
  row.reset->setAccessibleName(tr("Reset %1").arg(words.label));
  keep_room(row.reset, true);
  row.problem = new QLabel;
  row.problem->setObjectName(QStringLiteral("bad"));
  row.problem->setWordWrap(true);
  row.problem->hide();

  auto* cell = new QVBoxLayout(row.cell);
  cell->setContentsMargins(0, 0, 0, 8);
  cell->setSpacing(4);
  cell->addWidget(row.editor);
  cell->addWidget(row.problem);
  const int at = grid->rowCount();
  grid->addWidget(row.label, at, 0, Qt::AlignTop);
  grid->addWidget(row.cell, at, 1);
  grid->addWidget(row.reset, at, 2, Qt::AlignTop);
  row.label->setContentsMargins(0, 6, 0, 0);

  connect(row.reset, &QToolButton::clicked, this, [this, name] { draft_.reset(name); });
  connect(row.editor, &FieldEditor::edited, this, [this, name](const QString& text) {
    auto& edited = rows_[qt(name)];
    const auto done = draft_.set(name, text);
    edited.problem->setVisible(!done);
    if (!done) edited.problem->setText(for_window(done.error().message));
  });
  rows_.insert(qt(field.name), row);
}

QWidget* SettingsForm::input(const std::string& field) const {
  const auto row = rows_.constFind(qt(field));
  return row != rows_.constEnd() ? row->editor->input() : nullptr;
}

bool SettingsForm::shows(const std::string& field) const {
  const auto row = rows_.constFind(qt(field));
  return row != rows_.constEnd() && !row->cell->isHidden();
}

void SettingsForm::refresh() {
  for (auto it = rows_.begin(); it != rows_.end(); ++it) {
    const auto name = utf8(it.key());
    it->editor->set_text(draft_.text(name));
    it->reset->setVisible(draft_.is_set(name));
    it->problem->hide();
  }
}

void SettingsForm::learn_of_model() {
  const auto& verdict = check_.verdict();
  if (verdict.defaults) {
    auto defaults = *verdict.defaults;
    for (const auto& field : fields_of(defaults))
      if (const auto row = rows_.find(qt(field.name)); row != rows_.end())
        row->editor->set_open_text(field_text(field));
  }
  const bool image = verdict.model && verdict.model->takes_image, two = verdict.model && verdict.model->two_experts;
  const auto show = [&](const char* name, bool wanted) {
    if (const auto row = rows_.find(QLatin1String(name)); row != rows_.end()) {
      row->label->setVisible(wanted);
      row->cell->setVisible(wanted);
      keep_room(row->reset, wanted);
      row->reset->setVisible(wanted && draft_.is_set(name));
    }
  };
  // A value that is set stays in sight, so that it can be taken away.
  show("image", image || draft_.is_set("image"));
  show("guidance_2", two || draft_.is_set("guidance_2"));
  const auto gpus = gpu_count("/dev", std::getenv("CUDA_VISIBLE_DEVICES"));
  show("reserve", gpus.value_or(1) > 0 || draft_.is_set("reserve"));
  if (verdict.model) {
    rows_[QStringLiteral("frames")].editor->set_step(verdict.model->temporal_ratio);
    if (verdict.defaults && verdict.defaults->size)
      rows_[QStringLiteral("size")].editor->set_choices(sizes_near(*verdict.defaults->size, *verdict.model));
  }
  QStringList devices{QStringLiteral("auto"), QStringLiteral("cpu")};
  for (int i = 0; i < gpus.value_or(1); ++i) devices.append(QStringLiteral("cuda:%1").arg(i));
  rows_[QStringLiteral("device")].editor->set_choices(devices);
}

void SettingsForm::fold(bool open) {
  more_->setIcon(icon(open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right")));
  advanced_->setVisible(open);
}

}  // namespace rubato::ui
