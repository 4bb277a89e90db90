#include "engine/nn/module.h"

#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "engine/base/text.h"

namespace rubato::nn {
namespace {

std::string spelled(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

// One parameter of the tree with its full names.
struct Wanted {
  std::vector<Part> parts;           // stacked along dimension 0 where there are several
  std::vector<std::string> aliases;  // other names of the one part
  at::Tensor* slot;
  Precision precision;
};

// First walk: what the tree wants.
class Collector final : public Declaration {
 public:
  void alias(std::vector<std::string> names, at::Tensor& slot, std::vector<std::int64_t> shape,
             Precision precision) override {
    for (auto& name : names) name = prefix_ + name;
    Part part{names.front(), std::move(shape)};
    wanted.push_back({{std::move(part)}, {names.begin() + 1, names.end()}, &slot, precision});
  }
  void stacked(std::vector<Part> parts, at::Tensor& slot, Precision precision) override {
    for (auto& part : parts) part.name = prefix_ + part.name;
    wanted.push_back({std::move(parts), {}, &slot, precision});
  }
  void child(std::string_view name, Module& module) override {
    const std::size_t length = prefix_.size();
    if (!name.empty()) prefix_.append(name).append(".");
    module.declare(*this);
    modules.push_back(&module);
    prefix_.resize(length);
  }

  std::vector<Wanted> wanted;
  std::vector<Module*> modules;  // children before parents

 private:
  std::string prefix_;
};

// Takes the stored name of every part, and says what is wrong with the checkpoint, all at once.
std::optional<std::string> mismatch(std::vector<Wanted>& wanted, const StateDict& weights,
                                    const std::vector<std::string>& ignore) {
  std::vector<std::string> missing, misshapen, unexpected;
  std::set<std::string, std::less<>> known;
  for (auto& want : wanted) {
    for (auto& part : want.parts) {
      known.insert(part.name);
      known.insert(want.aliases.begin(), want.aliases.end());
      const std::string first = part.name;
      if (!weights.has(part.name)) {
        const auto other = std::ranges::find_if(want.aliases, [&](const auto& name) { return weights.has(name); });
        if (other != want.aliases.end()) part.name = *other;
      }
      if (!weights.has(part.name)) {
        missing.push_back(first);
      } else if (const auto shape = weights.shape(part.name); shape != part.shape) {
        misshapen.push_back(part.name + " is " + spelled(shape) + ", not " + spelled(part.shape));
      } else if (!at::isFloatingType(weights.dtype(part.name))) {
        misshapen.push_back(part.name + " holds " + at::toString(weights.dtype(part.name)) +
                            ", not numbers with a fraction");
      }
    }
  }
  for (const auto& name : weights.names()) {
    const auto ignored = [&](const std::string& prefix) { return name.starts_with(prefix); };
    if (!known.contains(name) && std::ranges::none_of(ignore, ignored)) unexpected.push_back(name);
  }
  if (missing.empty() && misshapen.empty() && unexpected.empty()) return std::nullopt;
  std::vector<std::string> problems;
  if (!missing.empty()) problems.push_back("missing: " + list_names(missing));
  if (!misshapen.empty()) problems.push_back("of another shape or type: " + list_names(misshapen));
  if (!unexpected.empty()) problems.push_back("not part of this model: " + list_names(unexpected));
  return join(problems, "; ");
}

void fill(const Wanted& want, const StateDict& weights, const LoadOptions& options) {
  auto shape = want.parts.front().shape;
  for (std::size_t i = 1; i < want.parts.size(); ++i) shape[0] += want.parts[i].shape[0];
  const auto dtype = want.precision == Precision::Full ? at::kFloat : options.dtype;
  at::Tensor whole = at::empty(shape, at::TensorOptions().dtype(dtype).device(options.device));
  std::int64_t row = 0;
  for (const auto& part : want.parts) {
    const at::Tensor stored = weights.get(part.name);
    const bool alone = want.parts.size() == 1;
    (alone ? whole : whole.narrow(0, row, part.shape[0])).copy_(stored);
    row += alone ? 0 : part.shape[0];
    weights.forget(part.name);
  }
  *want.slot = std::move(whole);
}

}  // namespace

Result<> Module::load(const StateDict& weights, const LoadOptions& options) {
  const at::InferenceMode inference;
  Collector tree;
  tree.child("", *this);
  if (const auto problems = mismatch(tree.wanted, weights, options.ignore)) {
    return Error{ErrorCode::ModelUnfit, weights.source() + " does not fit its configuration: " + *problems + "."};
  }
  for (const auto& want : tree.wanted) fill(want, weights, options);
  for (Module* module : tree.modules) module->loaded();
  return {};
}

void Module::each_parameter(const std::function<void(at::Tensor& slot, Precision precision)>& use) {
  Collector tree;
  tree.child("", *this);
  for (const auto& want : tree.wanted) use(*want.slot, want.precision);
}

std::uint64_t Module::parameter_bytes() {
  Collector tree;
  tree.child("", *this);
  std::uint64_t bytes = 0;
  for (const auto& want : tree.wanted) {
    if (want.slot->defined()) bytes += want.slot->nbytes();
  }
  return bytes;
}

}  // namespace rubato::nn
