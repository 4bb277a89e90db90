// One list of fields, seen everywhere: a job that exists only here has every kind of field and policies with knobs.
#include "pipelines/job/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/job/schema_validator.h"

namespace rubato {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct StillRate {
  static constexpr std::string_view kMethod = "still";
  bool operator==(const StillRate&) const = default;
  template <typename Self, typename Visitor>
  static void visit(Self&, Visitor&) {}
};
struct BendRate {
  static constexpr std::string_view kMethod = "bend";
  double keep = 0.7;
  int warmup = 5;
  std::string schedule;
  bool operator==(const BendRate&) const = default;
  template <typename Self, typename Visitor>
  static void visit(Self& method, Visitor& v) {
    v("keep", method.keep, RealRange{0.25, 1}, "Share of the latent frames that is kept");
    v("warmup", method.warmup, IntRange{0, 50}, "Steps before the first merge");
    v("schedule", method.schedule, PathText{}, "A plan made earlier");
  }
};

struct SampleJob {
  static constexpr std::string_view kKind = "sample";
  std::string prompt;
  std::optional<std::string> note;
  std::optional<Size> size;
  std::optional<int> frames;
  int layers = 4;
  std::optional<double> strength;
  std::optional<std::uint64_t> seed, room;
  std::string mode = "soft", device = "auto", id, image, out, model;
  bool loop = false, sound = true;
  std::variant<StillRate, BendRate> rate;
  bool operator==(const SampleJob&) const = default;

