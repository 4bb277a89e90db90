// Part: a model that stays loaded, or is there only while a stage of the recipe works with it.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "engine/base/error.h"

namespace rubato {

template <typename Model>
class Part {
 public:
  using Loader = std::function<Result<std::unique_ptr<Model>>()>;
  Part() = default;  // a part that the model does not have
  Part(Loader load, bool stays) : load_(std::move(load)), stays_(stays) {}

  bool exists() const { return load_ != nullptr; }
  // Loads it where it is not there; the pointer is good until done().
  Result<Model*> get() {
    if (model_ == nullptr) {
      RUBATO_TRY(model, load_());
      model_ = std::move(model);
    }
    return model_.get();
  }
  // The stage is over.
  void done() {
    if (!stays_) model_.reset();
  }
  Model* loaded() const { return model_.get(); }  // null when it is not there

 private:
  Loader load_;
  bool stays_ = true;
  std::unique_ptr<Model> model_;
};

// A stage's hold on a part: done() at its end, however it ends.
template <typename Model>
class InUse {
 public:
  explicit InUse(Part<Model>& part) : part_(part) {}
  ~InUse() { part_.done(); }
  InUse(const InUse&) = delete;

 private:
  Part<Model>& part_;
};

}  // namespace rubato
