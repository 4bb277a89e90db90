#include "ui/report/run_report.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "pipelines/job/field_value.h"
#include "ui/create/field_texts.h"
#include "ui/create/video_draft.h"
#include "ui/queue/queue_model.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

struct Report {
  Q_DECLARE_TR_FUNCTIONS(Report)
};

using Json = nlohmann::json;

const Json& member(const Json& object, const char* name) {
  static const Json kNone;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : kNone;
}
QString text_at(const Json& object, const char* name) { return qt(text_member(object, name)); }
std::optional<std::uint64_t> bytes_at(const Json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_number_integer() && value >= 0 ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

QString when(double seconds) {
  return QLocale().toString(QDateTime::fromSecsSinceEpoch(static_cast<qint64>(seconds)), QLocale::ShortFormat);
}

// A row of two cells, where there is something to say.
void add(ReportTable& table, const QString& name, const QString& value) {
  if (!value.isEmpty()) table.rows.append({{name, value}});
}

// What belongs to this job and to no model: nobody's default.
bool has_usual_value(std::string_view name) {
  constexpr std::array<std::string_view, 7> kOwn{"prompt", "model", "image", "seed", "name", "out", "id"};
  return std::find(kOwn.begin(), kOwn.end(), name) == kOwn.end();
}

bool worth_looking_at(const FieldRef& field) {
  if (field.name == "id" || field.name == "overwrite") return false;
  if (field.group == Group::Inspection || field.name == "image" || field.name == "name" || field.name == "guidance_2")
    return !field_text(field).isEmpty();
  const auto* policy = detail::policy_of(field);
  return policy == nullptr || policy->methods().size() > 1;
}

QString value_text(const FieldRef& field) {
  if (const auto* const* on = std::get_if<bool*>(&field.value)) return **on ? Report::tr("yes") : Report::tr("no");
  if (const auto* const* bytes = std::get_if<std::optional<std::uint64_t>*>(&field.value);
      bytes != nullptr && **bytes && std::holds_alternative<BytesSpec>(field.rule))
    return bytes_text(***bytes);
  const auto text = field_text(field), unit = field_words(field.name).unit;
  return text.isEmpty() || unit.isEmpty() ? number_text(text)
                                          : Report::tr("%1 %2", "a number and its unit").arg(number_text(text), unit);
}

ReportTable times_of(const Run& run, const QList<PhaseSeconds>& phases) {
  ReportTable table{
      .title = Report::tr("Time"),
      .heads = {Report::tr("Phase"), Report::tr("Time"), Report::tr("Share")},
      .rows = {},
      .note = {},
      .nothing =
          run.seconds > 0
              ? Report::tr("The render took %1; what its phases took was not kept.").arg(short_seconds(run.seconds))
              : Report::tr("How long it took was not kept.")};
  double sum = 0;
  for (const auto& phase : phases) sum += phase.seconds;
  const auto share = [&](double seconds) {
    return sum > 0 ? Report::tr("%1 %").arg(QLocale().toString(100 * seconds / sum, 'f', 1)) : QString();
  };
  for (const auto& phase : phases)
    table.rows.append({{phase.name, short_seconds(phase.seconds), share(phase.seconds)}});
  if (phases.isEmpty()) return table;
  table.rows.append({{Report::tr("Together"), short_seconds(sum), share(sum)}, true});
  if (run.record.attempts > 1)
    table.note =
        Report::tr("The job was started %n times; this is the last start alone.", nullptr, run.record.attempts);
  else if (!run.kept)
    table.note = Report::tr("As the clip itself says; a file cannot say how long its own writing took.");
  return table;
}

ReportTable settings_table(const Run& run) {
  ReportTable table{.title = Report::tr("Settings"),
                    .heads = {Report::tr("Setting"), Report::tr("Value"), Report::tr("The model's own")},
                    .rows = {},
                    .note = {},
                    .nothing = Report::tr("The settings were not kept, and the clip does not say them.")};
  if (!run.job) return table;
  const auto settings = settings_of(run);
  int differ = 0;
  // What was changed comes first.
  for (const bool changed : {true, false})
    for (const auto& setting : settings) {
      if (setting.differs != changed) continue;
      differ += changed ? 1 : 0;
      const auto value = setting.value.isEmpty() ? Report::tr("open") : setting.value;
      const auto usual = !setting.usual             ? QString()
                         : !setting.differs         ? Report::tr("the same")
                         : setting.usual->isEmpty() ? Report::tr("open")
                                                    : *setting.usual;
      table.rows.append({{setting.label, value, usual}, changed});
    }
  table.note = !run.defaults ? Report::tr("The model is not on this machine, so its own settings are not known here.")
               : differ == 0
                   ? Report::tr("Every setting is the model's own.")
                   : Report::tr("%n setting(s) differ from the model's own; they come first.", nullptr, differ);
  return table;
}

ReportTable origin_of(const Run& run) {
  const auto& report = run.record.report;
  ReportTable table{.title = Report::tr("Model and program"),
                    .heads = {Report::tr("What"), Report::tr("Which")},
                    .rows = {},
                    .note = {},
                    .nothing = Report::tr("Which model and program made it was not kept.")};
  const auto &model = member(report, "model"), &program = member(report, "rubato"), &device = member(report, "device");
  auto name = text_at(model, "name");
  if (name.isEmpty() && run.job) name = qt(run.job->model);
  if (member(model, "practice") == Json(true)) name = Report::tr("%1 (practice model)").arg(name);
  add(table, Report::tr("Model"), name);
  add(table, Report::tr("Kind of model"), text_at(model, "class"));
  add(table, Report::tr("Hash of its weights"), text_at(model, "content_hash"));
  const auto revision = text_at(program, "revision"), version = text_at(program, "version");
  add(table, Report::tr("Rubato"),
      revision.isEmpty() || version.isEmpty() ? version : listed({version, Report::tr("revision %1").arg(revision)}));
  const auto kind = text_at(device, "model"), place = text_at(device, "name");
  add(table, Report::tr("Device"), kind.isEmpty() || kind == place ? place : Report::tr("%1 (%2)").arg(place, kind));
  if (const auto& threads = member(device, "threads"); threads.is_number_integer() && place == QLatin1String("cpu"))
    add(table, Report::tr("Threads"), QLocale().toString(threads.get<int>()));
  for (const auto& [library, its] : member(report, "libraries").items())
    if (its.is_string()) add(table, qt(library), qt(its.get<std::string>()));
  return table;
}

QString ladder_step(const Json& step) {
  const auto name = text_at(step, "step"), stage = text_at(step, "stage");
  return stage.isEmpty() ? name : Report::tr("%1, while: %2").arg(name, phase_text(stage));
}

ReportTable memory_of(const Run& run) {
  const auto &report = run.record.report, &memory = member(report, "memory");
  ReportTable table{.title = Report::tr("Memory"),
                    .heads = {Report::tr("What"), Report::tr("How much")},
                    .rows = {},
                    .note = {},
                    .nothing = Report::tr("How much memory it took was not kept.")};
  if (const auto most = bytes_at(memory, "peak_device_bytes"))
    add(table, Report::tr("Most of the GPU's memory"), bytes_text(*most));
  if (const auto most = bytes_at(report, "peak_memory_bytes"))
    add(table, Report::tr("Most of the computer's memory"), bytes_text(*most));
  const auto& plan = member(memory, "plan");
  add(table, Report::tr("Kept on the device"), text_at(plan, "offload"));
  for (const auto& step : member(memory, "steps"))
    if (step.is_object()) add(table, Report::tr("Memory ran out"), ladder_step(step));
  if (!table.rows.isEmpty() && plan.is_object() && member(memory, "steps").empty())
    table.note = Report::tr("It fitted from the beginning to the end.");
  return table;
}

ReportTable course_of(const Run& run) {
  const auto& record = run.record;
  ReportTable table{.title = Report::tr("Attempts"),
                    .heads = {Report::tr("What"), Report::tr("When or how often")},
                    .rows = {},
                    .note = {},
                    .nothing = Report::tr("The course of this run was not kept; only the clip says how it was made.")};
  if (!run.kept) return table;
  add(table, Report::tr("State"), run.state);
  add(table, Report::tr("What went wrong"), run.problem);
  if (record.created > 0) add(table, Report::tr("Queued"), when(record.created));
  if (record.started > 0)
    add(table, record.attempts > 1 ? Report::tr("Started the last time") : Report::tr("Started"), when(record.started));
  if (record.ended > 0) add(table, Report::tr("Ended"), when(record.ended));
  add(table, Report::tr("Starts"),
      record.attempts > 0 ? QLocale().toString(record.attempts) : Report::tr("it was never started"));
  if (record.attempts > 0)
    add(table, Report::tr("Engines that died with it"),
        record.deaths > 0 ? QLocale().toString(record.deaths) : Report::tr("none"));
  add(table, Report::tr("Rendered on"), qt(record.ran_on));
  return table;
}

ReportTable warnings_of(const Run& run) {
  ReportTable table{
      .title = Report::tr("Warnings"),
      .heads = {Report::tr("When"), Report::tr("Warning")},
      .rows = {},
      .note = {},
      .nothing = run.kept ? Report::tr("There were none.") : Report::tr("Whether there were any was not kept.")};
  for (const auto& warning : run.record.warnings)
    table.rows.append({{warning.time > 0 ? when(warning.time) : QString(), for_window(warning.message)}});
  return table;
}

ReportTable files_of(const Run& run) {
  ReportTable table{.title = Report::tr("Files and hashes"),
                    .heads = {Report::tr("What"), Report::tr("Which")},
                    .rows = {},
                    .note = run.path.isEmpty() || run.file_there
                                ? QString()
                                : Report::tr("The clip is not there any more: it was moved, renamed or deleted."),
                    .nothing = Report::tr("It left no file.")};
  for (const auto& file : run.record.files) {
    add(table, Report::tr("File"), listed({qt(file.path), bytes_text(file.bytes)}));
    add(table, Report::tr("Its SHA-256"), qt(file.sha256));
  }
  if (run.record.files.empty() && !run.path.isEmpty())
    add(table, Report::tr("File"), run.bytes > 0 ? listed({run.path, bytes_text(run.bytes)}) : run.path);
  add(table, Report::tr("SHA-256 of the frames"), text_at(run.record.report, "frames_sha256"));
  return table;
}

QString summary_of(const Run& run) {
  if (!run.job) return run.made > 0 ? when(run.made) : QString();
  const auto& job = *run.job;
  QStringList facts;
  if (run.made > 0) facts.append(when(run.made));
  if (job.size && job.frames)
    facts.append(
        Report::tr("%n frame(s) of %1 × %2 pixels", nullptr, *job.frames).arg(job.size->width).arg(job.size->height));
  if (job.seed) facts.append(Report::tr("seed %1").arg(*job.seed));
  if (run.seconds > 0) facts.append(Report::tr("rendered in %1").arg(short_seconds(run.seconds)));
  return listed(facts);
}

}  // namespace

