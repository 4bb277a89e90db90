#include <torch/types.h>

#include <cmath>

#include "engine/models/config_reader.h"
#include "engine/sampling/scheduler.h"
#include "engine/sampling/spacing.h"

namespace rubato {

using namespace sampling;

Result<FlowMatchEuler::Config> FlowMatchEuler::Config::from_json(const nlohmann::json& json) {
  ConfigReader read(json, "the scheduler's configuration");
  Config config;
  config.train_timesteps = read.integer("num_train_timesteps", 1000, 1, 1'000'000);
  config.shift = read.number("shift", 1.0);
  config.dynamic_shift = read.flag("use_dynamic_shifting", false);
  config.linear_time_shift = read.choice("time_shift_type", "exponential", {"exponential", "linear"}) == "linear";
  config.invert_sigmas = read.flag("invert_sigmas", false);
  config.shift_terminal = read.optional_number("shift_terminal");
  if (config.shift_terminal == 0.0) config.shift_terminal.reset();  // zero means none there
  const bool karras = read.flag("use_karras_sigmas", false), exponential = read.flag("use_exponential_sigmas", false);
  if (karras && exponential) read.problem("use_karras_sigmas and use_exponential_sigmas exclude each other");
  config.spacing = karras ? Spacing::Karras : exponential ? Spacing::Exponential : Spacing::Plain;
  read.only("use_beta_sigmas", false);
  read.only("stochastic_sampling", false);
  if (config.shift <= 0) read.problem("shift must be positive");
  // The range of mu is the pipeline's business; the rest are options of other schedulers, left by a conversion.
  read.ignore({"base_shift",         "max_shift",
               "base_image_seq_len", "max_image_seq_len",
               "sigma_min",          "sigma_max",
               "flow_shift",         "use_flow_sigmas",
               "solver_order",       "solver_type",
               "solver_p",           "prediction_type",
               "predict_x0",         "lower_order_final",
               "disable_corrector",  "final_sigmas_type",
               "thresholding",       "dynamic_thresholding_ratio",
               "sample_max_value",   "timestep_spacing",
               "steps_offset",       "beta_start",
               "beta_end",           "beta_schedule",
               "trained_betas",      "rescale_betas_zero_snr"});
  RUBATO_OK(read.finish());
  return config;
}

FlowMatchEuler::FlowMatchEuler(Config config)
    : Scheduler(config.train_timesteps, Timesteps::Float), config_(std::move(config)) {}

void FlowMatchEuler::schedule(int steps, double mu, std::vector<double>& sigmas, std::vector<double>& timesteps) const {
  // The end points are those of the training schedule, which is float32 and already shifted; the shift below comes
  // on top of it, as in the reference.
  const double train = static_cast<double>(config_.train_timesteps);
  const auto shift = static_cast<float>(config_.shift), shift_less_one = static_cast<float>(config_.shift - 1);
  const auto end_point = [&](float sigma) -> double {
    return config_.dynamic_shift ? sigma : shift * sigma / (1 + shift_less_one * sigma);
  };
  const double sigma_max = end_point(1.0F), sigma_min = end_point(1.0F / static_cast<float>(config_.train_timesteps));
  sigmas = linspace(sigma_max * train, sigma_min * train, steps);
  for (double& sigma : sigmas) {
    sigma /= train;
    sigma = config_.dynamic_shift ? time_shifted(sigma, mu, config_.linear_time_shift) : shifted(sigma, config_.shift);
  }
  if (config_.shift_terminal) stretch_to(*config_.shift_terminal, sigmas);
  if (config_.spacing == Config::Spacing::Karras) {  // Karras et al. 2022, equation 5, rho = 7
    constexpr double kRho = 7;
    const double from = std::pow(sigmas.front(), 1 / kRho), to = std::pow(sigmas.back(), 1 / kRho);
    const auto ramp = linspace(0, 1, steps);
    for (std::size_t i = 0; i < sigmas.size(); ++i) sigmas[i] = std::pow(from + ramp[i] * (to - from), kRho);
  } else if (config_.spacing == Config::Spacing::Exponential) {
    sigmas = linspace(std::log(sigmas.front()), std::log(sigmas.back()), steps);
    for (double& sigma : sigmas) sigma = std::exp(sigma);
  }
  for (double& sigma : sigmas) {
    sigma = as_float(sigma);
    if (config_.invert_sigmas) sigma = as_float(1.0 - sigma);
    timesteps.push_back(as_float(sigma * train));
  }
  sigmas.push_back(config_.invert_sigmas ? 1.0 : 0.0);
}

at::Tensor FlowMatchEuler::advance(const at::Tensor& velocity, int i, const at::Tensor& sample) {
  const auto at = static_cast<std::size_t>(i);
  const float step = static_cast<float>(sigmas()[at + 1]) - static_cast<float>(sigmas()[at]);
  return sample + velocity * static_cast<double>(step);
}

}  // namespace rubato
