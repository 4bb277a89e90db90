#include "ui/create/prompt_panel.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/create/draft_check.h"
#include "ui/create/field_texts.h"
#include "ui/create/video_draft.h"
#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
bool is_history(QKeyEvent* event) { return event->matches(QKeySequence::Undo) || event->matches(QKeySequence::Redo); }
}  // namespace

PromptEdit::PromptEdit(VideoDraft& draft, std::string field, QWidget* parent)
    : QPlainTextEdit(parent), draft_(draft), field_(std::move(field)) {
  setUndoRedoEnabled(false);
  setTabChangesFocus(true);
  setAccessibleName(field_words(field_).label);
  const auto show = [this] {
    const auto text = draft_.text(field_);
    if (text == toPlainText()) return;
    quiet_ = true;
    setPlainText(text);
    moveCursor(QTextCursor::End);
    quiet_ = false;
  };
  connect(this, &QPlainTextEdit::textChanged, this, [this] {
    if (!quiet_) (void)draft_.set(field_, toPlainText());  // any text is a prompt
  });
  connect(&draft_, &VideoDraft::changed, this, show);
  show();
}

bool PromptEdit::event(QEvent* event) {
  // Undo and redo are the studio's: the box does not claim their keys.
  if (event->type() == QEvent::ShortcutOverride && is_history(static_cast<QKeyEvent*>(event))) {
    event->ignore();
    return false;
  }
  return QPlainTextEdit::event(event);
}

void PromptEdit::keyPressEvent(QKeyEvent* event) {
  if (is_history(event))
    event->ignore();
  else
    QPlainTextEdit::keyPressEvent(event);
}

PromptPanel::PromptPanel(VideoDraft& draft, DraftCheck& check, QWidget* parent)
    : QWidget(parent),
      draft_(draft),
      check_(check),
      prompt_(new PromptEdit(draft, "prompt")),
      negative_(new PromptEdit(draft, "negative_prompt")),
      examples_(new QToolButton),
      limits_(new QLabel) {
  setObjectName(QStringLiteral("panel"));
  setAttribute(Qt::WA_StyledBackground);
  prompt_->setObjectName(QStringLiteral("prompt"));
  prompt_->setPlaceholderText(tr("What the video shows, in one sentence or several"));
  negative_->setObjectName(QStringLiteral("negative_prompt"));
  negative_->setPlaceholderText(tr("as the model says"));
  negative_->setMaximumHeight(72);

  examples_->setObjectName(QStringLiteral("flat"));
  examples_->setText(tr("Prompts to begin with"));
  examples_->setPopupMode(QToolButton::InstantPopup);
  examples_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  examples_->setIcon(icon(QStringLiteral("chevron-down"), "dim"));
  examples_->setMenu(new QMenu(examples_));
  examples_->hide();
  auto* below = new QLabel(tr("Not in the clip"));
  below->setBuddy(negative_);
  limits_->setObjectName(QStringLiteral("dim"));
  limits_->setWordWrap(true);
  limits_->hide();
  setMinimumWidth(232);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 8, 16, 16);
  layout->setSpacing(8);
  layout->addWidget(prompt_, 1);
  layout->addWidget(limits_);
  layout->addWidget(examples_, 0, Qt::AlignLeft);
  layout->addWidget(below);
  layout->addWidget(negative_);
  connect(&check_, &DraftCheck::judged, this, &PromptPanel::learn_of_model);
}

void PromptPanel::learn_of_model() {
  const auto& model = check_.verdict().model;
  const bool has_examples = model && model->card && !model->card->prompts.empty();
  examples_->setVisible(has_examples);
  examples_->menu()->clear();
  if (has_examples)
    for (const auto& prompt : model->card->prompts)
      examples_->menu()->addAction(qt(prompt), this, [this, prompt] { (void)draft_.set("prompt", qt(prompt)); });
  limits_->setVisible(model && model->practice());
  if (model && model->practice())
    limits_->setText(
        tr("Practice model: shapes, colours and simple motions, written in lower case. It is a toy to try "
           "the studio with."));
}

}  // namespace rubato::ui
