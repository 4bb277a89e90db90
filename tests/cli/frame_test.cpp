// The frame of rubato-cli: help, streams, exit codes and names, everything that needs no engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "app/cli/help.h"
#include "app/cli/job_flags.h"
#include "engine/base/files.h"
#include "engine/base/text.h"
#include "engine/files/safetensors.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"
#include "tests/cli/program.h"

namespace rubato::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char bytes[4096];
  while (const auto got = std::fread(bytes, 1, sizeof bytes, pipe)) text.append(bytes, got);
  ::pclose(pipe);
  return text;
}

class CliFrame : public testing::Test {
 protected:
  TempDir dir_;
  Shell here_{.folder = dir_.path()};
};

TEST_F(CliFrame, HelpComesAtOnce) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitized program is slower";
#endif
  std::vector<double> seconds;
  for (int i = 0; i < 15; ++i) seconds.push_back(run(here_, {"--help"}).seconds);
  std::sort(seconds.begin(), seconds.end());
  // The harness looks every 10 ms. On a machine busy with other tests the fastest runs still tell.
  EXPECT_LT(seconds[3], 0.050);
}

TEST_F(CliFrame, LinksNothingHeavy) {
  const auto cli = std::string(RUBATO_BIN_DIR) + "/rubato-cli";
  for (const auto& libraries : {output_of("readelf -d " + cli), output_of("LD_TRACE_LOADED_OBJECTS=1 " + cli)}) {
    ASSERT_THAT(libraries, HasSubstr("libc.so.6"));
    for (const auto* heavy : {"libtorch", "libc10", "libcuda", "libcudart", "libQt", "libav", "libsw", "libopencv"})
      EXPECT_THAT(libraries, Not(HasSubstr(heavy)));
  }
}

TEST_F(CliFrame, HelpGoesToStandardOutputAlone) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--help"},
                                                                 {"-h"},
                                                                 {"help"},
                                                                 {"--version"},
                                                                 {"gen", "--help"},
                                                                 {"gen", "video", "--help"},
                                                                 {"models", "list", "-h"},
                                                                 {"help", "verify"}}) {
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 0);
    EXPECT_THAT(done.out, Not(IsEmpty()));
    EXPECT_THAT(done.err, IsEmpty());
  }
}

TEST_F(CliFrame, EveryProgramThatWasConfiguredIsBuilt) {
  for (const auto* program : {"rubato-cli", "rubato-worker", "rubato-media"})
    EXPECT_EQ(std::filesystem::exists(std::filesystem::path(RUBATO_BIN_DIR) / program), configured(program)) << program;
}

TEST_F(CliFrame, EveryCommandHasHelp) {
  for (const auto* command : cli::commands()) {
    auto words = split(command->path, ' ');
    words.push_back("--help");
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 0) << command->path;
    EXPECT_THAT(done.out, HasSubstr("usage: rubato-cli " + std::string(command->path)));
    EXPECT_THAT(run(here_, {"--help"}).out, HasSubstr(std::string(command->path)));
  }
}

struct Mistake {
  std::vector<std::string> words;
  std::string expected;  // in the sentence
};

