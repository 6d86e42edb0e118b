/*
 * Fuzzes the reading of plans: what `plan_check` passes must be readable to its last field without leaving the plan. Built
 * with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer by `native/fuzz.mjs`.
 */
#define OCI_HOSTED 1
#include "../plan.h"

int LLVMFuzzerTestOneInput(const u8 *data, usize size);

static u64 checksum;

static void read_step(const struct step *step) {
  static const u32 names[] = {
      FIELD_PATH,  FIELD_TEXT,  FIELD_TYPE,  FIELD_SOURCE, FIELD_KEY,    FIELD_VALUE,  FIELD_ARGUMENT, FIELD_VARIABLE,
      FIELD_SLOT,  FIELD_FLAGS, FIELD_SET,   FIELD_NUMBER, FIELD_ID_SLOT, FIELD_BYTES, FIELD_MODE,     FIELD_UID,
  };
  for (usize i = 0; i < COUNT(names); i++) {
    const char *text = (names[i] & 0xf000) == 0x1000 ? text_field(step, names[i]) : NULL;
    if (text != NULL) checksum += text_length(text);
    if ((names[i] & 0xf000) == 0x2000) checksum += number_field(step, names[i]);
    for (const struct field *field = NULL; (field = next_field(step, field, names[i])) != NULL;) {
      const u8 *bytes = (const u8 *)(field + 1);
      for (usize at = 0; at < field->length; at++) checksum += bytes[at];
      if (names[i] == FIELD_SLOT && number_field(step, FIELD_SLOT) >= SLOT_LIMIT) __builtin_trap();
    }
  }
}

int LLVMFuzzerTestOneInput(const u8 *data, usize size) {
  static usize used = 0;
  /* As the monitor has it: zero behind the plan, and nothing longer is read. */
  if (size > PLAN_LIMIT - 8) return 0;
  memset(plan, 0, used);
  memcpy(plan, data, size);
  used = size;
  if (!plan_check(size)) return 0;
  const struct step *step = first_step();
  for (u32 index = 0; index < HEADER->steps; index++, step = step_after(step)) read_step(step);
  if ((const u8 *)step != plan + size) __builtin_trap();
  return 0;
}
