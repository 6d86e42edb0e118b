/*
 * Holds something that criu restores only when it is asked to, and counts with it, in directories named /shared/N:
 *   holder lock       a lock of /shared/lock
 *   holder send       a datagram socket that is connected to /shared/log
 *   holder receive    the other side of it, which writes the counts down
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void require(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(1);
}

static void write_count(int count) {
  char path[32];
  snprintf(path, sizeof path, "/shared/%d", count);
  require(mkdir(path, 0755) == 0, path);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  if (strcmp(argv[1], "lock") == 0) {
    int lock = open("/shared/lock", O_RDWR | O_CREAT, 0600);
    require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0, "lock");
    for (int count = 1;; count++, usleep(20000)) write_count(count);
  }
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/shared/log"};
  int end = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (strcmp(argv[1], "receive") == 0) {
    require(bind(end, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    for (int count; read(end, &count, sizeof count) == sizeof count;) write_count(count);
    return 1;
  }
  require(connect(end, (struct sockaddr *)&address, sizeof address) == 0, "connect");
  for (int count = 1; write(end, &count, sizeof count) == sizeof count; count++) usleep(20000);
  return 1;
}
