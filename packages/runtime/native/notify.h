/*
 * Readiness (sd_notify(3)): a container has a socket of its own, and of what it says there READY=1 alone is passed on to the
 * service manager that started the runtime.
 */
#ifndef OCI_NOTIFY_H
#define OCI_NOTIFY_H

#include "monitor.h"

#define SCM_CREDENTIALS 2
#define NOTIFICATION_LIMIT 4096
#define BARRIER_SECONDS 30

struct control_credentials {
  usize length;
  i32 level, type, pid;
  u32 uid, gid, padding;
};

/* A name that starts with "@" is an abstract one; a path is as long as an address, which its sender has to know as well. */
static long connect_datagrams(const char *name) {
  struct unix_address address = {.family = AF_UNIX};
  usize length = append(address.path, sizeof address.path, 0, name);
  if (name[length] != 0) return -ENAMETOOLONG;
  if (address.path[0] == '@') address.path[0] = 0;
  long socket = CALL(socket, AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0);
  if (socket < 0) return socket;
  long result = CALL(connect, socket, &address, sizeof address.family + length);
  if (result < 0) CALL(close, socket);
  return result < 0 ? result : socket;
}

/* In the name of the runtime, whose child this is: a manager may listen to that process alone. Only root can say so. */
static long send_text(i32 socket, const char *text) {
  struct iovec vector = {(void *)(usize)text, text_length(text)};
  struct control_credentials control = {
      .length = 28, .level = SOL_SOCKET, .type = SCM_CREDENTIALS, .pid = (i32)CALL(getppid, 0),
      .uid = (u32)CALL(getuid, 0), .gid = (u32)CALL(getgid, 0)};
  struct message_header header = {
      .vectors = &vector, .vector_count = 1, .control = &control, .control_length = sizeof control};
  long count = CALL(sendmsg, socket, &header, MSG_NOSIGNAL);
  if (count == -EPERM || count == -EINVAL || count == -ESRCH) {
    header.control = NULL;
    header.control_length = 0;
    count = CALL(sendmsg, socket, &header, MSG_NOSIGNAL);
  }
  return count < 0 ? count : 0;
}

/* The manager closes the descriptor when it has dealt with what was said before; until then the sender must not end. */
static void await_barrier(i32 socket) {
  i32 ends[2];
  struct __kernel_timespec limit = {BARRIER_SECONDS, 0};
  if (CALL(pipe2, ends, O_CLOEXEC) < 0) return;
  long result = send_fd(socket, "BARRIER=1", 9, ends[1]);
  CALL(close, ends[1]);
  struct poll_entry entry = {.fd = ends[0]};
  if (result >= 0) CALL(ppoll, &entry, 1, &limit, NULL, 0);
  CALL(close, ends[0]);
}

static int says_ready(const char *text, usize length) {
  static const char ready[] = "READY=1";
  for (usize at = 0; at + sizeof ready - 1 <= length; at++) {
    usize end = at + sizeof ready - 1;
    int is_line = (at == 0 || text[at - 1] == '\n') && (end == length || text[end] == '\n');
    if (is_line && memcmp(text + at, ready, sizeof ready - 1) == 0) return 1;
  }
  return 0;
}

/* With a process id, the manager learns whom it shall look after from now on. */
static long announce(const struct step *step) {
  char text[64];
  u64 pid = number_field(step, FIELD_NUMBER);
  usize used = append(text, sizeof text, 0, "READY=1\n");
  if (pid != 0) {
    used = append(text, sizeof text, used, "MAINPID=");
    append(text, sizeof text, append_number(text, sizeof text, used, pid), "\n");
  }
  long socket = connect_datagrams(text_field(step, FIELD_SOURCE));
  if (socket < 0) return socket;
  long result = send_text((i32)socket, text);
  if (result >= 0 && pid != 0) await_barrier((i32)socket);
  CALL(close, socket);
  return result;
}

/* The container's side, which anyone in it may write to. */
static long bind_notifications(i32 directory, const char *name) {
  struct unix_address address = {.family = AF_UNIX};
  usize used = append(address.path, sizeof address.path, 0, "/proc/self/fd/");
  used = append_number(address.path, sizeof address.path, used, (u64)directory);
  used = append(address.path, sizeof address.path, used, "/");
  append(address.path, sizeof address.path, used, name);
  long socket = CALL(socket, AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0);
  if (socket < 0) return socket;
  CALL(unlinkat, directory, name, 0);
  CALL(umask, 0);
  long result = CALL(bind, socket, &address, sizeof address);
  if (result < 0) CALL(close, socket);
  return result < 0 ? result : socket;
}

/* Tells TypeScript that the socket is there, then waits for the container to be ready, or to end. */
static long step_notify(const struct step *step) {
  static char text[NOTIFICATION_LIMIT];
  const char *name = text_field(step, FIELD_TEXT);
  long directory = CALL(openat, AT_FDCWD, text_field(step, FIELD_PATH), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return directory;
  long socket = bind_notifications((i32)directory, name), result = socket;
  if (socket >= 0) ask_host(MESSAGE_HOOKS);
  while (result >= 0) {
    struct poll_entry entries[3] = {{.fd = (i32)socket, .events = POLLIN},
                                    {.fd = slots[number_field(step, FIELD_SLOT)], .events = POLLIN},
                                    {.fd = channel, .events = 0}};
    CALL(ppoll, entries, COUNT(entries), NULL, NULL, 0);
    if (entries[2].revents != 0) result = -ECANCELED;
    else if (entries[0].revents != 0) {
      long length = CALL(recvfrom, socket, text, sizeof text, MSG_DONTWAIT, NULL, NULL);
      if (length < 0 || !says_ready(text, (usize)length)) continue;
      result = announce(step);
      break;
    } else if (entries[1].revents != 0) {
      break;
    }
  }
  CALL(unlinkat, directory, name, 0);
  CALL(close, directory);
  if (socket >= 0) CALL(close, socket);
  return result;
}

#endif
