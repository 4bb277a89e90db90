// Themes: the colours of the studio, read from resources/themes, and how they come onto the application.
//
// Fusion draws the controls; a theme gives it a palette and fills the names in studio.qss. Every pair of colours in
// which text is shown has a contrast of at least 4.5:1 (a test computes it).
#pragma once

#include <QColor>
#include <QIcon>
#include <QMap>
#include <QString>
#include <vector>

class QApplication;

namespace rubato::ui {

struct Theme {
  QString id, title;
  bool dark = false;
  int order = 0;
  QMap<QString, QColor> colors;  // window panel field raised border text dim accent on_accent selection …

  QColor color(const char* name) const { return colors.value(QLatin1String(name)); }
};

// Those of the resources, in order; the first is the default.
std::vector<Theme> builtin_themes();
// The theme of this id, else the default.
Theme theme_named(const QString& id);
// WCAG 2 contrast ratio, 1 to 21.
double contrast(const QColor& a, const QColor& b);
// Pairs of colour names {text, ground} in which text is shown.
const std::vector<std::pair<const char*, const char*>>& text_pairs();

// Puts a theme onto the application: style, palette, style sheet and the colours of icons.
void apply_theme(QApplication& application, const Theme& theme);
// The theme that was put on last.
const Theme& current_theme();

// An icon of resources/icons in the theme's colours, sharp at any size and scale; it follows a change of theme.
QIcon icon(const QString& name, const char* color = "text");

}  // namespace rubato::ui
