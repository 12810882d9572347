#define _GNU_SOURCE
#include "CLinuxProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs in the child between fork and exec: system calls only.
static void become(
    const char *path, char *const arguments[], char *const environment[], int log_descriptor,
    int death_signal, pid_t parent, int report) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) goto failed;
  if (dup2(null, 0) < 0) goto failed;
  int log = log_descriptor < 0 ? null : log_descriptor;
  if (dup2(log, 1) < 0 || dup2(log, 2) < 0) goto failed;
  // The report's descriptor moves to 3 so that everything behind it can be closed.
  if (report != 3) {
    if (dup3(report, 3, O_CLOEXEC) < 0) goto failed;
    report = 3;
  }
  close_range(4, ~0U, 0);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  if (prctl(PR_SET_PDEATHSIG, death_signal) < 0) goto failed;
  if (getppid() != parent) _exit(127);  // it died before the signal was armed
  execve(path, arguments, environment);
failed:;
  int number = errno;
  ssize_t ignored = write(report, &number, sizeof number);
  (void)ignored;
  _exit(127);
}

int galleonfs_spawn_bound(
    const char *path, char *const arguments[], char *const environment[], int log_descriptor,
    int death_signal) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return -errno;
  pid_t parent = getpid();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  if (child == 0)
    become(path, arguments, environment, log_descriptor, death_signal, parent, report[1]);
  int number = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  if (child > 0) {
    int found = 0;
    ssize_t count;
    do count = read(report[0], &found, sizeof found); while (count < 0 && errno == EINTR);
    if (count == sizeof found) {
      number = found;
      while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
  }
  close(report[0]);
  return number ? -number : child;
}

void galleonfs_set_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

static int signal_pipe[2] = {-1, -1};

static void note_signal(int number) {
  int before = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t ignored = write(signal_pipe[1], &byte, 1);  // full: thousands are waiting already
  (void)ignored;
  errno = before;
}

int galleonfs_catch_signals(const int *signals, int count) {
  if (signal_pipe[0] < 0) {
    if (pipe2(signal_pipe, O_CLOEXEC) < 0) return -errno;
    fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
  }
  struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
  sigfillset(&action.sa_mask);
  for (int index = 0; index < count; index++)
    if (sigaction(signals[index], &action, NULL) < 0) return -errno;
  return signal_pipe[0];
}

int galleonfs_replace_self(const char *path, char *const arguments[]) {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) return -errno;
  execv(path, arguments);
  return -errno;
}
