// Every test of this binary has an application, without a display unless one is asked for.
#include <gtest/gtest.h>

#include <QApplication>
#include <QThreadPool>
#include <cstdio>
#include <cstdlib>

#include "ui/languages/language.h"
#include "ui/theme/theme.h"

namespace {
// What the offscreen platform cannot do is no news; everything else is.
void tell(QtMsgType, const QMessageLogContext&, const QString& text) {
  if (text.startsWith(QLatin1String("This plugin does not support")) || text.contains(QLatin1String("XDG_RUNTIME_DIR")))
    return;
  std::fprintf(stderr, "%s\n", qPrintable(text));
}
}  // namespace

int main(int argc, char** argv) {
  ::setenv("QT_QPA_PLATFORM", "offscreen", 0);
  testing::InitGoogleTest(&argc, argv);
  if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  qInstallMessageHandler(tell);
  QApplication application(argc, argv);
  rubato::ui::apply_language(application, QStringLiteral("en"));
  rubato::ui::apply_theme(application, rubato::ui::theme_named(QStringLiteral("dark")));
  const int code = RUN_ALL_TESTS();
  QThreadPool::globalInstance()->waitForDone();
  return code;
}
