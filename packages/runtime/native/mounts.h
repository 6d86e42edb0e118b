/*
 * The container's file system. Targets are found by the kernel below `root_fd` (openat2, RESOLVE_IN_ROOT) and everything
 * is attached by fd, so that a name in a hostile root file system never leads outside of it.
 */
#ifndef OCI_MOUNTS_H
#define OCI_MOUNTS_H

#include "report.h"

static i32 mask_fd = -1; /* the read-only tmpfs that covers every masked directory */

static long open_in_root(const char *path, u64 flags, u64 resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
  long fd = -EAGAIN;
  /* The kernel answers EAGAIN when a rename elsewhere raced with a ".."; an attacker can make it do so for long. */
  for (int attempt = 0; attempt < 128 && fd == -EAGAIN; attempt++)
    fd = CALL(openat2, root_fd, path, &how, sizeof how);
  return fd;
}

/* Makes one missing component, or replaces it in `path` by what a dangling symbolic link there says. */
static long make_component(i32 parent, char *path, usize start, usize end, u64 flags) {
  char name[256], link[PATH_LIMIT], rest[PATH_LIMIT];
  if (end - start >= sizeof name) return -ENAMETOOLONG;
  memcpy(name, path + start, end - start);
  name[end - start] = 0;
  long length = CALL(readlinkat, parent, name, link, sizeof link - 1);
  if (length >= 0) {
    if ((flags & TARGET_STRICT) != 0) return -ELOOP;
    link[length] = 0;
    append(rest, sizeof rest, 0, path + end);
    usize used = append(path, PATH_LIMIT, link[0] == '/' ? 0 : start, link);
    used = append(path, PATH_LIMIT, used, rest);
    return used + 1 < PATH_LIMIT ? 1 : -ENAMETOOLONG;
  }
  usize after = end;
  while (path[after] == '/') after++;
  if (path[after] == 0 && (flags & TARGET_FILE) != 0) {
    long fd = CALL(openat, parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
    if (fd >= 0) CALL(close, fd);
    return fd < 0 && fd != -EEXIST ? fd : 0;
  }
  long result = CALL(mkdirat, parent, name, 0755);
  return result == -EEXIST ? 0 : result;
}

/* Makes what is missing of a path, component by component, each found again from the root by the kernel. */
static long make_in_root(const char *wanted, u64 flags) {
  char path[PATH_LIMIT];
  u64 resolve = (flags & TARGET_STRICT) != 0 ? RESOLVE_NO_SYMLINKS : 0;
  if (text_length(wanted) + 1 >= sizeof path) return -ENAMETOOLONG;
  append(path, sizeof path, 0, wanted);
  for (int links = 0; links < 40; links++) {
    usize start = 0;
    long result = 0;
    while (result == 0) {
      while (path[start] == '/') start++;
      if (path[start] == 0) return 0;
      usize end = start;
      while (path[end] != 0 && path[end] != '/') end++;
      char cut = path[end];
      path[end] = 0;
      long fd = open_in_root(path, O_PATH, resolve);
      path[end] = cut;
      if (fd == -ENOENT) {
        cut = path[start];
        path[start] = 0;
        long parent = open_in_root(start == 0 ? "/" : path, O_PATH | O_DIRECTORY, resolve);
        path[start] = cut;
        if (parent < 0) return parent;
        result = make_component((i32)parent, path, start, end, flags);
        CALL(close, parent);
      } else if (fd < 0) {
        return fd;
      } else {
        CALL(close, fd);
      }
      start = end;
    }
    if (result < 0) return result;
  }
  return -ELOOP;
}

/* An O_PATH fd of a target in the container, made first if it is missing and the flags allow that. */
static long open_target(const char *path, u64 flags) {
  u64 resolve = (flags & TARGET_STRICT) != 0 ? RESOLVE_NO_SYMLINKS : 0;
  long fd = open_in_root(path, O_PATH, resolve);
  if (fd == -ENOENT && (flags & (TARGET_DIRECTORY | TARGET_FILE)) != 0) {
    long result = make_in_root(path, flags);
    if (result < 0) return result;
    fd = open_in_root(path, O_PATH, resolve);
  }
  if (fd >= 0 && (flags & TARGET_PROC) == 0 && filesystem_of((i32)fd) == PROC_SUPER_MAGIC) {
    CALL(close, fd);
    return fail_with(-EPERM, "the target lies on a procfs");
  }
  return fd;
}

static long attach(i32 tree, i32 target) {
  return CALL(move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static long clone_tree(i32 directory, const char *path, u64 flags) {
  return CALL(open_tree, directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static long step_open_tree(const struct step *step) {
  long fd = clone_tree(AT_FDCWD, text_field(step, FIELD_PATH), number_field(step, FIELD_FLAGS));
  if (fd < 0) return fd;
  slots[number_field(step, FIELD_SLOT)] = (i32)fd;
  return 0;
}

/* A second mount of something that is in the container already, with what is below it or alone; nothing there may be fine. */
static long step_clone_in_root(const struct step *step) {
  u64 slot = number_field(step, FIELD_SLOT);
  long source = open_in_root(text_field(step, FIELD_PATH), O_PATH, 0);
  slots[slot] = -1;
  if ((source == -ENOENT || source == -ENOTDIR) && (number_field(step, FIELD_FLAGS) & FLAG_OPTIONAL) != 0) return 0;
  if (source < 0) return source;
  long fd = clone_tree((i32)source, "", AT_EMPTY_PATH | ((number_field(step, FIELD_FLAGS) & FLAG_ALONE) != 0 ? 0 : AT_RECURSIVE));
  CALL(close, source);
  if (fd >= 0) slots[slot] = (i32)fd;
  return fd < 0 ? fd : 0;
}

/* The kernel explains a refused mount option in the context's own log. */
static long explain(i32 context, long error) {
  long length = CALL(read, context, detail, sizeof detail - 1);
  detail[length > 0 ? length : 0] = 0;
  CALL(close, context);
  return error;
}

/* What is mounted on a directory of the container's root has its mode, and shows it as an option. */
static long inherit_mode(i32 context, i32 root, const char *path) {
  struct statx status;
  char text[8];
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  long target = CALL(openat2, root, path, &how, sizeof how);
  if (target < 0) return 0; /* not there, or not yet: it may lie on another mount */
  long result = status_of((i32)target, &status);
  CALL(close, target);
  if (result < 0) return result;
  for (u32 digit = 0; digit < 4; digit++) text[digit] = (char)('0' + (status.stx_mode >> (9 - 3 * digit) & 7));
  text[4] = 0;
  return CALL(fsconfig, context, FSCONFIG_SET_STRING, "mode", text, 0);
}

static long step_filesystem(const struct step *step) {
  long context = CALL(fsopen, text_field(step, FIELD_TYPE), FSOPEN_CLOEXEC);
  if (context < 0) return context;
  const char *source = text_field(step, FIELD_SOURCE), *path = text_field(step, FIELD_PATH);
  long result = source == NULL ? 0 : CALL(fsconfig, context, FSCONFIG_SET_STRING, "source", source, 0);
  if (result >= 0 && path != NULL) result = inherit_mode((i32)context, slots[number_field(step, FIELD_ID_SLOT)], path);
  const struct field *value = NULL;
  for (const struct field *key = NULL; result >= 0 && (key = next_field(step, key, FIELD_KEY)) != NULL;) {
    value = next_field(step, value, FIELD_VALUE);
    if (value == NULL) result = -EINVAL;
    else if (value->length == 1) result = CALL(fsconfig, context, FSCONFIG_SET_FLAG, text_of(key), NULL, 0);
    else result = CALL(fsconfig, context, FSCONFIG_SET_STRING, text_of(key), text_of(value), 0);
  }
  if (result >= 0) result = CALL(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (result >= 0) result = CALL(fsmount, context, FSMOUNT_CLOEXEC, number_field(step, FIELD_SET));
  if (result < 0) return explain((i32)context, result);
  CALL(close, context);
  slots[number_field(step, FIELD_SLOT)] = (i32)result;
  return 0;
}

/* Attributes and propagation of a mount in a slot, of a path in the container, or of the host's view ("/" before). */
static long step_mount_attributes(const struct step *step) {
  u64 recursive = number_field(step, FIELD_RECURSIVE) != 0 ? AT_RECURSIVE : 0;
  const char *path = text_field(step, FIELD_PATH);
  struct mount_attr attributes = {
      .attr_set = number_field(step, FIELD_SET),
      .attr_clr = number_field(step, FIELD_CLEAR),
      .propagation = number_field(step, FIELD_PROPAGATION),
  };
  if (next_field(step, NULL, FIELD_ID_SLOT) != NULL) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = (u64)slots[number_field(step, FIELD_ID_SLOT)];
  }
  if (path == NULL) {
    i32 fd = slots[number_field(step, FIELD_SLOT)];
    if (fd < 0) return 0;
    long result = CALL(mount_setattr, fd, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes);
    return result == -EPERM && number_field(step, FIELD_FLAGS) == FLAG_OPTIONAL ? 0 : result;
  }
  if (root_fd < 0) return CALL(mount_setattr, AT_FDCWD, path, recursive, &attributes, sizeof attributes);
  long fd = open_in_root(path, O_PATH, RESOLVE_NO_SYMLINKS);
  if (fd < 0) return fd;
  long result = CALL(mount_setattr, fd, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes);
  CALL(close, fd);
  return result;
}

/*
 * The root is mounted over "/": this process still sees the host by its own root, and needs no path to the container.
 * Hooks do: where there are some, and the path can be reached, it is mounted at its own place. In the mount namespace of
 * its creator a container's root is mounted nowhere.
 */
static long step_root(const struct step *step) {
  i32 fd = slots[number_field(step, FIELD_SLOT)];
  const char *path = text_field(step, FIELD_PATH);
  if (number_field(step, FIELD_FLAGS) == FLAG_DETACHED) {
    root_fd = fd;
    return 0;
  }
  long result = path == NULL ? -EACCES : CALL(move_mount, fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
  if (result == -EACCES) result = CALL(move_mount, fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
  if (result >= 0) root_fd = fd;
  return result;
}

static long copy_mode(i32 from, i32 tree) {
  struct statx status;
  long result = status_of(from, &status);
  if (result < 0) return result;
  long directory = CALL(openat, tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return directory;
  result = CALL(fchmod, directory, status.stx_mode & 07777);
  CALL(close, directory);
  return result;
}

static long step_attach(const struct step *step) {
  u64 slot = number_field(step, FIELD_SLOT), flags = number_field(step, FIELD_FLAGS);
  i32 tree = slots[slot];
  if (tree < 0) return 0;
  if ((flags & SOURCE_PROC) != 0 && filesystem_of(tree) != PROC_SUPER_MAGIC)
    return fail_with(-EINVAL, "only a procfs can be mounted here");
  if ((flags & TARGET_LIKE_SOURCE) != 0) {
    struct statx status;
    long result = status_of(tree, &status);
    if (result < 0) return result;
    flags |= (status.stx_mode & S_IFMT) == S_IFDIR ? TARGET_DIRECTORY : TARGET_FILE;
  }
  long before = (flags & TARGET_MODE) != 0 ? open_in_root(text_field(step, FIELD_PATH), O_PATH, 0) : -ENOENT;
  int existed = before >= 0;
  if (existed) CALL(close, before);
  long target = open_target(text_field(step, FIELD_PATH), flags);
  if (target == -ENOENT && (flags & TARGET_OPTIONAL) != 0) return 0;
  if (target < 0) return target;
  long result = existed && (flags & TARGET_MODE) != 0 ? copy_mode((i32)target, tree) : 0;
  if (result >= 0) result = attach(tree, (i32)target);
  CALL(close, target);
  if ((flags & TARGET_KEEP) == 0) close_fd(&slots[slot]);
  return result;
}

/* mount(2) as it was, for options that the new interface cannot carry (values of 256 bytes and more). */
static long step_legacy_mount(const struct step *step) {
  char path[64];
  long target = open_target(text_field(step, FIELD_PATH), number_field(step, FIELD_FLAGS));
  if (target < 0) return target;
  append_number(path, sizeof path, append(path, sizeof path, 0, "/proc/self/fd/"), (u64)target);
  long result = CALL(mount, text_field(step, FIELD_SOURCE), path, text_field(step, FIELD_TYPE),
                     number_field(step, FIELD_SET), text_field(step, FIELD_TEXT));
  CALL(close, target);
  return result;
}

static long step_directory(const struct step *step) {
  long fd = open_target(text_field(step, FIELD_PATH), number_field(step, FIELD_FLAGS) | TARGET_DIRECTORY | TARGET_PROC);
  if (fd >= 0) CALL(close, fd);
  return fd < 0 ? fd : 0;
}

/* The directory of a path in the container, made if missing, no component a symbolic link; `name` is the last one. */
static long open_parent(const char *path, const char **name) {
  char directory[PATH_LIMIT];
  usize cut = 0;
  if (text_length(path) + 1 >= sizeof directory) return -ENAMETOOLONG;
  for (usize i = 0; path[i] != 0; i++)
    if (path[i] == '/') cut = i;
  append(directory, cut + 1, 0, path);
  *name = path + cut + 1;
  return open_target(cut == 0 ? "/" : directory, TARGET_DIRECTORY | TARGET_STRICT);
}

static long same_device(i32 parent, const char *name, u32 type, u32 major, u32 minor) {
  struct statx status;
  long result = CALL(statx, parent, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status);
  if (result < 0) return result;
  return is_device(&status, type, major, minor) ? 0 : -EEXIST;
}

/* Where devices cannot be made, the host's node is bound; it must be the very device that was asked for. */
static long bind_device(i32 parent, const char *name, const struct step *step) {
  struct statx status;
  u32 type = (u32)number_field(step, FIELD_MODE) & S_IFMT;
  long tree = clone_tree(AT_FDCWD, text_field(step, FIELD_SOURCE), AT_SYMLINK_NOFOLLOW);
  if (tree < 0) return tree;
  long result = status_of((i32)tree, &status);
  u32 major = (u32)number_field(step, FIELD_MAJOR), minor = (u32)number_field(step, FIELD_MINOR);
  if (result >= 0 && type != S_IFIFO && !is_device(&status, type, major, minor))
    result = fail_with(-ENODEV, "the host has another device there");
  if (result >= 0) {
    long file = CALL(openat, parent, name, O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_RDONLY | O_NONBLOCK, 0644);
    if (file >= 0) CALL(close, file);
    long target = CALL(openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    result = target < 0 ? target : attach((i32)tree, (i32)target);
    if (target >= 0) CALL(close, target);
  }
  CALL(close, tree);
  return result;
}

static long step_device(const struct step *step) {
  const char *name;
  u64 flags = number_field(step, FIELD_FLAGS);
  u32 mode = (u32)number_field(step, FIELD_MODE);
  u32 major = (u32)number_field(step, FIELD_MAJOR), minor = (u32)number_field(step, FIELD_MINOR);
  u64 number = (minor & 0xff) | ((u64)(major & 0xfff) << 8) | ((u64)(minor & ~0xffU) << 12);
  long parent = open_parent(text_field(step, FIELD_PATH), &name);
  if (parent < 0) return parent;
  long result = (flags & DEVICE_BIND) != 0 ? -EPERM : CALL(mknodat, parent, name, mode, number);
  if (result == -EPERM) {
    result = bind_device((i32)parent, name, step);
  } else if (result == -EEXIST && (flags & DEVICE_DEFAULT) != 0) {
    result = 0; /* the image's own file stays, as under other runtimes: it concerns the container alone */
  } else {
    if (result == -EEXIST) result = same_device((i32)parent, name, mode & S_IFMT, major, minor);
    if (result >= 0) result = CALL(fchmodat, parent, name, mode & 07777);
    if (result >= 0)
      result = CALL(fchownat, parent, name, number_field(step, FIELD_UID), number_field(step, FIELD_GID),
                    AT_SYMLINK_NOFOLLOW);
  }
  CALL(close, parent);
  return result;
}

static long step_symlink(const struct step *step) {
  const char *name;
  long parent = open_parent(text_field(step, FIELD_PATH), &name);
  if (parent < 0) return parent;
  if (number_field(step, FIELD_FLAGS) == FLAG_REPLACE) CALL(unlinkat, parent, name, 0);
  long result = CALL(symlinkat, text_field(step, FIELD_TEXT), parent, name);
  CALL(close, parent);
  return result == -EEXIST ? 0 : result;
}

/* Something that reads as empty: the host's null device, proven to be it, never the container's. */
static long null_tree(void) {
  struct statx status;
  long tree = clone_tree(AT_FDCWD, "/dev/null", AT_SYMLINK_NOFOLLOW);
  if (tree < 0) return tree;
  long result = status_of((i32)tree, &status);
  if (result >= 0 && is_device(&status, S_IFCHR, 1, 3)) return tree;
  CALL(close, tree);
  return result < 0 ? result : fail_with(-ENODEV, "/dev/null is not the null device");
}

static long mask_tree(void) {
  if (mask_fd >= 0) return clone_tree(mask_fd, "", AT_EMPTY_PATH);
  long context = CALL(fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return context;
  CALL(fsconfig, context, FSCONFIG_SET_STRING, "source", "tmpfs", 0);
  CALL(fsconfig, context, FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
  CALL(fsconfig, context, FSCONFIG_SET_FLAG, "ro", NULL, 0);
  long result = CALL(fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  u64 attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (result >= 0) result = CALL(fsmount, context, FSMOUNT_CLOEXEC, attributes);
  if (result < 0) return explain((i32)context, result);
  CALL(close, context);
  mask_fd = (i32)result;
  return result;
}

static long step_mask(const struct step *step) {
  struct statx status;
  long target = open_in_root(text_field(step, FIELD_PATH), O_PATH, 0);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  if (target < 0) return target;
  long result = status_of((i32)target, &status);
  if (result >= 0) {
    int is_directory = (status.stx_mode & S_IFMT) == S_IFDIR;
    long tree = is_directory ? mask_tree() : null_tree();
    result = tree < 0 ? tree : attach((i32)tree, (i32)target);
    if (tree >= 0 && tree != mask_fd) CALL(close, tree);
  }
  CALL(close, target);
  return result;
}

static long step_pivot(const struct step *step) {
  long result = CALL(fchdir, root_fd);
  if (result < 0) return result;
  if (number_field(step, FIELD_FLAGS) == FLAG_NO_PIVOT) {
    /* The root lies over "/" already; without pivot_root this process just changes into it. */
    result = CALL(chroot, ".");
    return result < 0 ? result : CALL(chdir, "/");
  }
  result = CALL(pivot_root, ".", ".");
  if (result >= 0) result = CALL(umount2, ".", MNT_DETACH);
  return result < 0 ? result : CALL(chdir, "/");
}

#endif
