#include "pipelines/runner/video_runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/base/guard.h"
#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/files/content_hash.h"
#include "engine/files/weight_set.h"
#include "engine/tensor/state_dict.h"
#include "kernels/device.h"
#include "pipelines/job/disk_needs.h"
#include "pipelines/job/memory_forecast.h"
#include "pipelines/job/tensor_inputs.h"
#include "pipelines/job/video_model.h"
#include "pipelines/runner/checkpoint_writer.h"
#include "pipelines/runner/decode_plan.h"
#include "pipelines/runner/decode_work.h"
#include "pipelines/runner/frame_output.h"
#include "pipelines/runner/media_output.h"
#include "pipelines/runner/memory_ladder.h"
#include "pipelines/runner/metadata_of.h"
#include "pipelines/runner/partial_work.h"
#include "pipelines/runner/save_clock.h"
#include "pipelines/runner/trace.h"
#include "pipelines/runner/verify_output.h"
#include "pipelines/text_to_video/request_of.h"

namespace rubato {
namespace fs = std::filesystem;
using Json = nlohmann::json;
namespace {

// A first frame as [H, W, 3] in 0..1: the tensor `image` of a safetensors file as it is, or a picture scaled to fit.
Result<at::Tensor> load_first_frame(const fs::path& path, const Size& size) {
  if (path.extension() != ".safetensors") return read_picture(path, size.width, size.height);
  RUBATO_TRY(tensors, read_tensors(path));
  const auto image = tensors.find("image");
  const std::vector<std::int64_t> expected{size.height, size.width, 3};
  if (image == tensors.end() || image->second.sizes() != at::IntArrayRef(expected))
    return Error{ErrorCode::Corrupt, fmt::format("{} must hold a tensor 'image' of shape [{}, {}, 3]", path.string(),
                                                 size.height, size.width)};
  return image->second.to(at::kFloat);
}

Result<at::Tensor> load_latents(const fs::path& path, const at::Tensor& like) {
  RUBATO_TRY(tensors, read_tensors(path));
  const auto latents = tensors.find("latents");
  if (latents == tensors.end() || latents->second.sizes() != like.sizes())
    return Error{ErrorCode::Corrupt, fmt::format("{} must hold a tensor 'latents' of shape [{}]", path.string(),
                                                 fmt::join(like.sizes(), ", "))};
  if (!at::isFloatingType(latents->second.scalar_type()))
    return Error{ErrorCode::Corrupt,
                 fmt::format("{}: the tensor 'latents' must hold floating-point numbers", path.string())};
  if (!at::isfinite(latents->second).all().item<bool>())
    return Error{ErrorCode::Corrupt, fmt::format("{}: the tensor 'latents' holds NaN or infinity", path.string())};
  return latents->second.to(at::kFloat);
}

// The shares are those of usual jobs, in percent; they stand in where no earlier job has told the seconds.
std::vector<ProgressMeter::Phase> phases_of(const VideoJob& job, std::int64_t latent_frames,
                                            const std::map<std::string, double>& expected_s) {
  std::vector<ProgressMeter::Phase> phases{{"load", 4, 0, 2},
                                           {"text", 1, 0, 1},
                                           {"denoise", *job.steps, 0, 88},
                                           {"decode", latent_frames, 0, 8},
                                           {"mux", 1, 0, 1}};
  for (auto& phase : phases)
    if (const auto known = expected_s.find(phase.name); known != expected_s.end()) phase.expected_s = known->second;
  return phases;
}

// SHA-256 of a tensor's bytes.
std::string content_of(const at::Tensor& tensor) {
  const auto host = tensor.to(at::kCPU).contiguous();
  Sha256 hash;
  hash.update(std::span(static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()));
  return hash.hex();
}

// What a finished file is to the job: the sidecar, one of several pictures, or the clip itself.
const char* kind_of(const fs::path& file, const std::vector<fs::path>& all) {
  const auto is_sidecar = [](const fs::path& f) { return f.extension() == ".json"; };
  if (is_sidecar(file)) return "metadata";
  return all.size() - static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_sidecar)) > 1 ? "frames"
                                                                                                      : "video";
}

