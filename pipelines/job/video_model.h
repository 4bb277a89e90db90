// What a job must know of its model before anything is loaded: sizes it can take, what it can do, and the values for
// fields that the job leaves open. Read from the folder's configurations; no weights are touched.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/base/error.h"
#include "engine/files/model_card.h"
#include "engine/files/pipeline_folder.h"
#include "pipelines/job/video_job.h"

namespace rubato {

struct VideoModel {
  PipelineFolder folder;
  std::optional<ModelCard> card;
  std::string name;         // of the card, else of the folder
  int width_multiple = 16;  // pixels: VAE factor times patch size
  int height_multiple = 16;
  int spatial_ratio = 8;   // pixels per latent cell along a side
  int temporal_ratio = 4;  // pixel frames per latent frame; lengths are ratio * k + 1
  int latent_channels = 16;
  bool two_experts = false;  // Wan 2.2 A14B
  bool takes_image = false;  // a first frame may be given

  bool practice() const { return card && card->practice; }
};

// ModelMissing (parts that are not there, by path) or ModelUnfit (not a video model that Rubato knows: names those it
// does).
Result<VideoModel> open_video_model(const std::filesystem::path& root);

// The job with every open field filled: from the model's card, else from its family. Checks what needs the model:
// size and length (nearest valid values are named), an image that the model cannot take, a second guidance without a
// second expert. The seed stays open if it was; who runs the job draws one.
Result<VideoJob> resolve_video_job(VideoJob job, const VideoModel& model);

}  // namespace rubato
