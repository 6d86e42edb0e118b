/*
 * What the monitor does in the host for the container: pipes, id maps, cgroups, limits, the exit file.
 */
#ifndef OCI_MONITOR_H
#define OCI_MONITOR_H

#include "terminal.h"

static i32 container_stdio[3] = {-1, -1, -1};
static i32 far_ends[3] = {-1, -1, -1};
static const struct step *exit_file = NULL;

/*
 * Real pipes, not the socket pairs that Node makes: a container opens /dev/stdout again, which a socket refuses.
 * TypeScript opens the far ends through /proc/PID/fd, answers, and owns them from then on.
 */
static long step_pipes(const struct step *step) {
  usize used = 0;
  for (i32 fd = 0; fd < 3; fd++) {
    i32 ends[2];
    if ((number_field(step, FIELD_FLAGS) >> fd & 1) == 0) continue;
    long result = CALL(pipe2, ends, O_CLOEXEC);
    if (result < 0) return result;
    container_stdio[fd] = ends[fd == 0 ? 0 : 1];
    far_ends[fd] = ends[fd == 0 ? 1 : 0];
    used = append_number(detail, sizeof detail, used, (u64)far_ends[fd]);
    used = append(detail, sizeof detail, used, " ");
  }
  send_message(MESSAGE_PIPES, current_step, 0, (u32)CALL(getpid, 0));
  await_answer();
  for (i32 fd = 0; fd < 3; fd++) close_fd(&far_ends[fd]);
  return 0;
}