QString short_seconds(double seconds) {
  if (seconds >= 60) return seconds_text(seconds);
  return Report::tr("%1 s").arg(QLocale().toString(std::max(seconds, 0.0), 'f', 1));
}

QList<PhaseSeconds> phases_of(const Run& run) {
  const auto& seconds = member(run.record.report, "seconds");
  QList<PhaseSeconds> phases;
  const auto take = [&](const std::string& phase, const Json& s) {
    if (s.is_number() && s.get<double>() >= 0) phases.append({phase, phase_text(qt(phase)), s.get<double>()});
  };
  // JSON keeps the order of the alphabet.
  const std::array<std::string, 5> usual{"load", "text", "denoise", "decode", "mux"};
  for (const auto& phase : usual) take(phase, member(seconds, phase.c_str()));
  if (seconds.is_object())
    for (const auto& [phase, s] : seconds.items())
      if (std::find(usual.begin(), usual.end(), phase) == usual.end()) take(phase, s);
  return phases;
}

QList<SettingText> settings_of(const Run& run) {
  if (!run.job) return {};
  VideoJob job = *run.job, usual = run.defaults.value_or(VideoJob{});  // fields are views
  const auto fields = fields_of(job), own = fields_of(usual);
  QList<SettingText> settings;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!worth_looking_at(fields[i])) continue;
    SettingText setting{.name = std::string(fields[i].name),
                        .label = field_words(fields[i].name).label,
                        .value = value_text(fields[i]),
                        .usual = {}};
    if (run.defaults && has_usual_value(fields[i].name)) {
      setting.usual = value_text(own[i]);
      setting.differs = field_text(fields[i]) != field_text(own[i]);
    }
    settings.append(std::move(setting));
  }
  return settings;
}

RunReport report_of(const Run& run) {
  RunReport report{.title = run.title, .summary = summary_of(run), .phases = phases_of(run)};
  report.times = times_of(run, report.phases);
  report.settings = settings_table(run);
  report.origin = origin_of(run);
  report.memory = memory_of(run);
  report.course = course_of(run);
  report.warnings = warnings_of(run);
  report.files = files_of(run);
  return report;
}

Json report_json(const Run& run) {
  Json json = {{"version", 1}, {"clip", utf8(run.path)}, {"run", to_json(run.record)}};
  if (run.job) json["job"] = video_job_to_json(*run.job);
  if (run.defaults) json["defaults"] = video_job_to_json(*run.defaults);
  return json;
}

}  // namespace rubato::ui