TEST_F(CliFrame, MistakesNameTheNearestAndExitWithTwo) {
  const std::vector<Mistake> mistakes{
      {{}, "no command given"},
      {{"gne"}, "did you mean 'gen'?"},
      {{"gen"}, "needs one more word: video"},
      {{"gen", "vidoe"}, "did you mean 'video'?"},
      {{"models", "lst"}, "did you mean 'list'?"},
      {{"gen", "video", "--stpes", "3"}, "did you mean --steps?"},
      {{"gen", "video", "-steps", "3"}, "write --steps with two dashes"},
      {{"gen", "video", "--steps"}, "--steps needs a value"},
      {{"gen", "video", "--steps", "--seed", "3"}, "--steps needs a value"},
      {{"gen", "video", "--steps", "3", "--steps", "4"}, "--steps is given twice"},
      {{"gen", "video", "--progress=fancy"}, "auto, bar, plain, json or none"},
      {{"gen", "video", "--dry-run=yes"}, "takes no value"},
      {{"gen", "video", "clip.mp4"}, "one word too many"},
      {{"gen", "video", "-o", "a.mp4"}, "-p TEXT"},
      {{"gen", "video", "-p", "x"}, "-o FILE"},
      {{"gen", "video", "-p", "x", "-o", "a.mp4", "--steps", "lots"}, "--steps"},
      {{"gen", "video", "-p", "x", "-o", "a.mp4", "--steps", "0", "--frames", "-4"}, "--frames"},
      {{"gen", "video", "-p", "x", "-o", "a.mp5"}, "did you mean .mp4?"},
      {{"gen", "video", "-p", "x", "-o", "clip"}, "has no extension"},
      {{"completions", "bsh"}, "did you mean 'bash'?"},
      {{"schema"}, "WHAT is missing; give job, jobs or events"},
      {{"completions"}, "SHELL is missing; give bash, zsh, fish or man"},
      {{"render"}, "did you mean 'gen video'?"},
      {{"gen", "video", "--cfg", "3"}, "unknown flag --cfg; did you mean --guidance?"},
      {{"gen", "video", "--width", "64"}, "did you mean --size WIDTHxHEIGHT?"},
      {{"gen", "video", "--dtype", "fp16"}, "did you mean 'float16'?"},
      {{"gen", "video", "-p", "x", "-o", "a.avi"}, "did you mean .mp4?"},
      {{"gen", "video", "-p", "x", "-o", "a.jpg"}, "did you mean .png?"},
      {{"inspect"}, "FILE is missing; give a clip, picture or safetensors file"},
      {{"run"}, "JOBS is missing; give a job file (.yaml, .json, .jsonl or .csv)"},
      {{"inspect", "nothing.mp4"}, "there is no file nothing.mp4"},
      {{"tokens"}, "either --text TEXT or --file FILE"},
      {{"tokens", "--text", "\xff"}, "not valid UTF-8"},
      {{"gen", "video", "-p", "x", "-o", "a.mp4", "--overwrite", "alwys"}, "did you mean 'always'?"},
      {{"gen", "video", "-p", "x", "-o", "a.mp4", "--seed", "-1"}, "(nearest: 0)"},
      {{"gen", "video", "-p", "x", "-o", "a.mp4", "--device", "gpu"}, "cuda:0"},
      {{"inspect", "/dev/null"}, "is a pipe or device"},
      {{"models", "scan", "nowhere"}, "is not there"},
      {{"--no-such"}, "unknown flag --no-such"},
  };
  for (const auto& [words, expected] : mistakes) {
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 2) << join(words, " ") << ": " << done.err;
    EXPECT_THAT(done.err, HasSubstr(expected)) << join(words, " ");
    EXPECT_THAT(done.err, testing::StartsWith("rubato-cli: "));
    EXPECT_THAT(done.out, IsEmpty()) << join(words, " ");
  }
}

TEST_F(CliFrame, AllBadValuesAreNamedAtOnce) {
  const auto done =
      run(here_, {"gen", "video", "-p", "x", "-o", "a.mp4", "--steps", "0", "--fps", "1000", "--size", "wide"});
  for (const auto* flag : {"--steps", "--fps", "--size"}) EXPECT_THAT(done.err, HasSubstr(flag));
}

