// VideoJob: a clip from a sentence (and, where the checkpoint can, from a picture).
//
// The job is a value. Its fields are listed once, in visit(); schema.h makes files, flags, help and documentation of
// that list. Unset optionals are filled from the model card, else from the model family, before the job runs.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/json.h"
#include "pipelines/job/field.h"

namespace rubato {

// Neutral policies: nothing is skipped, merged or reused.
struct RateFull {
  static constexpr std::string_view kMethod = "full";
  bool operator==(const RateFull&) const = default;
  template <typename Self, typename Visitor>
  static void visit(Self&, Visitor&) {}
};
struct AttentionDense {
  static constexpr std::string_view kMethod = "dense";
  bool operator==(const AttentionDense&) const = default;
  template <typename Self, typename Visitor>
  static void visit(Self&, Visitor&) {}
};
struct CacheNone {
  static constexpr std::string_view kMethod = "none";
  bool operator==(const CacheNone&) const = default;
  template <typename Self, typename Visitor>
  static void visit(Self&, Visitor&) {}
};

using RatePolicy = std::variant<RateFull>;  // how many latent frames a segment gets
using AttentionPolicyChoice = std::variant<AttentionDense>;
using CachePolicy = std::variant<CacheNone>;  // reuse of transformer outputs between steps

struct VideoJob {
  static constexpr std::string_view kKind = "video";

  std::string id;  // empty: made when the job is handed to a worker
  std::string name;
  std::string model;  // empty: the practice model, if no other is found
  std::string prompt;
  std::optional<std::string> negative_prompt;
  std::optional<Size> size;
  std::optional<int> frames, fps, steps, max_sequence_length;
  std::optional<double> guidance, guidance_2;
  std::optional<std::uint64_t> seed;
  std::string image;
  RatePolicy rate;
  AttentionPolicyChoice attention;
  CachePolicy cache;
  std::string device = "auto", dtype = "auto";
  std::optional<std::uint64_t> reserve, max_ram;  // bytes
  std::string out;
  std::string overwrite = "never";
  bool keep_latents = false;
  bool metadata = true;
  std::string latents_in, latents_out, trace, verify_against;

  bool operator==(const VideoJob&) const = default;

