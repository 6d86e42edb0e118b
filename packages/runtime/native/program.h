/*
 * What a program without a libc does before anything else: its pointers are put right, its canary is set.
 */
#ifndef OCI_PROGRAM_H
#define OCI_PROGRAM_H

#include "kernel.h"

#ifndef OCI_HOSTED
/*
 * A position-independent program without a dynamic linker moves its own few pointers: the compiler's way to the stack
 * protector's canary on arm64, for one. `headers` are the program headers, right behind the 64 bytes of the ELF header.
 */
__attribute__((no_stack_protector)) static void relocate(const Elf64_Phdr *headers, usize count) {
  u8 *base = (u8 *)(usize)headers - sizeof(Elf64_Ehdr);
  const Elf64_Rela *relocations = NULL;
  usize size = 0;
  for (usize i = 0; i < count; i++) {
    if (headers[i].p_type != PT_DYNAMIC) continue;
    for (const Elf64_Dyn *entry = (const void *)(base + headers[i].p_vaddr); entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_RELA) relocations = (const void *)(base + entry->d_un.d_ptr);
      if (entry->d_tag == DT_RELASZ) size = entry->d_un.d_val;
    }
  }
  /* All are of the kind "base plus addend": nothing is linked that could need another. */
  for (usize i = 0; i < size / sizeof *relocations; i++)
    *(u64 *)(void *)(base + relocations[i].r_offset) = (u64)base + (u64)relocations[i].r_addend;
}

/* `stack` is what the kernel hands over: argc, argv, the environment and the auxiliary vector. */
__attribute__((no_stack_protector)) static void prepare_program(unsigned long *stack) {
  unsigned long *auxiliary = stack + stack[0] + 2;
  unsigned long values[AT_RANDOM + 1] = {0};
  while (*auxiliary != 0) auxiliary++;
  for (auxiliary++; auxiliary[0] != AT_NULL; auxiliary += 2)
    if (auxiliary[0] < COUNT(values)) values[auxiliary[0]] = auxiliary[1];
  relocate((const Elf64_Phdr *)values[AT_PHDR], values[AT_PHNUM]);
  if (values[AT_RANDOM] != 0) __stack_chk_guard = *(unsigned long *)values[AT_RANDOM] & ~0xffUL;
}
#endif

#endif
