/*
 * The launch plan: what TypeScript asks for, as a flat list of steps. All numbers are little-endian.
 *
 *   header   8 x u32: magic, version, total length, flags, clone flags, preserved fds, steps, reserved
 *   step     4 x u32: section, tag, payload length, reserved; then the payload, a list of fields
 *   field    2 x u32: name, length; then the value, padded with zeros to a multiple of four
 *
 * A field's name says its kind: 0x1000 text (ends with its only NUL), 0x2000 number (8 bytes), 0x3000 bytes.
 * `plan_check` proves the shape of the whole plan once, so that reading a field later cannot go wrong.
 * The tables are repeated in src/plan/format.ts; a test compares both.
 */
#ifndef OCI_PLAN_H
#define OCI_PLAN_H

#include "kernel.h"

#define PLAN_MAGIC 0x5049434fU /* "OCIP" */
#define PLAN_VERSION 1U
#define PLAN_LIMIT (4U << 20)
#define SLOT_LIMIT 2048
#define VECTOR_LIMIT 32768

enum plan_flag { PLAN_ATTACHED = 1, PLAN_HOST_SESSION = 2, PLAN_RELAY = 4, PLAN_JOINER = 8, PLAN_HOST_ONLY = 16 };

/* Sections that start on their own. Higher numbers run in the monitor when the init asks for them. */
enum section { SECTION_HOST = 0, SECTION_JOIN = 1, SECTION_INIT = 2 };

enum step_tag {
  STEP_ASK = 1,
  STEP_PIPES = 2,
  STEP_FIFO = 3,
  STEP_CONSOLE_SOCKET = 4,
  STEP_OPEN_NAMESPACE = 5,
  STEP_SET_NAMESPACE = 6,
  STEP_UNSHARE = 7,
  STEP_ID_MAPS = 8,
  STEP_ID_MAP_HELPER = 9,
  STEP_OOM_SCORE = 10,
  STEP_JOIN_CGROUP = 11,
  STEP_RESOURCE_LIMIT = 12,
  STEP_HOST_HOOKS = 13,
  STEP_BECOME_ROOT = 14,
  STEP_LOOPBACK = 15,
  STEP_HOSTNAME = 16,
  STEP_DOMAINNAME = 17,
  STEP_KEYRING = 18,
  STEP_WRITE_PROC = 19,
  STEP_OPEN_TREE = 20,
  STEP_CLONE_IN_ROOT = 21,
  STEP_FILESYSTEM = 22,
  STEP_MOUNT_ATTRIBUTES = 23,
  STEP_ROOT = 24,
  STEP_ATTACH = 25,
  STEP_DEVICE = 26,
  STEP_SYMLINK = 27,
  STEP_MASK = 28,
  STEP_DIRECTORY = 29,
  STEP_CONSOLE = 30,
  STEP_PIVOT = 31,
  STEP_SESSION = 32,
  STEP_STDIO = 33,
  STEP_CLOSE_FDS = 34,
  STEP_NO_NEW_PRIVILEGES = 35,
  STEP_BOUNDING = 36,
  STEP_IDENTITY = 37,
  STEP_CAPABILITIES = 38,
  STEP_AMBIENT = 39,
  STEP_UMASK = 40,
  STEP_DIRECTORY_CHANGE = 41,
  STEP_LOOKUP = 42,
  STEP_PARENT_DEATH = 43,
  STEP_CREATED = 44,
  STEP_WAIT_START = 45,
  STEP_SECCOMP = 46,
  STEP_EXEC = 47,
  STEP_EXIT_FILE = 48,
  STEP_NOT_DUMPABLE = 49,
  STEP_PERSONALITY = 50,
  STEP_SCHEDULER = 51,
  STEP_IO_PRIORITY = 52,
  STEP_LEGACY_MOUNT = 53,
  STEP_UNMOUNT = 54,
  STEP_USER_NAMESPACE = 55,
  STEP_COPY_UP = 56,
  STEP_MEMORY_POLICY = 57,
  STEP_WRITE_CHILD_PROC = 58,
  STEP_DEVICE_PROGRAM = 59,
  STEP_OPEN_TARGET = 60,
  STEP_JOIN_TARGET = 61,
  STEP_AFFINITY = 62,
  STEP_PIDFD_SOCKET = 63,
  STEP_HOOK = 70,
  STEP_RESULT_FIFO = 71,
  STEP_NET_DEVICE = 72,
  STEP_LISTENER_SOCKET = 73,
  STEP_HOST_CGROUP = 74,
  STEP_CRIU = 75,
  STEP_NOTIFY = 76,
  STEP_LOCKED_VIEW = 77,
  STEP_OPEN_CGROUP = 80,
  STEP_ENTER_CGROUP = 81,
};

enum field_name {
  FIELD_PATH = 0x1001,
  FIELD_TEXT = 0x1002,
  FIELD_TYPE = 0x1003,
  FIELD_SOURCE = 0x1004,
  FIELD_KEY = 0x1005,
  FIELD_VALUE = 0x1006,
  FIELD_ARGUMENT = 0x1007,
  FIELD_VARIABLE = 0x1008,
  FIELD_UID_MAP = 0x1009,
  FIELD_GID_MAP = 0x100a,
  FIELD_SLOT = 0x2001,
  FIELD_FLAGS = 0x2002,
  FIELD_SET = 0x2003,
  FIELD_CLEAR = 0x2004,
  FIELD_PROPAGATION = 0x2005,
  FIELD_RECURSIVE = 0x2006,
  FIELD_MODE = 0x2007,
  FIELD_MAJOR = 0x2008,
  FIELD_MINOR = 0x2009,
  FIELD_UID = 0x200a,
  FIELD_GID = 0x200b,
  FIELD_NUMBER = 0x200c,
  FIELD_SOFT = 0x200d,
  FIELD_HARD = 0x200e,
  FIELD_EFFECTIVE = 0x200f,
  FIELD_PERMITTED = 0x2010,
  FIELD_INHERITABLE = 0x2011,
  FIELD_HEIGHT = 0x2012,
  FIELD_WIDTH = 0x2013,
  FIELD_ID_SLOT = 0x2014,
  FIELD_BYTES = 0x3001,
};

