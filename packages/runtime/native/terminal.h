/*
 * Terminals: the init makes one in the container's own devpts, the monitor passes it on or relays it.
 */
#ifndef OCI_TERMINAL_H
#define OCI_TERMINAL_H

#include "mounts.h"

#define RELAY_CHUNK 4096

static i32 console_socket = -1;
static i32 pidfd_socket = -1; /* takes a pidfd of the process when it is created */
static i32 console = -1; /* the monitor's end of the container's terminal */
static struct termios saved_terminal;
static int terminal_is_raw = 0;

static long step_console_socket(const struct step *step) {
  long socket = connect_to(text_field(step, FIELD_PATH));
  console_socket = socket < 0 ? -1 : (i32)socket;
  return socket;
}

static long step_pidfd_socket(const struct step *step) {
  long socket = connect_to(text_field(step, FIELD_PATH));
  pidfd_socket = socket < 0 ? -1 : (i32)socket;
  return socket;
}

static long send_pidfd(void) {
  static const char name[] = "pidfd";
  if (pidfd_socket < 0) return 0;
  long pidfd = CALL(pidfd_open, child, 0);
  long result = pidfd < 0 ? pidfd : send_fd(pidfd_socket, name, sizeof name - 1, (i32)pidfd);
  if (pidfd >= 0) CALL(close, pidfd);
  close_fd(&pidfd_socket);
  return result < 0 ? fail_with(result, "the pidfd cannot be sent") : result;
}

static long bind_console(i32 slave) {
  long tree = clone_tree(slave, "", AT_EMPTY_PATH);
  if (tree < 0) return tree;
  long target = open_target("/dev/console", TARGET_FILE | TARGET_STRICT);
  if (target < 0) return target;
  long result = attach((i32)tree, (i32)target);
  CALL(close, tree);
  CALL(close, target);
  return result;
}

