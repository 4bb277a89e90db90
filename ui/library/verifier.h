// Verifier: renders a clip's job again and says whether it gives the same frames. The check is `rubato-cli verify`, in
// a process of its own with an engine of its own.
#pragma once

#include <QObject>
#include <QProcess>
#include <filesystem>

namespace rubato::ui {

class Verifier final : public QObject {
  Q_OBJECT
 public:
  explicit Verifier(std::filesystem::path rubato_cli, QObject* parent = nullptr);
  ~Verifier() override;

  bool running() const { return process_.state() != QProcess::NotRunning; }
  void verify(const std::filesystem::path& clip);  // one at a time

 Q_SIGNALS:
  void said(const QString& text);       // that it has begun, or why not
  void judged(const QString& verdict);  // a sentence

 private:
  std::filesystem::path program_;
  QProcess process_;
};

}  // namespace rubato::ui
