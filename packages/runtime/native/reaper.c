/*
 * oci-reaper: process 1 of a container that asks for one (`oci run --init`).
 *
 *   oci-reaper COMMAND [ARGUMENT...]
 *
 * Starts the command, passes every signal on to it, waits for all processes whose parents are gone, and ends as the command
 * ends: with its exit code, or 128 and the signal's number. 127 when the command is not there, 126 when it cannot be
 * executed. With process 1 the kernel ends what else is left in the container.
 */
#include "kernel.h"
#include "program.h"

static const u64 all_signals = ~0ULL;

static void complain(const char *command, const char *reason) {
  char line[512];
  usize used = append(line, sizeof line, 0, "oci-reaper: cannot run ");
  used = append(line, sizeof line - 64, used, command);
  used = append(line, sizeof line, used, reason);
  write_all(2, line, used);
}

static int has_slash(const char *text) {
  for (; *text != 0; text++)
    if (*text == '/') return 1;
  return 0;
}

static const char *search_path(char **environment) {
  for (; *environment != NULL; environment++)
    if (text_length(*environment) >= 5 && memcmp(*environment, "PATH=", 5) == 0) return *environment + 5;
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Tries the command in every directory of the path, as a shell does; returns the errno that tells most. */
static long execute(char **command, char **environment) {
  static char candidate[PATH_LIMIT];
  if (has_slash(command[0])) return CALL(execve, command[0], command, environment);
  long result = -ENOENT;
  for (const char *path = search_path(environment); result != 0;) {
    usize length = 0;
    while (path[length] != 0 && path[length] != ':') length++;
    usize used = 0;
    if (length + text_length(command[0]) + 2 < sizeof candidate) {
      memcpy(candidate, path, length);
      used = length;
      if (length > 0) used = append(candidate, sizeof candidate, used, "/");
      append(candidate, sizeof candidate, used, command[0]);
      long error = CALL(execve, candidate, command, environment);
      if (error != -ENOENT && error != -ENOTDIR) result = error;
    }
    if (path[length] == 0) break;
    path += length + 1;
  }
  return result;
}

/* The command has a process group of its own, which its terminal belongs to: its keys are not ours. */
__attribute__((noreturn)) static void become_command(char **command, char **environment, u64 mask) {
  i32 group = (i32)CALL(getpid, 0);
  CALL(setpgid, 0, 0);
  CALL(ioctl, 0, TIOCSPGRP, &group);
  CALL(rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
  int is_missing = execute(command, environment) == -ENOENT;
  complain(command[0], is_missing ? ": it is not there\n" : ": it cannot be executed\n");
  leave(is_missing ? 127 : 126);
}

/* Waits for all that have ended. Returns the exit code of the command once it was among them, else -1. */
static int reap(long command) {
  int code = -1;
  for (;;) {
    i32 status = 0;
    long pid = CALL(wait4, -1, &status, WNOHANG, NULL);
    if (pid == -EINTR) continue;
    if (pid <= 0) return code;
    u32 signal = (u32)status & 0x7f;
    if (pid == command) code = signal != 0 ? (int)(128 + signal) : (int)((u32)status >> 8 & 0xff);
  }
}

__attribute__((noreturn)) static void begin(int count, char **arguments, char **environment) {
  u64 mask = 0;
  if (count < 2) {
    complain("nothing", ": no command was given\n");
    leave(127);
  }
  CALL(rt_sigprocmask, SIG_SETMASK, &all_signals, &mask, sizeof mask);
  /* Not sigtimedwait: while that waits, the signals do not count as blocked to who asks whether this process takes them. */
  long signals = CALL(signalfd4, -1, &all_signals, sizeof all_signals, O_CLOEXEC);
  if (signals < 0) {
    complain(arguments[1], ": signals cannot be waited for\n");
    leave(126);
  }
  /* Where the container shares its processes with the host, this is not process 1. */
  CALL(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  long command = CALL(clone, SIGCHLD, 0, 0, 0, 0);
  if (command == 0) become_command(arguments + 1, environment, mask);
  if (command < 0) {
    complain(arguments[1], ": no process could be made\n");
    leave(126);
  }
  for (;;) {
    struct signalfd_siginfo got;
    if (CALL(read, signals, &got, sizeof got) != sizeof got) continue;
    if (got.ssi_signo == SIGCHLD) {
      int code = reap(command);
      if (code >= 0) leave(code);
    } else if (got.ssi_signo != SIGTTIN && got.ssi_signo != SIGTTOU) {
      CALL(kill, command, got.ssi_signo);
    }
  }
}

/* `stack` holds argc, argv and the environment. */
__attribute__((noreturn, used, no_stack_protector)) void entry(unsigned long *stack) {
  prepare_program(stack);
  char **arguments = (char **)(stack + 1);
  begin((int)stack[0], arguments, arguments + stack[0] + 1);
}
