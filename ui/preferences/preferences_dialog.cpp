#include "ui/preferences/preferences_dialog.h"

#include <QApplication>
#include <QComboBox>
#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QSignalBlocker>

#include "ui/languages/language.h"
#include "ui/theme/theme.h"

namespace rubato::ui {

PreferencesDialog::PreferencesDialog(QSettings& settings, QWidget* parent)
    : QDialog(parent),
      settings_(settings),
      language_label_(new QLabel),
      theme_label_(new QLabel),
      note_(new QLabel),
      language_(new QComboBox),
      theme_(new QComboBox),
      shortcuts_(new QPushButton),
      close_(new QPushButton) {
  setAttribute(Qt::WA_DeleteOnClose);
  language_->setObjectName(QStringLiteral("language"));
  theme_->setObjectName(QStringLiteral("theme"));
  for (auto* box : {language_, theme_}) {
    box->setMinimumHeight(28);
    box->setMinimumWidth(240);
    box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  }
  note_->setObjectName(QStringLiteral("dim"));
  note_->setWordWrap(true);
  language_label_->setBuddy(language_);
  theme_label_->setBuddy(theme_);
  close_->setDefault(true);
  shortcuts_->setAutoDefault(false);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(shortcuts_);
  buttons->addStretch();
  buttons->addWidget(close_);
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins(16, 16, 16, 16);
  grid->setHorizontalSpacing(16);
  grid->setVerticalSpacing(8);
  grid->setColumnStretch(1, 1);
  grid->addWidget(language_label_, 0, 0);
  grid->addWidget(language_, 0, 1);
  grid->addWidget(note_, 1, 1);
  grid->addWidget(theme_label_, 2, 0);
  grid->addWidget(theme_, 2, 1);
  grid->setRowMinimumHeight(3, 16);
  grid->setRowStretch(3, 1);
  grid->addLayout(buttons, 4, 0, 1, 2);

  connect(language_, &QComboBox::activated, this, &PreferencesDialog::choose_language);
  connect(theme_, &QComboBox::activated, this, [this] { Q_EMIT theme_chosen(theme_->currentData().toString()); });
  connect(shortcuts_, &QPushButton::clicked, this, [this] {
    accept();
    Q_EMIT shortcuts_wanted();
  });
  connect(close_, &QPushButton::clicked, this, &QDialog::accept);
  speak();
}

void PreferencesDialog::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) speak();
  QDialog::changeEvent(event);
}

void PreferencesDialog::speak() {
  setWindowTitle(tr("Preferences"));
  language_label_->setText(tr("&Language"));
  theme_label_->setText(tr("&Theme"));
  note_->setText(tr("Sentences about what went wrong inside the engine are still in English."));
  shortcuts_->setText(tr("&Shortcuts…"));
  close_->setText(tr("&Close"));
  language_->setAccessibleName(tr("Language of the window"));
  theme_->setAccessibleName(tr("Theme of the window"));
  language_->clear();
  language_->addItem(tr("As the system has it"), QString());
  // In its own words, so that it is found by who cannot read the present one.
  for (const auto& language : languages()) language_->addItem(language.name, language.id);
  language_->setCurrentIndex(std::max(language_->findData(settings_.value(QStringLiteral("language")).toString()), 0));
  theme_->clear();
  for (const auto& theme : builtin_themes()) theme_->addItem(theme.title, theme.id);
  theme_->setCurrentIndex(theme_->findData(current_theme().id));
}

void PreferencesDialog::choose_language() {
  const auto id = language_->currentData().toString();
  settings_.setValue(QStringLiteral("language"), id);
  apply_language(*qApp, id);
}

}  // namespace rubato::ui