TEST_F(CliFrame, ABrokenJobFileEndsWithThreeAndSaysWhere) {
  std::ofstream(dir_ / "job.yaml") << "version: 1\nkind: video\nprompt: a cat\nstpes: 4\n";
  const auto done = run(here_, {"gen", "video", "--job", "job.yaml", "-o", "a.mp4"});
  EXPECT_EQ(done.code, 3);
  EXPECT_THAT(done.err, HasSubstr("line 4"));
  EXPECT_THAT(done.err, HasSubstr("steps"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST_F(CliFrame, ABatchAndWhatIsNoJobFileAreSaidToBe) {
  std::ofstream(dir_ / "shots.yaml") << "jobs: [{id: a, prompt: x}]\n";
  std::ofstream(dir_ / "shots.csv") << "id,prompt,width,height\na,x,64,64\n";
  std::ofstream(dir_ / "README.md") << "# Words\n\nA sentence: with *this*: and `that`.\n";
  for (const std::string batch : {"shots.yaml", "shots.csv"}) {
    const auto done = run(here_, {"gen", "video", "--job", batch, "-o", "a.mp4"});
    EXPECT_EQ(done.code, 3);
    EXPECT_THAT(done.err, HasSubstr(batch + " is a batch of jobs; 'rubato-cli run " + batch + "' renders it"));
  }
  for (const auto& words :
       {std::vector<std::string>{"run", "README.md"}, {"gen", "video", "--job", "README.md", "-o", "a.mp4"}}) {
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 3);
    EXPECT_THAT(done.err, HasSubstr("rubato-cli: README.md is not a job file (YAML, JSON, JSONL or CSV)\n"));
  }
  EXPECT_THAT(run(here_, {"run", "shots.csv"}).err,
              HasSubstr("unknown key 'width'; did you mean 'size', such as 832x480?"));
}

TEST_F(CliFrame, SlipsOfYamlAreSaidInWords) {
  const std::vector<std::pair<std::string, std::string>> slips{
      {"jobs:\n  - id: a\n    prompt: x: y\n", "line 3, column 14: a ':' stands where no value can follow; look for"},
      {"jobs:\n\t- id: a\n", "line 2, column 2: the line begins with a tab"},
      {"jobs: [{id: a, prompt: x\n", "line 1, column 8: a key must be a text on one line; is a bracket left open?"},
      {"jobs: [{id: a, prompt: x}\nname: y\n", "a missing comma, bracket or quote"},
  };
  for (const auto& [text, expected] : slips) {
    std::ofstream(dir_ / "slip.yaml") << text;
    EXPECT_THAT(run(here_, {"run", "slip.yaml"}).err, HasSubstr(expected)) << text;
  }
}

TEST_F(CliFrame, AnExistingOutputEndsWithSixAndStays) {
  std::ofstream(dir_ / "a.mp4") << "mine";
  const auto done = run(here_, {"gen", "video", "-p", "x", "-o", "a.mp4"});
  EXPECT_EQ(done.code, 6);
  EXPECT_THAT(done.err, HasSubstr("--overwrite"));
  EXPECT_EQ(read_file(dir_ / "a.mp4", 100).value(), "mine");
}

TEST_F(CliFrame, AFolderThatCannotTakeTheFileEndsWithSeventyThree) {
  EXPECT_EQ(run(here_, {"gen", "video", "-p", "x", "-o", "no/such/a.mp4"}).code, 73);
  std::filesystem::create_directory(dir_ / "locked");
  std::filesystem::permissions(dir_ / "locked",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
                                   std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
  auto bound = here_;
  bound.minds_modes = true;
  const auto done = run(bound, {"gen", "video", "-p", "x", "-o", "locked/a.mp4"});
  EXPECT_EQ(done.code, 73) << done.err;
  EXPECT_THAT(done.err, HasSubstr("not writable"));
}

TEST_F(CliFrame, InputsAreLookedAtBeforeAnythingStarts) {
  std::ofstream(dir_ / "notes.txt") << "hello";
  const auto vae = std::string(RUBATO_RESOURCES) + "/practice/video/vae/diffusion_pytorch_model.safetensors";
  for (const auto& file : {std::string("missing.safetensors"), std::string("notes.txt"), vae}) {
    const auto done = run(here_, {"gen", "video", "-p", "x", "-o", "a.mp4", "--latents-in", file});
    EXPECT_EQ(done.code, 2) << done.err;
    EXPECT_THAT(done.err, HasSubstr("--latents-in"));
  }
}

TEST_F(CliFrame, AGivenTensorOfAnotherShapeOrTypeIsRefusedByItsHeader) {
  const auto write = [&](const char* name, const char* tensor, DType dtype, std::vector<std::int64_t> shape) {
    std::size_t bytes = size_of(dtype);
    for (const auto n : shape) bytes *= static_cast<std::size_t>(n);
    const std::vector<std::byte> zeros(bytes);
    const NamedTensor one{tensor, dtype, std::move(shape), zeros};
    ASSERT_TRUE(write_safetensors(dir_ / name, std::span(&one, 1), {}, Overwrite::Never).ok());
  };
  write("right.safetensors", "latents", DType::F32, {1, 8, 2, 8, 8});
  write("long.safetensors", "latents", DType::F32, {1, 8, 3, 8, 8});
  write("whole.safetensors", "latents", DType::I64, {1, 8, 2, 8, 8});
  const auto gen = [&](const std::string& file, const char* dry) {
    std::vector<std::string> words{"gen", "video", "-p", "x", "-o", "a.mp4", "--size", "64x64", "--frames", "5"};
    words.insert(words.end(), {"--latents-in", file});
    if (*dry != 0) words.emplace_back(dry);
    return run(here_, words);
  };
  EXPECT_EQ(gen("right.safetensors", "--dry-run").code, 0);
  for (const auto* dry : {"--dry-run", ""}) {
    const auto shape = gen("long.safetensors", dry);
    EXPECT_EQ(shape.code, 2) << shape.err;
    EXPECT_THAT(shape.err, HasSubstr("'latents' is F32 of shape [1, 8, 3, 8, 8]"));
    EXPECT_THAT(shape.err, HasSubstr("needs floating-point numbers of shape [1, 8, 2, 8, 8]"));
    const auto dtype = gen("whole.safetensors", dry);
    EXPECT_EQ(dtype.code, 2) << dtype.err;
    EXPECT_THAT(dtype.err, HasSubstr("'latents' is I64"));
  }
}

TEST_F(CliFrame, AFullStandardOutputIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  const auto done = output_of("'" RUBATO_BIN_DIR "/rubato-cli' schema job 2>&1 >/dev/full; echo $?");
  EXPECT_THAT(done, HasSubstr("standard output could not take the result"));
  EXPECT_THAT(done, HasSubstr("73"));
}

TEST_F(CliFrame, AReaderThatHasSeenEnoughIsNoMistake) {
  EXPECT_EQ(output_of("( { sleep 0.2; '" RUBATO_BIN_DIR "/rubato-cli' schema job 2>&3; echo $? >&3; } | true ) 3>&1"),
            "0\n");
}

TEST_F(CliFrame, AMistypedFlagBeforeACommandIsRecognised) {
  EXPECT_EQ(run(here_, {"--verison"}).err, "rubato-cli: unknown flag --verison; did you mean --version?\n");
  EXPECT_THAT(run(here_, {"--steps"}).err, HasSubstr("'rubato-cli --help' lists what there is"));
}

TEST_F(CliFrame, OneFrameIsNotSeveral) {
  const auto done =
      run(here_, {"gen", "video", "-p", "a red circle", "-o", "a.png", "--frames", "1", "--steps", "1", "--dry-run"});
  EXPECT_THAT(done.err, HasSubstr("would be written: 1 frame of 128x128, 1 step, with practice-video."));
}

TEST_F(CliFrame, WhatAModelFindsWrongNamesTheJobFile) {
  std::ofstream(dir_ / "odd.yaml") << "prompt: a red circle\nframes: 16\n";
  const auto done = run(here_, {"gen", "video", "--job", "odd.yaml", "-o", "a.mp4"});
  EXPECT_EQ(done.code, 3);
  EXPECT_THAT(done.err, HasSubstr("rubato-cli: odd.yaml: the clip has 16 frames"));
  const auto flag = run(here_, {"gen", "video", "--job", "odd.yaml", "--frames", "18", "-o", "a.mp4"});
  EXPECT_THAT(flag.err, HasSubstr("rubato-cli: the clip has 18 frames"));
}

TEST_F(CliFrame, ADryRunSaysWhatTheJobTakesAndWhatWouldMakeItFit) {
  const std::vector<std::string> gen{"gen",   "video",    "-p",  "a red circle", "-o",
                                     "a.mp4", "--device", "cpu", "--dry-run"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), gen.begin(), gen.end());
    return run(here_, more);
  };
  EXPECT_THAT(with({}).err, HasSubstr("It takes about "));
  EXPECT_THAT(with({"--max-ram", "320MB"}).err, HasSubstr("each part of the model in memory only while it works"));
  const auto little = with({"--max-ram", "285MB"});
  EXPECT_EQ(little.code, 5);
  EXPECT_THAT(little.err, HasSubstr("--frames "));
  EXPECT_THAT(little.err, HasSubstr("--size "));
  EXPECT_THAT(with({"--max-ram", "some"}).err, HasSubstr("it must be an amount of memory, like 1.5GiB or 800MB"));
  const auto events = ndjson(with({"--progress=json"}).out);
  ASSERT_EQ(events.size(), 3u);  // hello, plan, bye
  EXPECT_EQ(events[1]["memory"][0]["fit"], "fits");
}

TEST_F(CliFrame, DryRunPrintsTheResolvedJobAndStartsNothing) {
  const auto done = run(here_, {"gen", "video", "-p", "a red circle", "-o", "a.mp4", "--seed", "7", "--dry-run"});
  ASSERT_EQ(done.code, 0) << done.err;
  const auto job = nlohmann::json::parse(done.out);
  EXPECT_EQ(job["prompt"], "a red circle");
  EXPECT_EQ(job["seed"], 7);
  EXPECT_TRUE(job.contains("steps") && job.contains("frames") && job.contains("size"));
  EXPECT_THAT(done.err, HasSubstr("Nothing was started"));
  EXPECT_TRUE(video_job_from_json(job, "dry run").ok());
}

TEST_F(CliFrame, WordsSizesAndLengthsThatTheModelDoesNotKnowAreWarnedOf) {
  const auto gen = run(here_, {"gen", "video", "-p", "A BIG RED star, a dragon", "-o", "x.mp4", "--dry-run", "--size",
                               "64x64", "--frames", "17"});
  EXPECT_EQ(gen.code, 0);
  EXPECT_THAT(gen.err, HasSubstr("warning: practice-video does not know 'A' (write 'a'), 'BIG' (write 'big'), 'RED' "
                                 "(write 'red'), 'dragon'; it knows "));
  EXPECT_THAT(gen.err, HasSubstr(" lower-case words (rubato-cli models info practice-video lists them)\n"));
  EXPECT_THAT(gen.err, HasSubstr("warning: practice-video was trained on 128x128 pixels; 64x64 will look worse\n"));
  EXPECT_THAT(gen.err,
              HasSubstr("warning: practice-video was trained on clips of 33, 65 frames; 17 will look worse\n"));
  const auto fine = run(here_, {"gen", "video", "-p", "a big red star rises, then stops at night", "-o", "x.mp4",
                                "--dry-run", "--frames", "33"});
  EXPECT_THAT(fine.err, Not(HasSubstr("warning")));
  // A batch gets one sentence, and so does a queue.
  std::ofstream(dir_ / "two.csv") << "id,prompt\na,a RED ring\nb,a RED heart in Paris\n";
  for (const auto& words : {std::vector<std::string>{"run", "two.csv", "--dry-run"}, {"queue", "add", "two.csv"}}) {
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("does not know 'RED' (write 'red'), 'Paris'; it knows")) << words[0];
  }
}

