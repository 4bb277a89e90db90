// Commands about models, prompts and files that need no engine: models, tokens, inspect, doctor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/base/files.h"
#include "tests/cli/program.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CliModels : public testing::Test {
 protected:
  json parsed(const std::vector<std::string>& words, int code = 0) {
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, code) << done.err;
    const auto value = json::parse(done.out, nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << done.out;
    return value;
  }

  // A copy of the practice model that a test may damage. Its card goes, unless checksums matter.
  fs::path copied_model(bool with_card = false) {
    const auto model = dir_ / "models" / "mine";
    fs::create_directories(model.parent_path());
    fs::copy(fs::path(RUBATO_RESOURCES) / "practice" / "video", model, fs::copy_options::recursive);
    if (!with_card) fs::remove(model / "rubato.json");
    return model;
  }

  static void replace(const fs::path& file, const std::string& from, const std::string& to) {
    auto text = read_file(file, 16 << 20).value();
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(file, std::ios::binary) << text;
  }

  TempDir dir_;
  Shell here_{.folder = dir_.path()};
};

TEST_F(CliModels, ThePracticeModelIsAlwaysThere) {
  EXPECT_EQ(run(here_, {"models", "list", "--names"}).out, "practice-video\n");
  const auto list = parsed({"models", "list", "--json"});
  EXPECT_EQ(list["models"][0]["name"], "practice-video");
  EXPECT_EQ(list["models"][0]["practice"], true);
  EXPECT_EQ(list["models"][0]["complete"], true);
}

TEST_F(CliModels, ScannedFoldersAreRememberedAndForgotten) {
  copied_model();
  const auto scan = run(here_, {"models", "scan", "models"});
  EXPECT_EQ(scan.code, 0);
  EXPECT_THAT(scan.out, HasSubstr("mine"));
  EXPECT_THAT(run(here_, {"models", "list", "--names"}).out, HasSubstr("mine\n"));
  EXPECT_EQ(run(here_, {"models", "scan", "--forget", "models"}).code, 0);
  EXPECT_THAT(run(here_, {"models", "list", "--names"}).out, Not(HasSubstr("mine")));
  EXPECT_EQ(run(here_, {"models", "scan", "--forget", "models"}).code, 2);
}

TEST_F(CliModels, AFolderThatIsMissingKeepsNobodyFromTheOthers) {
  copied_model();
  const auto done = run(here_, {"models", "scan", "gone", "models", "away"});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.out, HasSubstr("mine"));
  EXPECT_THAT(done.err, HasSubstr("rubato-cli: gone is not there; give the folder that holds your models\n"
                                  "away is not there"));
  EXPECT_THAT(run(here_, {"models", "list", "--names"}).out, HasSubstr("mine"));
}

TEST_F(CliModels, TheDataFolderKeepsSettingsApart) {
  copied_model();
  ASSERT_EQ(run(here_, {"models", "scan", "models", "--data-dir", "elsewhere"}).code, 0);
  EXPECT_TRUE(fs::exists(dir_ / "elsewhere"));
  EXPECT_FALSE(fs::exists(dir_ / ".config"));
  EXPECT_THAT(run(here_, {"models", "list", "--names"}).out, Not(HasSubstr("mine")));
  EXPECT_THAT(run(here_, {"models", "list", "--names", "--data-dir", "elsewhere"}).out, HasSubstr("mine"));
}

TEST_F(CliModels, InfoShowsPartsDefaultsAndPrompts) {
  const auto text = run(here_, {"models", "info", "practice-video"});
  EXPECT_EQ(text.code, 0);
  for (const auto* word : {"transformer", "vae", "text_encoder", "steps 30", "a big blue circle moves right at night"})
    EXPECT_THAT(text.out, HasSubstr(word));
  const auto info = parsed({"models", "info", "practice-video", "--json"});
  EXPECT_GT(info["card"]["prompts"].size(), 0u);
  EXPECT_THAT(text.out, HasSubstr("\nwords     a against an "));
  EXPECT_THAT(info["card"]["words"], Contains("star"));
  EXPECT_THAT(text.out, HasSubstr("65 frames of 128x128: takes about "));
  EXPECT_GT(info["memory"]["resident_bytes"], info["memory"]["weights"]["transformer"]["loaded_bytes"]);
  EXPECT_EQ(run(here_, {"models", "info", "practice-vidoe"}).code, 4);
}

