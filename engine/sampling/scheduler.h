// Schedulers: from the velocity that a model predicts at one noise level to the latent at the next.
//
// All of them work on rectified flow: x(sigma) = (1 - sigma) * clean + sigma * noise, velocity v = noise - clean.
// sigmas() has steps + 1 values, from near 1 down to the final one. Everything is float32, as in the diffusers
// classes whose scheduler_config.json is read; steps and results are theirs to within float32 rounding.
// A scheduler is the state of one run: not thread-safe, and step() must be called with i = 0, 1, 2, …
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

// What a run needs to go on after an interruption; the schedule itself is made again by set_timesteps().
struct SchedulerState {
  std::map<std::string, at::Tensor> tensors;
  nlohmann::json values;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Makes the schedule and forgets earlier steps. `mu` is the resolution-dependent shift that schedulers with
  // use_dynamic_shifting need; JobInvalid when it is missing or steps is not positive.
  Result<> set_timesteps(int steps, std::optional<double> mu = std::nullopt);

  int steps() const { return static_cast<int>(timesteps_.size()); }
  std::span<const double> sigmas() const { return sigmas_; }  // float32 values
  // What the model is fed at step i: 1000 * sigma, in float32 or truncated to an integer, as the reference does.
  double timestep(int i) const { return timesteps_.at(static_cast<std::size_t>(i)); }
  // [steps], float32 or int64, as the reference holds them.
  at::Tensor timesteps() const;
  std::int64_t train_timesteps() const { return train_timesteps_; }

  // velocity and sample have the same shape; the result is the float32 sample at sigmas()[i + 1].
  at::Tensor step(const at::Tensor& velocity, int i, const at::Tensor& sample);

  // Continue after step i of an earlier run: set_timesteps() with the same arguments, then restore(save()).
  virtual SchedulerState save() const;
  virtual Result<> restore(const SchedulerState& state);

 protected:
  enum class Timesteps { Float, Integer };
  Scheduler(std::int64_t train_timesteps, Timesteps kind) : train_timesteps_(train_timesteps), kind_(kind) {}

  virtual bool wants_mu() const = 0;
  // Fills sigmas (steps + 1 values) and timesteps (steps values).
  virtual void schedule(int steps, double mu, std::vector<double>& sigmas, std::vector<double>& timesteps) const = 0;
  virtual at::Tensor advance(const at::Tensor& velocity, int i, const at::Tensor& sample) = 0;
  virtual void reset() {}

 private:
  std::vector<double> sigmas_, timesteps_;
  std::int64_t train_timesteps_;
  Timesteps kind_;
  int next_ = 0;
};

// x(i+1) = x(i) + (sigma(i+1) - sigma(i)) * v.
// diffusers: FlowMatchEulerDiscreteScheduler (a static shift applies twice at the end point, as there).
class FlowMatchEuler final : public Scheduler {
 public:
  struct Config {
    std::int64_t train_timesteps = 1000;
    double shift = 1.0;
    bool dynamic_shift = false, linear_time_shift = false, invert_sigmas = false;
    enum class Spacing { Plain, Karras, Exponential } spacing = Spacing::Plain;
    std::optional<double> shift_terminal;
    static Result<Config> from_json(const nlohmann::json& json);
  };
  explicit FlowMatchEuler(Config config);

 private:
  bool wants_mu() const override { return config_.dynamic_shift; }
  void schedule(int steps, double mu, std::vector<double>& sigmas, std::vector<double>& timesteps) const override;
  at::Tensor advance(const at::Tensor& velocity, int i, const at::Tensor& sample) override;

  Config config_;
};

// UniPC (Zhao et al. 2023, "UniPC: a unified predictor-corrector framework"), variants B(h) = h and e^h - 1, on
// the predicted clean latent, with flow sigmas. diffusers: UniPCMultistepScheduler with use_flow_sigmas.
class UniPcFlow final : public Scheduler {
 public:
  struct Config {
    std::int64_t train_timesteps = 1000;
    double shift = 1.0;
    int order = 2;
    bool bh1 = false, lower_order_final = true, dynamic_shift = false, linear_time_shift = false;
    bool end_at_last_sigma = false;  // final_sigmas_type "sigma_min"; else at 0
    std::vector<std::int64_t> disable_corrector;
    std::optional<double> shift_terminal;
    static Result<Config> from_json(const nlohmann::json& json);
  };
  explicit UniPcFlow(Config config);

  SchedulerState save() const override;
  Result<> restore(const SchedulerState& state) override;

 private:
  bool wants_mu() const override { return config_.dynamic_shift; }
  void schedule(int steps, double mu, std::vector<double>& sigmas, std::vector<double>& timesteps) const override;
  at::Tensor advance(const at::Tensor& velocity, int i, const at::Tensor& sample) override;
  void reset() override;

  // Clean latents predicted at earlier steps, newest last, at most `order`; the sample that the last predictor
  // started from; the order it used.
  Config config_;
  std::vector<at::Tensor> clean_;
  at::Tensor last_sample_;
  int last_order_ = 0, warm_steps_ = 0;
};

// By the `_class_name` of a scheduler_config.json. ModelUnfit names a class or option that is not supported.
Result<std::unique_ptr<Scheduler>> make_scheduler(const nlohmann::json& scheduler_config);

}  // namespace rubato
