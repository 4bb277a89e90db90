// The worker's side of the protocol: one job at a time, from a client's socket.
//
// Threads: the caller's reads messages; one thread runs the job; one beats each second, so that a long step does not
// look like a hang. Ends when the client quits or goes away. After a CUDA error that leaves the context unusable the
// process ends at once with status 70, since nothing later in it could be trusted; the client starts a new one.
#pragma once

#include "engine/files/model_scan.h"
#include "pipelines/job/channel.h"

namespace rubato {

inline constexpr int kFatalDeviceStatus = 70;

// The process's exit status: 0 after quit or when the client has gone, 1 when the client does not speak the protocol.
int serve_worker(Channel channel, const ModelFolders& models);

}  // namespace rubato