  template <typename Self, typename Visitor>
  static void visit(Self& job, Visitor& v) {
    using enum Group;
    v("prompt", job.prompt, Text{}, "What the video shows", Generation, {.letter = 'p'});
    v("negative_prompt", job.negative_prompt, Text{}, "What it should not show");
    v("image", job.image, PathText{}, "First frame: a picture, or a safetensors file with a tensor 'image' [H,W,3]");
    v("size", job.size, SizeSpec{16, 8192}, "Width and height in pixels");
    v("frames", job.frames, IntRange{1, 4097}, "Length in frames; most models take 4k+1");
    v("fps", job.fps, IntRange{1, 120}, "Frames a second of the file");
    v("steps", job.steps, IntRange{1, 1000}, "Denoising steps");
    v("guidance", job.guidance, RealRange{0, 100}, "How strictly the prompt is followed; 1 = no guidance");
    v("guidance_2", job.guidance_2, RealRange{0, 100}, "Guidance of the second expert (models with two)");
    v("max_sequence_length", job.max_sequence_length, IntRange{1, 4096}, "Tokens of the prompt that are used");
    v("seed", job.seed, SeedSpec{}, "Seed of the noise; the same seed gives the same clip", Generation,
      {.unset = "a new one"});
    v("rate", job.rate, Method{}, "Latent frame rate");
    v("attention", job.attention, Method{}, "How attention is computed");
    v("cache", job.cache, Method{}, "Reuse between denoising steps");

    v("model", job.model, ModelText{}, "Model folder, or the name of a model that 'models list' shows", Common,
      {.letter = 'm'});
    v("out", job.out, PathText{PathRole::Output}, "File to write; its extension decides the format", Common,
      {.letter = 'o', .identity = false});
    v("overwrite", job.overwrite, Choice{{"never", "always"}, "always"}, "What to do when the file exists", Common,
      {.identity = false});
    v("device", job.device, DeviceText{}, "Where to compute", Common);
    v("dtype", job.dtype, Choice{{"auto", "float32", "bfloat16", "float16"}},
      "Precision of the computation; auto: float32 on the CPU, bfloat16 on a GPU", Common);
    v("reserve", job.reserve, BytesSpec{}, "Memory of the GPU that is left to other programs", Common,
      {.identity = false, .unset = "none"});
    v("max_ram", job.max_ram, BytesSpec{}, "Memory of the computer that the job may take", Common,
      {.identity = false, .unset = "what is free"});
    v("name", job.name, Text{256}, "Title for lists and metadata", Common, {.identity = false});
    v("id", job.id, IdText{}, "Identifier in events and reports; made where none is given", Common,
      {.identity = false});
    v("keep_latents", job.keep_latents, Switch{}, "Keep the folder with the finished latents", Common,
      {.identity = false});

    v("metadata", job.metadata, Switch{}, "Write how the clip was made into the file and beside it", Common,
      {.identity = false});

    v("latents_in", job.latents_in, PathText{},
      "Start from the tensor 'latents' of a safetensors file instead of the seed's noise", Inspection);
    v("latents_out", job.latents_out, PathText{PathRole::Output},
      "Write the final latents, before VAE de-normalisation", Inspection, {.identity = false});
    v("trace", job.trace, PathText{PathRole::Output},
      "Write every intermediate tensor, to find the first difference from another program", Inspection,
      {.identity = false});
    v("verify_against", job.verify_against, PathText{}, "Compare the frames with those of a clip; nothing is written",
      Inspection, {.identity = false});
  }
};

// The object of a job file or of another program's output. All problems are named at once, with line and column where
// `where` knows them; `source` names the text in messages.
Result<VideoJob> video_job_from_json(const nlohmann::json& object, std::string_view source,
                                     const SourceMap* where = nullptr);
// Canonical: {"version":1,"kind":"video",…}, keys sorted, unset fields left out. video_job_from_json gives the job
// back.
nlohmann::json video_job_to_json(const VideoJob& job);

// One job from a .json, .yaml or .yml file (other names: by content). Relative input paths in it start at its folder.
Result<VideoJob> read_video_job(const std::filesystem::path& file);

// Flags win over what the job holds already: read a job file or the output of `inspect` into `job` first, then apply
// the command line. Returns what was not a flag of this job, in order (the command's own flags and positional
// arguments); everything from "--" on is returned untouched.
Result<std::vector<std::string>> apply_flags(VideoJob& job, const std::vector<std::string>& args);

// Fills what is still unset from {"steps": 30, "size": "832x480", …}; only optional fields and `negative_prompt` can
// be.
Result<> fill_unset(VideoJob& job, const nlohmann::json& defaults, std::string_view source);

// What every video job needs before it can run: a prompt, and a place for the result. Names the flags.
Result<> check_ready(const VideoJob& job);

// JobInvalid with the nearest valid values when a side is not a multiple of `multiple_of` pixels (VAE factor times
// patch size) or frames is not temporal_ratio*k + 1.
Result<> check_geometry(const Size& size, int frames, int multiple_of, int temporal_ratio);

// The canonical text of the fields that decide what is made (not id, name, out, …), and the job's key: SHA-256 of it,
// the models' content hashes and the version of the output (raised when the same job would give another result).
std::string identity_json(const VideoJob& job);
std::string job_key(const VideoJob& job, const std::vector<std::string>& model_hashes, int output_version);

inline Overwrite overwrite_of(const VideoJob& job) {
  return job.overwrite == "always" ? Overwrite::Always : Overwrite::Never;
}

}  // namespace rubato
