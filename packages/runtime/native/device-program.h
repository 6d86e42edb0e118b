/*
 * Devices on cgroup v2: an eBPF program, compiled by TypeScript (src/cgroup/device-program.ts), decides about each access.
 */
#ifndef OCI_DEVICE_PROGRAM_H
#define OCI_DEVICE_PROGRAM_H

#include "report.h"

#include <linux/bpf.h>

#define BPF(command, attributes) CALL(bpf, command, &(attributes), sizeof(attributes))
#define ADDRESS(pointer) ((u64)(usize)(pointer))
#define ATTRIBUTES(name) union bpf_attr name; memset(&name, 0, sizeof name)
#define PROGRAM_LIMIT 64 /* the kernel's own, for one group */
static const char program_name[] = "oci_devices";

/* The verifier's last words are the reason; they are asked for only after a refusal. */
static long load_program(const struct field *code) {
  static char log[1 << 16];
  ATTRIBUTES(load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = ADDRESS(code + 1);
  load.insn_cnt = code->length / sizeof(struct bpf_insn);
  load.license = ADDRESS("Apache-2.0");
  memcpy(load.prog_name, program_name, sizeof program_name);
  long program = BPF(BPF_PROG_LOAD, load);
  if (program >= 0) return program;
  load.log_level = 1;
  load.log_buf = ADDRESS(log);
  load.log_size = sizeof log;
  long again = BPF(BPF_PROG_LOAD, load);
  usize length = text_length(log);
  append(detail, sizeof detail, 0, log + (length < sizeof detail ? 0 : length - sizeof detail + 1));
  return again >= 0 ? again : program;
}

/* A group that outlives its container keeps the program: the next one takes its place, and what others attached stays. */
static long detach_earlier(union bpf_attr *attach, u32 id) {
  struct bpf_prog_info info = {0};
  ATTRIBUTES(find);
  ATTRIBUTES(query);
  find.prog_id = id;
  long program = BPF(BPF_PROG_GET_FD_BY_ID, find);
  if (program < 0) return program == -ENOENT ? 0 : program;
  query.info.bpf_fd = (u32)program;
  query.info.info = ADDRESS(&info);
  query.info.info_len = sizeof info;
  long result = BPF(BPF_OBJ_GET_INFO_BY_FD, query);
  attach->attach_bpf_fd = (u32)program;
  int is_ours = result >= 0 && memcmp(info.name, program_name, sizeof program_name) == 0;
  if (is_ours) result = BPF(BPF_PROG_DETACH, *attach);
  CALL(close, program);
  return result;
}

static long step_device_program(const struct step *step) {
  u32 earlier[PROGRAM_LIMIT];
  const struct field *code = next_field(step, NULL, FIELD_BYTES);
  if (code == NULL) return -EINVAL;
  long group = CALL(openat, AT_FDCWD, text_field(step, FIELD_PATH), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (group < 0) return group;
  ATTRIBUTES(query);
  ATTRIBUTES(attach);
  query.query.target_fd = attach.target_fd = (u32)group;
  query.query.attach_type = attach.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = ADDRESS(earlier);
  query.query.prog_cnt = PROGRAM_LIMIT;
  long program = load_program(code);
  long result = program < 0 ? program : BPF(BPF_PROG_QUERY, query);
  /* Groups below may add programs of their own, and each of them must allow an access. */
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  attach.attach_bpf_fd = (u32)program;
  if (result >= 0) result = BPF(BPF_PROG_ATTACH, attach);
  attach.attach_flags = 0; /* none are known to BPF_PROG_DETACH */
  for (u32 index = 0; result >= 0 && index < query.query.prog_cnt; index++)
    result = detach_earlier(&attach, earlier[index]);
  if (program >= 0) CALL(close, program);
  CALL(close, group);
  return result;
}

#endif
