/*
 * The mount option "tmpcopyup": a tmpfs starts with a copy of the directory that it covers. All by fd, nothing followed.
 */
#ifndef OCI_COPY_UP_H
#define OCI_COPY_UP_H

#include "mounts.h"

#define COPY_DEPTH 32

struct directory_entry {
  u64 inode;
  u64 offset;
  unsigned short length;
  u8 type;
  char name[];
};

static long copy_directory(i32 from, i32 to, int depth);

static long copy_content(i32 from, i32 to, const char *name, const struct statx *status, int depth) {
  u32 type = status->stx_mode & S_IFMT;
  if (type == S_IFLNK) {
    char target[PATH_LIMIT];
    long length = CALL(readlinkat, from, name, target, sizeof target - 1);
    if (length < 0) return length;
    target[length] = 0;
    return CALL(symlinkat, target, to, name);
  }
  if (type != S_IFREG && type != S_IFDIR) {
    u64 device = (status->stx_rdev_minor & 0xff) | ((u64)status->stx_rdev_major << 8) |
                 ((u64)(status->stx_rdev_minor & ~0xffU) << 12);
    return CALL(mknodat, to, name, status->stx_mode, device);
  }
  long result = type == S_IFDIR ? CALL(mkdirat, to, name, 0700) : 0;
  if (result < 0) return result;
  u64 kind = O_CLOEXEC | O_NOFOLLOW | (type == S_IFDIR ? O_DIRECTORY : O_NONBLOCK);
  u64 creation = type == S_IFDIR ? kind : kind | O_WRONLY | O_CREAT | O_EXCL;
  long source = CALL(openat, from, name, O_RDONLY | kind);
  long copy = source < 0 ? source : CALL(openat, to, name, creation, 0600);
  result = copy;
  if (copy >= 0 && type == S_IFDIR) result = copy_directory((i32)source, (i32)copy, depth + 1);
  else
    while (copy >= 0 && result > 0) result = CALL(sendfile, copy, source, NULL, 1 << 20);
  if (copy >= 0) CALL(close, copy);
  if (source >= 0) CALL(close, source);
  return result;
}

static long copy_entry(i32 from, i32 to, const char *name, int depth) {
  struct statx status;
  long result = CALL(statx, from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
  if (result >= 0) result = copy_content(from, to, name, &status, depth);
  if (result < 0) return result;
  struct __kernel_timespec times[2] = {{status.stx_atime.tv_sec, status.stx_atime.tv_nsec},
                                       {status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec}};
  result = CALL(fchownat, to, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (result >= 0 && (status.stx_mode & S_IFMT) != S_IFLNK)
    result = CALL(fchmodat, to, name, status.stx_mode & 07777);
  return result < 0 ? result : CALL(utimensat, to, name, times, AT_SYMLINK_NOFOLLOW);
}

static long copy_directory(i32 from, i32 to, int depth) {
  u8 buffer[2048] __attribute__((aligned(8)));
  if (depth > COPY_DEPTH) return -ELOOP;
  for (;;) {
    long length = CALL(getdents64, from, buffer, sizeof buffer);
    if (length <= 0) return length;
    for (long at = 0; at < length;) {
      const struct directory_entry *entry = (const struct directory_entry *)(const void *)(buffer + at);
      at += entry->length;
      const char *name = entry->name;
      if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) continue;
      long result = copy_entry(from, to, name, depth);
      if (result < 0) return result;
    }
  }
}

static long step_copy_up(const struct step *step) {
  long from = open_in_root(text_field(step, FIELD_PATH), O_RDONLY | O_DIRECTORY, 0);
  if (from == -ENOENT) return 0;
  if (from < 0) return from;
  long to = CALL(openat, slots[number_field(step, FIELD_SLOT)], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  long result = to < 0 ? to : copy_directory((i32)from, (i32)to, 0);
  CALL(close, from);
  if (to >= 0) CALL(close, to);
  return result;
}

#endif