TEST_F(CliModels, ASoundModelPasses) {
  const auto report = parsed({"models", "check", "practice-video", "--json"});
  EXPECT_EQ(report["sound"], true);
  EXPECT_EQ(report["content_hash"].get<std::string>().size(), 64u);
}

TEST_F(CliModels, WeightsOfAnotherConfigurationAreFound) {
  const auto model = copied_model();
  replace(model / "transformer" / "config.json", "\"num_layers\": 8", "\"num_layers\": 7");
  const auto more = run(here_, {"models", "check", model.string()});
  EXPECT_EQ(more.code, 4);
  EXPECT_THAT(more.out, HasSubstr("blocks.7.scale_shift_table is more than config.json knows of"));
  replace(model / "vae" / "config.json", "\"z_dim\": 8", "\"z_dim\": 16");
  EXPECT_THAT(run(here_, {"models", "check", model.string()}).out,
              HasSubstr("post_quant_conv.weight is [8, 8, 1, 1, 1], config.json makes it [16, 16, 1, 1, 1]"));
}

TEST_F(CliModels, AFlippedByteIsFoundByItsChecksum) {
  const auto model = copied_model(/*with_card=*/true);
  const auto weights = model / "vae" / "diffusion_pytorch_model.safetensors";
  auto bytes = read_file(weights, 64 << 20).value();
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);
  std::ofstream(weights, std::ios::binary) << bytes;
  const auto done = run(here_, {"models", "check", model.string()});
  EXPECT_EQ(done.code, 4);
  EXPECT_THAT(done.out, HasSubstr("vae/diffusion_pytorch_model.safetensors"));
}

TEST_F(CliModels, AMissingPartIsNamed) {
  const auto model = copied_model();
  fs::remove_all(model / "tokenizer");
  const auto done = run(here_, {"models", "check", model.string()});
  EXPECT_EQ(done.code, 4);
  EXPECT_THAT(done.out, HasSubstr("tokenizer"));
  EXPECT_THAT(run(here_, {"models", "scan", "models"}).out, HasSubstr("tokenizer missing"));
}

TEST_F(CliModels, InfoOfAnIncompleteModelEndsWithFourAndOneSentence) {
  const auto model = copied_model();
  fs::remove(model / "vae" / "config.json");
  for (const auto& words :
       {std::vector<std::string>{"models", "info", "models/mine"}, {"models", "info", "models/mine", "--json"}}) {
    const auto done = run(here_, words);
    EXPECT_EQ(done.code, 4);
    EXPECT_EQ(lines(done.err).size(), 1u) << done.err;
    EXPECT_THAT(done.err, HasSubstr("mine cannot be used: vae: "));
    EXPECT_THAT(done.err, HasSubstr("vae/config.json is missing\n"));
    EXPECT_THAT(done.out, Not(HasSubstr("missing: ")));
    EXPECT_THAT(done.out, HasSubstr("transformer"));  // what there is, is shown
  }
}

TEST_F(CliModels, AFileIsAnsweredForByItselfNotByItsNeighbours) {
  std::ofstream(dir_ / "notes.txt") << "hello";
  std::ofstream(dir_ / "cut.safetensors") << "damaged";
  const auto notes = run(here_, {"models", "info", "notes.txt"});
  EXPECT_EQ(notes.code, 4);
  EXPECT_THAT(notes.err, HasSubstr("notes.txt is no model that Rubato knows"));
  EXPECT_THAT(run(here_, {"models", "info", "cut.safetensors"}).err, HasSubstr("/cut.safetensors "));
  std::ofstream(dir_ / "empty.mp4") << "";
  EXPECT_EQ(run(here_, {"inspect", "empty.mp4"}).code, 2);  // a damaged input, not a model
}

