#include "ui/theme/theme.h"

#include <QApplication>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPalette>
#include <QRegularExpression>
#include <QStyleFactory>
#include <algorithm>
#include <cmath>

static void init_studio_resources() { Q_INIT_RESOURCE(studio); }  // outside the namespace: a static library's resources

namespace rubato::ui {
namespace {

Theme& current() {
  static Theme theme;
  return theme;
}

// The titles in resources/themes, for the translators.
[[maybe_unused]] constexpr const char* kTitles[] = {QT_TRANSLATE_NOOP("Themes", "Dark"),
                                                    QT_TRANSLATE_NOOP("Themes", "Light"),
                                                    QT_TRANSLATE_NOOP("Themes", "High contrast")};

QByteArray resource(const QString& name) {
  init_studio_resources();
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

double channel(double value) { return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }
double luminance(const QColor& c) {
  return 0.2126 * channel(c.redF()) + 0.7152 * channel(c.greenF()) + 0.0722 * channel(c.blueF());
}

QPalette palette_of(const Theme& t) {
  QPalette p(t.color("raised"), t.color("window"));
  const auto set = [&](QPalette::ColorRole role, const char* name) { p.setColor(role, t.color(name)); };
  set(QPalette::Window, "window");
  set(QPalette::WindowText, "text");
  set(QPalette::Base, "field");
  set(QPalette::AlternateBase, "panel");
  set(QPalette::Text, "text");
  set(QPalette::Button, "raised");
  set(QPalette::ButtonText, "text");
  set(QPalette::BrightText, "bad");
  set(QPalette::ToolTipBase, "raised");
  set(QPalette::ToolTipText, "text");
  set(QPalette::PlaceholderText, "dim");
  set(QPalette::Highlight, "selection");
  set(QPalette::HighlightedText, "on_selection");
  set(QPalette::Link, "accent");
  set(QPalette::LinkVisited, "accent");
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    p.setColor(QPalette::Disabled, role, t.color("dim"));
  return p;
}

}  // namespace

std::vector<Theme> builtin_themes() {
  init_studio_resources();
  std::vector<Theme> themes;
  for (const auto& name : QDir(QStringLiteral(":/themes")).entryList({QStringLiteral("*.json")})) {
    const auto json = QJsonDocument::fromJson(resource(QStringLiteral(":/themes/") + name)).object();
    Theme theme{.id = name.chopped(5),
                .title = QCoreApplication::translate("Themes", json[QLatin1String("title")].toString().toUtf8()),
                .dark = json[QLatin1String("dark")].toBool(),
                .order = json[QLatin1String("order")].toInt()};
    const auto colors = json[QLatin1String("colors")].toObject();
    for (auto it = colors.begin(); it != colors.end(); ++it)
      theme.colors.insert(it.key(), QColor(it.value().toString()));
    themes.push_back(std::move(theme));
  }
  std::sort(themes.begin(), themes.end(), [](const Theme& a, const Theme& b) { return a.order < b.order; });
  return themes;
}

Theme theme_named(const QString& id) {
  auto themes = builtin_themes();
  const auto found = std::find_if(themes.begin(), themes.end(), [&](const Theme& t) { return t.id == id; });
  return found != themes.end() ? *found : themes.front();
}

double contrast(const QColor& a, const QColor& b) {
  const double first = luminance(a), second = luminance(b);
  return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

const std::vector<std::pair<const char*, const char*>>& text_pairs() {
  static const std::vector<std::pair<const char*, const char*>> pairs{
      {"text", "window"},
      {"text", "panel"},
      {"text", "field"},
      {"text", "raised"},
      {"dim", "window"},
      {"dim", "panel"},
      {"dim", "field"},
      {"dim", "raised"},
      {"bad", "panel"},
      {"bad", "window"},
      {"bad", "field"},
      {"good", "panel"},
      {"good", "window"},
      {"good", "field"},
      {"warning", "panel"},
      {"warning", "window"},
      {"warning", "field"},
      {"accent", "window"},
      {"accent", "panel"},
      {"on_accent", "accent"},
      {"accent", "field"},
      {"on_stage", "stage"},
      {"on_selection", "selection"},
  };
  return pairs;
}

void apply_theme(QApplication& application, const Theme& theme) {
  current() = theme;
  application.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  application.setPalette(palette_of(theme));
  auto sheet = QString::fromUtf8(resource(QStringLiteral(":/themes/studio.qss")));
  // The longest name first: @on_accent before @accent.
  auto names = theme.colors.keys();
  std::sort(names.begin(), names.end(), [](const QString& a, const QString& b) { return a.size() > b.size(); });
  for (const auto& name : names)
    sheet.replace(QRegularExpression(QLatin1Char('@') + name + QStringLiteral("\\b")), theme.colors[name].name());
  application.setStyleSheet(sheet);
}

const Theme& current_theme() {
  if (current().colors.isEmpty()) current() = builtin_themes().front();
  return current();
}

}  // namespace rubato::ui
