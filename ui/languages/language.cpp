#include "ui/languages/language.h"

#include <QApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>
#include <algorithm>

// Outside the namespace: a static library's resources.
static void init_language_resources() { Q_INIT_RESOURCE(languages); }

namespace rubato::ui {
namespace {

bool is_known(const QString& id) {
  const auto known = languages();
  return std::any_of(known.begin(), known.end(), [&](const Language& language) { return language.id == id; });
}

// What a name such as "zh-Hans-SG" asks for, among the languages of this build; "" if none.
QString meant_by(const QString& name) {
  const QLocale locale(name);
  if (locale.language() == QLocale::Chinese)
    return locale.script() == QLocale::SimplifiedChineseScript ? QStringLiteral("zh_CN") : QString();
  const auto id = locale.name().section(QLatin1Char('_'), 0, 0);
  return is_known(id) ? id : QString();
}

// Qt's own texts (file dialogs, menus of text boxes) first, so that ours are found before them.
void install(QApplication& application, const QString& id) {
  static QTranslator qts, ours;
  QCoreApplication::removeTranslator(&ours);
  QCoreApplication::removeTranslator(&qts);
  // Without them, which is no fault of the window, those few texts stay English.
  if (qts.load(QStringLiteral("qtbase_") + id, QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
    application.installTranslator(&qts);
  if (ours.load(QStringLiteral(":/languages/rubato_") + id)) application.installTranslator(&ours);
}

}  // namespace

std::vector<Language> languages() {
  return {{QStringLiteral("en"), QStringLiteral("English")},
          {QStringLiteral("de"), QStringLiteral("Deutsch")},
          {QStringLiteral("zh_CN"), QString::fromUtf8("简体中文")}};
}

QString best_language(const QStringList& wanted) {
  for (const auto& name : wanted)
    if (const auto id = meant_by(name); !id.isEmpty()) return id;
  return QStringLiteral("en");
}

void apply_language(QApplication& application, const QString& id) {
  init_language_resources();
  const auto system = QLocale::system();
  const auto chosen = is_known(id) ? id : best_language(system.uiLanguages());
  // Where it is the system's language, its habits of writing numbers and dates are kept too.
  const QLocale locale(chosen);
  QLocale::setDefault(system.language() == locale.language() && system.script() == locale.script() ? system : locale);
  install(application, chosen);
}

}  // namespace rubato::ui