static long step_fifo(const struct step *step) {
  const char *path = text_field(step, FIELD_PATH);
  long result = CALL(mknodat, AT_FDCWD, path, S_IFIFO | 0600, 0);
  if (result < 0) return result;
  fifo_path = path;
  result = CALL(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  start_fifo = result < 0 ? -1 : (i32)result;
  return result;
}

static long write_child_file(const char *name, const char *text) {
  char path[64];
  append(path, sizeof path, append_number(path, sizeof path, 0, (u64)child), name);
  return write_file(proc_fd, path, text, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static long step_id_maps(const struct step *step) {
  const char *uids = text_field(step, FIELD_UID_MAP), *gids = text_field(step, FIELD_GID_MAP);
  long result = 0;
  if (number_field(step, FIELD_FLAGS) == FLAG_DENY_GROUPS) result = write_child_file("/setgroups", "deny");
  if (result >= 0 && gids != NULL) result = write_child_file("/gid_map", gids);
  return result < 0 || uids == NULL ? result : write_child_file("/uid_map", uids);
}

/* newuidmap or newgidmap: set-uid programs that may map the ranges of /etc/subuid. What they complain of is the detail. */
static long step_id_map_helper(const struct step *step) {
  const char *arguments[512];
  const char *environment[] = {NULL};
  char pid[24];
  i32 ends[2], status = 0;
  usize count = 2;
  append_number(pid, sizeof pid, 0, (u64)child);
  arguments[0] = text_field(step, FIELD_PATH);
  arguments[1] = pid;
  for (const struct field *text = NULL; (text = next_field(step, text, FIELD_ARGUMENT)) != NULL;) {
    if (count + 1 >= COUNT(arguments)) return -E2BIG;
    arguments[count++] = text_of(text);
  }
  arguments[count] = NULL;
  long result = CALL(pipe2, ends, O_CLOEXEC);
  if (result < 0) return result;
  struct clone_args clone = {.exit_signal = SIGCHLD};
  long helper = CALL(clone3, &clone, sizeof clone);
  if (helper == 0) {
    u64 no_signals = 0;
    CALL(rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof no_signals);
    duplicate_to(ends[1], 1);
    duplicate_to(ends[1], 2);
    leave(CALL(execve, arguments[0], arguments, environment) == -ENOENT ? 127 : 126);
  }
  CALL(close, ends[1]);
  usize used = 0;
  for (long length = 1; helper > 0 && length > 0 && used < sizeof detail - 1;) {
    length = CALL(read, ends[0], detail + used, sizeof detail - 1 - used);
    if (length > 0) used += (usize)length;
  }
  CALL(close, ends[0]);
  if (helper < 0) return helper;
  result = CALL(wait4, helper, &status, 0, NULL);
  if (result >= 0 && status == 0) {
    detail[0] = 0;
    return 0;
  }
  detail[used] = 0;
  return status == 127 << 8 ? -ENOENT : -EPERM;
}

static long step_write_child_proc(const struct step *step) {
  return write_child_file(text_field(step, FIELD_PATH), text_field(step, FIELD_VALUE));
}

/* Only lowering needs a privilege; asking for what is there already is no failure. */
static long step_oom_score(const struct step *step) {
  char path[64], text[16];
  const char *wanted = text_field(step, FIELD_VALUE);
  long result = write_child_file("/oom_score_adj", wanted);
  if (result != -EACCES && result != -EPERM) return result;
  append(path, sizeof path, append_number(path, sizeof path, 0, (u64)child), "/oom_score_adj");
  long fd = CALL(openat, proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return result;
  long length = CALL(read, fd, text, sizeof text - 1);
  CALL(close, fd);
  int same = length == (long)text_length(wanted) + 1 && memcmp(text, wanted, (usize)length - 1) == 0;
  return same ? 0 : result;
}

/*
 * A door by which the process comes into a group itself; one that cannot be opened leaves it to `step_join_cgroup`. A group
 * of v2 is the directory that a child is cloned into, one of v1 the file that the child writes to.
 */
static long step_open_cgroup(const struct step *step) {
  u32 flags = (u32)number_field(step, FIELD_FLAGS);
  i32 *slot = &slots[number_field(step, FIELD_SLOT)];
  long kind = flags == 0 ? O_WRONLY | O_NOCTTY : O_PATH | O_DIRECTORY;
  long fd = CALL(openat, AT_FDCWD, text_field(step, FIELD_PATH), kind | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  *slot = (i32)fd;
  if (flags != 0) birthplace = (struct birthplace){slot, flags};
  return 0;
}

/* For a single thread that names itself the kernel does not wait until no process forks. */
static long step_enter_cgroup(const struct step *step) {
  i32 *fd = &slots[number_field(step, FIELD_SLOT)];
  long result = *fd < 0 ? 0 : write_all(*fd, "0", 1);
  close_fd(fd);
  return result;
}

/*
 * What the process has not done itself. A v2 group that was given groups of its own takes no processes any more: then
 * another one may be named.
 */
static long step_join_cgroup(const struct step *step) {
  char pid[24];
  i32 *door = next_field(step, NULL, FIELD_SLOT) == NULL ? NULL : &slots[number_field(step, FIELD_SLOT)];
  if (door != NULL && *door >= 0) {
    close_fd(door);
    return 0;
  }
  const char *other = text_field(step, FIELD_SOURCE);
  append_number(pid, sizeof pid, 0, (u64)child);
  long result = write_file(AT_FDCWD, text_field(step, FIELD_PATH), pid, 0);
  return result == -EBUSY && other != NULL ? write_file(AT_FDCWD, other, pid, 0) : result;
}

static long step_resource_limit(const struct step *step) {
  u64 limits[2] = {number_field(step, FIELD_SOFT), number_field(step, FIELD_HARD)};
  return CALL(prlimit64, child, number_field(step, FIELD_NUMBER), limits, NULL);
}

/* Something about the new process that TypeScript does. */
static long ask_host(u32 type) {
  send_message(type, current_step, 0, (u32)child);
  await_answer();
  return 0;
}

/* A process in new namespaces that does nothing, until its end of the channel is closed. */
static long start_holder(u64 namespaces, i32 *end) {
  i32 ends[2];
  char byte;
  long result = CALL(socketpair, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, ends);
  if (result < 0) return result;
  struct clone_args clone = {.flags = namespaces, .exit_signal = SIGCHLD};
  long holder = CALL(clone3, &clone, sizeof clone);
  if (holder == 0) {
    CALL(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
    CALL(close, ends[1]);
    write_all(ends[0], "", 1);
    read_all(ends[0], &byte, 1);
    leave(0);
  }
  CALL(close, ends[0]);
  *end = ends[1];
  if (holder < 0) CALL(close, ends[1]);
  else read_all(ends[1], &byte, 1); /* from now on its files in /proc can be opened */
  return holder;
}

static void end_holder(long holder, i32 end) {
  CALL(close, end);
  CALL(wait4, holder, NULL, 0, NULL);
}

static long open_of_process(long pid, const char *name, u64 flags) {
  char path[64];
  append(path, sizeof path, append_number(path, sizeof path, 0, (u64)pid), name);
  return CALL(openat, proc_fd, path, flags | O_CLOEXEC);
}

/* A user namespace with given maps and no process in it, for id-mapped mounts. */
static long step_user_namespace(const struct step *step) {
  i32 end;
  long container = child, holder = start_holder(CLONE_NEWUSER, &end);
  if (holder < 0) return holder;
  child = holder;
  long result = step_id_maps(step);
  child = container;
  if (result >= 0) result = open_of_process(holder, "/ns/user", O_RDONLY);
  if (result >= 0) slots[number_field(step, FIELD_SLOT)] = (i32)result;
  end_holder(holder, end);
  return result < 0 ? result : 0;
}

static i32 host_view[2] = {-1, -1}; /* the mount namespace and the root that the monitor comes back to */

static long open_view(long pid, i32 view[2]) {
  view[0] = (i32)open_of_process(pid, "/ns/mnt", O_RDONLY);
  view[1] = (i32)open_of_process(pid, "/root", O_PATH | O_DIRECTORY);
  return view[0] < 0 ? view[0] : view[1];
}

static long enter_view(i32 view[2]) {
  long result = CALL(setns, view[0], CLONE_NEWNS);
  if (result >= 0) result = CALL(fchdir, view[1]);
  if (result >= 0) result = CALL(chroot, ".");
  close_fd(&view[0]);
  close_fd(&view[1]);
  return result;
}

/*
 * The host's mounts as a new user namespace sees them: what is forbidden there is locked, also in clones, so that the root of
 * a container cannot take it back; and nothing is shared with the host, to which it could propagate.
 */
static long step_locked_view(const struct step *step) {
  i32 end, view[2];
  if (number_field(step, FIELD_FLAGS) != FLAG_ENTER) return enter_view(host_view);
  long result = open_view(CALL(getpid, 0), host_view);
  if (result < 0) return result;
  long holder = start_holder(CLONE_NEWUSER | CLONE_NEWNS, &end);
  if (holder < 0) return holder;
  result = open_view(holder, view);
  if (result >= 0) result = enter_view(view);
  end_holder(holder, end);
  return result;
}

/* {"exitCode":C,"signal":S}, complete or not there at all. Nobody may wait for it any more: then its directory is gone. */
static void write_exit_file(u32 code, u32 signal) {
  char text[64];
  if (exit_file == NULL) return;
  const char *temporary = text_field(exit_file, FIELD_SOURCE);
  long fd = CALL(openat, AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  usize used = append_number(text, sizeof text, append(text, sizeof text, 0, "{\"exitCode\":"), code);
  used = append_number(text, sizeof text, append(text, sizeof text, used, ",\"signal\":"), signal);
  used = append(text, sizeof text, used, "}\n");
  long result = write_all((i32)fd, text, used);
  CALL(close, fd);
  if (result >= 0) CALL(renameat2, AT_FDCWD, temporary, AT_FDCWD, text_field(exit_file, FIELD_PATH), 0);
}

#endif
