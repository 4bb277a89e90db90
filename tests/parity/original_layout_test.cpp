// Weights under their authors' names inside a diffusers folder, rendered through the same path as any job: the names
// of real checkpoints (tests/data/names, made by diffusers' own converters) on tiny ones, and the same numbers.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "pipelines/runner/video_runner.h"
#include "tests/parity/golden.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

const fs::path kData = RUBATO_TEST_DATA;

struct Layout {
  const char* pipeline;  // a folder of tests/data
  const char* vae;       // of two residual blocks a level, as the authors number them; "" = the pipeline's own
  const char* vae_names;
  const char* prefix;  // before every name of a transformer, as single-file exports have it
};

// From diffusers' names to the authors'.
std::map<std::string, std::string> authors_names(const char* list) {
  std::map<std::string, std::string> names;
  std::ifstream lines(kData / "names" / (std::string(list) + ".txt"));
  for (std::string theirs, ours; lines >> theirs >> ours;) names[ours] = theirs;
  return names;
}

// Rewrites the weights of a component folder under the authors' names.
void rename_weights(const fs::path& folder, const char* list, const std::string& prefix = "") {
  const auto names = authors_names(list);
  Tensors renamed;
  for (const auto& [name, tensor] : golden(folder)) {
    const auto theirs = names.find(name);
    ASSERT_NE(theirs, names.end()) << name << " is in no real checkpoint of " << list;
    renamed[prefix + theirs->second] = tensor;
  }
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != "config.json") fs::remove(entry.path());
  ASSERT_TRUE(write_tensors(folder / "diffusion_pytorch_model.safetensors", renamed, {}, Overwrite::Never).ok());
}

class OriginalLayout : public testing::TestWithParam<Layout> {
 protected:
  // A copy of the pipeline under `name`, with the VAE that the layout asks for.
  fs::path copy(const char* name) const {
    const auto root = folder_ / name;
    fs::copy(kData / GetParam().pipeline, root, fs::copy_options::recursive);
    if (*GetParam().vae != 0) {
      fs::remove_all(root / "vae");
      fs::copy(kData / GetParam().vae, root / "vae");
      fs::remove(root / "vae/reference.safetensors");
    }
    return root;
  }

  Tensors render(const fs::path& model) const {
    const auto run = kData / GetParam().pipeline / "golden_0.safetensors";
    auto job = video_job_from_json(nlohmann::json::parse(golden_metadata(run, "job")), run.string()).value();
    job.model = model;
    job.device = "cpu";
    job.dtype = "float32";
    job.out = model.string() + ".safetensors";
    job.latents_out = model.string() + ".latents.safetensors";
    JobEvents events("test", [](const protocol::Message&, int) {});
    auto outcome = VideoRunner(ModelFolders{}).run(job, events, {});
    if (auto* failure = std::get_if<JobFailure>(&outcome)) {
      ADD_FAILURE() << failure->error.message;
      return {};
    }
    return {{"latents", golden(job.latents_out).at("latents")}, {"frames", golden(job.out).at("frames")}};
  }

  test::TempFolder folder_;
};

TEST_P(OriginalLayout, GivesTheSameLatentsAndFrames) {
  const auto theirs = copy("authors");
  for (const auto* part : {"transformer", "transformer_2"}) {
    if (!fs::exists(theirs / part)) continue;
    ASSERT_NO_FATAL_FAILURE(rename_weights(theirs / part, "wan_t2v_transformer", GetParam().prefix));
  }
  ASSERT_NO_FATAL_FAILURE(rename_weights(theirs / "text_encoder", "umt5"));
  ASSERT_NO_FATAL_FAILURE(rename_weights(theirs / "vae", GetParam().vae_names));

  const auto want = render(copy("diffusers"));
  const auto got = render(theirs);
  ASSERT_EQ(want.size(), 2u);
  ASSERT_EQ(got.size(), 2u);
  for (const auto* what : {"latents", "frames"}) EXPECT_TRUE(at::equal(got.at(what), want.at(what))) << what;
  EXPECT_GT(want.at("frames").std().item<double>(), 0.01);  // not one flat colour
}

INSTANTIATE_TEST_SUITE_P(Wan, OriginalLayout,
                         testing::Values(Layout{"wan_21_s0", "wan_vae_wan21", "wan_vae21", ""},
                                         Layout{"wan_22_ti2v_s0", "", "wan_vae22", ""},
                                         Layout{"wan_22_a14b_s0", "wan_vae_wan21", "wan_vae21",
                                                "model.diffusion_model."}),
                         [](const auto& of) { return std::string(of.param.pipeline); });

}  // namespace
}  // namespace rubato
