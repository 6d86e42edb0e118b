/*
 * oci-init: carries out a launch plan. It decides nothing: order, checks and wording are TypeScript's (src/plan/).
 *
 *   oci-init FD          FD is a socket to TypeScript, over which the plan comes
 *
 * One binary, three roles, no threads, no heap:
 *   monitor   in the host: clones the container process, serves it, and stays its parent if the plan says so
 *   joiner    between them when namespaces are joined or the user namespace must exist before others
 *   init      in the namespaces: builds the root file system, waits for `start`, becomes the container's process
 */
#include "kernel.h"

#include "plan.h"
#include "program.h"
#include "report.h"

#include "mounts.h"
#include "copy-up.h"
#include "hooks.h"
#include "process.h"
#include "terminal.h"

#include "device-program.h"
#include "monitor.h"
#include "net-device.h"
#include "notify.h"

static void run_section(u32 section);
#include "criu.h"

static long run_step(const struct step *step);

static void run_section(u32 section) {
  const struct step *step = first_step();
  for (u32 index = 0; index < HEADER->steps; index++, step = step_after(step)) {
    if (step->section != section) continue;
    u32 outer = current_step;
    current_step = index;
    long result = run_step(step);
    if (result < 0) fail(result, text_field(step, FIELD_TEXT));
    current_step = outer;
  }
}

/*
 * The monitor runs a section of the plan for us, on a mount that we hold if a slot is named. Its /proc files of ours are
 * writable only while we are dumpable.
 */