TEST_F(CliModels, AFolderThatIsNoModelIsAnsweredForByName) {
  fs::create_directory(dir_ / "fake");
  const auto gen = [&](const std::string& model) {
    return run(here_, {"gen", "video", "-p", "a red circle", "-o", "a.mp4", "--dry-run", "-m", model});
  };
  EXPECT_THAT(gen("fake").err, HasSubstr("fake/model_index.json is missing"));
  EXPECT_EQ(gen("fake").code, gen("./fake").code);
  EXPECT_THAT(gen("Owner/Name").err, HasSubstr("there is no model 'Owner/Name' here, and Rubato downloads nothing: "));
}

TEST_F(CliModels, AModelThatMovedIsNamed) {
  copied_model();
  const auto done = run(here_, {"gen", "video", "-p", "x", "-o", "a.mp4", "--dry-run", "-m", "/old/place/mine",
                                "--models-dir", "models"});
  EXPECT_EQ(done.code, 4);
  EXPECT_THAT(done.err, HasSubstr("a model 'mine' is known: -m mine"));
}

TEST_F(CliModels, DoctorNamesADamagedListOfFolders) {
  fs::create_directories(dir_ / ".config" / "rubato");
  std::ofstream(dir_ / ".config" / "rubato" / "folders.json") << "{";
  const auto list = run(here_, {"models", "list"});
  EXPECT_EQ(list.code, 2);
  EXPECT_THAT(list.err, HasSubstr("correct or delete the file"));
  auto shell = here_;
  shell.program = cli_with_scripted_worker(dir_);
  const auto doctor = run(shell, {"doctor"});
  EXPECT_EQ(doctor.code, 1);
  EXPECT_THAT(doctor.out, HasSubstr("folders.json"));
}

TEST_F(CliModels, AFolderIsRememberedOnlyAfterItsScan) {
  fs::create_directories(dir_ / "locked");
  fs::permissions(dir_ / "locked", fs::perms::none);
  fs::create_directories(dir_ / "two\nlines");
  fs::create_directories(dir_ / "data");
  fs::permissions(dir_ / "data", fs::perms::all);
  auto bound = here_;
  bound.minds_modes = true;
  const auto locked = run(bound, {"models", "scan", "locked", "--data-dir", "data"});
  EXPECT_FALSE(fs::exists(dir_ / "data" / "config"));
  EXPECT_EQ(locked.code, 2) << locked.err;
  EXPECT_THAT(locked.err, HasSubstr("cannot be read: Permission denied"));
  const auto odd = run(here_, {"models", "scan", "two\nlines"});
  EXPECT_EQ(odd.code, 2);
  EXPECT_THAT(odd.err, HasSubstr("two\\nlines cannot be remembered"));
  EXPECT_EQ(lines(odd.err).size(), 1u);
  const auto forget = run(here_, {"models", "scan", "--forget", "locked"});
  EXPECT_EQ(forget.code, 2);
  EXPECT_THAT(forget.err, HasSubstr("there are none"));
}

TEST_F(CliModels, TokensAreTheIdsThatTheEncoderGets) {
  EXPECT_EQ(run(here_, {"tokens", "--text", "a red circle moves right"}).out, "[4,29,27,14,24,1]\n");
  EXPECT_EQ(run(here_, {"tokens", "--text", "  a red   circle\nmoves right "}).out, "[4,29,27,14,24,1]\n");
  std::ofstream(dir_ / "prompt.txt") << "a red circle moves right\n";
  EXPECT_EQ(run(here_, {"tokens", "--file", "prompt.txt"}).out, "[4,29,27,14,24,1]\n");
  const auto cleaned = parsed({"tokens", "--text", "caf&eacute;", "--json"}),
             raw = parsed({"tokens", "--text", "caf&eacute;", "--raw", "--json"});
  EXPECT_EQ(cleaned["text"], "café");
  EXPECT_EQ(raw["text"], "caf&eacute;");
  EXPECT_NE(cleaned["ids"], raw["ids"]);
  EXPECT_EQ(run(here_, {"tokens", "--text", "a", "-m", "nowhere"}).code, 4);
}

