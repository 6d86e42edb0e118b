/*
 * Checkpoints: a conversation with criu (its RPC, over the socket of `criu swrk`). TypeScript encodes the request; here it
 * is passed on, criu's questions are answered, and of the answers no more is read than what decides.
 */
#ifndef OCI_CRIU_H
#define OCI_CRIU_H

#include "monitor.h"

#define ANSWER_LIMIT (64 << 10)
/* Descriptors of this process, which the request names by these numbers. */
enum criu_fd { CRIU_IMAGES = 900, CRIU_WORK = 901, CRIU_SOCKET = 902, CRIU_INHERITED = 910 };
enum criu_type { CRIU_NOTIFY = 6 };

/* Of criu_resp what concerns us. */
struct criu_answer {
  u64 type, success, error, pid;
  char script[64];
};

/* A number of protobuf; 0 moves nothing when the bytes end early. */
static const u8 *read_varint(const u8 *at, const u8 *end, u64 *value) {
  *value = 0;
  for (u32 shift = 0; at != NULL && at < end && shift < 64; shift += 7) {
    *value |= (u64)(*at & 0x7f) << shift;
    if ((*at++ & 0x80) == 0) return at;
  }
  return NULL;
}

/* Fields of a message, those of the messages for restore and notify included: their numbers are told apart by `outer`. */
static const u8 *read_answer(const u8 *at, const u8 *end, u64 outer, struct criu_answer *answer) {
  while (at != NULL && at < end) {
    u64 key, value;
    at = read_varint(at, end, &key);
    if (at == NULL) return NULL;
    u64 field = key >> 3;
    if ((key & 7) == 0) {
      at = read_varint(at, end, &value);
      if (outer == 0 && field == 1) answer->type = value;
      if (outer == 0 && field == 2) answer->success = value;
      if (outer == 0 && field == 7) answer->error = value;
      if ((outer == 4 && field == 1) || (outer == 5 && field == 2)) answer->pid = value;
      continue;
    }
    if ((key & 7) != 2) return NULL;
    at = read_varint(at, end, &value);
    if (at == NULL || value > (u64)(end - at)) return NULL;
    if (outer == 0 && (field == 4 || field == 5) && read_answer(at, at + value, field, answer) == NULL) return NULL;
    char *text = outer == 5 && field == 1 ? answer->script : outer == 0 && field == 9 ? detail : NULL;
    usize limit = text == detail ? sizeof detail : sizeof answer->script;
    for (usize i = 0; text != NULL && i < limit; i++) text[i] = i < value && i + 1 < limit ? (char)at[i] : 0;
    at += value;
  }
  return at;
}

/* One answer, and the terminal that may come with it; TypeScript hanging up ends everything. */
static long receive_answer(i32 socket, struct criu_answer *answer, i32 *fd) {
  static u8 bytes[ANSWER_LIMIT];
  struct poll_entry entries[2] = {{.fd = socket, .events = POLLIN}, {.fd = channel, .events = 0}};
  do CALL(ppoll, entries, 2, NULL, NULL, 0);
  while (entries[0].revents == 0 && (entries[1].revents & (POLLHUP | POLLERR)) == 0);
  if (entries[0].revents == 0) return -ECANCELED;
  struct iovec vector = {bytes, sizeof bytes};
  struct control_fd control = {0};
  struct message_header header = {
      .vectors = &vector, .vector_count = 1, .control = &control, .control_length = sizeof control};
  long count = CALL(recvmsg, socket, &header, MSG_CMSG_CLOEXEC);
  *fd = header.control_length >= 20 && control.type == SCM_RIGHTS ? control.fd : -1;
  if (count <= 0) return count < 0 ? count : -EPIPE;
  memset(answer, 0, sizeof *answer);
  return read_answer(bytes, bytes + count, 0, answer) == NULL ? -EPROTO : 0;
}

/* In criu's own words: notify, with the answer yes. */
static const u8 yes[] = {1 << 3, CRIU_NOTIFY, 3 << 3, 1};