/* Flags of single steps. */
enum target_flag {
  TARGET_DIRECTORY = 1, /* create a missing target as a directory */
  TARGET_FILE = 2,      /* create a missing target as an empty file */
  TARGET_LIKE_SOURCE = 4,
  TARGET_STRICT = 8,    /* no component may be a symbolic link */
  TARGET_OPTIONAL = 16, /* a missing target is no error: skip */
  TARGET_PROC = 32,     /* the target may lie on a procfs */
  SOURCE_PROC = 64,     /* the source must be a procfs */
  TARGET_KEEP = 128,    /* the slot stays open for a later step */
  TARGET_MODE = 256,    /* what is mounted gets the mode of the directory that it covers */
};
enum birth_flag { BIRTH_CHILD = 1, BIRTH_INIT = 2 };
enum device_flag { DEVICE_BIND = 1, DEVICE_DEFAULT = 2 };
enum other_flag { FLAG_OPTIONAL = 1, FLAG_ALONE = 2, FLAG_DETACHED = 1, FLAG_REPLACE = 1, FLAG_NO_PIVOT = 1, FLAG_NO_CONSOLE = 1, FLAG_NO_GROUPS = 1, FLAG_TRY_GROUPS = 2, FLAG_DENY_GROUPS = 1, FLAG_ENTER = 1 };

struct plan_header {
  u32 magic, version, length, flags, clone_flags, preserved, steps, reserved;
};

struct step {
  u32 section, tag, length, reserved;
};

struct field {
  u32 name, length;
};

static u8 plan[PLAN_LIMIT] __attribute__((aligned(8)));
#define HEADER ((const struct plan_header *)(const void *)plan)

static usize padded(usize length) {
  return (length + 3) & ~(usize)3;
}

static const struct step *first_step(void) {
  return (const struct step *)(const void *)(plan + sizeof(struct plan_header));
}

static const struct step *step_after(const struct step *step) {
  return (const struct step *)(const void *)((const u8 *)(step + 1) + step->length);
}

/* The next field of this name behind `previous` (NULL: the first one), or NULL. */
static const struct field *next_field(const struct step *step, const struct field *previous, u32 name) {
  const u8 *at = (const u8 *)(step + 1);
  const u8 *end = at + step->length;
  if (previous != NULL) at = (const u8 *)(previous + 1) + padded(previous->length);
  while (at < end) {
    const struct field *field = (const struct field *)(const void *)at;
    if (field->name == name) return field;
    at += sizeof *field + padded(field->length);
  }
  return NULL;
}

static const char *text_of(const struct field *field) {
  return field == NULL ? NULL : (const char *)(field + 1);
}

static const char *text_field(const struct step *step, u32 name) {
  return text_of(next_field(step, NULL, name));
}

static u64 number_field(const struct step *step, u32 name) {
  u64 number = 0;
  const struct field *field = next_field(step, NULL, name);
  if (field != NULL) memcpy(&number, field + 1, sizeof number);
  return number;
}

static int field_is_sound(const struct field *field) {
  const u8 *value = (const u8 *)(field + 1);
  switch (field->name & 0xf000) {
    case 0x1000:
      return field->length > 0 && text_length((const char *)value) + 1 == field->length;
    case 0x2000:
      return field->length == 8;
    case 0x3000:
      return 1;
    default:
      return 0;
  }
}

/* True if every step and field lies inside `length` bytes and has the shape that its name promises. */
static int plan_check(usize length) {
  usize at = sizeof(struct plan_header);
  if (length < at || length > PLAN_LIMIT - 8 || HEADER->magic != PLAN_MAGIC) return 0;
  if (HEADER->version != PLAN_VERSION || HEADER->length != length || HEADER->preserved > 1024) return 0;
  /* The buffer is zero behind the plan: a text without its NUL ends there, and is found too long. */
  for (u32 index = 0; index < HEADER->steps; index++) {
    if (length - at < sizeof(struct step)) return 0;
    const struct step *step = (const struct step *)(const void *)(plan + at);
    at += sizeof *step;
    if (step->length > length - at || (step->length & 3) != 0) return 0;
    usize end = at + step->length;
    while (at < end) {
      if (end - at < sizeof(struct field)) return 0;
      const struct field *field = (const struct field *)(const void *)(plan + at);
      at += sizeof *field;
      if (field->length > end - at || padded(field->length) > end - at || !field_is_sound(field)) return 0;
      if (field->name == FIELD_SLOT || field->name == FIELD_ID_SLOT) {
        if (*(const u32 *)(const void *)(field + 1) >= SLOT_LIMIT) return 0;
        if (*((const u32 *)(const void *)(field + 1) + 1) != 0) return 0;
      }
      at += padded(field->length);
    }
  }
  return at == length;
}

#endif
