// What a model takes without complaint and makes nothing good of: words that it does not know, sizes and lengths that
// it was not trained on. Said as warnings before anything is started; only a card (rubato.json) knows of it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// The words of a prompt that the card does not list, each once, in the prompt's order and spelling; empty where the
// card lists none. A word is a run of letters and digits; what is not ASCII counts as a letter.
std::vector<std::string> unknown_words(std::string_view prompt, const ModelCard& card);

// Collects over the jobs of a batch, so that a thousand jobs with the same slip get one sentence. What it keeps is
// bounded.
class JobAdvice {
 public:
  // `job` has every field filled.
  void look_at(const VideoJob& job, const VideoModel& model);
  // At most one sentence a model about words, one about sizes and one about lengths.
  std::vector<std::string> sentences() const;

 private:
  struct OfModel {
    ModelCard card;
    std::vector<std::string> words, sizes;
    std::vector<int> frames;
  };
  std::map<std::string, OfModel> models_;  // by name
};

}  // namespace rubato