TEST_F(CliFrame, RenamePicksAFreeName) {
  std::ofstream(dir_ / "a.mp4") << "mine";
  std::ofstream(dir_ / "a-2.mp4") << "mine";
  const auto done = run(here_, {"gen", "video", "-p", "x", "-o", "a.mp4", "--overwrite=rename", "--dry-run"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(nlohmann::json::parse(done.out)["out"], "a-3.mp4");
}

TEST_F(CliFrame, FlagsWinOverTheJobFile) {
  std::ofstream(dir_ / "job.yaml") << "prompt: a cat\nsteps: 4\nseed: 1\nout: b.mp4\n";
  const auto done = run(here_, {"gen", "video", "--job", "job.yaml", "--seed", "9", "--dry-run"});
  ASSERT_EQ(done.code, 0) << done.err;
  const auto job = nlohmann::json::parse(done.out);
  EXPECT_EQ(job["seed"], 9);
  EXPECT_EQ(job["steps"], 4);
  EXPECT_EQ(job["prompt"], "a cat");
}

TEST_F(CliFrame, EveryFieldIsAFlagInHelpSchemaManPageAndCompletions) {
  VideoJob job;
  const auto help = run(here_, {"gen", "video", "--help"}).out;
  const auto schema = nlohmann::json::parse(run(here_, {"schema", "job"}).out);
  const auto man = run(here_, {"completions", "man"}).out;
  for (const auto& field : fields_of(job)) {
    EXPECT_TRUE(schema["properties"].contains(std::string(field.name))) << field.name;
    if (std::holds_alternative<std::shared_ptr<PolicyRef>>(field.value)) continue;  // shown once there is a choice
    if (field.name == "verify_against") continue;                                   // the command `verify`
    const auto name = flag_of(field.name).substr(2);
    EXPECT_THAT(help, HasSubstr(name));
    EXPECT_THAT(man, HasSubstr(join(split(name, '-'), "\\-")));
    for (const auto* shell : {"bash", "zsh", "fish"})
      EXPECT_THAT(run(here_, {"completions", shell}).out, HasSubstr(name));
  }
}

TEST_F(CliFrame, SchemasOfJobFilesAndEventsArePrinted) {
  const auto jobs = nlohmann::json::parse(run(here_, {"schema", "jobs"}).out);
  EXPECT_TRUE(jobs["$defs"]["job"]["properties"].contains("after"));
  const auto events = nlohmann::json::parse(run(here_, {"schema", "events"}).out);
  std::ifstream file(RUBATO_RESOURCES "/schemas/events.schema.json");
  EXPECT_EQ(events, nlohmann::json::parse(file));
}

// A job with one more field than the schema knew yesterday.
struct LongerJob {
  static constexpr std::string_view kKind = "video";
  std::string prompt;
  std::optional<int> wobble_strength;
  template <typename Self, typename Visitor>
  static void visit(Self& job, Visitor& v) {
    v("prompt", job.prompt, Text{}, "What the video shows");
    v("wobble_strength", job.wobble_strength, IntRange{1, 5}, "How much it wobbles");
  }
};

TEST(JobFlags, ANewFieldIsAFlagAndIsSetByIt) {
  LongerJob job;
  const auto options = cli::options_of(fields_of(job));
  const auto flag =
      std::find_if(options.begin(), options.end(), [](const auto& o) { return o.name == "wobble-strength"; });
  ASSERT_NE(flag, options.end());
  EXPECT_THAT(flag->help, HasSubstr("How much it wobbles"));
  EXPECT_TRUE(json_schema(fields_of(job), LongerJob::kKind)["properties"].contains("wobble_strength"));

  const std::vector<const char*> words{"--wobble-strength", "4"};
  const auto args = cli::parse_arguments(words, options, {});
  ASSERT_TRUE(args.ok());
  ASSERT_TRUE(cli::apply_options(fields_of(job), *args).ok());
  EXPECT_EQ(job.wobble_strength, 4);
}

TEST(Texts, TheManPageInTheTreeIsTheOneThatTheProgramMakes) {
  const auto committed = read_file(std::string(RUBATO_RESOURCES) + "/../packaging/man/rubato-cli.1", 1 << 20);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_TRUE(*committed == cli::man_page()) << "run: rubato-cli completions man > packaging/man/rubato-cli.1";
}

TEST(Texts, CompletionScriptsAreValidForTheirShells) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    if (output_of(std::string("command -v ") + shell).empty()) continue;
    const auto check =
        output_of(std::string(RUBATO_BIN_DIR) + "/rubato-cli completions " + shell + " | " + shell + " -n 2>&1");
    EXPECT_THAT(check, IsEmpty()) << shell;
  }
}

TEST(Texts, BashCompletesCommandsFlagsAndValues) {
  const auto complete = [](const std::string& words, int index) {
    return output_of("bash -c 'source <(" RUBATO_BIN_DIR "/rubato-cli completions bash); COMP_WORDS=(" + words +
                     "); COMP_CWORD=" + std::to_string(index) + "; _rubato_cli; echo ${COMPREPLY[@]}'");
  };
  EXPECT_THAT(complete("rubato-cli mod", 1), HasSubstr("models"));
  EXPECT_THAT(complete("rubato-cli models ch", 2), HasSubstr("check"));
  EXPECT_THAT(complete("rubato-cli gen video --st", 3), HasSubstr("--steps"));
  EXPECT_THAT(complete("rubato-cli gen video --progress j", 4), HasSubstr("json"));
}

}  // namespace
}  // namespace rubato::test