  template <typename Self, typename Visitor>
  static void visit(Self& job, Visitor& v) {
    v("prompt", job.prompt, Text{100}, "What it shows", Group::Generation, {.letter = 'p'});
    v("note", job.note, Text{}, "A remark");
    v("size", job.size, SizeSpec{16, 1024}, "Pixels");
    v("frames", job.frames, IntRange{1, 257}, "Length");
    v("layers", job.layers, IntRange{1, 8}, "Depth");
    v("strength", job.strength, RealRange{0, 1}, "How much of the picture changes");
    v("seed", job.seed, SeedSpec{}, "Noise", Group::Generation, {.unset = "a new one"});
    v("room", job.room, BytesSpec{}, "Memory", Group::Generation, {.identity = false, .unset = "all"});
    v("mode", job.mode, Choice{{"soft", "hard"}, "hard"}, "Manner");
    v("device", job.device, DeviceText{}, "Where", Group::Common);
    v("id", job.id, IdText{}, "Name in reports", Group::Common, {.identity = false});
    v("image", job.image, PathText{}, "First frame");
    v("out", job.out, PathText{PathRole::Output}, "Result", Group::Common, {.letter = 'o', .identity = false});
    v("model", job.model, ModelText{}, "Model", Group::Common);
    v("loop_it", job.loop, Switch{}, "Ends where it began");
    v("sound", job.sound, Switch{}, "With sound");
    v("rate", job.rate, Method{}, "Frame rate");
  }
};

// The same job a version later, with one field more.
struct LongerJob : SampleJob {
  std::optional<int> grain_size;
  template <typename Self, typename Visitor>
  static void visit(Self& job, Visitor& v) {
    SampleJob::visit(job, v);
    v("grain_size", job.grain_size, IntRange{0, 99}, "Film grain");
  }
};

template <typename Job>
Result<Job> read(const json& object, const SourceMap* where = nullptr) {
  Job job;
  Problems problems;
  read_fields(fields_of(job), Job::kKind, object, problems);
  RUBATO_OK(problems.result("job.json", where));
  return job;
}
template <typename Job>
json write(Job job, Write which = Write::All) {
  return write_fields(fields_of(job), Job::kKind, which);
}
template <typename Job = SampleJob>
Result<Job> from_flags(const std::vector<std::string>& args, std::vector<std::string>* rest = nullptr) {
  Job job;
  RUBATO_TRY(left, take_flags(fields_of(job), args));
  if (rest != nullptr) *rest = left;
  return job;
}
std::string complaint(const json& object) {
  const auto job = read<SampleJob>(object);
  return job.ok() ? "" : job.error().message;
}
std::string flag_complaint(const std::vector<std::string>& args) {
  const auto job = from_flags(args);
  return job.ok() ? "" : job.error().message;
}

TEST(Schema, AddedFieldAppearsEverywhere) {
  LongerJob job;
  EXPECT_THAT(flags_help(fields_of(job)), HasSubstr("--grain-size N"));
  EXPECT_THAT(docs_table(fields_of(job)),
              HasSubstr("| `grain_size` | `--grain-size` | 0 to 99 | the model's | Film grain |"));
  EXPECT_EQ(json_schema(fields_of(job), "sample")["properties"]["grain_size"]["maximum"], 99);
  EXPECT_THAT(flag_names(fields_of(job)), testing::Contains("--grain-size"));
  ASSERT_TRUE(from_flags<LongerJob>({"--grain-size", "7"}).ok());
  EXPECT_EQ(from_flags<LongerJob>({"--grain-size", "7"})->grain_size, 7);
  EXPECT_EQ(read<LongerJob>({{"grain_size", 7}})->grain_size, 7);
  job.grain_size = 7;
  EXPECT_EQ(write(job)["grain_size"], 7);
  std::mt19937_64 random(1);
  bool set = false, unset = false;
  for (int i = 0; i < 50; ++i) {
    LongerJob other;
    fill_random(fields_of(other), random);
    (other.grain_size ? set : unset) = true;
  }
  EXPECT_TRUE(set && unset);

  SampleJob without;
  EXPECT_THAT(flags_help(fields_of(without)), Not(HasSubstr("grain")));
  EXPECT_THAT(complaint({{"grain_size", 7}}), HasSubstr("unknown key 'grain_size'"));
}

TEST(Schema, RandomJobsSurviveWritingAndReading) {
  std::mt19937_64 random(7);
  SampleJob fresh;
  const json schema = json_schema(fields_of(fresh), SampleJob::kKind);
  EXPECT_EQ(fresh, SampleJob{});  // trying out the methods left no trace
  for (int i = 0; i < 500; ++i) {
    SampleJob job;
    fill_random(fields_of(job), random);
    const json text = json::parse(write(job).dump());
    const auto back = read<SampleJob>(text);
    ASSERT_TRUE(back.ok()) << back.error().message << '\n' << text.dump(1);
    EXPECT_EQ(*back, job) << text.dump(1);
    EXPECT_EQ(test::schema_fault(schema, text), "");
  }
}

TEST(Schema, JsonSchemaRefusesWhatTheReaderRefuses) {
  SampleJob fresh;
  const json schema = json_schema(fields_of(fresh), SampleJob::kKind);
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  for (const json& wrong :
       {json{{"promt", "x"}}, json{{"frames", 0}}, json{{"frames", "5"}}, json{{"size", "big"}}, json{{"mode", "mild"}},
        json{{"room", "2 miles"}}, json{{"device", "gpu"}}, json{{"seed", -1}}, json{{"loop_it", "yes"}}, json{{"rate", "bend"}},
        json{{"rate", {{"method", "bend"}, {"keep", 2}}}}, json{{"rate", {{"keep", 0.5}}}}, json{{"version", 2}},
        json{{"kind", "video"}}, json::array()}) {
    EXPECT_NE(test::schema_fault(schema, wrong), "") << wrong;
    EXPECT_FALSE(read<SampleJob>(wrong).ok()) << wrong;
  }
}

TEST(Schema, WriterLeavesOutWhatIsUnsetAndSaysWhatIsIt) {
  EXPECT_EQ(
      write(SampleJob{}).dump(),
      R"({"device":"auto","kind":"sample","layers":4,"loop_it":false,"mode":"soft","rate":{"method":"still"},"sound":true,"version":1})");
}

TEST(Schema, IdentityLeavesOutNames) {
  SampleJob job{.id = "a", .out = "b.mp4"};
  EXPECT_TRUE(write(job).contains("out"));
  EXPECT_FALSE(write(job, Write::Identity).contains("out"));
  EXPECT_FALSE(write(job, Write::Identity).contains("id"));
  EXPECT_TRUE(write(job, Write::Identity).contains("rate"));
}

// ---- Reading -----------------------------------------------------------------------------------------------------

TEST(Schema, AllProblemsAreNamedWithTheirPlaces) {
  SourceMap where;
  const auto object = parse_json(
      "{\n \"promt\": \"x\",\n \"frames\": 900,\n \"rate\": {\"method\": \"bend\", \"kep\": 1},\n \"size\": 5 }",
      "job.json", {}, ErrorCode::JobInvalid, &where);
  ASSERT_TRUE(object.ok());
  const auto job = read<SampleJob>(*object, &where);
  ASSERT_FALSE(job.ok());
  EXPECT_EQ(job.error().code, ErrorCode::JobInvalid);
  EXPECT_EQ(job.error().message,
            "job.json, line 2, column 2: unknown key 'promt'; did you mean 'prompt'?\n"
            "job.json, line 3, column 2: frames is 900; it must be 1 to 257 (nearest: 257)\n"
            "job.json, line 4, column 29: unknown key 'kep'; did you mean 'keep'?\n"
            "job.json, line 5, column 2: size is 5; it must be WIDTHxHEIGHT, like 832x480");
}

TEST(Schema, LongListsOfProblemsAreCut) {
  json object;
  for (int i = 0; i < 50; ++i) object["x" + std::to_string(i)] = 1;
  EXPECT_THAT(complaint(object), HasSubstr("and 30 more problems"));
}

TEST(Schema, EachRuleSaysWhatMayStandThere) {
  EXPECT_THAT(complaint({{"frames", "five"}}), HasSubstr("frames is 'five'; it must be a whole number, 1 to 257"));
  EXPECT_THAT(complaint({{"frames", 5.5}}), HasSubstr("frames is 5.5; it must be a whole number"));
  EXPECT_THAT(complaint({{"frames", -3}}), HasSubstr("nearest: 1"));
  EXPECT_THAT(complaint({{"frames", UINT64_MAX}}), HasSubstr("nearest: 257"));
  EXPECT_THAT(complaint({{"strength", 1.5}}), HasSubstr("strength is 1.5; it must be 0 to 1 (nearest: 1)"));
  EXPECT_THAT(complaint({{"strength", "much"}}), HasSubstr("must be a number, 0 to 1"));
  EXPECT_THAT(complaint({{"size", "5000x10"}}), HasSubstr("16 to 1024 pixels a side (nearest: 1024x16)"));
  EXPECT_THAT(complaint({{"size", "99999999999x-20"}}), HasSubstr("nearest: 1024x16"));
  EXPECT_THAT(complaint({{"size", "12x"}}), HasSubstr("like 832x480"));
  EXPECT_THAT(complaint({{"size", "12x13x14"}}), HasSubstr("like 832x480"));
  EXPECT_THAT(complaint({{"seed", -1}}), HasSubstr("from 0 to 18446744073709551615"));
  EXPECT_THAT(complaint({{"seed", "1..2"}}), HasSubstr("for several seeds a job file takes 'seeds'"));
  EXPECT_THAT(complaint({{"room", "much"}}), HasSubstr("like 1.5GiB or 800MB"));
  EXPECT_THAT(complaint({{"room", -1}}), HasSubstr("like 1.5GiB or 800MB"));
  EXPECT_THAT(complaint({{"room", true}}), HasSubstr("like 1.5GiB or 800MB"));
  EXPECT_THAT(complaint({{"seed", 1e300}}), HasSubstr("from 0 to 18446744073709551615"));
  EXPECT_THAT(complaint({{"mode", "sofd"}}), HasSubstr("must be soft or hard; did you mean 'soft'?"));
  EXPECT_THAT(complaint({{"device", "cuda:x"}}), HasSubstr("auto, cpu, cuda or cuda:N"));
  EXPECT_THAT(complaint({{"loop_it", 1}}), HasSubstr("true or false"));
  EXPECT_THAT(complaint({{"prompt", 5}}), HasSubstr("must be text, in quotes"));
  EXPECT_THAT(complaint({{"prompt", std::string(101, 'x')}}), HasSubstr("has 101 bytes; at most 100"));
  EXPECT_THAT(complaint({{"prompt", std::string("a\0b", 3)}}), HasSubstr("NUL"));
  EXPECT_THAT(complaint({{"id", "a/b"}}), HasSubstr("only letters, digits"));
  EXPECT_THAT(complaint({{"rate", "bend"}}), HasSubstr(R"(must be an object with a method, like {"method": "still"})"));
  EXPECT_THAT(complaint({{"rate", {{"method", "bent"}}}}),
              HasSubstr("no method 'bent'; there is still or bend; did you mean 'bend'?"));
  EXPECT_THAT(complaint({{"rate", {{"method", "bend"}, {"keep", 0.1}}}}),
              HasSubstr("keep is 0.1; it must be 0.25 to 1"));
  EXPECT_THAT(complaint({{"version", 2}}), HasSubstr("this Rubato reads version 1"));
  EXPECT_THAT(complaint({{"kind", "chat"}}), HasSubstr("here it must be 'sample'"));
  EXPECT_THAT(complaint("text"), HasSubstr("must be an object"));
}

TEST(Schema, ValidValuesAreTaken) {
  const auto job = read<SampleJob>({{"version", 1},
                                    {"kind", "sample"},
                                    {"prompt", "ball"},
                                    {"size", "832X480"},
                                    {"frames", 65.0},
                                    {"strength", 1},
                                    {"seed", UINT64_MAX},
                                    {"room", "1.5GiB"},
                                    {"note", nullptr},
                                    {"device", "cuda:3"},
                                    {"rate", {{"method", "bend"}, {"warmup", 9}}}});
  ASSERT_FALSE(!job.ok()) << job.error().message;
  EXPECT_EQ(job->size, (Size{832, 480}));
  EXPECT_EQ(job->frames, 65);
  EXPECT_EQ(job->strength, 1.0);
  EXPECT_EQ(job->seed, UINT64_MAX);
  EXPECT_EQ(job->room, 3ull << 29);
  EXPECT_EQ(job->note, std::nullopt);
  const auto& bend = std::get<BendRate>(job->rate);
  EXPECT_EQ(bend.warmup, 9);
  EXPECT_EQ(bend.keep, 0.7);
}

TEST(Schema, RelativeInputsStartAtTheFilesFolder) {
  SampleJob job{
      .image = "a/b.png", .out = "c.mp4", .model = "../models/wan", .rate = BendRate{.schedule = "plan.json"}};
  anchor_inputs(fields_of(job), "/jobs/today");
  EXPECT_EQ(job.image, "/jobs/today/a/b.png");
  EXPECT_EQ(job.out, "c.mp4");
  EXPECT_EQ(job.model, "/jobs/models/wan");
  EXPECT_EQ(std::get<BendRate>(job.rate).schedule, "/jobs/today/plan.json");
  SampleJob absolute{.image = "/a.png", .model = "practice-video"};
  anchor_inputs(fields_of(absolute), "/jobs");
  EXPECT_EQ(absolute.image, "/a.png");
  EXPECT_EQ(absolute.model, "practice-video");
}

// ---- Flags -------------------------------------------------------------------------------------------------------

TEST(SchemaFlags, AllSpellingsAreUnderstood) {
  std::vector<std::string> rest;
  const auto job =
      from_flags({"-p", "a ball", "--frames=65", "clip.png", "--size", "832x480", "--progress", "json", "--loop-it",
                  "--no-sound", "-oclip.mp4", "--mode", "--strength", "-0", "--rate", "bend:keep=0.6,warmup=3"},
                 &rest);
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job->prompt, "a ball");
  EXPECT_EQ(job->frames, 65);
  EXPECT_EQ(job->size, (Size{832, 480}));
  EXPECT_TRUE(job->loop);
  EXPECT_FALSE(job->sound);
  EXPECT_EQ(job->out, "clip.mp4");
  EXPECT_EQ(job->mode, "hard");
  EXPECT_EQ(job->strength, 0.0);
  EXPECT_EQ(std::get<BendRate>(job->rate), (BendRate{.keep = 0.6, .warmup = 3}));
  EXPECT_THAT(rest, ElementsAre("clip.png", "--progress", "json"));
}

