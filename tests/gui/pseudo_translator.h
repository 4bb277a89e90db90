// A language for tests: every text of ours is accented, two fifths longer and stands in ⟦brackets⟧. What is seen
// without brackets was never given to a translator; what does not fit would not fit in some language.
#pragma once

#include <QApplication>
#include <QTranslator>

namespace rubato::test {

class PseudoTranslator final : public QTranslator {
 public:
  bool isEmpty() const override { return false; }

  QString translate(const char* context, const char* source, const char*, int) const override {
    const QString text = QString::fromUtf8(source), place = QString::fromLatin1(context);
    const bool ours = place.startsWith(QLatin1String("rubato::ui")) || place == QLatin1String("Fields") ||
                      place == QLatin1String("Report") || place == QLatin1String("Trash") ||
                      place == QLatin1String("ExportClips") || place == QLatin1String("CopyCommand") ||
                      place == QLatin1String("Text") || place == QLatin1String("Themes") ||
                      place == QLatin1String("Workspaces");
    // A date's format and a comma are no texts.
    if (!ours || text == QLatin1String("d MMM yyyy") || text == QLatin1String(", ")) return {};
    auto longer = accented(text);
    for (qsizetype more = std::max<qsizetype>(1, text.size() * 2 / 5 - 1); more > 0; --more)
      longer += QLatin1Char(more % 8 == 0 ? ' ' : '~');
    return QChar(0x27e6) + longer + QChar(0x27e7);
  }

  // `text` without what stands in brackets.
  static QString outside(const QString& text) {
    QString rest;
    int depth = 0;
    for (const auto c : text) {
      if (c == QChar(0x27e6)) ++depth;
      if (depth == 0) rest += c;
      if (c == QChar(0x27e7)) --depth;
    }
    return rest;
  }

 private:
  // Placeholders and accelerators stay what they are.
  static QString accented(const QString& text) {
    const auto plain = QStringLiteral("aeiouAEIOUcnsy"), marked = QString::fromUtf8("áéíóúÁÉÍÓÚçñšý");
    QString made;
    for (qsizetype i = 0; i < text.size(); ++i) {
      if (text[i] == QLatin1Char('%') && i + 1 < text.size()) {
        made += text[i];
        if (text[i + 1] == QLatin1Char('L')) made += text[++i];
        if (i + 1 < text.size()) made += text[++i];
        continue;
      }
      const auto at = plain.indexOf(text[i]);
      made += at >= 0 ? marked[at] : text[i];
    }
    return made;
  }
};

}  // namespace rubato::test
