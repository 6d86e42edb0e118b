/*
 * What makes a process a container process: namespaces, identity, privileges, and at last the exec.
 */
#ifndef OCI_PROCESS_H
#define OCI_PROCESS_H

#include "hooks.h"
#include "listener.h"

static const char *executable = NULL;
static int directory_changed = 0;

/* O_NONBLOCK: a fifo in place of a namespace must not hang the monitor. */
static long step_open_namespace(const struct step *step) {
  long fd = CALL(openat, AT_FDCWD, text_field(step, FIELD_PATH), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fd;
  if (filesystem_of((i32)fd) != NSFS_MAGIC) return fail_with(-EINVAL, "not a namespace");
  if (CALL(ioctl, fd, NS_GET_NSTYPE) != (long)number_field(step, FIELD_NUMBER))
    return fail_with(-EINVAL, "a namespace of another type");
  slots[number_field(step, FIELD_SLOT)] = (i32)fd;
  return 0;
}

/* Some namespaces can be joined only after the user namespace that owns them: the plan then tries twice. */
static long step_set_namespace(const struct step *step) {
  i32 *fd = &slots[number_field(step, FIELD_SLOT)];
  if (*fd < 0) return 0;
  long result = CALL(setns, *fd, number_field(step, FIELD_NUMBER));
  if (result == -EPERM && number_field(step, FIELD_FLAGS) == FLAG_OPTIONAL) return 0;
  close_fd(fd);
  return result;
}

/* Field 22 of /proc/PID/stat; the command, which may hold anything, ends with the last parenthesis. */
static u64 start_time_of(const char *text, usize length) {
  u64 number = 0;
  usize at = length;
  while (at > 0 && text[at - 1] != ')') at--;
  for (u32 spaces = 0; at < length && spaces < 20; at++) spaces += text[at] == ' ';
  for (; at < length && text[at] >= '0' && text[at] <= '9'; at++) number = number * 10 + (u64)(text[at] - '0');
  return number;
}

/* A running container's first process. Its id may be another's by now: opened first and compared then, it is the one meant. */
static long step_open_target(const struct step *step) {
  char path[64], text[1024];
  u64 pid = number_field(step, FIELD_NUMBER);
  long target = CALL(pidfd_open, pid, 0);
  if (target < 0) return target;
  slots[number_field(step, FIELD_SLOT)] = (i32)target;
  append(path, sizeof path, append_number(path, sizeof path, 0, pid), "/stat");
  long file = CALL(openat, proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return file == -ENOENT ? -ESRCH : file;
  long length = CALL(read, file, text, sizeof text);
  CALL(close, file);
  if (length < 0) return length;
  return start_time_of(text, (usize)length) == number_field(step, FIELD_SOFT) ? 0 : -ESRCH;
}

/* All at once: the kernel checks the rights to each before it changes any. "/" is the container's root afterwards. */
static long step_join_target(const struct step *step) {
  i32 *target = &slots[number_field(step, FIELD_SLOT)];
  long result = CALL(setns, *target, number_field(step, FIELD_FLAGS));
  close_fd(target);
  if (result < 0 || (number_field(step, FIELD_FLAGS) & CLONE_NEWNS) == 0) return result;
  result = CALL(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  root_fd = result < 0 ? -1 : (i32)result;
  return result;
}

/* The kernel leaves out processors that the group may not use; a machine with more than these keeps the rest free. */
static long step_affinity(const struct step *step) {
  const struct field *mask = next_field(step, NULL, FIELD_BYTES);
  if (mask == NULL) return -EINVAL;
  long result = CALL(sched_setaffinity, 0, mask->length, mask + 1);
  return result == -EINVAL && number_field(step, FIELD_FLAGS) == FLAG_OPTIONAL ? 0 : result;
}

static long step_become_root(void) {
  long result = CALL(setresgid, 0, 0, 0);
  return result < 0 ? result : CALL(setresuid, 0, 0, 0);
}

static long step_loopback(void) {
  struct interface_request request = {.name = "lo"};
  long socket = CALL(socket, AF_INET, SOCK_DGRAM | O_CLOEXEC, 0);
  if (socket < 0) return socket;
  long result = CALL(ioctl, socket, SIOCGIFFLAGS, &request);
  request.flags |= IFF_UP;
  if (result >= 0) result = CALL(ioctl, socket, SIOCSIFFLAGS, &request);
  CALL(close, socket);
  return result;
}

/* Kernels and sandboxes without keyrings, and a used-up quota, leave the caller's keyring in place, as runc does. */
static long step_keyring(const struct step *step) {
  long result = CALL(keyctl, KEYCTL_JOIN_SESSION_KEYRING, text_field(step, FIELD_TEXT));
  return result == -ENOSYS || result == -EDQUOT ? 0 : result;
}

static long step_write_proc(const struct step *step) {
  u64 resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return write_file(proc_fd, text_field(step, FIELD_PATH), text_field(step, FIELD_VALUE), resolve);
}

/* A null device of the host becomes the container's, so that no descriptor leads out: criu, for one, could not say where to. */
static void take_own_null(i32 fd) {
  struct statx status;
  /* Looked at first: an image may have any device by that name, and opening some is an act. */
  long result = CALL(statx, AT_FDCWD, "/dev/null", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status);
  if (result < 0 || !is_device(&status, S_IFCHR, 1, 3)) return;
  long own = CALL(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  if (own < 0) return;
  if (status_of((i32)own, &status) >= 0 && is_device(&status, S_IFCHR, 1, 3)) CALL(dup3, own, fd, 0);
  CALL(close, own);
}

/* The container's user may open its own stdin, stdout and stderr again (/dev/stdout); devices of the host keep their owner. */
static long step_stdio(const struct step *step) {
  for (i32 fd = 0; fd < 3; fd++) {
    struct statx status;
    if (status_of(fd, &status) < 0 || (status.stx_mode & S_IFMT) == S_IFBLK) continue;
    if (is_device(&status, S_IFCHR, 1, 3)) take_own_null(fd);
    int is_terminal = (status.stx_mode & S_IFMT) == S_IFCHR;
    if (is_terminal && number_field(step, FIELD_FLAGS) == 0) continue;
    long result = CALL(fchown, fd, number_field(step, FIELD_UID), -1);
    if (result < 0 && result != -EPERM && result != -EINVAL && result != -EROFS && result != -ENOSYS) return result;
  }
  return 0;
}

/* Closes everything but stdio, preserved fds, and what is needed until exec, which moves right behind those. */
static long step_close_fds(void) {
  i32 *const kept[] = {&channel, &start_fifo, &result_fifo, &listener_socket};
  i32 base = 3 + (i32)HEADER->preserved;
  long known = remember_own_pid();
  if (known < 0) return known;
  for (usize i = 0; i < COUNT(kept); i++) {
    if (*kept[i] < 0) continue;
    long high = CALL(fcntl, *kept[i], F_DUPFD_CLOEXEC, base + (i32)COUNT(kept));
    if (high < 0) return high;
    *kept[i] = (i32)high;
  }
  for (usize i = 0; i < COUNT(kept); i++) {
    if (*kept[i] < 0) continue;
    long result = CALL(dup3, *kept[i], base, O_CLOEXEC);
    if (result < 0) return result;
    *kept[i] = base++;
  }
  root_fd = proc_fd = mask_fd = -1;
  return CALL(close_range, base, ~0U, 0);
}

static long step_bounding(const struct step *step) {
  u64 keep = number_field(step, FIELD_NUMBER);
  for (u32 capability = 0; capability < 64; capability++) {
    if ((keep >> capability & 1) != 0) continue;
    long result = CALL(prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (result == -EINVAL) break; /* behind the last capability that this kernel has */
    if (result < 0) return result;
  }
  return 0;
}

static long step_identity(const struct step *step) {
  u32 groups[1024];
  const struct field *list = next_field(step, NULL, FIELD_BYTES);
  usize count = list == NULL ? 0 : list->length / sizeof groups[0];
  if (count > COUNT(groups)) return -EINVAL;
  if (list != NULL) memcpy(groups, list + 1, count * sizeof groups[0]);
  long result = CALL(prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  u64 flags = number_field(step, FIELD_FLAGS);
  if (result >= 0 && flags != FLAG_NO_GROUPS) result = CALL(setgroups, count, groups);
  if (result == -EPERM && flags == FLAG_TRY_GROUPS) result = 0; /* the joined user namespace gave it up */
  u64 uid = number_field(step, FIELD_UID), gid = number_field(step, FIELD_GID);
  if (result >= 0) result = CALL(setresgid, gid, gid, gid);
  if (result >= 0) result = CALL(setresuid, uid, uid, uid);
  if (result >= 0) result = CALL(prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return result;
}

static long step_capabilities(const struct step *step) {
  u64 effective = number_field(step, FIELD_EFFECTIVE);
  u64 permitted = number_field(step, FIELD_PERMITTED);
  u64 inheritable = number_field(step, FIELD_INHERITABLE);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {(u32)effective, (u32)permitted, (u32)inheritable},
      {(u32)(effective >> 32), (u32)(permitted >> 32), (u32)(inheritable >> 32)},
  };
  return CALL(capset, &header, data);
}

static long step_ambient(const struct step *step) {
  u64 mask = number_field(step, FIELD_NUMBER);
  long result = CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (u32 capability = 0; result >= 0 && capability < 64; capability++)
    if ((mask >> capability & 1) != 0) result = CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  return result;
}

/*
 * Tried as root first, then as the user (either may lack the right: root in a user namespace, or a private home).
 * The directory must be one that exists below the container's root: the kernel calls others "(unreachable)".
 */
static long step_directory_change(const struct step *step) {
  char path[PATH_LIMIT];
  if (directory_changed) return 0;
  long result = CALL(chdir, text_field(step, FIELD_PATH));
  if (result == -EACCES && number_field(step, FIELD_FLAGS) == FLAG_OPTIONAL) return 0;
  if (result < 0) return result;
  result = CALL(getcwd, path, sizeof path);
  if (result < 0) return result;
  if (path[0] != '/') return fail_with(-EPERM, "the working directory lies outside of the container");
  directory_changed = 1;
  return 0;
}

/* Finds the program while `create` still runs; a file that may not be executed counts more than a missing one. */
static long step_lookup(const struct step *step) {
  long outcome = -ENOENT;
  for (const struct field *path = NULL; (path = next_field(step, path, FIELD_PATH)) != NULL;) {
    struct statx status;
    long result = CALL(statx, AT_FDCWD, text_of(path), 0, STATX_TYPE | STATX_MODE, &status);
    if (result >= 0 && (status.stx_mode & S_IFMT) != S_IFREG) result = -EACCES;
    if (result >= 0) result = CALL(faccessat2, AT_FDCWD, text_of(path), X_OK, AT_EACCESS);
    if (result >= 0) {
      executable = text_of(path);
      return 0;
    }
    if (result != -ENOENT && result != -ENOTDIR) outcome = result;
  }
  return outcome;
}

static long step_seccomp(const struct step *step) {
  const struct field *program = next_field(step, NULL, FIELD_BYTES);
  if (program == NULL || program->length % sizeof(struct sock_filter) != 0) return -EINVAL;
  struct sock_fprog filter = {
      .len = (unsigned short)(program->length / sizeof(struct sock_filter)),
      .filter = (struct sock_filter *)(usize)(program + 1),
  };
  if (listener_socket >= 0) return load_with_listener(step, &filter);
  return CALL(seccomp, SECCOMP_SET_MODE_FILTER, number_field(step, FIELD_FLAGS), &filter);
}

#define SIGNAL_BIT(number) (1ULL << ((number) - 1))

static const u64 harmless_signals = SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) |
                                    SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);

/* `start` writes one byte. The fifo is open for both directions here, so that its opener never has to wait. */
static long step_wait_start(void) {
  char byte;
  u64 all_signals = ~0ULL;
  long signals = CALL(signalfd4, -1, &all_signals, sizeof all_signals, O_CLOEXEC | O_NONBLOCK);
  if (signals < 0) return signals;
  struct poll_entry entries[2] = {{.fd = start_fifo, .events = POLLIN}, {.fd = (i32)signals, .events = POLLIN}};
  while (entries[0].revents == 0) {
    CALL(ppoll, entries, 2, NULL, NULL, 0);
    /* The kernel spares the first process of a pid namespace what would end any other one. */
    struct signalfd_siginfo signal;
    if (entries[1].revents == 0 || CALL(read, signals, &signal, sizeof signal) != sizeof signal) continue;
    if ((harmless_signals >> (signal.ssi_signo - 1) & 1) == 0) leave(128 + (i32)signal.ssi_signo);
  }
  CALL(close, signals);
  long result = read_all(start_fifo, &byte, 1);
  close_fd(&start_fifo);
  return result;
}

/* The struct of sched_setattr(2), which kernel headers of some distributions do not export. */
struct scheduler_attributes {
  u32 size, policy;
  u64 flags;
  i32 nice;
  u32 priority;
  u64 runtime, deadline, period;
};

static long step_scheduler(const struct step *step) {
  const struct field *bytes = next_field(step, NULL, FIELD_BYTES);
  struct scheduler_attributes attributes;
  if (bytes == NULL || bytes->length != sizeof attributes) return -EINVAL;
  memcpy(&attributes, bytes + 1, sizeof attributes);
  return CALL(sched_setattr, 0, &attributes, 0);
}

/* Node masks are arrays of longs, lowest node first: on these machines the same as a string of bytes. */
static long step_memory_policy(const struct step *step) {
  const struct field *nodes = next_field(step, NULL, FIELD_BYTES);
  u64 mask[17] = {0};
  if (nodes != NULL && nodes->length > sizeof mask - sizeof mask[0]) return -EINVAL;
  if (nodes != NULL) memcpy(mask, nodes + 1, nodes->length);
  u64 limit = nodes == NULL || nodes->length == 0 ? 0 : sizeof mask * 8;
  return CALL(set_mempolicy, number_field(step, FIELD_NUMBER), limit == 0 ? NULL : mask, limit);
}

static long step_exec(const struct step *step) {
  static const char *vector[VECTOR_LIMIT];
  static const u32 names[] = {FIELD_ARGUMENT, FIELD_VARIABLE};
  usize used = 0, environment = 0;
  for (usize list = 0; list < COUNT(names); list++) {
    environment = list == 0 ? 0 : used;
    for (const struct field *text = NULL; (text = next_field(step, text, names[list])) != NULL;) {
      if (used + 2 >= VECTOR_LIMIT) return -E2BIG;
      vector[used++] = text_of(text);
    }
    vector[used++] = NULL;
  }
  u64 no_signals = 0;
  CALL(rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, sizeof no_signals);
  return CALL(execve, executable, vector, vector + environment);
}

#endif
