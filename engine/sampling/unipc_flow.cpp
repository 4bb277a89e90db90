#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"
#include "engine/models/config_reader.h"
#include "engine/sampling/scheduler.h"
#include "engine/sampling/spacing.h"

namespace rubato {

using namespace sampling;

Result<UniPcFlow::Config> UniPcFlow::Config::from_json(const nlohmann::json& json) {
  ConfigReader read(json, "the scheduler's configuration");
  Config config;
  config.train_timesteps = read.integer("num_train_timesteps", 1000, 1, 1'000'000);
  config.shift = read.number("flow_shift", 1.0);
  config.order = static_cast<int>(read.integer("solver_order", 2, 1, 3));
  config.bh1 = read.choice("solver_type", "bh2", {"bh1", "bh2", "midpoint", "heun", "logrho"}) == "bh1";
  config.lower_order_final = read.flag("lower_order_final", true);
  config.dynamic_shift = read.flag("use_dynamic_shifting", false);
  config.linear_time_shift = read.choice("time_shift_type", "exponential", {"exponential", "linear"}) == "linear";
  config.end_at_last_sigma = read.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "sigma_min";
  config.disable_corrector = read.integers("disable_corrector", {}, 0, 1'000'000);
  config.shift_terminal = read.optional_number("shift_terminal");
  if (config.shift_terminal == 0.0) config.shift_terminal.reset();  // zero means none there
  if (!read.flag("use_flow_sigmas", false)) read.problem("only use_flow_sigmas true is supported");
  if (read.text("prediction_type", "epsilon") != "flow_prediction") {
    read.problem("only prediction_type \"flow_prediction\" is supported");
  }
  for (const char* key : {"thresholding", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"}) {
    read.only(key, false);
  }
  read.only("predict_x0", true);
  read.only("solver_p", nullptr);
  if (config.shift <= 0) read.problem("flow_shift must be positive");
  // Without effect on flow sigmas, or options of other schedulers, left by a conversion.
  read.ignore({"beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr", "timestep_spacing",
               "steps_offset", "dynamic_thresholding_ratio", "sample_max_value", "sigma_min", "sigma_max", "shift",
               "base_shift", "max_shift", "base_image_seq_len", "max_image_seq_len", "invert_sigmas",
               "stochastic_sampling"});
  RUBATO_OK(read.finish());
  return config;
}

UniPcFlow::UniPcFlow(Config config)
    : Scheduler(config.train_timesteps, Timesteps::Integer), config_(std::move(config)) {}

void UniPcFlow::schedule(int steps, double mu, std::vector<double>& sigmas, std::vector<double>& timesteps) const {
  const double train = static_cast<double>(config_.train_timesteps);
  sigmas = linspace(1, 1 / train, steps + 1);
  sigmas.pop_back();
  for (double& sigma : sigmas) {
    sigma = config_.dynamic_shift ? time_shifted(sigma, mu, config_.linear_time_shift) : shifted(sigma, config_.shift);
  }
  if (config_.shift_terminal) stretch_to(*config_.shift_terminal, sigmas);
  constexpr double kShortOfOne = 1e-6;  // at sigma 1 the logarithm of the signal-to-noise ratio is not finite
  if (std::abs(sigmas.front() - 1) < kShortOfOne) sigmas.front() -= kShortOfOne;
  for (double& sigma : sigmas) {
    timesteps.push_back(std::trunc(sigma * train));
    sigma = as_float(sigma);
  }
  sigmas.push_back(config_.end_at_last_sigma ? sigmas.back() : 0.0);
}

namespace {

// Numbers of one update from sigma `s` to sigma `t` (UniPC, section 3.2 and appendix A), with alpha = 1 − sigma and
// lambda = log(alpha/sigma). They are float32 scalars on the CPU, computed in the reference's order: for many steps
// they suffer from cancellation, and so must these.
struct Update {
  at::Tensor ratio;             // sigma_t / sigma_s
  at::Tensor base;              // alpha_t · (e^−h − 1)
  at::Tensor weight;            // alpha_t · B(h)
  at::Tensor distances;         // [order]: r_k of the earlier points, then 1
  at::Tensor rows, right_side;  // R [order,order] and b [order], R·rho = b
};

at::Tensor scalar(double value) { return at::scalar_tensor(value, at::kFloat); }

Update update(double sigma_s, double sigma_t, std::span<const double> earlier, bool bh1) {
  const auto lambda = [](double sigma) { return at::log(1 - scalar(sigma)) - at::log(scalar(sigma)); };
  const at::Tensor alpha_t = 1 - scalar(sigma_t);
  const at::Tensor lambda_s = lambda(sigma_s), h = lambda(sigma_t) - lambda_s;

  std::vector<at::Tensor> distances;
  for (const double sigma : earlier) distances.push_back((lambda(sigma) - lambda_s) / h);
  distances.push_back(at::ones({}, at::kFloat));
  const at::Tensor r = at::stack(distances);

  const at::Tensor hh = -h, phi_1 = at::expm1(hh), b_h = bh1 ? hh : phi_1;
  at::Tensor phi = phi_1 / hh - 1;
  std::vector<at::Tensor> rows, right_side;
  double factorial = 1;
  for (std::size_t i = 1; i <= distances.size(); ++i) {
    rows.push_back(at::pow(r, static_cast<double>(i - 1)));
    right_side.push_back(phi * factorial / b_h);
    factorial *= static_cast<double>(i + 1);
    phi = phi / hh - 1 / factorial;
  }
  return {scalar(sigma_t) / scalar(sigma_s), alpha_t * phi_1, alpha_t * b_h, r, at::stack(rows), at::stack(right_side)};
}

at::Tensor solved(const at::Tensor& rows, const at::Tensor& right_side) {
  return std::get<0>(at::linalg_solve_ex(rows, right_side));
}

}  // namespace

void UniPcFlow::reset() {
  clean_.clear();
  last_sample_ = at::Tensor();
  last_order_ = warm_steps_ = 0;
}

at::Tensor UniPcFlow::advance(const at::Tensor& velocity, int i, const at::Tensor& sample) {
  const auto at = static_cast<std::size_t>(i);
  const auto sigma = sigmas();
  const at::Tensor clean = sample - velocity * sigma[at];
  // Differences to the newest clean latent of the run so far, each over its distance.
  const auto slopes = [&](const Update& u, int order) {
    std::vector<at::Tensor> d;
    for (int k = 1; k < order; ++k) {
      d.push_back((clean_[clean_.size() - 1 - static_cast<std::size_t>(k)] - clean_.back()) / u.distances[k - 1]);
    }
    return d;
  };
  const auto earlier = [&](std::size_t from, int order) {
    std::vector<double> points;
    for (int k = 1; k < order; ++k) points.push_back(sigma[from - static_cast<std::size_t>(k)]);
    return points;
  };

  // UniC: the step that led here, once more, now that the model was evaluated at its end.
  at::Tensor x = sample;
  const bool skip = std::ranges::find(config_.disable_corrector, i - 1) != config_.disable_corrector.end();
  if (i > 0 && !skip && last_sample_.defined()) {
    const Update u = update(sigma[at - 1], sigma[at], earlier(at - 1, last_order_), config_.bh1);
    const at::Tensor rho = last_order_ == 1 ? at::full({1}, 0.5, at::kFloat) : solved(u.rows, u.right_side);
    at::Tensor correction = (clean - clean_.back()) * rho[last_order_ - 1];
    const auto d = slopes(u, last_order_);
    for (std::size_t k = 0; k < d.size(); ++k) correction = correction + d[k] * rho[static_cast<std::int64_t>(k)];
    x = last_sample_ * u.ratio - clean_.back() * u.base - correction * u.weight;
  }

  clean_.push_back(clean);
  if (std::ssize(clean_) > config_.order) clean_.erase(clean_.begin());
  int order = config_.lower_order_final ? std::min(config_.order, steps() - i) : config_.order;
  order = std::min(order, warm_steps_ + 1);

  // UniP: on to the next sigma.
  const Update u = update(sigma[at], sigma[at + 1], earlier(at, order), config_.bh1);
  at::Tensor next = x * u.ratio - clean * u.base;
  if (order > 1) {
    const auto d = slopes(u, order);
    const at::Tensor rho =
        order == 2 ? at::full({1}, 0.5, at::kFloat)
                   : solved(u.rows.slice(0, 0, order - 1).slice(1, 0, order - 1), u.right_side.slice(0, 0, order - 1));
    at::Tensor prediction = d[0] * rho[0];
    for (std::size_t k = 1; k < d.size(); ++k) prediction = prediction + d[k] * rho[static_cast<std::int64_t>(k)];
    next = next - prediction * u.weight;
  }
  last_sample_ = x;
  last_order_ = order;
  warm_steps_ = std::min(warm_steps_ + 1, config_.order);
  return next;
}

SchedulerState UniPcFlow::save() const {
  SchedulerState state = Scheduler::save();
  state.values["last_order"] = last_order_;
  state.values["warm_steps"] = warm_steps_;
  for (std::size_t k = 0; k < clean_.size(); ++k) state.tensors["clean." + std::to_string(k)] = clean_[k];
  if (last_sample_.defined()) state.tensors["last_sample"] = last_sample_;
  return state;
}

Result<> UniPcFlow::restore(const SchedulerState& state) {
  RUBATO_OK(Scheduler::restore(state));
  const auto number = [&](const char* key) {
    const auto at = state.values.find(key);
    return at != state.values.end() && at->is_number_integer() ? at->get<int>() : -1;
  };
  last_order_ = number("last_order");
  warm_steps_ = number("warm_steps");
  for (std::size_t k = 0;; ++k) {
    const auto at = state.tensors.find("clean." + std::to_string(k));
    if (at == state.tensors.end()) break;
    clean_.push_back(at->second);
  }
  if (const auto at = state.tensors.find("last_sample"); at != state.tensors.end()) last_sample_ = at->second;
  const int next = state.values.at("next").get<int>();
  const bool fits = warm_steps_ == std::min(next, config_.order) && std::ssize(clean_) == warm_steps_ &&
                    last_order_ >= std::min(next, 1) && last_order_ <= warm_steps_ &&
                    last_sample_.defined() == (next > 0);
  if (!fits) return Error{ErrorCode::Corrupt, "the saved scheduler state does not fit this job."};
  return {};
}

}  // namespace rubato
