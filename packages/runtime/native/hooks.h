/*
 * Hooks inside the container: programs of the configuration that the init runs before it changes its root
 * (createContainer) and before it becomes the container's program (startContainer).
 */
#ifndef OCI_HOOKS_H
#define OCI_HOOKS_H

#include "report.h"

#define VECTOR_OF_HOOK 1024

static i32 result_fifo = -1; /* where `start` learns that a hook failed; closed by exec, which tells it that none did */

/* The init holds the writing end alone, so that the reader sees when it is gone. */
static long step_result_fifo(const struct step *step) {
  char own[64];
  const char *path = text_field(step, FIELD_PATH);
  long result = CALL(mknodat, AT_FDCWD, path, S_IFIFO | 0600, 0);
  if (result < 0) return result;
  long both = CALL(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (both < 0) return both;
  append_number(own, sizeof own, append(own, sizeof own, 0, "self/fd/"), (u64)both);
  result = CALL(openat, proc_fd, own, O_WRONLY | O_CLOEXEC);
  CALL(close, both);
  result_fifo = result < 0 ? -1 : (i32)result;
  return result;
}

/* The state, whose process id only this process knows: as the container sees it. */
static long hook_input(const struct step *step) {
  char pid[24];
  append_number(pid, sizeof pid, 0, (u64)CALL(getpid, 0));
  const char *parts[] = {text_field(step, FIELD_TEXT), pid, text_field(step, FIELD_VALUE)};
  long memory = CALL(memfd_create, "state", MFD_CLOEXEC);
  long result = memory;
  for (usize i = 0; i < COUNT(parts) && result >= 0; i++) result = write_all((i32)memory, parts[i], text_length(parts[i]));
  if (result >= 0) result = CALL(lseek, memory, 0, 0);
  if (result < 0 && memory >= 0) CALL(close, memory);
  return result < 0 ? result : memory;
}

__attribute__((noreturn)) static void become_hook(const struct step *step, i32 input, i32 output, i32 errors) {
  static const char *vector[VECTOR_OF_HOOK];
  static const u32 names[] = {FIELD_ARGUMENT, FIELD_VARIABLE};
  usize used = 0, environment = 0;
  long result = 0;
  const char *directory = text_field(step, FIELD_SOURCE);
  for (usize list = 0; list < COUNT(names); list++) {
    environment = list == 0 ? 0 : used;
    for (const struct field *text = NULL; (text = next_field(step, text, names[list])) != NULL;) {
      if (used + 2 >= COUNT(vector)) result = -E2BIG;
      else vector[used++] = text_of(text);
    }
    vector[used++] = NULL;
  }
  u64 no_signals = 0;
  CALL(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  CALL(rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof no_signals);
  if (result >= 0) result = duplicate_to(input, 0);
  if (result >= 0) result = duplicate_to(output, 1);
  if (result >= 0) result = duplicate_to(output, 2);
  if (result >= 0) result = CALL(close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (result >= 0 && directory != NULL) result = CALL(chdir, directory);
  if (result >= 0) result = CALL(execve, text_field(step, FIELD_PATH), vector, vector + environment);
  i32 error = (i32)result;
  write_all(errors, &error, sizeof error);
  leave(127);
}

static u64 milliseconds(void) {
  struct __kernel_timespec now;
  CALL(clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
  return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

/* Waits until the hook has ended, and not for what it left behind; the first words of its output become the detail. */
static long await_hook(i32 process, i32 output, u64 limit) {
  u64 deadline = limit == 0 ? 0 : milliseconds() + limit;
  usize used = 0;
  for (int ended = 0;; ) {
    struct poll_entry entries[2] = {{.fd = output, .events = POLLIN}, {.fd = process, .events = POLLIN}};
    u64 now = deadline == 0 ? 0 : milliseconds();
    u64 left = now < deadline ? deadline - now : 0;
    struct __kernel_timespec pause = {(long long)(left / 1000), (long long)(left % 1000 * 1000000)};
    if (!ended) CALL(ppoll, entries, 2, deadline == 0 ? NULL : &pause, NULL, 0);
    ended = ended || entries[1].revents != 0;
    char chunk[256];
    long count = output < 0 ? 0 : CALL(read, output, chunk, sizeof chunk - 1);
    if (count > 0) {
      chunk[count] = 0;
      used = append(detail, sizeof detail, used, chunk);
      continue;
    }
    if (ended) return 0;
    if (count == 0) output = -1;
    if (deadline != 0 && milliseconds() >= deadline) return -ETIMEDOUT;
  }
}

static long run_hook(const struct step *step) {
  i32 output[2], errors[2], process = -1, status = 0, error = 0;
  long input = hook_input(step);
  if (input < 0) return input;
  long result = CALL(pipe2, output, O_CLOEXEC | O_NONBLOCK);
  if (result >= 0) result = CALL(pipe2, errors, O_CLOEXEC);
  if (result < 0) return result;
  CALL(fcntl, output[1], F_SETFL, O_WRONLY);
  struct clone_args clone = {.flags = CLONE_PIDFD, .pidfd = (u64)(usize)&process, .exit_signal = SIGCHLD};
  long hook = CALL(clone3, &clone, sizeof clone);
  if (hook == 0) become_hook(step, (i32)input, output[1], errors[1]);
  CALL(close, input);
  CALL(close, output[1]);
  CALL(close, errors[1]);
  result = hook;
  if (hook > 0) {
    int failed = read_all(errors[0], &error, sizeof error) >= 0;
    result = failed ? 0 : await_hook(process, output[0], number_field(step, FIELD_NUMBER));
    if (result < 0) CALL(kill, hook, SIGKILL);
    CALL(wait4, hook, &status, __WALL, NULL);
    CALL(close, process);
    if (failed) result = error;
    else if (result >= 0 && status != 0) result = -ECANCELED;
  }
  CALL(close, output[0]);
  CALL(close, errors[0]);
  failure_value = (u32)status;
  if (result >= 0) detail[0] = 0;
  return result;
}

/* After `start` nobody listens on the channel: who started reads the result, and knows hooks by their place, not steps. */
static long step_hook(const struct step *step) {
  long result = run_hook(step);
  if (result >= 0 || !created) return result;
  channel = result_fifo;
  send_message(MESSAGE_FAILED, (u32)number_field(step, FIELD_SOFT), (i32)-result, failure_value);
  leave(1);
}

#endif
