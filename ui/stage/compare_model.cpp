#include "ui/stage/compare_model.h"

#include <algorithm>
#include <cmath>

namespace rubato::ui {
namespace {

constexpr int kMaxSide = 1920;
constexpr int kStronger = 4;

const QRgb* line_of(const QImage& image, int y) { return reinterpret_cast<const QRgb*>(image.constScanLine(y)); }

}  // namespace

std::optional<double> mean_squared_difference(const QImage& a, const QImage& b) {
  if (a.isNull() || a.size() != b.size()) return std::nullopt;
  std::uint64_t sum = 0;
  for (int y = 0; y < a.height(); ++y) {
    const auto *p = line_of(a, y), *q = line_of(b, y);
    for (int x = 0; x < a.width(); ++x) {
      const int red = qRed(p[x]) - qRed(q[x]), green = qGreen(p[x]) - qGreen(q[x]), blue = qBlue(p[x]) - qBlue(q[x]);
      sum += static_cast<std::uint64_t>(red * red + green * green + blue * blue);
    }
  }
  return static_cast<double>(sum) / (3.0 * a.width() * a.height());
}

CompareModel::CompareModel(const ClipSource& source, QObject* parent) : QObject(parent), a_(source), b_(source) {
  timer_.setTimerType(Qt::PreciseTimer);
  connect(&timer_, &QTimer::timeout, this, &CompareModel::tick);
  for (auto* clip : {&a_, &b_}) {
    clip->set_max_side(kMaxSide);
    connect(clip, &ClipFrames::opened, this, &CompareModel::changed);
    connect(clip, &ClipFrames::ready, this, &CompareModel::changed);
    connect(clip, &ClipFrames::failed, this, &CompareModel::failed);
  }
}

void CompareModel::open(const std::filesystem::path& a, const std::filesystem::path& b) {
  timer_.stop();
  position_ = 0;
  first_ = 0;
  a_.open(a);
  b_.open(b);
  Q_EMIT changed();
}

void CompareModel::swap() {
  first_ = 1 - first_;
  Q_EMIT changed();
}

int CompareModel::count() const {
  return a_.facts() && b_.facts() ? std::min(a_.facts()->frames, b_.facts()->frames) : 0;
}

QImage CompareModel::image(int which) { return frames(which).frame(position_); }

QImage CompareModel::difference() {
  const auto a = image(0), b = image(1);
  if (a.isNull() || a.size() != b.size()) return {};
  QImage difference(a.size(), QImage::Format_RGB32);
  const auto strong = [](int p, int q) { return std::min(std::abs(p - q) * kStronger, 255); };
  for (int y = 0; y < a.height(); ++y) {
    const auto *p = line_of(a, y), *q = line_of(b, y);
    auto* to = reinterpret_cast<QRgb*>(difference.scanLine(y));
    for (int x = 0; x < a.width(); ++x)
      to[x] =
          qRgb(strong(qRed(p[x]), qRed(q[x])), strong(qGreen(p[x]), qGreen(q[x])), strong(qBlue(p[x]), qBlue(q[x])));
  }
  return difference;
}

std::optional<double> CompareModel::psnr() {
  const auto error = mean_squared_difference(image(0), image(1));
  if (!error || *error == 0) return std::nullopt;
  return 10 * std::log10(255.0 * 255.0 / *error);
}

bool CompareModel::equal() { return mean_squared_difference(image(0), image(1)) == 0.0; }

void CompareModel::play_pause() {
  if (timer_.isActive() || count() == 0) {
    timer_.stop();
  } else {
    timer_.start(std::max(1, static_cast<int>(std::lround(1000.0 / a_.facts()->fps))));
  }
  Q_EMIT changed();
}

void CompareModel::seek(int frame) {
  position_ = std::clamp(frame, 0, std::max(count() - 1, 0));
  Q_EMIT changed();
}

void CompareModel::step(int frames) {
  timer_.stop();
  seek(position_ + frames);
}

void CompareModel::tick() {
  if (a_.has(position_) && b_.has(position_)) seek(position_ + 1 < count() ? position_ + 1 : 0);
}

}  // namespace rubato::ui
