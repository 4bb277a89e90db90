// RunnerEngine: the window's engine, on QueueRunner. What the runner says on its threads is told on the window's.
#pragma once

#include <QStringList>
#include <chrono>
#include <filesystem>
#include <memory>

#include "pipelines/job/worker_client.h"
#include "ui/queue/render_engine.h"

namespace rubato::ui {

class RunnerEngine final : public RenderEngine {
  Q_OBJECT
 public:
  // Opens the queue of the state folder and takes it for this process. Locked: another instance has it.
  static Result<std::unique_ptr<RunnerEngine>> open(const std::filesystem::path& state_folder,
                                                    WorkerOptions worker = {});
  ~RunnerEngine() override;  // ends what runs at once; it is queued again with its last checkpoint

  // What a person should know about the opening, one sentence each.
  QStringList notes() const;
  void start();
  // Ends what runs after its step and keeps it in the queue; at once after `patience`.
  void shut_down(std::chrono::milliseconds patience);

  void look(const std::function<void(const QueueStore&)>& body) const override;
  Result<nlohmann::json> ask(const nlohmann::json& request) override;
  Result<> cancel(const std::string& id, protocol::CancelWhen when) override;

 private:
  class Watcher;
  struct Parts;
  RunnerEngine();
  std::unique_ptr<Parts> parts_;
};

}  // namespace rubato::ui
