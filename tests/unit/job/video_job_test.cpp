#include "pipelines/job/video_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/yaml.h"
#include "tests/unit/job/schema_validator.h"

namespace rubato {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class VideoJobFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("rubato-job-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  std::filesystem::path folder_;
};

TEST_F(VideoJobFile, YamlAndJsonSayTheSame) {
  const auto yaml = read_video_job(file("job.yaml",
                                        "kind: video\nprompt: 'a red ball: it bounces'\nsize: 128x128\nframes: "
                                        "65\nseed: 7\nimage: first.png\nrate: {method: full}\n"));
  ASSERT_TRUE(yaml.ok()) << yaml.error().message;
  const auto from_json = read_video_job(file(
      "job.json",
      R"({"kind":"video","prompt":"a red ball: it bounces","size":"128x128","frames":65,"seed":7,"image":"first.png"})"));
  ASSERT_TRUE(from_json.ok()) << from_json.error().message;
  EXPECT_EQ(*yaml, *from_json);
  EXPECT_EQ(yaml->image, (folder_ / "first.png").string());
}

TEST_F(VideoJobFile, ContentDecidesWhereTheNameDoesNot) {
  EXPECT_TRUE(read_video_job(file("one", "  {\"prompt\": \"x\"}")).ok());
  EXPECT_TRUE(read_video_job(file("two", "prompt: x")).ok());
}

TEST_F(VideoJobFile, AnOutputHasANameThatCanBeShown) {
  for (const auto* name : {"a\\nb.mp4", "\\u001b[2J.mp4", "\\u202e.mp4"}) {
    const auto job = read_video_job(file("job.json", std::string(R"({"prompt":"x","out":")") + name + "\"}"));
    ASSERT_FALSE(job.ok()) << name;
    EXPECT_EQ(job.error().code, ErrorCode::JobInvalid);
    EXPECT_THAT(job.error().message, HasSubstr("may not hold control characters"));
    EXPECT_TRUE(is_printable_name(job.error().message));
  }
}

TEST_F(VideoJobFile, ProblemsHaveLineAndColumn) {
  const auto job = read_video_job(file("job.yaml", "# a comment\nprompt: x\nframe: 5\nsteps: many\n"));
  ASSERT_FALSE(job.ok());
  EXPECT_EQ(job.error().code, ErrorCode::JobInvalid);
  EXPECT_EQ(job.error().message,
            "job.yaml, line 3, column 1: unknown key 'frame'; did you mean 'frames'?\n"
            "job.yaml, line 4, column 1: steps is 'many'; it must be a whole number, 1 to 1000");
}

TEST_F(VideoJobFile, MissingFileAndDamagedTextAreErrors) {
  EXPECT_EQ(read_video_job(folder_ / "none.yaml").error().code, ErrorCode::CannotRead);
  EXPECT_EQ(read_video_job(file("bad.json", "{\"prompt\": ")).error().code, ErrorCode::JobInvalid);
  EXPECT_EQ(read_video_job(file("bad.yaml", "prompt: [1, 2")).error().code, ErrorCode::JobInvalid);
  EXPECT_EQ(read_video_job(file("bytes.yaml", "\xff\xfe\x00")).error().code, ErrorCode::JobInvalid);
}

TEST_F(VideoJobFile, FlagsWinOverTheFile) {
  auto job = read_video_job(file("job.yaml", "prompt: file\nsteps: 10\n"));
  ASSERT_TRUE(job.ok());
  const auto rest = apply_flags(*job, {"-p", "flag", "--quiet"});
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(job->prompt, "flag");
  EXPECT_EQ(job->steps, 10);
  EXPECT_EQ(*rest, std::vector<std::string>{"--quiet"});
}

TEST(VideoJob, RandomJobsSurviveJsonAndYaml) {
  std::mt19937_64 random(11);
  VideoJob fresh;
  const json schema = json_schema(fields_of(fresh), VideoJob::kKind);
  for (int i = 0; i < 300; ++i) {
    VideoJob job;
    fill_random(fields_of(job), random);
    const std::string text = video_job_to_json(job).dump(i % 2 == 0 ? -1 : 2);
    const auto tree = parse_json(text, "job");
    ASSERT_TRUE(tree.ok()) << tree.error().message;
    EXPECT_EQ(test::schema_fault(schema, *tree), "");
    const auto back = video_job_from_json(*tree, "job");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, job);
    const auto as_yaml = parse_yaml(text, "job");  // JSON is YAML too
    ASSERT_TRUE(as_yaml.ok()) << as_yaml.error().message << '\n' << text;
    EXPECT_EQ(*as_yaml, *tree);
  }
}

