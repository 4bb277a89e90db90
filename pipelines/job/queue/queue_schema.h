// The tables of a queue file, version 1.
#pragma once

#include "pipelines/job/queue/migrations.h"

namespace rubato {

const Schema& queue_schema();

}  // namespace rubato