TEST(SchemaFlags, ValueMayBeginWithADash) {
  EXPECT_EQ(from_flags({"--prompt", "-5 degrees"})->prompt, "-5 degrees");
  EXPECT_EQ(from_flags({"--prompt=--frames"})->prompt, "--frames");
}

TEST(SchemaFlags, EverythingAfterTwoDashesIsLeftAlone) {
  std::vector<std::string> rest;
  const auto job = from_flags({"--frames", "5", "--", "--frames", "9"}, &rest);
  EXPECT_EQ(job->frames, 5);
  EXPECT_THAT(rest, ElementsAre("--", "--frames", "9"));
}

TEST(SchemaFlags, LastOfTwoWins) { EXPECT_EQ(from_flags({"--frames", "5", "--frames", "9"})->frames, 9); }

TEST(SchemaFlags, FlagsWinOverWhatTheJobHolds) {
  auto job = read<SampleJob>(
      {{"prompt", "file"}, {"frames", 33}, {"loop_it", true}, {"rate", {{"method", "bend"}, {"keep", 0.5}}}});
  ASSERT_TRUE(job.ok());
  ASSERT_TRUE(take_flags(fields_of(*job), {"-p", "flag", "--no-loop-it"}).ok());
  EXPECT_EQ(job->prompt, "flag");
  EXPECT_EQ(job->frames, 33);
  EXPECT_FALSE(job->loop);
  EXPECT_EQ(std::get<BendRate>(job->rate).keep, 0.5);
}

