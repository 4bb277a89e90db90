#include "engine/base/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <set>
#include <stdexcept>

#include "engine/base/check.h"
#include "engine/base/guard.h"

namespace rubato {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{ErrorCode::Usage, "odd"};
  return n / 2;
}

Result<int> quarter(int n) {
  RUBATO_TRY(once, half(n));
  RUBATO_TRY(twice, half(once));
  return twice;
}

Result<> both_even(int a, int b) {
  RUBATO_OK(guard([&]() -> Result<> {  // the macro inside its own expression
    RUBATO_TRY(ignored, half(a));
    static_cast<void>(ignored);
    RUBATO_OK(Result<>());
    return {};
  }));
  RUBATO_TRY(ignored, half(b));
  static_cast<void>(ignored);
  return {};
}

TEST(ResultTest, TryBindsTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6).ok());
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(6).error().code, ErrorCode::Usage);
}

TEST(ResultTest, OkPassesErrorsOn) {
  EXPECT_TRUE(both_even(2, 4).ok());
  EXPECT_FALSE(both_even(1, 4).ok());
  EXPECT_FALSE(both_even(2, 3).ok());
}

TEST(ResultTest, CarriesValuesThatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto pass = [&]() -> Result<std::unique_ptr<int>> {
    RUBATO_TRY(p, make());
    return p;
  };
  const std::unique_ptr<int> got = *pass();
  EXPECT_EQ(*got, 7);
}

TEST(ErrorCodeTest, NamesAreUniqueAndRoundTrip) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::Terminated); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(names.insert(code_name(code)).second) << code_name(code);
    EXPECT_EQ(code_from_name(code_name(code)), code);
  }
  EXPECT_EQ(code_from_name("no_such_code"), ErrorCode::Internal);
}

TEST(ErrorCodeTest, ExitCodesAreThoseOfTheProduct) {
  EXPECT_EQ(exit_code(ErrorCode::Failed), 1);
  EXPECT_EQ(exit_code(ErrorCode::Usage), 2);
  EXPECT_EQ(exit_code(ErrorCode::JobInvalid), 3);
  EXPECT_EQ(exit_code(ErrorCode::ModelMissing), 4);
  EXPECT_EQ(exit_code(ErrorCode::ModelUnfit), 4);
  EXPECT_EQ(exit_code(ErrorCode::OutOfMemory), 5);
  EXPECT_EQ(exit_code(ErrorCode::OutputExists), 6);
  EXPECT_EQ(exit_code(ErrorCode::EngineDied), 7);
  EXPECT_EQ(exit_code(ErrorCode::NoDevice), 8);
  EXPECT_EQ(exit_code(ErrorCode::TimeLimit), 9);
  EXPECT_EQ(exit_code(ErrorCode::Locked), 10);
  EXPECT_EQ(exit_code(ErrorCode::VerifyMismatch), 11);
  EXPECT_EQ(exit_code(ErrorCode::CannotWrite), 73);
  EXPECT_EQ(exit_code(ErrorCode::Cancelled), 130);
  EXPECT_EQ(exit_code(ErrorCode::Terminated), 143);
}

TEST(GuardTest, TurnsExceptionsIntoErrors) {
  const auto error_of = [](auto thrown) { return guard([&]() -> Result<int> { throw thrown; }).error(); };
  EXPECT_EQ(error_of(std::bad_alloc()).code, ErrorCode::OutOfMemory);
  EXPECT_EQ(error_of(std::runtime_error("CUDA out of memory. Tried to allocate 2 GiB")).code, ErrorCode::OutOfMemory);
  EXPECT_EQ(error_of(std::runtime_error("DefaultCPUAllocator: can't allocate memory")).code, ErrorCode::OutOfMemory);
  EXPECT_EQ(error_of(std::runtime_error("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate")).code,
            ErrorCode::OutOfMemory);
  EXPECT_EQ(error_of(ErrorException({ErrorCode::Cancelled, "stopped"})).code, ErrorCode::Cancelled);
  const Error plain = error_of(std::runtime_error("first line\nframe 1\nframe 2"));
  EXPECT_EQ(plain.code, ErrorCode::Internal);
  EXPECT_EQ(plain.message, "first line");
  EXPECT_EQ(guard([]() -> Result<int> { return 3; }).value(), 3);
}

TEST(CheckTest, NamesThePlaceTheConditionAndTheParts) {
  EXPECT_NO_THROW(RUBATO_CHECK(1 < 2));
  try {
    const int width = 3;
    RUBATO_CHECK(width % 2 == 0, "width ", width, " is odd");
    FAIL() << "no exception";
  } catch (const InternalError& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("error_test.cpp"), std::string::npos) << what;
    EXPECT_NE(what.find("width % 2 == 0: width 3 is odd"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace rubato