static long converse(i32 socket, struct criu_answer *answer) {
  for (;;) {
    i32 fd = -1;
    long result = receive_answer(socket, answer, &fd);
    if (result < 0) return result;
    if (answer->type != CRIU_NOTIFY) break;
    if (fd >= 0) {
      struct message message = {.type = MESSAGE_CONSOLE};
      append(message.detail, sizeof message.detail, 0, "/dev/pts/0");
      result = accept_console(fd, &message, (HEADER->flags & PLAN_RELAY) != 0);
    } else if (memcmp(answer->script, "setup-namespaces", sizeof "setup-namespaces") == 0) {
      i32 criu = (i32)child;
      child = (i32)answer->pid;
      ask_host(MESSAGE_HOOKS);
      child = criu;
    }
    if (result >= 0) result = CALL(sendto, socket, yes, sizeof yes, MSG_NOSIGNAL, NULL, 0);
    if (result < 0) return result;
  }
  if (answer->success != 0) return 0;
  return answer->error == 0 || answer->error > 4095 ? -EIO : -(long)answer->error;
}

static long open_to(const char *path, u64 flags, i32 to) {
  long fd = CALL(openat, AT_FDCWD, path, flags | O_CLOEXEC);
  if (fd < 0) return fd;
  long result = CALL(dup3, fd, to, flags & O_CLOEXEC);
  CALL(close, fd);
  return result;
}

__attribute__((noreturn)) static void become_criu(const struct step *step, i32 socket) {
  static const char *vector[64];
  static const char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  usize used = 0;
  u64 no_signals = 0;
  for (const struct field *text = NULL; (text = next_field(step, text, FIELD_ARGUMENT)) != NULL;)
    if (used + 1 < COUNT(vector)) vector[used++] = text_of(text);
  CALL(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  CALL(rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof no_signals);
  long result = CALL(dup3, socket, CRIU_SOCKET, 0);
  if (result >= 0) result = CALL(execve, text_field(step, FIELD_PATH), vector, environment);
  leave(result == -ENOENT ? 127 : 126);
}

/* Starts criu in the container's cgroups, so that what it restores is there, and leaves with what became of it. */
static long step_criu(const struct step *step) {
  i32 ends[2], inherited = CRIU_INHERITED;
  struct criu_answer answer = {0};
  const struct field *request = next_field(step, NULL, FIELD_BYTES);
  if (request == NULL) return -EINVAL;
  long result = open_to(text_field(step, FIELD_SOURCE), O_RDONLY | O_DIRECTORY | O_CLOEXEC, CRIU_IMAGES);
  if (result >= 0) result = open_to(text_field(step, FIELD_VALUE), O_RDONLY | O_DIRECTORY | O_CLOEXEC, CRIU_WORK);
  for (const struct field *path = NULL; result >= 0 && (path = next_field(step, path, FIELD_KEY)) != NULL;) {
    result = open_to(text_of(path), O_RDONLY, inherited);
    inherited++;
  }
  if (result >= 0) result = CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, ends);
  if (result < 0) return result;
  struct clone_args clone = {.exit_signal = SIGCHLD};
  child = CALL(clone3, &clone, sizeof clone);
  if (child == 0) become_criu(step, ends[1]);
  CALL(close, ends[1]);
  if (child < 0) return child;
  run_section((u32)number_field(step, FIELD_NUMBER));
  result = CALL(sendto, ends[0], request + 1, request->length, MSG_NOSIGNAL, NULL, 0);
  if (result >= 0) result = converse(ends[0], &answer);
  CALL(close, ends[0]);
  if (result == -ECANCELED) CALL(kill, child, SIGKILL);
  i32 status = 0;
  CALL(wait4, child, &status, __WALL, NULL);
  child = result < 0 ? 0 : (i32)answer.pid;
  if (result == -EPIPE && status == 127 << 8) result = fail_with(-ENOENT, "criu cannot be executed");
  return result;
}

#endif
