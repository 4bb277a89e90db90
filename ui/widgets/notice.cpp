#include "ui/widgets/notice.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

#include "ui/theme/theme.h"

namespace rubato::ui {

Notice::Notice(QWidget* parent)
    : QWidget(parent), label_(new QLabel), choices_(new QHBoxLayout), close_(new QToolButton) {
  setObjectName(QStringLiteral("notice"));
  setAttribute(Qt::WA_StyledBackground);
  label_->setWordWrap(true);
  label_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  close_->setObjectName(QStringLiteral("flat"));
  close_->setIcon(icon(QStringLiteral("cancel"), "dim"));
  name_close();
  connect(close_, &QToolButton::clicked, this, &QWidget::hide);
  choices_->setSpacing(8);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(16, 8, 8, 8);
  layout->setSpacing(8);
  layout->addWidget(label_, 1);
  layout->addLayout(choices_);
  layout->addWidget(close_);
  hide();
}

void Notice::show_text(const QString& text, std::vector<Choice> choices) {
  // Sentences of the engine are written to stand behind a program's name.
  label_->setText(text.isEmpty() ? text : text.left(1).toUpper() + text.mid(1));
  while (auto* item = choices_->takeAt(0)) {
    item->widget()->deleteLater();
    delete item;
  }
  for (auto& choice : choices) {
    auto* button = new QPushButton(choice.text);
    connect(button, &QPushButton::clicked, this, [this, run = std::move(choice.run)] {
      hide();
      run();
    });
    choices_->addWidget(button);
  }
  show();
}

void Notice::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) name_close();
  QWidget::changeEvent(event);
}

void Notice::name_close() {
  close_->setToolTip(tr("Close this message"));
  close_->setAccessibleName(close_->toolTip());
}

QString Notice::text() const { return label_->text(); }

}  // namespace rubato::ui
