#include "pipelines/runner/job_events.h"

#include <span>

#include "pipelines/job/channel.h"

namespace rubato {
using namespace std::chrono_literals;

void JobEvents::phase(const std::string& name, std::int64_t total) { send_(protocol::Phase{id_, name, total}, -1); }

void JobEvents::progress(const Progress& p) {
  const auto now = Clock::now();
  if (now - last_progress_ < 50ms && p.done < p.total) return;
  last_progress_ = now;
  send_(protocol::Progress{id_, p.phase, p.done, p.total, p.fraction, p.eta_s, p.eta_lo_s, p.eta_hi_s}, -1);
}

void JobEvents::warn(const std::string& code, const std::string& message) {
  send_(protocol::Warn{id_, code, message}, -1);
}

void JobEvents::metric(const std::string& name, double value) { send_(protocol::Metric{id_, name, value}, -1); }

void JobEvents::checkpoint(int step, const std::string& path) { send_(protocol::Checkpoint{id_, step, path}, -1); }

void JobEvents::preview(int step, const at::Tensor& rgb) {
  const auto now = Clock::now();
  if (now - last_preview_ < 250ms) return;
  last_preview_ = now;
  const auto bytes =
      std::as_bytes(std::span(rgb.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(rgb.numel())));
  const auto memfd = make_memfd(bytes);
  if (!memfd) return;  // a preview is a courtesy; the job goes on without
  protocol::Preview message{id_, step, static_cast<int>(rgb.size(2)), static_cast<int>(rgb.size(1)),
                            static_cast<int>(rgb.size(0))};
  send_(message, memfd->get());
}

}  // namespace rubato