TEST(SchemaFlags, BadValuesAreNamedAtOnceByTheFlag) {
  const auto job = from_flags({"--frames", "900", "--size", "x", "--seed", "1.5", "--sound=maybe", "--no-sound=true"});
  ASSERT_FALSE(job.ok());
  EXPECT_EQ(job.error().code, ErrorCode::Usage);
  EXPECT_EQ(job.error().message,
            "--frames is 900; it must be 1 to 257 (nearest: 257)\n"
            "--size is 'x'; it must be WIDTHxHEIGHT, like 832x480\n"
            "--seed is '1.5'; it must be a whole number from 0 to 18446744073709551615\n"
            "--sound is 'maybe'; it must be true or false\n"
            "--no-sound takes no value");
  EXPECT_THAT(flag_complaint({"--frames"}), HasSubstr("--frames needs a value (N)"));
  EXPECT_THAT(flag_complaint({"--prompt", "--frames", "5"}), HasSubstr("--prompt needs a value (TEXT)"));
  EXPECT_THAT(flag_complaint({"--frames", "99999999999999999999"}), HasSubstr("nearest: 257"));
  EXPECT_THAT(flag_complaint({"--strength", "nan"}), HasSubstr("must be a number"));
  EXPECT_THAT(flag_complaint({"--strength", "0.5x"}), HasSubstr("must be a number"));
  EXPECT_THAT(flag_complaint({"--rate", "bent"}), HasSubstr("--rate has no method 'bent'"));
  EXPECT_THAT(flag_complaint({"--rate", "bend:kep=1"}),
              HasSubstr("--rate bend has no knob 'kep'; did you mean 'keep'?"));
  EXPECT_THAT(flag_complaint({"--rate", "bend:keep"}), HasSubstr("needs a value, keep="));
  EXPECT_THAT(flag_complaint({"--rate", "bend:keep=7"}), HasSubstr("--rate bend: keep is 7"));
}

TEST(SchemaFlags, HelpIsGroupedAlignedAndFits) {
  SampleJob job;
  const auto help = flags_help(fields_of(job), 80);
  EXPECT_THAT(help, HasSubstr("Generation:\n  -p, --prompt TEXT"));
  EXPECT_THAT(help, HasSubstr("--frames N"));
  EXPECT_THAT(help, HasSubstr("Length (1 to 257; default: the model's)"));
  EXPECT_THAT(help, HasSubstr("default: a new one"));
  EXPECT_THAT(help, HasSubstr("--mode[=NAME]"));
  EXPECT_THAT(help, HasSubstr("--[no-]sound"));
  EXPECT_THAT(help, HasSubstr("--rate METHOD[:KEY=VALUE,…]"));
  EXPECT_LT(help.find("Generation:"), help.find("Job:"));
  std::size_t start = 0;
  for (std::size_t end; (end = help.find('\n', start)) != std::string::npos; start = end + 1)
    EXPECT_LE(end - start, 82u) << help.substr(start, end - start);  // two bytes of an ellipsis take no column
}

}  // namespace
}  // namespace rubato
