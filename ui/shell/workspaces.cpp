#include "ui/shell/workspaces.h"

#include <QCoreApplication>

#include "ui/create/video_workspace.h"
#include "ui/doctor/doctor_view.h"
#include "ui/library/library_view.h"
#include "ui/models/models_view.h"
#include "ui/queue/queue_view.h"

namespace rubato::ui {
namespace {
struct Workspaces {
  Q_DECLARE_TR_FUNCTIONS(Workspaces)
};
}  // namespace

std::vector<WorkspaceSpec> builtin_workspaces() {
  return {
      {QStringLiteral("video"), Workspaces::tr("Video"), QStringLiteral("video"),
       [](Studio& s) { return new VideoWorkspace(s); }},
      {QStringLiteral("queue"), Workspaces::tr("Queue"), QStringLiteral("queue"),
       [](Studio& s) { return new QueueView(s); }},
      {QStringLiteral("library"), Workspaces::tr("Library"), QStringLiteral("library"),
       [](Studio& s) { return new LibraryView(s); }},
      {QStringLiteral("models"), Workspaces::tr("Models"), QStringLiteral("models"),
       [](Studio& s) { return new ModelsView(s); }},
      {QStringLiteral("doctor"), Workspaces::tr("System"), QStringLiteral("doctor"),
       [](Studio& s) { return new DoctorView(s); }},
  };
}

}  // namespace rubato::ui
