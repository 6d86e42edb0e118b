/*
 * Both sides of sd_notify(3):
 *   notify receive NAME     prints what comes to a socket of this name, one line each: the sender's process id, then the text
 *   notify send TEXT...     sends texts to $NOTIFY_SOCKET
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t name_socket(struct sockaddr_un *address, const char *name) {
  size_t length = strlen(name);
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (length >= sizeof address->sun_path) exit(2);
  memcpy(address->sun_path, name, length);
  if (name[0] == '@') address->sun_path[0] = 0;
  return (socklen_t)(sizeof address->sun_family + length);
}

static int receive(const char *name) {
  struct sockaddr_un address;
  socklen_t length = name_socket(&address, name);
  int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;
  if (bind(server, (struct sockaddr *)&address, length) < 0) return 1;
  setsockopt(server, SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
  printf("ready\n");
  for (;;) {
    fflush(stdout);
    char text[4096], control[256];
    struct iovec vector = {text, sizeof text - 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(server, &message, MSG_CMSG_CLOEXEC);
    if (count < 0) return 1;
    int sender = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_type == SCM_CREDENTIALS) sender = ((struct ucred *)(void *)CMSG_DATA(header))->pid;
      if (header->cmsg_type == SCM_RIGHTS) close(*(int *)(void *)CMSG_DATA(header));
    }
    for (ssize_t i = 0; i < count; i++)
      if (text[i] == '\n') text[i] = ' ';
    text[count] = 0;
    printf("%d %s\n", sender, text);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "receive") == 0) return receive(argv[2]);
  const char *name = getenv("NOTIFY_SOCKET");
  if (argc < 3 || name == NULL) return 2;
  struct sockaddr_un address;
  socklen_t length = name_socket(&address, name);
  int client = socket(AF_UNIX, SOCK_DGRAM, 0);
  for (int i = 2; i < argc; i++) {
    if (sendto(client, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&address, length) < 0) {
      perror(name);
      return 1;
    }
  }
  return 0;
}
