// The program in the demo's image: it looks around its container and says what it sees. Static, so it needs no file but itself.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void show(const char *path, int depth) {
  struct dirent **entries;
  int count = scandir(path, &entries, visible, by_name);
  for (int i = 0; i < count; i++) {
    char child[4096], target[4096];
    struct stat info;
    int length = snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
    if (length < (int)sizeof child && lstat(child, &info) == 0) {
      ssize_t end = S_ISLNK(info.st_mode) ? readlink(child, target, sizeof target - 1) : 0;
      target[end > 0 ? end : 0] = 0;
      printf("  %*s%s%s%s%s\n", depth * 2, "", entries[i]->d_name, S_ISDIR(info.st_mode) ? "/" : "", *target ? " -> " : "", target);
      if (S_ISDIR(info.st_mode) && depth < 3) show(child, depth + 1);
    }
    free(entries[i]);
  }
  if (count >= 0) free(entries);
}

static void status(const char *field, const char *label) {
  char line[512];
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, field, strlen(field)) == 0) printf("%-14s %s", label, line + strlen(field) + 1);
  if (file) fclose(file);
}

static int processes(void) {
  int count = 0;
  DIR *directory = opendir("/proc");
  for (struct dirent *entry; directory && (entry = readdir(directory));) count += atoi(entry->d_name) > 0;
  if (directory) closedir(directory);
  return count;
}

int main(int argc, char **argv) {
  char hostname[65] = "?";
  gethostname(hostname, sizeof hostname - 1);
  printf("%-14s %s\n%-14s %d of %d process(es)\n%-14s %d:%d\n", "hostname", hostname, "pid", (int)getpid(), processes(), "user:group",
         (int)getuid(), (int)getgid());
  status("CapEff:", "capabilities");
  status("NoNewPrivs:", "no new privs");
  for (int i = 1; i < argc; i++) {
    printf("%s\n", argv[i]);
    show(argv[i], 0);
  }
  FILE *outside = fopen("/proc/sys/kernel/panic", "w");
  printf("%-14s %s\n", "kernel files", outside ? "writable!" : strerror(errno));
  return outside ? 1 : 42;
}