TEST(VideoJob, OnlyMethodsWithAnEngineAreOffered) {
  VideoJob job;
  EXPECT_THAT(flags_help(fields_of(job)), Not(HasSubstr("--rate")));
  EXPECT_TRUE(apply_flags(job, {"--rate", "full", "--attention=dense", "--cache", "none"}).ok());
  EXPECT_FALSE(apply_flags(job, {"--rate", "vgdfr"}).ok());
}

TEST(VideoJob, DefaultsFillOnlyWhatIsUnset) {
  VideoJob job;
  job.steps = 12;
  const json defaults = {{"steps", 30},     {"size", "128x128"}, {"negative_prompt", ""},
                         {"guidance", 3.5}, {"prompt", "never"}, {"flow_shift", 3}};
  ASSERT_TRUE(fill_unset(job, defaults, "rubato.json").ok());
  EXPECT_EQ(job.steps, 12);
  EXPECT_EQ(job.size, (Size{128, 128}));
  EXPECT_EQ(job.negative_prompt, "");
  EXPECT_EQ(job.guidance, 3.5);
  EXPECT_EQ(job.prompt, "");
  const auto wrong = fill_unset(job, {{"frames", 0}}, "rubato.json");
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.error().message, HasSubstr("rubato.json: frames is 0"));
}

TEST(VideoJob, GeometryNamesTheNearestValidValues) {
  EXPECT_TRUE(check_geometry({128, 128}, 65, 16, 4).ok());
  EXPECT_TRUE(check_geometry({832, 480}, 1, 16, 4).ok());
  const auto both = check_geometry({130, 100}, 66, 16, 4);
  ASSERT_FALSE(both.ok());
  EXPECT_EQ(both.error().code, ErrorCode::JobInvalid);
  EXPECT_THAT(both.error().message, HasSubstr("130x100"));
  EXPECT_THAT(both.error().message, HasSubstr("the nearest is 128x96"));
  EXPECT_THAT(both.error().message, HasSubstr("4k+1 frames; the nearest are 65 and 69"));
  EXPECT_THAT(check_geometry({3, 2000}, 1, 32, 4).error().message, HasSubstr("the nearest is 32x2016"));
  EXPECT_THAT(check_geometry({32, 32}, 0, 32, 4).error().message, HasSubstr("nearest valid length is 1"));
}

TEST(VideoJob, ReadyNeedsAPromptAndAPlace) {
  EXPECT_THAT(check_ready(VideoJob{}).error().message, HasSubstr("-p TEXT"));
  VideoJob job;
  job.prompt = "a ball";
  EXPECT_THAT(check_ready(job).error().message, HasSubstr("-o FILE"));
  job.out = "clip.mp4";
  EXPECT_TRUE(check_ready(job).ok());
}

TEST(VideoJob, KeyDependsOnWhatIsMadeAndNotOnItsName) {
  VideoJob job;
  job.prompt = "a ball";
  const auto key = job_key(job, {"m1"}, 1);
  EXPECT_EQ(key.size(), 64u);
  VideoJob renamed = job;
  renamed.id = "x";
  renamed.name = "y";
  renamed.out = "z.mp4";
  renamed.overwrite = "always";
  EXPECT_EQ(job_key(renamed, {"m1"}, 1), key);
  VideoJob other = job;
  other.seed = 5;
  EXPECT_NE(job_key(other, {"m1"}, 1), key);
  EXPECT_NE(job_key(job, {"m2"}, 1), key);
  EXPECT_NE(job_key(job, {"m1"}, 2), key);
}

TEST(VideoJob, OverwriteTakesABareFlag) {
  VideoJob job;
  EXPECT_EQ(overwrite_of(job), Overwrite::Never);
  ASSERT_TRUE(apply_flags(job, {"--overwrite", "clip.mp4"}).ok());
  EXPECT_EQ(overwrite_of(job), Overwrite::Always);
}

}  // namespace
}  // namespace rubato
