/*
 * The kernel boundary: this program has no libc. Every system call below returns its result or -errno.
 * Structures and constants come from the kernel's own headers; what older headers lack is defined here.
 */
#ifndef OCI_KERNEL_H
#define OCI_KERNEL_H

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/statfs.h>
#include <asm/termios.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/auxvec.h>
#include <linux/close_range.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/signalfd.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/types.h>
#include <linux/wait.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __s32 i32;
typedef __u64 u64;
typedef __SIZE_TYPE__ usize;

#define NULL ((void *)0)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef O_CLOEXEC
#define O_CLOEXEC 02000000
#endif
#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define AF_UNIX 1
#define AF_INET 2
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define X_OK 1
#define MNT_DETACH 2
#define IFF_UP 1
#define PATH_LIMIT 4096

struct iovec {
  void *base;
  usize length;
};

struct message_header {
  void *name;
  u32 name_length;
  struct iovec *vectors;
  usize vector_count;
  void *control;
  usize control_length;
  u32 flags;
};

struct control_fd {
  usize length;
  i32 level, type, fd, padding;
};

struct unix_address {
  unsigned short family;
  char path[108];
};

/* The part of struct ifreq that interface flags need; the kernel copies 40 bytes. */
struct interface_request {
  char name[16];
  short flags;
  char unused[22];
};

/* The part of struct ifreq that an interface's number needs. */
struct interface_index {
  char name[16];
  i32 index;
  char unused[20];
};

struct poll_entry {
  i32 fd;
  short events, revents;
};

#if defined(__x86_64__)
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#ifndef OCI_HOSTED
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call entry\n hlt\n");
#endif
#elif defined(__aarch64__)
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory", "cc");
  return x0;
}
#ifndef OCI_HOSTED
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n and sp, x0, #-16\n bl entry\n brk #0\n");
#endif
#else
#error "only x86-64 and arm64 are known here"
#endif

#define CALL_(name, a, b, c, d, e, f, ...) \
  kernel_call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* CALL(openat, fd, path, flags): at most six arguments, the missing ones are zero. */
#define CALL(name, ...) CALL_(name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

#ifdef OCI_HOSTED
/* Built with a libc, for sanitizers and fuzzing alone. */
void *memcpy(void *restrict to, const void *restrict from, usize length);
void *memset(void *to, int value, usize length);
int memcmp(const void *left, const void *right, usize length);
#else
/* The compiler may emit calls to these three; nothing else is linked in. */
void *memcpy(void *restrict to, const void *restrict from, usize length) {
  for (usize i = 0; i < length; i++) ((u8 *)to)[i] = ((const u8 *)from)[i];
  return to;
}
void *memset(void *to, int value, usize length) {
  for (usize i = 0; i < length; i++) ((u8 *)to)[i] = (u8)value;
  return to;
}
int memcmp(const void *left, const void *right, usize length) {
  for (usize i = 0; i < length; i++) {
    int difference = ((const u8 *)left)[i] - ((const u8 *)right)[i];
    if (difference != 0) return difference;
  }
  return 0;
}

/* The stack protector's canary: set from AT_RANDOM before anything else runs. */
unsigned long __stack_chk_guard = 0;
__attribute__((noreturn)) void __stack_chk_fail(void) {
  for (;;) CALL(exit_group, 134);
}
#endif

static usize text_length(const char *text) {
  usize length = 0;
  while (text[length] != 0) length++;
  return length;
}

/* Appends text to a buffer of `limit` bytes that stays terminated; cuts what does not fit. */
static usize append(char *buffer, usize limit, usize used, const char *text) {
  while (*text != 0 && used + 1 < limit) buffer[used++] = *text++;
  buffer[used] = 0;
  return used;
}

static usize append_number(char *buffer, usize limit, usize used, u64 number) {
  char digits[24];
  usize at = sizeof digits - 1;
  digits[at] = 0;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return append(buffer, limit, used, digits + at);
}

__attribute__((noreturn)) static void leave(int status) {
  for (;;) CALL(exit_group, status);
}

static void close_fd(i32 *fd) {
  if (*fd >= 0) CALL(close, *fd);
  *fd = -1;
}

/* dup onto a number, also when it is that number already (dup3 refuses that); the copy survives exec. */
static long duplicate_to(i32 fd, i32 to) {
  return fd == to ? CALL(fcntl, fd, F_SETFD, 0) : CALL(dup3, fd, to, 0);
}

static long write_all(i32 fd, const void *bytes, usize length) {
  for (usize done = 0; done < length;) {
    long count = CALL(write, fd, (const u8 *)bytes + done, length - done);
    if (count == -EINTR || count == -EAGAIN) continue;
    if (count < 0) return count;
    done += (usize)count;
  }
  return 0;
}

static long read_all(i32 fd, void *bytes, usize length) {
  for (usize done = 0; done < length;) {
    long count = CALL(read, fd, (u8 *)bytes + done, length - done);
    if (count == -EINTR) continue;
    if (count < 0) return count;
    if (count == 0) return -EPIPE;
    done += (usize)count;
  }
  return 0;
}

static long status_of(i32 fd, struct statx *status) {
  return CALL(statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID, status);
}

/* The magic number of the file system that an fd lies on, or -errno. */
static long filesystem_of(i32 fd) {
  struct statfs status;
  long result = CALL(fstatfs, fd, &status);
  return result < 0 ? result : (long)status.f_type;
}

static int is_device(const struct statx *status, u32 type, u32 major, u32 minor) {
  return (status->stx_mode & S_IFMT) == type && status->stx_rdev_major == major && status->stx_rdev_minor == minor;
}

/* Writes a small file in one write(2), as procfs and cgroupfs want it. */
static long write_file(i32 directory, const char *path, const char *text, u64 resolve) {
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, .resolve = resolve};
  long fd = CALL(openat2, directory, path, &how, sizeof how);
  if (fd < 0) return fd;
  long result = CALL(write, fd, text, text_length(text));
  CALL(close, fd);
  return result < 0 ? result : 0;
}

#endif
