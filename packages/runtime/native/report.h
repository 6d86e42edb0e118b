/*
 * Messages: 256 bytes each, the same from the init to the monitor and from the monitor to TypeScript.
 * Whoever asked for something waits for one byte. A failing step is named by its number and errno, nothing more.
 */
#ifndef OCI_REPORT_H
#define OCI_REPORT_H

#include "plan.h"

enum message_type {
  MESSAGE_FAILED = 1,
  MESSAGE_ASK = 2,
  MESSAGE_PID = 3,
  MESSAGE_CONSOLE = 4,
  MESSAGE_CREATED = 5,
  MESSAGE_PIPES = 6,
  MESSAGE_HOOKS = 7,
  MESSAGE_EXITED = 8,
  MESSAGE_CGROUP = 9,
};

#define NO_STEP 0xffffffffU

struct message {
  u32 type, step;
  i32 error;
  u32 value;
  char detail[240];
};

enum role { ROLE_MONITOR, ROLE_JOINER, ROLE_INIT };

static enum role role = ROLE_MONITOR;
static i32 channel = -1;    /* to whom this process reports: TypeScript, or the monitor */
static i32 child_channel = -1; /* the monitor's side of its children's channel */
static i32 start_fifo = -1;
static const char *fifo_path = NULL; /* what to remove if no container is created */
static i32 proc_fd = -1;    /* the host's /proc, opened and verified before any namespace changed */
static i32 root_fd = -1;    /* the container's root, until the init closes what it does not need */
static i32 slots[SLOT_LIMIT];
/* Where the group of cgroup v2 is open that a child is cloned into, and which child; the monitor forgets it when that fails. */
static struct birthplace {
  i32 *group;
  u32 who;
} birthplace = {NULL, 0};
static long child = 0;
static int created = 0;
static u32 current_step = NO_STEP;
static char detail[240];
static u32 failure_value = 0; /* how a hook ended that failed */

static long fail_with(long error, const char *text) {
  append(detail, sizeof detail, 0, text);
  return error;
}

static void send_message(u32 type, u32 step, i32 error, u32 value) {
  struct message message = {.type = type, .step = step, .error = error, .value = value};
  append(message.detail, sizeof message.detail, 0, detail);
  detail[0] = 0;
  write_all(channel, &message, sizeof message);
}

/* What the monitor has made goes with it when no container comes of it. */
static void undo(void) {
  if (child > 0) {
    CALL(kill, child, SIGKILL);
    CALL(wait4, child, NULL, __WALL, NULL);
  }
  child = 0;
  if (fifo_path != NULL) CALL(unlinkat, AT_FDCWD, fifo_path, 0);
}

/* Ends this process, after `start` with the shell's codes for a command that cannot run. */
__attribute__((noreturn)) static void fail(long error, const char *what) {
  if (created && role == ROLE_INIT) {
    char line[512];
    usize used = append(line, sizeof line, 0, what == NULL ? "cannot start the container process" : what);
    if (error == -ENOENT) used = append(line, sizeof line, used, ": no such file or directory\n");
    else if (error == -EACCES) used = append(line, sizeof line, used, ": permission denied\n");
    else if (error == -ENOEXEC) used = append(line, sizeof line, used, ": exec format error\n");
    else {
      used = append(line, sizeof line, used, ": error ");
      used = append_number(line, sizeof line, used, (u64)-error);
      used = append(line, sizeof line, used, "\n");
    }
    CALL(write, 2, line, used);
    leave(error == -ENOENT ? 127 : 126);
  }
  if (role == ROLE_MONITOR) undo();
  send_message(MESSAGE_FAILED, current_step, (i32)-error, failure_value);
  leave(1);
}

/* Waits for the byte that answers a message; the other side being gone ends this process. */
static void await_answer(void) {
  char byte;
  if (read_all(channel, &byte, 1) < 0) {
    if (role == ROLE_MONITOR) undo();
    leave(1);
  }
}

/* One message of a child and the fd that may come with it; 0 when no child holds the channel any more. */
static long receive_message(struct message *message, i32 *fd) {
  struct iovec vector = {message, sizeof *message};
  struct control_fd control = {0};
  struct message_header header = {
      .vectors = &vector, .vector_count = 1, .control = &control, .control_length = sizeof control};
  long count;
  do count = CALL(recvmsg, child_channel, &header, MSG_CMSG_CLOEXEC);
  while (count == -EINTR);
  *fd = header.control_length >= 20 && control.type == SCM_RIGHTS ? control.fd : -1;
  if (count == 0 || count == -ECONNRESET) return 0;
  if (count < 0) return count;
  message->detail[sizeof message->detail - 1] = 0;
  return count == sizeof *message ? count : -EPROTO;
}

/* By fd through /proc, since an address holds only 107 bytes of path. */
static long connect_to(const char *path) {
  struct unix_address address = {.family = AF_UNIX};
  long file = CALL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
  if (file < 0) return file;
  append_number(address.path, sizeof address.path,
                append(address.path, sizeof address.path, 0, "/proc/self/fd/"), (u64)file);
  long socket = CALL(socket, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0);
  long result = socket < 0 ? socket : CALL(connect, socket, &address, sizeof address);
  CALL(close, file);
  if (result < 0 && socket >= 0) CALL(close, socket);
  return result < 0 ? result : socket;
}

static long send_fd(i32 socket, const void *bytes, usize length, i32 fd) {
  struct iovec vector = {(void *)(usize)bytes, length};
  struct control_fd control = {.length = 20, .level = SOL_SOCKET, .type = SCM_RIGHTS, .fd = fd};
  struct message_header header = {
      .vectors = &vector, .vector_count = 1, .control = &control, .control_length = sizeof control};
  long count = CALL(sendmsg, socket, &header, MSG_NOSIGNAL);
  return count < 0 ? count : 0;
}

#endif
