/* Takes terminals over a console socket and keeps them, so that the containers behind them are not hung up. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 2 || strlen(arguments[1]) >= sizeof address.sun_path) return 2;
  strcpy(address.sun_path, arguments[1]);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0 || listen(server, 8) < 0) return 1;
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    char text[256], control[CMSG_SPACE(sizeof(int))];
    struct iovec vector = {text, sizeof text - 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int connection = accept(server, NULL, NULL);
    ssize_t length = recvmsg(connection, &message, 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    text[length < 0 ? 0 : length] = 0;
    printf("%s %d\n", text, header != NULL && header->cmsg_type == SCM_RIGHTS);
    fflush(stdout);
    close(connection);
  }
}
