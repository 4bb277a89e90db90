#include "ui/create/copy_command.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QGuiApplication>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/command_line.h"
#include "pipelines/job/preflight.h"
#include "ui/create/render_desk.h"
#include "ui/create/video_draft.h"
#include "ui/shell/studio.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
struct CopyCommand {
  Q_DECLARE_TR_FUNCTIONS(CopyCommand)
};
}  // namespace

void copy_command_line(Studio& studio, const VideoJob& job) {
  QGuiApplication::clipboard()->setText(qt(command_line(job)));
  std::error_code failed;
  const bool in_the_way = job.overwrite == "never" && !job.out.empty() && std::filesystem::exists(job.out, failed);
  Q_EMIT studio.said(in_the_way
                         ? CopyCommand::tr("The command line is copied. Its file is there already, so the command "
                                           "will ask for another name behind -o.")
                         : CopyCommand::tr("The command line is copied."));
}

void copy_command_line(Studio& studio, const std::string& spec) {
  const auto json = nlohmann::json::parse(spec, nullptr, false);
  const auto job = json.is_object() ? video_job_from_json(json, "the job") : Result<VideoJob>(Error{});
  if (!job)
    return Q_EMIT studio.said(CopyCommand::tr("Its settings were not kept, so there is no command line for it."));
  copy_command_line(studio, *job);
}

void copy_draft_command_line(Studio& studio) {
  auto job = studio.draft().job();
  if (trim(job.prompt).empty()) return Q_EMIT studio.said(CopyCommand::tr("Write what the video shows."));
  static const auto name = NameTemplate::parse("{prompt:48}.mp4");  // without a seed, which may be open
  const NameValues values{.prompt = job.prompt};
  if (job.out.empty()) job.out = free_name(studio.desk().outputs() / name.value().render(values)).string();
  copy_command_line(studio, job);
}

}  // namespace rubato::ui