std::uint64_t file_size_or_zero(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  return failed ? 0 : size;
}

std::uint64_t resident_bytes() {
  std::uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool same_memory(const WanPipeline::LoadOptions& a, const WanPipeline::LoadOptions& b) {
  return a.offload == b.offload && a.branches_apart == b.branches_apart;
}

// One run: the recipe of a job, stage by stage, on what the runner keeps between jobs.
class VideoRun {
 public:
  VideoRun(const VideoJob& job, const ModelFolders& models, LoadedModel& loaded, JobEvents& events,
           std::stop_token stop, const protocol::RunHints& hints)
      : job_(job), models_(models), loaded_(loaded), events_(events), stop_(stop), hints_(hints) {}
  ~VideoRun() { hash_stop_.request_stop(); }  // or leaving would wait until the whole model is read
  VideoRun(const VideoRun&) = delete;

  Result<JobResult> run() {
    RUBATO_OK(prepare());
    RUBATO_OK(within_memory(MemoryStage::Load, [] { return Result<>(); }));
    RUBATO_OK(within_memory(MemoryStage::Text, [this] { return encode_text(); }));
    RUBATO_OK(within_memory(MemoryStage::Start, [this] { return start_latents(); }));
    RUBATO_OK(within_memory(MemoryStage::Denoise, [this] { return denoise(); }));
    RUBATO_OK(within_memory(MemoryStage::Decode, [this] { return decode(); }));
    return finish();
  }

  std::string kept() const {
    auto kept = partial_ ? partial_->kept() : std::nullopt;
    if (!kept) return {};
    kept->traced = trace_.on();
    return kept->sentence();
  }

 private:
  // Everything that can be refused before minutes are spent: model, sizes, output.
  Result<> prepare() {
    RUBATO_TRY(root, resolve_model(job_.model, models_));
    RUBATO_TRY(model, open_video_model(root));
    RUBATO_TRY(resolved, resolve_video_job(job_, model));
    model_ = std::move(model);
    job_ = std::move(resolved);
    RUBATO_OK(check_tensor_inputs(job_, model_));
    RUBATO_OK(check_weight_files(model_.folder));
    job_.model = model_.folder.root.string();
    if (!job_.verify_against.empty()) job_.out.clear();
    // Without a seed, the one that an interrupted run of the same command drew, so that it can go on.
    if (!job_.seed && !job_.out.empty()) job_.seed = PartialWork::seed_in(job_.out);
    if (!job_.seed) job_.seed = std::random_device{}();

    RUBATO_TRY(device, parse_device(job_.device));
    RUBATO_TRY(dtype, parse_dtype(job_.dtype, device));
    load_options_ = {device, dtype};
    job_.device = device.str();
    reset_peak_memory(device);
    job_.dtype = dtype == at::kFloat ? "float32" : dtype == at::kHalf ? "float16" : "bfloat16";

    format_ = {job_.size->width, job_.size->height, *job_.fps, *job_.frames, job_.metadata};
    if (!job_.out.empty()) RUBATO_OK(check_frame_output(job_.out, format_, overwrite_of(job_)));
    for (const auto& side : {job_.latents_out, job_.trace})
      if (!side.empty()) RUBATO_OK(check_writable(side, overwrite_of(job_)));
    if (!job_.image.empty()) {
      RUBATO_TRY(image, load_first_frame(job_.image, *job_.size));
      image_ = image;
    }
    const std::int64_t latent_frames = (*job_.frames - 1) / model_.temporal_ratio + 1;
    meter_ = std::make_unique<ProgressMeter>(phases_of(job_, latent_frames, hints_.expected_s),
                                             [this](const Progress& p) { events_.progress(p); });
    // The hash of the weights reads every byte once, so it runs beside the work; it is only needed at the end.
    content_hash_ = std::async(std::launch::async, [folder = model_.folder, stop = hash_stop_.get_token()] {
      return model_content_hash(folder, UserFolders::from_environment().cache, stop);
    });
    RUBATO_OK(plan_memory());
    return reserve_disk();
  }

  // Runs a stage; when it runs out of memory, again with less, from where it stood, until the ladder ends.
  Result<> within_memory(MemoryStage stage, const std::function<Result<>()>& attempt) {
    for (;;) {
      auto done = guard([&]() -> Result<> {
        RUBATO_OK(load());
        return attempt();
      });
      if (done || done.error().code != ErrorCode::OutOfMemory) return done;
      const auto where = stage == MemoryStage::Denoise
                             ? fmt::format("after step {} of {}", start_.next_step, request_.steps)
                             : std::string();
      const auto step = ladder_->next(stage, where, tile_);
      if (!step) {
        if (stage == MemoryStage::Denoise && partial_ && start_.next_step > 0)
          warn_unless(guard([&] { return save(start_); }));
        return done;
      }
      events_.warn("memory_low", *step);
      output_.reset();
      if (ladder_->plan().tile != 0 && ladder_->plan().tile != tile_ && decode_work_) decode_work_->remove();
      if (loaded_.drop_unless(options_now())) pipeline_ = nullptr;
      free_memory_caches(load_options_.device);
    }
  }

  // How the model is spread over memory from the start: as the forecast for what is free here says.
  Result<> plan_memory() {
    auto available = memory_available(job_);
    const auto device = load_options_.device;
    if (available.device_bytes) *available.device_bytes += memory_use(device).held_bytes;  // a model of an earlier job
    if (available.host_bytes) *available.host_bytes += resident_bytes();
    RUBATO_TRY(forecast, forecast_memory(model_, job_, available));
    if (forecast.fit == Fit::FitsWithOffload)
      events_.warn("memory_plan", fmt::format("this job {}", forecast.sentence));
    forecast.plan.tile = 0;  // chosen when it is known what is free then
    ladder_.emplace(forecast.plan, MemoryLadder::Job{.on_gpu = device.is_cuda(),
                                                     .guided = *job_.guidance > 1,
                                                     .width = job_.size->width,
                                                     .height = job_.size->height});
    return {};
  }

  WanPipeline::LoadOptions options_now() const {
    auto options = load_options_;
    options.offload = ladder_->plan().offload;
    options.branches_apart = ladder_->plan().branches_apart;
    return options;
  }

  // A disk that is full is a reason to stop now, not after the work.
  Result<> reserve_disk() {
    const auto latents = latents_bytes(job_, model_);
    if (!job_.out.empty()) {
      partial_.emplace(job_.out, key_of_work(), *job_.seed);
      RUBATO_OK(partial_->reserve(latents));
      if (const auto earlier = partial_->kept()) events_.checkpoint(earlier->step, earlier->folder);
    }
    for (const auto& [file, bytes] :
         {std::pair{job_.latents_out, latents}, std::pair{job_.trace, trace_bytes(job_, model_)}})
      if (!file.empty() && free_bytes(file) < bytes) return write_error(file, ENOSPC);
    return {};
  }

  // Partial work of other settings is not continued. A stamp of the model's files does where nobody knows their hash.
  std::string key_of_work() const {
    return hints_.key.empty() ? job_key(job_, {model_stamp(model_.folder)}, kOutputVersion) : hints_.key;
  }

  // Before every stage: after the ladder's steps the model may have to be loaded again.
  Result<> load() {
    if (pipeline_ != nullptr) return {};
    ProgressMeter silent({{"load", 4}}, [](const Progress&) {});
    const bool first = !std::exchange(load_begun_, true);
    first ? begin("load", 4) : silent.begin("load", 4);
    RUBATO_TRY(pipeline, loaded_.get(model_.folder, options_now(), events_, first ? *meter_ : silent, stop_));
    pipeline_ = pipeline;
    return {};
  }

  Result<> encode_text() {
    begin("text", 1);
    request_ = request_of(job_);
    RUBATO_TRY(text, pipeline_->encode_text(request_));
    text_ = std::move(text);
    for (const auto* encoded : {&text_.prompt, text_.negative ? &*text_.negative : nullptr}) {
      if (encoded == nullptr || encoded->cut_text.empty()) continue;
      events_.warn(
          "prompt_cut",
          fmt::format("the prompt is longer than the {} tokens that the model reads; this part is left out: \"{}\"",
                      request_.max_sequence_length, clip_utf8(encoded->cut_text, 400)));
    }
    trace_.text(text_);
    meter_->advance(1);
    return {};
  }

  // In order of preference: what an interrupted run left, a given tensor, the seed's noise.
  Result<> start_latents() {
    start_.latents = pipeline_->initial_latents(request_);
    if (!job_.latents_in.empty()) {
      RUBATO_TRY(given, load_latents(job_.latents_in, start_.latents));
      start_.latents = given;
    }
    trace_.start(start_.latents);
    if (image_.defined()) first_frame_ = pipeline_->encode_image(image_);
    if (!partial_ || trace_.on()) return {};  // a trace is of a whole run
    std::string ignored;
    if (auto saved = partial_->load(ignored); saved && saved->latents.sizes() == start_.latents.sizes()) {
      start_ = std::move(*saved);
      events_.warn("resumed", fmt::format("going on after step {} of {}, kept in {}", start_.next_step, request_.steps,
                                          partial_->folder().string()));
    } else if (!ignored.empty()) {
      const auto moved = partial_->set_aside();
      events_.warn("partial_ignored", moved.empty() ? ignored : fmt::format("{}; it was moved to {}", ignored, moved));
    }
    return {};
  }

  Result<> denoise() {
    begin("denoise", request_.steps);
    RUBATO_TRY(schedule, pipeline_->make_schedule(request_));
    trace_.schedule(*schedule);
    SaveClock clock;  // the writer's, between two states
    std::optional<CheckpointWriter> writer;
    if (partial_)
      writer.emplace(
          [&](const DenoiseState& state) { clock.timed([&] { warn_unless(guard([&] { return save(state); })); }); });
    DenoiseObserver observer;
    observer.stop = stop_;
    observer.on_step = [&](int step, const at::Tensor& velocity, const DenoiseState& after) {
      trace_.step(step, velocity, after.latents);
      start_ = after;  // where it goes on from, should memory run out
      preview(step, velocity, after.latents, schedule->sigmas()[static_cast<std::size_t>(step) + 1]);
      const bool last_step = step + 1 == request_.steps;  // is saved below
      if (writer && !last_step && writer->idle() && clock.due()) writer->submit(on_cpu(after));
      meter_->advance(step + 1);
    };
    auto result = pipeline_->denoise(request_, text_, start_, first_frame_, observer);
    if (writer) writer->finish();
    if (!result) {
      const bool keep = result.error().code == ErrorCode::Cancelled && start_.next_step > 0;
      if (keep && partial_) warn_unless(save(start_));
      return result.error();
    }
    latents_ = *result;
    // On disk before decoding starts: what took long is not lost to a full disk or a lack of memory.
    if (partial_) {
      auto final_state = start_;
      final_state.next_step = request_.steps;
      final_state.latents = latents_;
      RUBATO_OK(save(final_state));
    }
    return {};
  }

  Result<> decode() {
    begin("decode", latents_.size(2));
    if (!job_.verify_against.empty()) {
      output_ = std::make_unique<VerifyOutput>(job_.verify_against);
    } else if (!job_.out.empty()) {
      RUBATO_TRY(output, open_frame_output(job_.out, format_, overwrite_of(job_)));
      output_ = std::move(output);
    } else {
      return {};  // only latents or a trace were asked for
    }
    DecodeOptions options;
    options.stop = stop_;
    tile_ = ladder_->plan().tile;
    if (tile_ == 0)
      tile_ = tile_that_fits(pipeline_->vae(), request_.width, request_.height, request_.frames, free_for_decode());
    options.tiling.tile = tile_;
    // With tiles, every latent frame is decoded once per tile; progress counts latent frames of the clip.
    options.progress = [&](std::int64_t done, std::int64_t total) { meter_->advance(done * latents_.size(2) / total); };
    const auto give = [&](const at::Tensor& frames) {
      if (auto added = output_->add(frames); !added) throw ErrorException(added.error());
    };
    if (partial_) keep_decode(options, give);
    tile_ = options.tiling.tile;
    pipeline_->decode(latents_, options, [&](const at::Tensor& frames) {
      const auto host = frames.to(at::kCPU);
      give(host);
      if (decode_work_) decode_work_->add(host);
    });
    return {};
  }

  // Goes on with a decode that an earlier run began, and lets this one be gone on with.
  void keep_decode(DecodeOptions& options, const AutoencoderKLWan::Sink& give) {
    decode_work_.emplace(partial_->folder(), content_of(latents_));
    if (auto saved = decode_work_->resume(give)) {
      options.tiling.tile = saved->tile;  // with another tiling the seams would lie elsewhere
      events_.warn("resumed", fmt::format("going on with decoding after part {}", saved->state.parts));
      options.start = std::move(saved->state);
    }
    options.on_part = [this, tile = options.tiling.tile](const std::function<DecodeState()>& state) {
      warn_unless(decode_work_->part_done(state, tile));
    };
  }

  // What is free, less what the job leaves to others.
  std::uint64_t free_for_decode() const {
    const auto free = free_memory(load_options_.device);
    if (load_options_.device.is_cuda()) return free - std::min(free, job_.reserve.value_or(0));
    const auto used = resident_bytes(), most = std::max(job_.max_ram.value_or(used + free), used);
    return std::min(free, most - used);
  }

  Result<JobResult> finish() {
    const std::stop_callback give_up(stop_, [this] { hash_stop_.request_stop(); });
    RUBATO_TRY(hash, content_hash_.get());
    begin("mux", 1);
    JobResult result;
    // The clip comes last: it stands for a job that is done, and until then the same command can go on.
    RUBATO_OK(trace_.write(job_.trace, overwrite_of(job_)));
    if (!job_.latents_out.empty())
      RUBATO_OK(write_tensors(job_.latents_out, {{"latents", latents_}}, {}, overwrite_of(job_)));
    result.report = metadata_of(job_, model_, hash, load_options_.device, *meter_);
    if (output_) {
      result.report["frames_sha256"] = output_->frames_sha256();
      RUBATO_TRY(files, output_->finish(job_.metadata ? result.report : Json(nullptr)));
      for (const auto& file : files)
        result.outputs.push_back({file.string(), kind_of(file, files), file_size_or_zero(file), ""});
    }
    if (const auto* verified = dynamic_cast<const VerifyOutput*>(output_.get())) {
      RUBATO_TRY(comparison, verified->compare());
      result.report["verify"] = comparison;
    }
    for (const auto& [file, kind] : {std::pair{job_.latents_out, "latents"}, std::pair{job_.trace, "trace"}})
      if (!file.empty()) result.outputs.push_back({file, kind, file_size_or_zero(file), ""});
    if (decode_work_) decode_work_->remove();
    if (partial_ && !job_.keep_latents) partial_->remove();
    meter_->advance(1);
    result.report["seconds"] = seconds_of(*meter_);  // now with the writing of the files
    result.report["memory"] = ladder_->report();
    if (load_options_.device.is_cuda())
      result.report["memory"]["peak_device_bytes"] = memory_use(load_options_.device).peak_bytes;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    result.report["peak_memory_bytes"] = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    return result;
  }

  void begin(const std::string& phase, std::int64_t total) {
    events_.phase(phase, total);
    meter_->begin(phase, total);
  }

  Result<> save(const DenoiseState& state) {
    RUBATO_OK(partial_->save(state, request_.steps));
    events_.checkpoint(state.next_step, partial_->folder().string());
    return {};
  }

  // Work in between is insurance: when it cannot be written the job goes on and says so, once.
  void warn_unless(const Result<>& saved) {
    if (!saved && !std::exchange(warned_unsaved_, true))
      events_.warn("not_kept", fmt::format("partial work cannot be kept: {}", saved.error().message));
  }

  void preview(int step, const at::Tensor& velocity, const at::Tensor& latents, double sigma) {
    if (!model_.card || !model_.card->preview) return;
    const auto rgb = preview_rgb(*model_.card->preview, latents - sigma * velocity);  // x − σv: the clean estimate
    if (rgb.defined()) events_.preview(step, rgb);
  }

  VideoJob job_;
  const ModelFolders& models_;
  LoadedModel& loaded_;
  JobEvents& events_;
  std::stop_token stop_;
  const protocol::RunHints& hints_;

  VideoModel model_;
  WanPipeline::LoadOptions load_options_;
  std::optional<MemoryLadder> ladder_;
  bool load_begun_ = false;
  std::int64_t tile_ = 0;  // of the decode, as it was tried
  FrameFormat format_;
  std::unique_ptr<ProgressMeter> meter_;
  std::stop_source hash_stop_;
  std::future<Result<std::string>> content_hash_;
  std::optional<PartialWork> partial_;
  std::optional<DecodeWork> decode_work_;
  bool warned_unsaved_ = false;
  WanPipeline* pipeline_ = nullptr;
  VideoRequest request_;
  EncodedText text_;
  Trace trace_{!job_.trace.empty()};
  at::Tensor image_, first_frame_;
  DenoiseState start_;
  at::Tensor latents_;
  std::unique_ptr<FrameOutput> output_;
};

}  // namespace

