#include "engine/base/log.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

TEST(LogTest, WritesOneLineARecordAndQuotesValues) {
  const test::TempFolder dir;
  ASSERT_TRUE(configure_log(LogLevel::Info, dir / "log.txt").ok());
  log(LogLevel::Debug, "too_fine");
  log(LogLevel::Warn, "loaded",
      {{"model", "practice-video"}, {"path", "/a b/\"c\""}, {"odd", "x\nforged line\x1b[31m"}, {"none", ""}});
  log(LogLevel::Error, "100% {}");  // no format string
  ASSERT_TRUE(configure_log(LogLevel::Warn, {}).ok());
  const std::string text = test::slurp(dir / "log.txt");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_EQ(text.find("too_fine"), std::string::npos);
  EXPECT_NE(text.find(R"( warning loaded model=practice-video path="/a b/\"c\"" odd="x\nforged line\x1b[31m" none="")"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("100% {}"), std::string::npos) << text;
}

TEST(LogTest, SaysThatItCannotWrite) {
  EXPECT_EQ(configure_log(LogLevel::Info, "/proc/none/log.txt").error().code, ErrorCode::CannotWrite);
  ASSERT_TRUE(configure_log(LogLevel::Warn, {}).ok());
}

}  // namespace
}  // namespace rubato
