/*
 * Holds something that criu restores only when it is asked to, and counts with it, to /shared/count:
 *   holder lock       a lock of /shared/lock
 *   holder tcp        a connection with itself
 *   holder send       a datagram socket that is connected to /shared/log
 *   holder receive    the other side of it, which counts instead
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void require(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(1);
}

static void write_count(int count) {
  FILE *file = fopen("/shared/now", "w");
  require(file != NULL, "count");
  fprintf(file, "%d\n", count);
  fclose(file);
  require(rename("/shared/now", "/shared/count") == 0, "count");
}

static void connect_to_itself(int *near, int *far) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  require(bind(server, (struct sockaddr *)&address, length) == 0, "bind");
  require(listen(server, 1) == 0 && getsockname(server, (struct sockaddr *)&address, &length) == 0, "listen");
  *near = socket(AF_INET, SOCK_STREAM, 0);
  require(connect(*near, (struct sockaddr *)&address, length) == 0, "connect");
  *far = accept(server, NULL, NULL);
  require(*far >= 0, "accept");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int out = -1, in = -1;
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/shared/log"};
  if (strcmp(what, "lock") == 0) {
    int lock = open("/shared/lock", O_RDWR | O_CREAT, 0600);
    require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0, "lock");
  } else if (strcmp(what, "tcp") == 0) {
    connect_to_itself(&out, &in);
  } else if (strcmp(what, "send") == 0) {
    out = socket(AF_UNIX, SOCK_DGRAM, 0);
    require(connect(out, (struct sockaddr *)&address, sizeof address) == 0, "connect");
  } else if (strcmp(what, "receive") == 0) {
    in = socket(AF_UNIX, SOCK_DGRAM, 0);
    require(bind(in, (struct sockaddr *)&address, sizeof address) == 0, "bind");
  } else {
    return 2;
  }
  for (int count = 1;; count++) {
    if (out >= 0) require(write(out, &count, sizeof count) == sizeof count, "write");
    if (in >= 0) require(read(in, &count, sizeof count) == sizeof count, "read");
    if (in >= 0 || out < 0) write_count(count);
    if (strcmp(what, "receive") != 0) usleep(20000);
  }
}
