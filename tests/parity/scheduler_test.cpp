// Schedules and steps of every supported configuration against diffusers (data: make_schedulers.py).
#include "engine/sampling/scheduler.h"

#include <nlohmann/json.hpp>

#include "tests/parity/golden.h"

namespace rubato {
namespace {

const std::filesystem::path kData = std::filesystem::path(RUBATO_TEST_DATA) / "schedulers.safetensors";

struct Case {
  nlohmann::json config;
  int steps;
  std::optional<double> mu;
};

std::vector<Case> cases() {
  const auto header = read_safetensors_header(kData);
  if (!header.ok()) throw std::runtime_error(header.error().message);
  const auto& metadata = header.value().metadata;
  std::vector<Case> all;
  for (std::size_t n = 0; metadata.contains(std::to_string(n)); ++n) {
    const auto item = nlohmann::json::parse(metadata.at(std::to_string(n)));
    all.push_back(
        {item["config"], item["steps"], item["mu"].is_null() ? std::nullopt : std::optional(item["mu"].get<double>())});
  }
  return all;
}

std::unique_ptr<Scheduler> made(const Case& c) {
  auto scheduler = make_scheduler(c.config);
  if (!scheduler.ok()) throw std::runtime_error(scheduler.error().message);
  const auto set = scheduler.value()->set_timesteps(c.steps, c.mu);
  if (!set.ok()) throw std::runtime_error(set.error().message);
  return std::move(scheduler).value();
}

std::string told(const Case& c) { return c.config.dump() + " steps " + std::to_string(c.steps); }

TEST(SchedulerParity, SchedulesAreTheReferencesToTheLastBit) {
  const Tensors data = golden(kData);
  const auto all = cases();
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto scheduler = made(all[n]);
    const std::string id = std::to_string(n);
    const at::Tensor sigmas = at::tensor(at::ArrayRef<double>(scheduler->sigmas().data(), scheduler->sigmas().size()));
    const at::Tensor want = data.at(id + ".sigmas");
    // Karras and exponential spacing go through pow and exp, whose last bit is the library's.
    const bool exact =
        !all[n].config.value("use_karras_sigmas", false) && !all[n].config.value("use_exponential_sigmas", false);
    expect_close(sigmas.to(at::kFloat), want, told(all[n]) + " sigmas", exact ? 0 : 1e-6);
    EXPECT_EQ(scheduler->timesteps().scalar_type(), data.at(id + ".timesteps").scalar_type());
    expect_close(scheduler->timesteps(), data.at(id + ".timesteps"), told(all[n]) + " timesteps", exact ? 0 : 1e-6);
  }
}

TEST(SchedulerParity, EveryStepIsTheReferences) {
  const Tensors data = golden(kData);
  const auto all = cases();
  double worst = 0;
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto scheduler = made(all[n]);
    const std::string id = std::to_string(n);
    const at::Tensor velocity = data.at(id + ".velocity"), samples = data.at(id + ".samples");
    at::Tensor x = data.at(id + ".start");
    for (int i = 0; i < all[n].steps; ++i) {
      x = scheduler->step(velocity[i], i, x);
      const double error = relative_error(x, samples[i]);
      worst = std::max(worst, error);
      ASSERT_LE(error, 2e-5) << told(all[n]) << " at step " << i;
    }
  }
  RecordProperty("worst", std::to_string(worst));
}

TEST(SchedulerParity, ARestoredRunGoesOnBitForBit) {
  const Tensors data = golden(kData);
  const auto all = cases();
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (all[n].steps < 4 || all[n].steps > 50) continue;
    const at::Tensor velocity = data.at(std::to_string(n) + ".velocity");
    const auto whole = made(all[n]);
    at::Tensor x = data.at(std::to_string(n) + ".start"), middle;
    SchedulerState state;
    for (int i = 0; i < all[n].steps; ++i) {
      if (i == 3) state = whole->save(), middle = x;
      x = whole->step(velocity[i], i, x);
    }
    const auto resumed = made(all[n]);
    ASSERT_TRUE(resumed->restore(state).ok()) << told(all[n]);
    for (int i = 3; i < all[n].steps; ++i) middle = resumed->step(velocity[i], i, middle);
    EXPECT_TRUE(at::equal(middle, x)) << told(all[n]);
  }
}

}  // namespace
}  // namespace rubato
