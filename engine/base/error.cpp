#include "engine/base/error.h"

#include <array>

namespace rubato {
namespace {

struct CodeRow {
  ErrorCode code;
  std::string_view name;
  int exit_code;
};

constexpr std::array kCodes{
    CodeRow{ErrorCode::Internal, "internal", 1},
    CodeRow{ErrorCode::Failed, "failed", 1},
    CodeRow{ErrorCode::Usage, "usage", 2},
    CodeRow{ErrorCode::JobInvalid, "job_invalid", 3},
    CodeRow{ErrorCode::ModelMissing, "model_missing", 4},
    CodeRow{ErrorCode::ModelUnfit, "model_unfit", 4},
    CodeRow{ErrorCode::OutOfMemory, "out_of_memory", 5},
    CodeRow{ErrorCode::OutputExists, "output_exists", 6},
    CodeRow{ErrorCode::EngineDied, "engine_died", 7},
    CodeRow{ErrorCode::NoDevice, "no_device", 8},
    CodeRow{ErrorCode::TimeLimit, "time_limit", 9},
    CodeRow{ErrorCode::Locked, "locked", 10},
    CodeRow{ErrorCode::VerifyMismatch, "verify_mismatch", 11},
    CodeRow{ErrorCode::CannotWrite, "cannot_write", 73},
    CodeRow{ErrorCode::CannotRead, "cannot_read", 2},
    CodeRow{ErrorCode::Corrupt, "corrupt", 2},
    CodeRow{ErrorCode::Numerics, "numerics", 1},
    CodeRow{ErrorCode::Cancelled, "cancelled", 130},
    CodeRow{ErrorCode::Terminated, "terminated", 143},
};

const CodeRow& row(ErrorCode code) {
  for (const auto& r : kCodes)
    if (r.code == code) return r;
  return kCodes[0];
}

}  // namespace

std::string_view code_name(ErrorCode code) { return row(code).name; }

ErrorCode code_from_name(std::string_view name) {
  for (const auto& r : kCodes)
    if (r.name == name) return r.code;
  return ErrorCode::Internal;
}

int exit_code(ErrorCode code) { return row(code).exit_code; }

}  // namespace rubato
