// The prompt and what should not be in the clip, with a word count and prompts that are known to work for the model.
#pragma once

#include <QPlainTextEdit>
#include <QWidget>
#include <string>

class QLabel;
class QToolButton;

namespace rubato::ui {

class DraftCheck;
class VideoDraft;

// A text box of one field of the draft. Its undo is the draft's.
class PromptEdit final : public QPlainTextEdit {
  Q_OBJECT
 public:
  PromptEdit(VideoDraft& draft, std::string field, QWidget* parent = nullptr);

 protected:
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  VideoDraft& draft_;
  std::string field_;
  bool quiet_ = false;
};

class PromptPanel final : public QWidget {
  Q_OBJECT
 public:
  PromptPanel(VideoDraft& draft, DraftCheck& check, QWidget* parent = nullptr);
  PromptEdit* prompt() { return prompt_; }

 private:
  void learn_of_model();

  VideoDraft& draft_;
  DraftCheck& check_;
  PromptEdit* prompt_;
  PromptEdit* negative_;
  QToolButton* examples_;
  QLabel* limits_;
};

}  // namespace rubato::ui
