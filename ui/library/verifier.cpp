#include "ui/library/verifier.h"

#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

Verifier::Verifier(std::filesystem::path rubato_cli, QObject* parent)
    : QObject(parent), program_(std::move(rubato_cli)) {
  connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart)
      Q_EMIT said(tr("The clip cannot be verified: rubato-cli is not beside this program."));
  });
  connect(&process_, &QProcess::finished, this, [this] {
    // Its result, or its last sentence about what is wrong.
    auto text = QString::fromUtf8(process_.readAllStandardOutput()).trimmed();
    if (text.isEmpty())
      text = QString::fromUtf8(process_.readAllStandardError()).trimmed().section(QLatin1Char('\n'), -1);
    if (text.startsWith(QLatin1String("rubato-cli: "))) text.remove(0, 12);
    Q_EMIT judged(for_window(utf8(text)));
  });
}

Verifier::~Verifier() {
  process_.disconnect(this);
  if (!running()) return;
  process_.kill();
  process_.waitForFinished(1'000);
}

void Verifier::verify(const std::filesystem::path& clip) {
  if (running()) return Q_EMIT said(tr("One clip is being verified already."));
  if (program_.empty()) return Q_EMIT said(tr("The clip cannot be verified: rubato-cli is not beside this program."));
  Q_EMIT said(tr("Rendering the clip's job again to compare the frames…"));
  process_.start(qt(program_), {QStringLiteral("verify"), QStringLiteral("--progress=none"), qt(clip)});
}

}  // namespace rubato::ui
