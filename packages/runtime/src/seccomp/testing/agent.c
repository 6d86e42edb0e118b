/* A seccomp agent for tests: prints the state that it is sent, answers mkdir with EXDEV and lets everything else happen. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int connection) {
  static char text[1 << 20];
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec vector = {text, sizeof text - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  int fd = -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
  if (length < 0 || fd < 0) return -1;
  text[length] = 0;
  printf("%s\n", text);
  fflush(stdout);
  return fd;
}

static void answer(int listener) {
  struct seccomp_notif request;
  for (;;) {
    memset(&request, 0, sizeof request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    int is_mkdir = request.data.nr == SYS_mkdirat;
#ifdef SYS_mkdir
    is_mkdir = is_mkdir || request.data.nr == SYS_mkdir;
#endif
    struct seccomp_notif_resp response = {.id = request.id};
    if (is_mkdir) response.error = -EXDEV;
    else response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }
}

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 2 || strlen(arguments[1]) >= sizeof address.sun_path) return 2;
  strcpy(address.sun_path, arguments[1]);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0 || listen(server, 8) < 0) return 1;
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    int connection = accept(server, NULL, NULL);
    if (connection < 0) return 1;
    int listener = receive(connection);
    close(connection);
    if (listener < 0) continue;
    /* One process for each container: the next one connects meanwhile. */
    if (fork() == 0) {
      close(server);
      answer(listener);
      exit(0);
    }
    close(listener);
  }
}
