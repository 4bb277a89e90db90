#include "ui/widgets/empty_state.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/theme/theme.h"

namespace rubato::ui {

EmptyState::EmptyState(const QString& icon_name, const QString& title, const QString& text, QWidget* parent)
    : QWidget(parent), layout_(new QVBoxLayout(this)) {
  layout_->setContentsMargins(32, 32, 32, 32);
  layout_->setSpacing(8);
  layout_->addStretch(2);
  auto* picture = new QLabel;
  picture->setPixmap(icon(icon_name, "dim").pixmap(40, 40));
  picture->setAlignment(Qt::AlignCenter);
  auto* heading = new QLabel(title);
  heading->setObjectName(QStringLiteral("heading"));
  heading->setAlignment(Qt::AlignCenter);
  heading->setWordWrap(true);
  auto* sentence = new QLabel(text);
  sentence->setObjectName(QStringLiteral("dim"));
  sentence->setAlignment(Qt::AlignCenter);
  sentence->setWordWrap(true);
  layout_->addWidget(picture);
  layout_->addWidget(heading);
  layout_->addWidget(sentence);
  layout_->addSpacing(8);
  layout_->addStretch(3);
}

QPushButton* EmptyState::add_choice(const QString& text, const QString& icon_name) {
  auto* button = new QPushButton(text);
  if (primary_) button->setObjectName(QStringLiteral("primary"));
  if (!icon_name.isEmpty()) button->setIcon(icon(icon_name, primary_ ? "on_accent" : "text"));
  primary_ = false;
  layout_->insertWidget(layout_->count() - 1, button, 0, Qt::AlignHCenter);
  return button;
}

}  // namespace rubato::ui
