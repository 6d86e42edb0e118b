/* Makes calls about owners as no ordinary program does, and prints what came of them: run by emulate-owners.test.ts. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stat status;
static struct statx extended;

static void say(const char *what, long result) {
  if (result < 0)
    printf("%s: errno %d\n", what, errno);
  else
    printf("%s: %ld %u:%u %o\n", what, result, status.st_uid, status.st_gid, status.st_mode);
  memset(&status, 0, sizeof status);
}

static long fstatat_of(long fd, const void *path, void *result, long flags) {
  return syscall(SYS_newfstatat, fd, path, result, flags);
}

static long chown_of(long fd, const void *path, unsigned uid, unsigned gid, long flags) {
  return syscall(SYS_fchownat, fd, path, uid, gid, flags);
}

static void *look(void *path) {
  syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0);
  return NULL;
}

int main(int count, char **words) {
  if (count < 2 || chdir(words[1]) != 0) return 1;
  static char longest[PATH_MAX], longer[PATH_MAX + 2];
  memset(longest, '/', sizeof longest - 1);
  memcpy(longest + sizeof longest - 2, ".", 1);
  memset(longer, '/', sizeof longer - 1);
  int file = open("mine", O_CREAT | O_RDWR, 0644), path = open("mine", O_PATH), directory = open(".", O_RDONLY | O_DIRECTORY);
  say("chown", chown_of(AT_FDCWD, "mine", 100, 101, 0));
  say("stat", fstatat_of(AT_FDCWD, "mine", &status, 0));
  say("fstat", syscall(SYS_fstat, file, &status));
  say("fstat of O_PATH", syscall(SYS_fstat, path, &status));
  say("empty path", fstatat_of(path, "", &status, AT_EMPTY_PATH));
  say("empty path without flag", fstatat_of(path, "", &status, 0));
  say("empty path of the directory", fstatat_of(AT_FDCWD, "", &status, AT_EMPTY_PATH));
  say("relative to a descriptor", fstatat_of(directory, "mine", &status, 0));
  say("relative to a file", fstatat_of(file, "mine", &status, 0));
  say("absolute with a bad descriptor", fstatat_of(999, "/", &status, 0));
  say("bad descriptor", fstatat_of(999, "mine", &status, 0));
  say("fstat of a bad one", syscall(SYS_fstat, 999, &status));
  say("bad path", fstatat_of(AT_FDCWD, (void *)1, &status, 0));
  say("bad high path", fstatat_of(AT_FDCWD, (void *)-1L, &status, 0));
  say("bad result", fstatat_of(AT_FDCWD, "mine", (void *)1, 0));
  say("bad flags", fstatat_of(AT_FDCWD, "mine", &status, 0x4000000));
  say("slash behind a file", fstatat_of(AT_FDCWD, "mine/", &status, 0));
  say("dot behind a file", fstatat_of(AT_FDCWD, "../srv/mine/.", &status, 0));
  say("above the root", fstatat_of(AT_FDCWD, "../../../../srv/mine", &status, 0));
  say("longest path", fstatat_of(AT_FDCWD, longest, &status, 0));
  say("longer path", fstatat_of(AT_FDCWD, longer, &status, 0));
  say("fchown", syscall(SYS_fchown, file, 102, -1));
  say("fstat", syscall(SYS_fstat, file, &status));
  say("fchown of O_PATH", syscall(SYS_fchown, path, 103, 103));
  say("fchownat of O_PATH", chown_of(path, "", 104, 104, AT_EMPTY_PATH));
  say("fstat", syscall(SYS_fstat, file, &status));
  say("bad flags", chown_of(AT_FDCWD, "mine", 1, 1, 0x4000));
  say("bad path", chown_of(AT_FDCWD, (void *)1, 1, 1, 0));
  say("bad descriptor", syscall(SYS_fchown, 999, 1, 1));
  say("longer path", chown_of(AT_FDCWD, longer, 1, 1, 0));
  fchmod(file, 06755);
  say("nothing new", chown_of(AT_FDCWD, "mine", -1, -1, 0));
  say("fstat", syscall(SYS_fstat, file, &status));
  fchmod(file, 02644);
  say("no execution", chown_of(AT_FDCWD, "mine", 5, 5, 0));
  say("fstat", syscall(SYS_fstat, file, &status));
  const unsigned masks[] = {0, STATX_UID, STATX_BASIC_STATS, STATX_ALL};
  for (unsigned i = 0; i < 4; i++) {
    long result = syscall(SYS_statx, AT_FDCWD, "mine", AT_STATX_FORCE_SYNC | AT_SYMLINK_NOFOLLOW, masks[i], &extended);
    printf("statx %x: %ld %u:%u %o\n", masks[i], result, extended.stx_uid, extended.stx_gid, extended.stx_mode);
  }
  say("statx with a bad mask", syscall(SYS_statx, AT_FDCWD, "mine", 0, 0x80000000u, &extended));
  say("statx with bad flags", syscall(SYS_statx, AT_FDCWD, "mine", AT_STATX_SYNC_TYPE, STATX_UID, &extended));
  unlink("mine");
  say("fchown of what has no name", syscall(SYS_fchown, file, 200, 201));
  say("fstat", syscall(SYS_fstat, file, &status));
  int pipes[2];
  if (pipe(pipes) == 0) say("fchown of a pipe", syscall(SYS_fchown, pipes[0], 7, 8));
  say("fstat", syscall(SYS_fstat, pipes[0], &status));
  pthread_t thread;
  chown_of(AT_FDCWD, "/srv/mine2", 1, 1, 0);
  close(open("mine2", O_CREAT | O_WRONLY, 0600));
  chown_of(AT_FDCWD, "mine2", 66, 67, 0);
  pthread_create(&thread, NULL, look, "mine2");
  pthread_join(thread, NULL);
  say("of a thread", 0);
  mkdir("jail", 0755);
  close(open("jail/inner", O_CREAT | O_WRONLY, 0600));
  chown_of(AT_FDCWD, "jail/inner", 77, 78, 0);
  fflush(stdout);
  if (fork() == 0) {
    if (chroot("jail") != 0) return 1;
    say("in another root", fstatat_of(AT_FDCWD, "/inner", &status, 0));
    say("from outside", fstatat_of(AT_FDCWD, "mine2", &status, 0));
    say("up from outside", fstatat_of(AT_FDCWD, "../srv/jail/inner", &status, 0));
    say("above it", fstatat_of(AT_FDCWD, "/../../srv/mine2", &status, 0));
    fflush(stdout);
    _exit(0);
  }
  while (wait(NULL) > 0) {
  }
  return 0;
}
