#include "ui/create/model_picker.h"

#include "ui/create/video_draft.h"
#include "ui/models/models_model.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

ModelPicker::ModelPicker(VideoDraft& draft, ModelsModel& models, QWidget* parent)
    : QComboBox(parent), draft_(draft), models_(models) {
  setObjectName(QStringLiteral("model"));
  setAccessibleName(tr("Model"));
  setMinimumHeight(28);
  setSizeAdjustPolicy(AdjustToMinimumContentsLengthWithIcon);
  connect(this, &QComboBox::activated, this, [this](int row) { (void)draft_.set("model", itemData(row).toString()); });
  connect(&models_, &ModelsModel::scanned, this, &ModelPicker::fill);
  connect(&draft_, &VideoDraft::changed, this, &ModelPicker::show_choice);
  fill();
}

void ModelPicker::fill() {
  clear();
  bool practice = false;
  for (const auto& model : models_.usable()) {
    // The practice model is the one that is meant when none is named.
    practice = practice || model.practice;
    addItem(qt(model.title.empty() ? model.name : model.title), model.practice ? QString() : qt(model.root));
    setItemData(count() - 1, qt(model.root), Qt::ToolTipRole);
  }
  if (!practice) insertItem(0, tr("Practice video"), QString());
  show_choice();
}

void ModelPicker::show_choice() {
  const auto chosen = draft_.text("model");
  auto row = findData(chosen);
  if (row < 0 && chosen == QLatin1String("practice-video")) row = findData(QString());
  if (row < 0) {
    // Of a file or an earlier session, and not among what is there: shown as it is, the check says what is wrong.
    addItem(chosen, chosen);
    row = count() - 1;
  }
  setCurrentIndex(row);
}

}  // namespace rubato::ui