/* The slave is taken from the master, never by name, and both must be of a real devpts. */
static long step_console(const struct step *step) {
  struct statx status;
  i32 unlock = 0;
  u32 number = 0;
  if (root_fd < 0) root_fd = (i32)CALL(openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  long master = open_in_root("/dev/pts/ptmx", O_RDWR | O_NOCTTY, RESOLVE_NO_SYMLINKS);
  if (master < 0) return master;
  long result = status_of((i32)master, &status);
  if (result < 0) return result;
  if (filesystem_of((i32)master) != DEVPTS_SUPER_MAGIC || !is_device(&status, S_IFCHR, 5, 2))
    return fail_with(-EINVAL, "/dev/pts is not a devpts");
  result = CALL(ioctl, master, TIOCSPTLCK, &unlock);
  if (result >= 0) result = CALL(ioctl, master, TIOCGPTN, &number);
  long slave = result < 0 ? result : CALL(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return slave;
  struct winsize size = {.ws_row = (unsigned short)number_field(step, FIELD_HEIGHT),
                         .ws_col = (unsigned short)number_field(step, FIELD_WIDTH)};
  if (size.ws_row != 0 || size.ws_col != 0) CALL(ioctl, slave, TIOCSWINSZ, &size);

  if (number_field(step, FIELD_FLAGS) != FLAG_NO_CONSOLE) result = bind_console((i32)slave);
  if (result < 0) return result;

  result = CALL(ioctl, slave, TIOCSCTTY, 0);
  for (i32 fd = 0; fd < 3 && result >= 0; fd++) result = duplicate_to((i32)slave, fd);
  if (result < 0) return result;
  if (slave > 2) CALL(close, slave);

  /* Last: from now on somebody else may hang up. */
  struct message message = {.type = MESSAGE_CONSOLE, .step = current_step};
  append_number(message.detail, sizeof message.detail,
                append(message.detail, sizeof message.detail, 0, "/dev/pts/"), number);
  result = send_fd(channel, &message, sizeof message, (i32)master);
  if (result >= 0) await_answer();
  CALL(close, master);
  return result;
}

static void copy_window_size(void) {
  struct winsize size;
  if (console >= 0 && CALL(ioctl, 0, TIOCGWINSZ, &size) >= 0) CALL(ioctl, console, TIOCSWINSZ, &size);
}

static void set_window_size(const u8 *numbers) {
  struct winsize size = {0};
  memcpy(&size.ws_row, numbers, 2);
  memcpy(&size.ws_col, numbers + 2, 2);
  if (console >= 0) CALL(ioctl, console, TIOCSWINSZ, &size);
}

static void restore_terminal(void) {
  if (terminal_is_raw) CALL(ioctl, 0, TCSETS, &saved_terminal);
  terminal_is_raw = 0;
}

/* Every key goes to the container, which has its own line discipline. */
static void make_terminal_raw(void) {
  if (CALL(ioctl, 0, TCGETS, &saved_terminal) < 0) return;
  struct termios raw = saved_terminal;
  raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_oflag &= ~(tcflag_t)OPOST;
  raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  terminal_is_raw = CALL(ioctl, 0, TCSETS, &raw) >= 0;
}

/* Where the output goes into a file or a pipe, its lines end as lines do there; a terminal wants the carriage return. */
static void keep_newlines(void) {
  struct termios own;
  if (!terminal_is_raw || CALL(ioctl, 1, TCGETS, &own) >= 0) return;
  if (CALL(ioctl, console, TCGETS, &own) < 0) return;
  own.c_oflag &= ~(tcflag_t)ONLCR;
  CALL(ioctl, console, TCSETS, &own);
}

/* What the monitor does with a new terminal: hand it over, or keep it and relay. */
static long accept_console(i32 fd, const struct message *message, int relay) {
  if (fd < 0) return -EPROTO;
  if (console_socket >= 0) {
    long result = send_fd(console_socket, message->detail, text_length(message->detail), fd);
    close_fd(&console_socket);
    CALL(close, fd);
    return result;
  }
  if (!relay) return fail_with(-ENOTTY, "nobody takes the terminal");
  console = fd;
  CALL(fcntl, console, F_SETFL, O_RDWR | O_NONBLOCK);
  copy_window_size();
  make_terminal_raw();
  keep_newlines();
  return 0;
}

/* One direction of the relay: at most one chunk is under way, and only polled fds are read or written. */
struct flow {
  i32 from, to;
  usize start, end;
  int ended;
  u8 bytes[RELAY_CHUNK];
};

static struct flow input = {.from = 0}, output = {.to = 1};

static void flow_read(struct flow *flow) {
  long count = CALL(read, flow->from, flow->bytes, sizeof flow->bytes);
  if (count == -EAGAIN || count == -EINTR) return;
  if (count <= 0) flow->ended = 1;
  flow->start = 0;
  flow->end = count > 0 ? (usize)count : 0;
}

static void flow_write(struct flow *flow) {
  long count = CALL(write, flow->to, flow->bytes + flow->start, flow->end - flow->start);
  if (count == -EAGAIN || count == -EINTR) return;
  if (count < 0) flow->ended = 1;
  flow->start = count < 0 ? flow->end : flow->start + (usize)count;
}

static void flow_poll(struct flow *flow, struct poll_entry *read_entry, struct poll_entry *write_entry) {
  int has_bytes = flow->start < flow->end;
  if (has_bytes) *write_entry = (struct poll_entry){.fd = flow->to, .events = POLLOUT};
  else if (!flow->ended) *read_entry = (struct poll_entry){.fd = flow->from, .events = POLLIN};
}

/* What the container had written before it ended still has to arrive. */
static void drain_console(void) {
  while (console >= 0 && !output.ended) {
    while (output.start < output.end) {
      struct poll_entry entry = {.fd = output.to, .events = POLLOUT};
      CALL(ppoll, &entry, 1, NULL, NULL, 0);
      flow_write(&output);
      if (output.ended) return;
    }
    long count = CALL(read, console, output.bytes, sizeof output.bytes);
    if (count <= 0) return;
    output.start = 0;
    output.end = (usize)count;
  }
}

#endif