TEST_F(CliModels, InspectListsTensorsAndReadsNoData) {
  const auto file = std::string(RUBATO_RESOURCES) + "/practice/video/vae/diffusion_pytorch_model.safetensors";
  const auto text = run(here_, {"inspect", file});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, HasSubstr("decoder.conv_out.weight"));
  const auto all = parsed({"inspect", file, "--json"});
  EXPECT_EQ(all["tensors"]["post_quant_conv.weight"]["shape"], json({8, 8, 1, 1, 1}));
  EXPECT_EQ(run(here_, {"inspect", "--job", file}).code, 2);
}

TEST_F(CliModels, InspectRefusesWhatWouldRunCode) {
  std::ofstream(dir_ / "weights.safetensors", std::ios::binary)
      << std::string("\x80\x02}q\x00.", 6) << std::string(64, 'x');
  const auto done = run(here_, {"inspect", "weights.safetensors"});
  EXPECT_EQ(done.code, 4);
  EXPECT_THAT(done.err, HasSubstr("pickle"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST_F(CliModels, ASidecarIsRead) {
  std::ofstream(dir_ / "clip.mp4.json") << R"({"rubato": {"version": "1"}, "job": {"version": 1, "kind": "video",
    "prompt": "a red star", "model": "practice-video"}})";
  const auto done = run(here_, {"inspect", "clip.mp4.json"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("a red star"));
  EXPECT_THAT(run(here_, {"inspect", "--job", "clip.mp4.json"}).out, HasSubstr("prompt: \"a red star\""));
  std::ofstream(dir_ / "other.json") << "{}";
  EXPECT_THAT(run(here_, {"inspect", "other.json"}).err, HasSubstr("carries no Rubato metadata"));
}

TEST_F(CliModels, AForeignFileGetsASentence) {
  if (!configured("rubato-media")) GTEST_SKIP() << "RUBATO_MEDIA is OFF";
  std::ofstream(dir_ / "notes.txt") << "hello";
  const auto done = run(here_, {"inspect", "notes.txt"});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("notes.txt is not a video or picture"));
}

TEST_F(CliModels, TextFromFilesCannotDriveTheTerminal) {
  const auto model = copied_model();
  std::ofstream(model / "rubato.json")
      << R"({"version": 1, "name": "odd", "description": "red \u001b[31m alert \u202e"})";
  const auto done = run(here_, {"models", "info", model.string()});
  EXPECT_THAT(done.out, HasSubstr("alert"));
  EXPECT_THAT(done.out, Not(HasSubstr("\033")));
  EXPECT_THAT(done.out, Not(HasSubstr("\u202e")));
}

TEST_F(CliModels, DoctorNamesWhatIsMissingAndWhatToDo) {
  auto shell = here_;
  shell.program = cli_with_scripted_worker(dir_);
  const auto well = run(shell, {"doctor", "--json"});
  EXPECT_EQ(well.code, 0) << well.err;
  std::vector<std::string> ids;
  const auto report = json::parse(well.out);
  for (const auto& check : report["checks"]) {
    ids.push_back(check["id"]);
    // The scripted worker is a program like any other.
    if (check["id"] == "isolation") {
      EXPECT_THAT(check["detail"].get<std::string>(), HasSubstr("could use the network"));
    }
  }
  for (const auto* id : {"engine", "isolation", "gpu", "cpu", "memory", "disk", "media", "practice", "models"})
    EXPECT_THAT(ids, Contains(id));

  fs::remove(shell.program.parent_path() / "rubato-worker");
  const auto ill = run(shell, {"doctor"});
  EXPECT_EQ(ill.code, 1);
  EXPECT_THAT(ill.out, HasSubstr("rubato-worker is not there"));
  EXPECT_THAT(ill.out, HasSubstr("→"));
}

TEST_F(CliModels, DoctorFindsTheEngineWithoutNetwork) {
  if (!configured("rubato-worker")) GTEST_SKIP() << "configured without libtorch";
  const auto report = json::parse(run(here_, {"doctor", "--json"}).out);
  const auto& checks = report["checks"];
  const auto found = std::find_if(checks.begin(), checks.end(), [](const json& c) { return c["id"] == "isolation"; });
  ASSERT_NE(found, checks.end());
  EXPECT_EQ((*found)["state"], "ok") << *found;
}

}  // namespace
}  // namespace rubato::test
