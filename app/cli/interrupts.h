// Interrupts: Ctrl-C and SIGTERM as something a loop can wait for.
//
// The first Ctrl-C asks to stop after the current step, the second to stop at once, the third ends the program in the
// signal handler itself (exit 130), whatever the program is doing. SIGTERM counts as one polite request.
#pragma once

namespace rubato::cli {

class Interrupts {
 public:
  // Installs the handlers; one object at a time. They stay when the object goes, so that a Ctrl-C in the program's last
  // moments still gives exit 130 and not a death by signal.
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int fd() const { return read_fd_; }  // readable after a signal
  void drain();                        // empties fd()
  int interrupts() const;              // Ctrl-C so far
  bool terminated() const;             // SIGTERM (or SIGHUP) came

 private:
  int read_fd_ = -1, write_fd_ = -1;
};

}  // namespace rubato::cli
