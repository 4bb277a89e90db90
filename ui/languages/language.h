// The languages of the window: which there are, which one is meant, and how it comes onto the application.
//
// A language is a file rubato_<id>.ts beside this one, compiled into the program. Numbers, dates and amounts follow it
// through QLocale. English has a file as well: of the plural forms alone.
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

class QApplication;

namespace rubato::ui {

struct Language {
  QString id;    // "zh_CN"
  QString name;  // as its speakers call it: "简体中文"
};

// Those of this build, English first.
std::vector<Language> languages();

// The first of `wanted` (names such as "de-AT" or "zh-Hans-SG", the best first) that the window speaks, else "en".
// Traditional Chinese is not taken for simplified.
QString best_language(const QStringList& wanted);

// From now on every text is in this language; widgets are told by QEvent::LanguageChange. An empty or unknown id means
// the system's language.
void apply_language(QApplication& application, const QString& id);

}  // namespace rubato::ui