static long step_ask(const struct step *step) {
  struct message message = {.type = MESSAGE_ASK, .step = current_step, .value = (u32)number_field(step, FIELD_NUMBER)};
  i32 tree = -1;
  CALL(prctl, PR_SET_DUMPABLE, number_field(step, FIELD_FLAGS), 0, 0, 0);
  if (next_field(step, NULL, FIELD_SLOT) != NULL) {
    message.error = (i32)number_field(step, FIELD_SLOT);
    tree = slots[message.error];
  }
  if (tree < 0) write_all(channel, &message, sizeof message);
  else send_fd(channel, &message, sizeof message, tree);
  await_answer();
  return CALL(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static long step_created(void) {
  send_message(MESSAGE_CREATED, current_step, 0, 0);
  await_answer();
  created = 1;
  return 0;
}

static long run_step(const struct step *step) {
  switch (step->tag) {
    case STEP_ASK: return step_ask(step);
    case STEP_PIPES: return step_pipes(step);
    case STEP_FIFO: return step_fifo(step);
    case STEP_CONSOLE_SOCKET: return step_console_socket(step);
    case STEP_PIDFD_SOCKET: return step_pidfd_socket(step);
    case STEP_OPEN_NAMESPACE: return step_open_namespace(step);
    case STEP_SET_NAMESPACE: return step_set_namespace(step);
    case STEP_OPEN_TARGET: return step_open_target(step);
    case STEP_JOIN_TARGET: return step_join_target(step);
    case STEP_AFFINITY: return step_affinity(step);
    case STEP_UNSHARE: return CALL(unshare, number_field(step, FIELD_FLAGS));
    case STEP_ID_MAPS: return step_id_maps(step);
    case STEP_ID_MAP_HELPER: return step_id_map_helper(step);
    case STEP_WRITE_CHILD_PROC: return step_write_child_proc(step);
    case STEP_OOM_SCORE: return step_oom_score(step);
    case STEP_OPEN_CGROUP: return step_open_cgroup(step);
    case STEP_ENTER_CGROUP: return step_enter_cgroup(step);
    case STEP_JOIN_CGROUP: return step_join_cgroup(step);
    case STEP_DEVICE_PROGRAM: return step_device_program(step);
    case STEP_RESOURCE_LIMIT: return step_resource_limit(step);
    case STEP_HOST_HOOKS: return ask_host(MESSAGE_HOOKS);
    case STEP_HOST_CGROUP: return ask_host(MESSAGE_CGROUP);
    case STEP_BECOME_ROOT: return step_become_root();
    case STEP_LOOPBACK: return step_loopback();
    case STEP_HOSTNAME: {
      const char *name = text_field(step, FIELD_TEXT);
      return CALL(sethostname, name, text_length(name));
    }
    case STEP_DOMAINNAME: {
      const char *name = text_field(step, FIELD_TEXT);
      return CALL(setdomainname, name, text_length(name));
    }
    case STEP_KEYRING: return step_keyring(step);
    case STEP_WRITE_PROC: return step_write_proc(step);
    case STEP_OPEN_TREE: return step_open_tree(step);
    case STEP_CLONE_IN_ROOT: return step_clone_in_root(step);
    case STEP_FILESYSTEM: return step_filesystem(step);
    case STEP_MOUNT_ATTRIBUTES: return step_mount_attributes(step);
    case STEP_ROOT: return step_root(step);
    case STEP_ATTACH: return step_attach(step);
    case STEP_LEGACY_MOUNT: return step_legacy_mount(step);
    case STEP_UNMOUNT: return CALL(umount2, text_field(step, FIELD_PATH), MNT_DETACH);
    case STEP_USER_NAMESPACE: return step_user_namespace(step);
    case STEP_LOCKED_VIEW: return step_locked_view(step);
    case STEP_COPY_UP: return step_copy_up(step);
    case STEP_DEVICE: return step_device(step);
    case STEP_SYMLINK: return step_symlink(step);
    case STEP_MASK: return step_mask(step);
    case STEP_DIRECTORY: return step_directory(step);
    case STEP_CONSOLE: return step_console(step);
    case STEP_PIVOT: return step_pivot(step);
    case STEP_SESSION: {
      long result = CALL(setsid, 0);
      return result == -EPERM ? 0 : result; /* EPERM: it leads a process group already, as the first of its namespace */
    }
    case STEP_STDIO: return step_stdio(step);
    case STEP_CLOSE_FDS: return step_close_fds();
    case STEP_NO_NEW_PRIVILEGES: return CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case STEP_BOUNDING: return step_bounding(step);
    case STEP_IDENTITY: return step_identity(step);
    case STEP_CAPABILITIES: return step_capabilities(step);
    case STEP_AMBIENT: return step_ambient(step);
    case STEP_UMASK: CALL(umask, number_field(step, FIELD_MODE)); return 0;
    case STEP_DIRECTORY_CHANGE: return step_directory_change(step);
    case STEP_LOOKUP: return step_lookup(step);
    case STEP_PARENT_DEATH: return CALL(prctl, PR_SET_PDEATHSIG, number_field(step, FIELD_NUMBER), 0, 0, 0);
    case STEP_CREATED: return step_created();
    case STEP_WAIT_START: return step_wait_start();
    case STEP_SECCOMP: return step_seccomp(step);
    case STEP_EXEC: return step_exec(step);
    case STEP_EXIT_FILE: exit_file = step; return 0;
    case STEP_NOT_DUMPABLE: return CALL(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    case STEP_PERSONALITY: return CALL(personality, number_field(step, FIELD_NUMBER));
    case STEP_SCHEDULER: return step_scheduler(step);
    case STEP_IO_PRIORITY: return CALL(ioprio_set, 1, 0, number_field(step, FIELD_NUMBER));
    case STEP_MEMORY_POLICY: return step_memory_policy(step);
    case STEP_HOOK: return step_hook(step);
    case STEP_NET_DEVICE: return step_net_device(step);
    case STEP_CRIU: return step_criu(step);
    case STEP_NOTIFY: return step_notify(step);
    case STEP_LISTENER_SOCKET: return step_listener_socket(step);
    case STEP_RESULT_FIFO: return step_result_fifo(step);
    default: return -ENOSYS;
  }
}

__attribute__((noreturn)) static void run_init(void) {
  role = ROLE_INIT;
  child = 0;
  CALL(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  CALL(umask, 0);
  run_section(SECTION_INIT);
  leave(created ? 0 : 1); /* a plan without a program changes a container, and is done */
}

/* Clones into the group that was opened for this; where that is not possible, the monitor does it later. */
static long clone_process(struct clone_args *clone, u32 who) {
  if (birthplace.who == who && *birthplace.group >= 0) {
    struct clone_args born = *clone;
    born.flags |= CLONE_INTO_CGROUP;
    born.cgroup = (u64)*birthplace.group;
    long result = CALL(clone3, &born, sizeof born);
    if (result <= 0) close_fd(birthplace.group); /* the child needs it no more, and may become a container's process */
    if (result >= 0) return result;
  }
  return CALL(clone3, clone, sizeof *clone);
}

/* The container process, cloned by the monitor or by the joiner: the monitor is its parent in both cases. */
static long clone_init(u64 more) {
  struct clone_args clone = {.flags = HEADER->clone_flags | more, .exit_signal = more == 0 ? SIGCHLD : 0};
  return clone_process(&clone, BIRTH_INIT);
}

__attribute__((noreturn)) static void run_joiner(void) {
  role = ROLE_JOINER;
  run_section(SECTION_JOIN);
  long pid = clone_init(CLONE_PARENT);
  if (pid == 0) {
    await_answer(); /* from now on the monitor knows which process it is asked to do something for */
    run_init();
  }
  if (pid < 0) fail(pid, NULL);
  int homeless = birthplace.who == BIRTH_INIT && *birthplace.group < 0;
  send_message(MESSAGE_PID, NO_STEP, homeless, (u32)pid);
  leave(0);
}

__attribute__((noreturn)) static void abandon(void) {
  undo();
  restore_terminal();
  leave(1);
}

/* Clones, and closes on each side what belongs to the other. */
static void start_child(i32 signals) {
  i32 ends[2];
  long result = CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, ends);
  if (result < 0) fail(result, NULL);
  int with_joiner = (HEADER->flags & PLAN_JOINER) != 0;
  struct clone_args plain = {.exit_signal = SIGCHLD};
  result = with_joiner ? clone_process(&plain, BIRTH_CHILD) : clone_init(0);
  if (result < 0) fail(fail_with(result, "clone"), NULL);
  if (result == 0) {
    CALL(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    CALL(close, ends[0]);
    CALL(close, channel);
    CALL(close, signals);
    close_fd(&console_socket);
    close_fd(&pidfd_socket);
    channel = ends[1];
    for (i32 fd = 0; fd < 3; fd++)
      if (container_stdio[fd] >= 0) duplicate_to(container_stdio[fd], fd);
    if (with_joiner) run_joiner();
    run_init();
  }
  child = result;
  CALL(close, ends[1]);
  close_fd(&start_fifo);
  close_fd(&result_fifo);
  close_fd(&listener_socket);
  for (i32 fd = 0; fd < 3; fd++) close_fd(&container_stdio[fd]);
  child_channel = ends[0];
}

/* Serves the children until the container is created; TypeScript hanging up ends everything. */
static void serve_children(void) {
  for (;;) {
    struct message message;
    i32 fd = -1;
    struct poll_entry entries[2] = {{.fd = child_channel, .events = POLLIN}, {.fd = channel, .events = 0}};
    CALL(ppoll, entries, 2, NULL, NULL, 0);
    if ((entries[1].revents & (POLLHUP | POLLERR)) != 0) abandon();
    if (entries[0].revents == 0) continue;
    long result = receive_message(&message, &fd);
    if (result == 0) {
      i32 status = 0;
      CALL(wait4, child, &status, __WALL, NULL);
      child = 0;
      undo();
      send_message(MESSAGE_FAILED, NO_STEP, 0, (u32)status);
      leave(1);
    }
    if (result < 0) fail(result, NULL);
    current_step = message.step;
    switch (message.type) {
      case MESSAGE_ASK:
        if (fd >= 0 && (u32)message.error < SLOT_LIMIT) slots[message.error] = fd;
        run_section(message.value);
        if (fd >= 0 && (u32)message.error < SLOT_LIMIT) close_fd(&slots[message.error]);
        break;
      case MESSAGE_PID:
        CALL(wait4, child, NULL, __WALL, NULL);
        child = (i32)message.value;
        if (message.error != 0) close_fd(birthplace.group);
        break;
      case MESSAGE_CONSOLE:
        result = accept_console(fd, &message, (HEADER->flags & PLAN_RELAY) != 0);
        if (result < 0) fail(result, NULL);
        break;
      case MESSAGE_CREATED:
        result = send_pidfd();
        if (result < 0) fail(result, NULL);
        write_all(child_channel, "", 1);
        close_fd(&child_channel);
        send_message(MESSAGE_CREATED, NO_STEP, 0, (u32)child);
        return;
      default:
        undo();
        restore_terminal();
        write_all(channel, &message, sizeof message);
        leave(1);
    }
    write_all(child_channel, "", 1);
  }
}

/* The container's process has ended: its status, or -1 while it runs. Adopted orphans are reaped on the way. */
static i32 reap(void) {
  i32 status, outcome = -1;
  for (long pid; (pid = CALL(wait4, -1, &status, WNOHANG | __WALL, NULL)) > 0;)
    if (pid == child) outcome = status;
  return outcome;
}

static i32 handle_signals(i32 signals) {
  struct signalfd_siginfo information;
  i32 status = -1;
  while (status < 0 && CALL(read, signals, &information, sizeof information) == sizeof information) {
    u32 signal = information.ssi_signo;
    if (signal == SIGCHLD) status = reap();
    else if (signal == SIGWINCH && console >= 0) copy_window_size();
    else if (signal != SIGPIPE && signal != SIGURG && signal != SIGTTOU && signal != SIGTTIN && signal != SIGTSTP)
      CALL(kill, child, signal);
  }
  return status;
}

/*
 * The parent of a running container: relays its terminal, passes signals on, and ends as it ends. An empty order from
 * TypeScript asks for the container's death; so does its hanging up, unless the monitor has a session of its own.
 */
__attribute__((noreturn)) static void attend(i32 signals) {
  int session = (HEADER->flags & PLAN_HOST_SESSION) != 0;
  int hung_up = 0;
  i32 status = -1;
  if (console < 0) {
    long null = CALL(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
    for (i32 fd = 0; null >= 0 && fd < 3; fd++) duplicate_to((i32)null, fd);
  }
  input.to = output.from = console;
  while (status < 0) {
    struct poll_entry entries[6] = {{.fd = signals, .events = POLLIN}, {.fd = hung_up ? -1 : channel, .events = POLLIN}};
    for (usize i = 2; i < COUNT(entries); i++) entries[i].fd = -1;
    if (console >= 0) flow_poll(&input, &entries[2], &entries[3]);
    if (console >= 0) flow_poll(&output, &entries[4], &entries[5]);
    long count = CALL(ppoll, entries, COUNT(entries), NULL, NULL, 0);
    if (count < 0) continue;
    if (entries[1].revents != 0) {
      u8 order[5]; /* one of size 0 ends the container, one of size 4 has the rows and columns of its terminal */
      hung_up = read_all(channel, order, 1) < 0 || order[0] > 4 || read_all(channel, order + 1, order[0]) < 0;
      if (!hung_up && order[0] == 4) set_window_size(order + 1);
      else if (!hung_up || !session) CALL(kill, child, SIGKILL);
    }
    if (entries[2].revents != 0) flow_read(&input);
    if (entries[3].revents != 0) flow_write(&input);
    if (entries[4].revents != 0) flow_read(&output);
    if (entries[5].revents != 0) flow_write(&output);
    if (entries[0].revents != 0) status = handle_signals(signals);
  }
  drain_console();
  restore_terminal();
  u32 signal = (u32)status & 0x7f;
  u32 code = signal != 0 ? 128 + signal : (u32)status >> 8 & 0xff;
  write_exit_file(code, signal);
  if (!hung_up) send_message(MESSAGE_EXITED, NO_STEP, 0, (u32)status);
  leave((i32)code);
}

__attribute__((noreturn)) static void run_monitor(void) {
  u32 length;
  if (read_all(channel, &length, sizeof length) < 0 || length > PLAN_LIMIT - 8) leave(1);
  if (read_all(channel, plan, length) < 0) leave(1);
  if (!plan_check(length)) fail(fail_with(-EBADMSG, "the plan is malformed"), NULL);
  for (usize slot = 0; slot < SLOT_LIMIT; slot++) slots[slot] = -1;

  u64 all_signals = ~0ULL;
  CALL(rt_sigprocmask, SIG_SETMASK, &all_signals, NULL, sizeof all_signals);
  long signals = CALL(signalfd4, -1, &all_signals, sizeof all_signals, O_CLOEXEC | O_NONBLOCK);
  if (signals < 0) fail(signals, NULL);
  proc_fd = (i32)CALL(openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (filesystem_of(proc_fd) != PROC_SUPER_MAGIC) fail(fail_with(-EINVAL, "/proc is not a procfs"), NULL);

  int attached = (HEADER->flags & PLAN_ATTACHED) != 0;
  CALL(prctl, PR_SET_NAME, "oci-init", 0, 0, 0);
  if ((HEADER->flags & PLAN_HOST_SESSION) != 0) CALL(setsid, 0);
  else if (attached && (HEADER->flags & PLAN_RELAY) == 0) CALL(setpgid, 0, 0);
  if (attached) CALL(prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

  run_section(SECTION_HOST);
  if ((HEADER->flags & PLAN_HOST_ONLY) != 0) {
    send_message(MESSAGE_CREATED, NO_STEP, 0, (u32)child);
    if (child == 0) leave(0);
  } else {
    start_child((i32)signals);
    serve_children();
  }
  if (attached) attend((i32)signals);
  leave(0);
}

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/*
 * The file that runs inside a container must not be one of the host (CVE-2019-5736: /proc/self/exe opened for
 * writing from the container), so this program runs from a sealed copy in memory from the start.
 */
static void run_from_memory(char **arguments) {
  long self = CALL(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self < 0) leave(1);
  long seals = CALL(fcntl, self, F_GET_SEALS);
  if (seals >= 0 && (seals & SEALS) == SEALS) {
    CALL(close, self);
    return;
  }
  long memory = CALL(memfd_create, "oci-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (memory == -EINVAL) memory = CALL(memfd_create, "oci-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  long count = memory < 0 ? memory : 1;
  while (count > 0) count = CALL(sendfile, memory, self, NULL, 1 << 20);
  if (count == 0) count = CALL(fcntl, memory, F_ADD_SEALS, SEALS);
  char *no_environment[] = {NULL};
  if (count >= 0) count = CALL(execveat, memory, "", arguments, no_environment, AT_EMPTY_PATH);
  current_step = NO_STEP;
  fail(fail_with(count, "cannot run from memory"), NULL);
}

/* The only argument is the number of the socket to TypeScript. */
__attribute__((noreturn)) static void begin(int count, char **arguments) {
  i32 fd = 0;
  if (count != 2) leave(2);
  for (const char *digit = arguments[1]; *digit != 0; digit++) {
    if (*digit < '0' || *digit > '9' || fd > 100000) leave(2);
    fd = fd * 10 + (*digit - '0');
  }
  channel = fd;
  run_from_memory(arguments);
  CALL(fcntl, channel, F_SETFD, FD_CLOEXEC);
  run_monitor();
}

#ifdef OCI_HOSTED
int main(int count, char **arguments) {
  begin(count, arguments);
}
#else
/* The entry of the program: `stack` holds argc, argv, the environment and the auxiliary vector. */
__attribute__((noreturn, used, no_stack_protector)) void entry(unsigned long *stack) {
  prepare_program(stack);
  begin((int)stack[0], (char **)(stack + 1));
}
#endif
