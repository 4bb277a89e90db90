// The page. Text first: without its style it still reads as a heading, a sentence and a table.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "pipelines/job/batch/run_report.h"

namespace rubato {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--ink:#1d1d1b;--soft:#5d5d58;--line:#dfdfda;--link:#1a5fb4;
--done:#2f7d4f;--skipped:#7fae90;--failed:#b3261e;--suspended:#a5510a;--blocked:#7a6a00;--interrupted:#8a3b8f;
--cancelled:#6b6b66;--queued:#b9b9b2;--running:#1a5fb4}
@media(prefers-color-scheme:dark){:root{--page:#161615;--card:#1f1f1e;--ink:#ecece8;--soft:#a5a59e;--line:#363633;
--link:#8ab8ff;--done:#6cc38e;--skipped:#3f6b50;--failed:#ff8a80;--suspended:#f2a65a;--blocked:#d6c04a;
--interrupted:#d99ade;--cancelled:#a0a099;--queued:#5a5a55;--running:#8ab8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:76rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.6rem;line-height:1.2;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
.kind{color:var(--soft);margin:0 0 .2rem;font-size:.85rem;letter-spacing:.02em}
.when{color:var(--soft);margin:.25rem 0 0}
.verdict{font-size:1.15rem;margin:1.25rem 0 .6rem}
.bar{display:flex;gap:2px;height:14px}
.bar i{min-width:6px;border-radius:3px;background:var(--c)}
.bar .failed,.key .failed{background:repeating-linear-gradient(135deg,var(--c) 0 4px,color-mix(in srgb,var(--c) 62%,var(--page)) 4px 7px)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.6rem 0 0;padding:0;list-style:none;color:var(--soft)}
.key i{display:inline-block;width:.8em;height:.8em;margin-right:.45em;border-radius:3px;background:var(--c)}
.key b{color:var(--ink);font-variant-numeric:tabular-nums}
.facts{display:flex;flex-wrap:wrap;gap:.75rem 2.5rem;margin:1.5rem 0 0}
.facts div{min-width:7rem}.facts dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
.sheet{margin:1.75rem 0 0;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow-x:auto}
table{border-collapse:collapse;width:100%;min-width:50rem}
th,td{padding:.55rem .8rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.85rem;white-space:nowrap}
tbody th{font-weight:600;background:color-mix(in srgb,var(--c) 9%,var(--card));padding:.4rem .8rem}
tbody th::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:50%;background:var(--c);margin-right:.55em}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.job{min-width:16rem;max-width:32rem}.file{min-width:10rem;max-width:20rem;overflow-wrap:anywhere}
.id{font-weight:600;overflow-wrap:anywhere}.prompt,.sub{color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
.prompt{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
.reason{color:var(--c);margin:.2rem 0 0;overflow-wrap:anywhere}
.warning{color:var(--suspended);margin:.2rem 0 0;font-size:.875rem;overflow-wrap:anywhere}
summary{cursor:pointer}summary::marker{color:var(--soft);font-size:.8em}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
a:focus-visible,summary:focus-visible,.sheet:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:2px}
footer{margin-top:1.75rem;color:var(--soft);font-size:.875rem}
footer code{display:block;margin:.35rem 0 1rem;padding:.6rem .8rem;background:var(--card);border:1px solid var(--line);
border-radius:8px;color:var(--ink);font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.failed{--c:var(--failed)}.suspended{--c:var(--suspended)}.blocked{--c:var(--blocked)}.interrupted{--c:var(--interrupted)}
.cancelled{--c:var(--cancelled)}.queued{--c:var(--queued)}.running{--c:var(--running)}.done{--c:var(--done)}
.skipped{--c:var(--skipped)}
@media print{summary::marker{content:""}:root{--page:#fff;--card:#fff}main{max-width:none;padding:0}.sheet{border:0;overflow:visible}tr{break-inside:avoid}
thead{display:table-header-group}.bar,.key i,tbody th{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

// The state in a sentence and under the bar, where it stands among others.
std::string_view label(ReportState state) {
  return state == ReportState::Queued    ? "not started"
         : state == ReportState::Skipped ? "done earlier"
                                         : state_name(state);
}

// The state as the heading of its jobs.
std::string_view heading(ReportState state) {
  switch (state) {
    case ReportState::Failed:
      return "Failed";
    case ReportState::Suspended:
      return "Suspended: needs a person";
    case ReportState::Blocked:
      return "Blocked: waits for another job";
    case ReportState::Interrupted:
      return "Interrupted: can go on";
    case ReportState::Cancelled:
      return "Cancelled";
    case ReportState::Running:
      return "Still running";
    case ReportState::Queued:
      return "Not started";
    case ReportState::Done:
      return "Done";
    case ReportState::Skipped:
      return "Done by an earlier run";
  }
  return "";
}

// As text or as the value of an attribute. What is not UTF-8 or is a control character becomes a question mark.
std::string escape(std::string_view text) {
  const bool valid = is_valid_utf8(text);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else if (c == '\'')
      safe += "&#39;";
    else if (c == '\n' || c == '\t')
      safe += ' ';
    else if (byte < 0x20 || byte == 0x7F || (!valid && byte >= 0x80))
      safe += '?';
    else
      safe += c;
  }
  return safe;
}

// Text that a stranger wrote: its direction stays its own.
std::string foreign(std::string_view text) { return "<bdi>" + escape(text) + "</bdi>"; }

// A link to a file below the report, whatever its name.
std::string link(const std::string& path) {
  if (path.starts_with('/')) return foreign(path);  // elsewhere: named, not linked
  constexpr std::string_view kPlain = "-._~/";
  std::string href = "./";
  for (const char c : path) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (letter || kPlain.find(c) != std::string_view::npos)
      href += c;
    else
      href += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return fmt::format("<a href=\"{}\">{}</a>", href, foreign(path));
}

std::string duration(double seconds) {
  if (!(seconds > 0)) return "–";
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::min(seconds, 1e12) + 0.5);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

// "2026-11-24T21:04:11Z" as people write it.
std::string moment(std::string time) {
  if (time.size() > 11 && time[10] == 'T') time[10] = ' ';
  if (time.ends_with('Z')) time.replace(time.size() - 1, 1, " UTC");
  return escape(time);
}

std::string plural(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// "409 of 412 jobs are done, 2 failed, 1 suspended"
std::string verdict(const RunReport& report, const ReportTotals& totals) {
  const auto of = [&](ReportState state) { return totals.jobs[static_cast<std::size_t>(state)]; };
  const std::size_t done = of(ReportState::Done) + of(ReportState::Skipped), all = report.jobs.size();
  std::string text = all == 0      ? "There were no jobs"
                     : done == all ? (all == 1 ? "The job is done" : fmt::format("All {} jobs are done", all))
                                   : fmt::format("{} of {} done", done, plural(all, "job is", "jobs are"));
  for (std::size_t i = 0; i < kReportStates; ++i) {
    const auto state = static_cast<ReportState>(i);
    if (state == ReportState::Done || state == ReportState::Skipped || totals.jobs[i] == 0) continue;
    text += fmt::format(", {} {}", totals.jobs[i], label(state));
  }
  return text + '.';
}

std::string bar(const ReportTotals& totals) {
  std::string segments, key;
  // What is done comes first: the bar reads like progress.
  std::array<ReportState, kReportStates> order{ReportState::Done,    ReportState::Skipped,   ReportState::Running,
                                               ReportState::Queued,  ReportState::Cancelled, ReportState::Interrupted,
                                               ReportState::Blocked, ReportState::Suspended, ReportState::Failed};
  for (const ReportState state : order) {
    const std::size_t count = totals.jobs[static_cast<std::size_t>(state)];
    if (count == 0) continue;
    const auto name = state_name(state);
    segments += fmt::format("<i class=\"{}\" style=\"flex:{} 0 0\"></i>", name, count);
    key += fmt::format("<li><i class=\"{}\"></i><b>{}</b> {}</li>", name, count, label(state));
  }
  return fmt::format("<div class=\"bar\" aria-hidden=\"true\">{}</div>\n<ul class=\"key\">{}</ul>\n", segments, key);
}

std::string facts(const RunReport& report, const ReportTotals& totals) {
  std::string list;
  const auto add = [&](std::string_view name, const std::string& value) {
    list += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
  };
  // What this run did, then what lies in the folder.
  add("This run took", duration(report.wall_s));
  const std::size_t rendered = totals.jobs[static_cast<std::size_t>(ReportState::Done)];
  add("This run rendered", rendered == 0
                               ? "nothing"
                               : fmt::format("{}, {}", plural(rendered, "job", "jobs"), human_bytes(totals.bytes_now)));
  if (totals.compute_s > 0) add("All runs worked on jobs for", duration(totals.compute_s));
  if (totals.bytes > 0) add("Files of all runs", human_bytes(totals.bytes));
  if (!report.device.empty()) add("Device", foreign(report.device));
  if (!report.host.empty()) add("Host", foreign(report.host));
  return fmt::format("<dl class=\"facts\">{}</dl>\n", list);
}

std::string job_cell(const ReportJob& job, const RunReport& report) {
  std::string cell = fmt::format("<div class=\"id\">{}</div>", foreign(job.name.empty() ? job.id : job.name));
  if (!job.reason.empty()) cell += fmt::format("<p class=\"reason\">{}</p>", foreign(job.reason));
  for (const auto& warning : job.warnings) cell += fmt::format("<p class=\"warning\">{}</p>", foreign(warning));
  if (!job.prompt.empty()) cell += fmt::format("<div class=\"prompt\">{}</div>", foreign(job.prompt));
  std::string sub = job.name.empty() ? "" : escape(job.id);
  // A number counts in its own file.
  const bool finished = job.state == ReportState::Done || job.state == ReportState::Skipped;
  const bool other_file = !report.job_file.empty() && !job.source.starts_with(report.job_file);
  if ((!finished || other_file) && !job.source.empty()) sub += (sub.empty() ? "" : " · ") + escape(job.source);
  if (job.attempts > 1) sub += fmt::format("{}{} attempts", sub.empty() ? "" : " · ", job.attempts);
  if (!sub.empty()) cell += fmt::format("<div class=\"sub\">{}</div>", sub);
  return cell;
}

std::string hash_of(const ReportOutput& output) {
  return output.sha256.empty() ? "" : fmt::format("sha256 {}…", escape(output.sha256.substr(0, 12)));
}

// A clip that is a folder of pictures: one line, its hashes folded away.
std::string pictures(const std::vector<const ReportOutput*>& frames) {
  std::uint64_t bytes = 0;
  std::string hashes;
  for (const auto* frame : frames) {
    bytes += frame->bytes;
    hashes += fmt::format("<div class=\"sub\">{} {}</div>", foreign(frame->path), hash_of(*frame));
  }
  return fmt::format("<div>{} to {}</div><details><summary class=\"sub\">{} pictures, {}</summary>{}</details>",
                     link(frames.front()->path), link(frames.back()->path), frames.size(), human_bytes(bytes), hashes);
}

// The clip, and small behind it what lies beside it.
std::string files_cell(const ReportJob& job) {
  std::vector<const ReportOutput*> frames;
  std::string clips, beside;
  for (const auto& output : job.outputs)
    if (output.kind == "frames") frames.push_back(&output);
  for (const auto& output : job.outputs) {
    if (output.kind == "frames" && frames.size() > 1) continue;
    const auto hash = hash_of(output);
    if (output.kind.empty() || output.kind == "video" || output.kind == "frames")
      clips += fmt::format("<div>{}</div><div class=\"sub\">{}{}{}</div>", link(output.path), human_bytes(output.bytes),
                           hash.empty() ? "" : " · ", hash);
    else
      beside += fmt::format("<div class=\"sub\">{} · {}</div>", link(output.path), human_bytes(output.bytes));
  }
  if (frames.size() > 1) clips += pictures(frames);
  return clips.empty() && beside.empty() ? "–" : clips + beside;
}

// The phases are folded away: a hundred jobs stay a table that can be skimmed.
std::string time_cell(const ReportJob& job) {
  std::string phases;
  for (const auto& [name, seconds] : job.phase_s)
    if (seconds >= 0.05) phases += fmt::format("<div class=\"sub\">{} {}</div>", escape(name), duration(seconds));
  if (phases.empty()) return duration(job.total_s);
  return fmt::format("<details><summary>{}</summary>{}</details>", duration(job.total_s), phases);
}

std::string shape_cell(const ReportJob& job) {
  std::vector<std::string> length;
  const auto count = [](int number) { return static_cast<std::size_t>(std::max(0, number)); };
  if (job.frames) length.push_back(plural(count(*job.frames), "frame", "frames"));
  if (job.steps) length.push_back(plural(count(*job.steps), "step", "steps"));
  std::string cell = job.size ? fmt::format("{}×{}", job.size->width, job.size->height) : "–";
  if (!length.empty()) cell += fmt::format("<div class=\"sub\">{}</div>", join(length, " · "));
  return cell;
}

std::string row(const ReportJob& job, const RunReport& report) {
  return fmt::format(
      "<tr class=\"{}\"><td class=\"n\">{}</td><td class=\"job\">{}</td><td class=\"file\">{}</td><td "
      "class=\"n\">{}</td>"
      "<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
      state_name(job.state), job.index > 0 ? std::to_string(job.index) : "–", job_cell(job, report), files_cell(job),
      shape_cell(job), job.seed ? std::to_string(*job.seed) : "–", time_cell(job));
}

std::string table(const RunReport& report) {
  if (report.jobs.empty()) return {};
  std::string body;
  const ReportJob* last = nullptr;
  const ReportTotals totals = totals_of(report);
  for (const ReportJob* job : sorted_for_reading(report)) {
    if (last == nullptr || last->state != job->state)
      body += fmt::format("{}<tbody>\n<tr class=\"{}\"><th colspan=\"6\" scope=\"rowgroup\">{} ({})</th></tr>\n",
                          last == nullptr ? "" : "</tbody>\n", state_name(job->state), heading(job->state),
                          totals.jobs[static_cast<std::size_t>(job->state)]);
    body += row(*job, report);
    last = job;
  }
  return fmt::format(
      "<div class=\"sheet\" tabindex=\"0\" role=\"region\" aria-label=\"Jobs\"><table>\n<thead><tr><th class=\"n\" "
      "scope=\"col\">#</th><th scope=\"col\">Job</th><th scope=\"col\">Files</th><th class=\"n\" "
      "scope=\"col\">Clip</th>"
      "<th class=\"n\" scope=\"col\">Seed</th><th class=\"n\" scope=\"col\">Time</th></tr></thead>\n{}</tbody>\n"
      "</table></div>\n",
      body);
}

std::string footer(const RunReport& report) {
  std::string text;
  if (!report.command.empty()) text += fmt::format("The command<code>{}</code>\n", escape(report.command));
  std::vector<std::string> versions;
  for (const auto& [name, version] : report.versions) versions.push_back(escape(name + ' ' + version));
  text += join(versions, " · ");
  return text.empty() ? "" : fmt::format("<footer>{}</footer>\n", text);
}

}  // namespace

std::string report_html(const RunReport& report) {
  const ReportTotals totals = totals_of(report);
  std::string when = moment(report.started);
  if (!report.finished.empty()) when += " to " + moment(report.finished);
  if (report.job_file != report.title && !report.job_file.empty())
    when = fmt::format("This run, of {}: {}", foreign(report.job_file), when);
  const std::string outcome = report.outcome.empty() ? "" : ' ' + foreign(report.outcome);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri "
      "'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n<title>{0} – Rubato</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
      "<p class=\"kind\">Rubato run</p>\n<h1>{2}</h1>\n<p class=\"when\">{3}</p>\n<p "
      "class=\"verdict\">{4}{5}</p>\n{6}{7}{8}{9}</main>\n</body>\n</html>\n",
      escape(report.title), kStyle, foreign(report.title), when, verdict(report, totals), outcome, bar(totals),
      facts(report, totals), table(report), footer(report));
}

bool begins_report(std::string_view page) {
  const auto title = page.find("<title>");
  return page.starts_with("<!doctype html>\n") && title != std::string_view::npos &&
         page.substr(title).find(" – Rubato</title>") != std::string_view::npos;
}

}  // namespace rubato
