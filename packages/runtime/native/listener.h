/*
 * Seccomp listeners: the agent of `linux.seccomp.listenerPath` gets the descriptor at which it answers for the container.
 *
 * Once the filter is loaded, any call of this process may be one that waits for the agent, the one that would pass the
 * descriptor on included. So a second thread, which the filter does not hold, does that; both wait for each other in
 * memory alone.
 */
#ifndef OCI_LISTENER_H
#define OCI_LISTENER_H

#include "report.h"

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define NOT_YET (-1000000)

static i32 listener_socket = -1;
static char own_pid[24]; /* of this process, as the host sees it */
static const struct step *listener_step = NULL;
static i32 listener_fd = NOT_YET;
static long listener_result = NOT_YET;
static u8 thread_stack[16 << 10] __attribute__((aligned(16)));

/* Runs a function, which must not return, in a thread of this process. */
static long start_thread(void (*function)(void)) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  void (**stack)(void) = (void (**)(void))(void *)(thread_stack + sizeof thread_stack - sizeof function);
  *stack = function;
  __asm__ volatile("syscall\n test %%rax, %%rax\n jnz 1f\n xor %%ebp, %%ebp\n pop %%rax\n call *%%rax\n hlt\n1:"
                   : "=a"(result)
                   : "a"((long)__NR_clone), "D"((long)THREAD_FLAGS), "S"(stack), "d"(0L), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#else
  register long x8 __asm__("x8") = __NR_clone;
  register long x0 __asm__("x0") = THREAD_FLAGS;
  void (**stack)(void) = (void (**)(void))(void *)(thread_stack + sizeof thread_stack - 16);
  *stack = function;
  register void *x1 __asm__("x1") = stack;
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile("svc #0\n cbnz x0, 1f\n mov x29, #0\n mov x30, #0\n ldr x9, [sp], #16\n blr x9\n brk #0\n1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                   : "memory", "cc", "x9", "x30");
  return x0;
#endif
}

/* In the host, while the path can still be reached. */
static long step_listener_socket(const struct step *step) {
  long socket = connect_to(text_field(step, FIELD_PATH));
  listener_socket = socket < 0 ? -1 : (i32)socket;
  return socket;
}

/* The host's /proc names this process by the id that the agent knows it by. */
static long remember_own_pid(void) {
  if (listener_socket < 0 || proc_fd < 0) return 0;
  long length = CALL(readlinkat, proc_fd, "self", own_pid, sizeof own_pid - 1);
  return length < 0 ? length : 0;
}

/* The state with the descriptor, as one message (runtime-spec `config-linux.md`, "The Container Process State"). */
static long send_listener(i32 fd) {
  const char *parts[] = {text_field(listener_step, FIELD_TEXT), own_pid, text_field(listener_step, FIELD_VALUE), own_pid,
                         text_field(listener_step, FIELD_KEY)};
  struct iovec vectors[COUNT(parts)];
  for (usize i = 0; i < COUNT(parts); i++) vectors[i] = (struct iovec){(void *)(usize)parts[i], text_length(parts[i])};
  struct control_fd control = {.length = 20, .level = SOL_SOCKET, .type = SCM_RIGHTS, .fd = fd};
  struct message_header header = {
      .vectors = vectors, .vector_count = COUNT(vectors), .control = &control, .control_length = sizeof control};
  usize length = 0;
  for (usize i = 0; i < COUNT(parts); i++) length += vectors[i].length;
  long count = CALL(sendmsg, listener_socket, &header, MSG_NOSIGNAL);
  return count < 0 ? count : (usize)count == length ? 0 : -EMSGSIZE;
}

static void run_listener_thread(void) {
  i32 fd;
  while ((fd = __atomic_load_n(&listener_fd, __ATOMIC_ACQUIRE)) == NOT_YET) CALL(sched_yield, 0);
  long result = fd < 0 ? 0 : send_listener(fd);
  __atomic_store_n(&listener_result, result, __ATOMIC_RELEASE);
  for (;;) CALL(exit, 0);
}

/* The filter is this thread's alone: those that concern all threads have no other to concern. */
static long load_with_listener(const struct step *step, struct sock_fprog *filter) {
  u64 flags = number_field(step, FIELD_FLAGS) & ~(u64)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
  listener_step = step;
  long result = start_thread(run_listener_thread);
  if (result < 0) return result;
  result = CALL(seccomp, SECCOMP_SET_MODE_FILTER, flags, filter);
  __atomic_store_n(&listener_fd, result < 0 ? -1 : (i32)result, __ATOMIC_RELEASE);
  while (__atomic_load_n(&listener_result, __ATOMIC_ACQUIRE) == NOT_YET) {
  }
  return result < 0 ? result : listener_result;
}

#endif