Result<WanPipeline*> LoadedModel::get(const PipelineFolder& folder, const WanPipeline::LoadOptions& options,
                                      JobEvents& events, ProgressMeter& meter, std::stop_token stop) {
  const auto key = fmt::format("{}|{}|{}|{}", folder.root.string(), model_stamp(folder), options.device.str(),
                               c10::toString(options.dtype));
  if (pipeline_ && key == key_ && same_memory(options, options_)) {
    meter.advance(4);
    return pipeline_.get();
  }
  drop();
  const auto on_part = [&](const std::string&, int done, int) { meter.advance(done); };
  RUBATO_TRY(pipeline, WanPipeline::load(folder, options, on_part, stop));
  events.metric("weights_bytes", static_cast<double>(pipeline->parameter_bytes()));
  pipeline_ = std::move(pipeline);
  key_ = key;
  options_ = options;
  return pipeline_.get();
}

bool LoadedModel::drop_unless(const WanPipeline::LoadOptions& options) {
  if (pipeline_ && same_memory(options, options_)) return false;
  drop();
  return true;
}

void LoadedModel::drop() {
  pipeline_.reset();
  key_.clear();
}

std::variant<JobResult, JobFailure> VideoRunner::run(const VideoJob& job, JobEvents& events, std::stop_token stop,
                                                     const protocol::RunHints& hints) {
  const c10::InferenceMode inference;
  VideoRun run(job, models_, model_, events, stop, hints);
  auto result = guard([&] { return run.run(); });
  if (result) return std::move(*result);
  if (result.error().code == ErrorCode::OutOfMemory) model_.drop();
  return JobFailure{result.error(), run.kept()};
}

}  // namespace rubato
