#include "ui/shell/first_run.h"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/theme/theme.h"

namespace rubato::ui {

FirstRun::FirstRun(QWidget* parent) : QWidget(parent) {
  auto* column = new QWidget;
  column->setFixedWidth(560);
  auto* layout = new QVBoxLayout(column);
  layout->setSpacing(8);
  auto* title = new QLabel(tr("Welcome to Rubato"));
  title->setObjectName(QStringLiteral("title"));
  auto* text = new QLabel(tr("Clips from a sentence, made on this machine. Nothing is downloaded or sent anywhere."));
  text->setObjectName(QStringLiteral("dim"));
  text->setWordWrap(true);
  layout->addWidget(title);
  layout->addWidget(text);
  layout->addSpacing(16);

  const auto choice = [&](const char* name, const QString& icon_name, const QString& heading, const QString& about) {
    auto* button = new QPushButton;
    button->setObjectName(QStringLiteral("choice"));
    button->setProperty("choice", QLatin1String(name));
    button->setAccessibleName(heading);
    button->setAccessibleDescription(about);
    button->setMinimumHeight(80);
    auto* grid = new QGridLayout(button);
    grid->setContentsMargins(16, 12, 16, 12);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    auto* picture = new QLabel;
    picture->setPixmap(icon(icon_name, "accent").pixmap(32, 32));
    auto* bold = new QLabel(heading);
    auto font = bold->font();
    font.setBold(true);
    bold->setFont(font);
    auto* dim = new QLabel(about);
    dim->setObjectName(QStringLiteral("dim"));
    dim->setWordWrap(true);
    for (auto* label : {picture, bold, dim}) label->setAttribute(Qt::WA_TransparentForMouseEvents);
    grid->addWidget(picture, 0, 0, 2, 1);
    grid->addWidget(bold, 0, 1, Qt::AlignBottom);
    grid->addWidget(dim, 1, 1, Qt::AlignTop);
    grid->setColumnStretch(1, 1);
    layout->addWidget(button);
    return button;
  };
  auto* first =
      choice("practice", QStringLiteral("play"), tr("Try it with the practice model"),
             tr("A small model that came with Rubato: shapes and simple motions, on any machine, in seconds."));
  setFocusProxy(first);
  connect(first, &QPushButton::clicked, this, &FirstRun::practice_wanted);
  connect(choice("folder", QStringLiteral("folder"), tr("I have models: choose their folder"),
                 tr("Wan 2.1 and 2.2 checkpoints, as a hub cache or in folders. They are read where they lie.")),
          &QPushButton::clicked, this, &FirstRun::folder_wanted);
  connect(choice("look", QStringLiteral("search"), tr("Just look around"),
                 tr("You can come back to this page from the Help menu.")),
          &QPushButton::clicked, this, &FirstRun::look_wanted);

  auto* page = new QGridLayout(this);
  page->setContentsMargins(32, 32, 32, 32);
  page->setRowStretch(0, 2);
  page->setRowStretch(2, 3);
  page->setColumnStretch(0, 1);
  page->setColumnStretch(2, 1);
  page->addWidget(column, 1, 1);
}

}  // namespace rubato::ui
