// Runs a program and writes down what it cost: measured REPORT SECONDS BYTES PROGRAM ARGUMENTS…
//
// REPORT gets one line: exit status (128 plus the signal that ended it), wall time and processor time in
// microseconds, largest resident set in KiB. The program is killed after SECONDS of processor time, or ten
// times as long on the clock; BYTES bounds its address space, 0 not at all.
//
// A small program of its own, because Linux counts into a process's largest resident set what its memory
// was before `exec`: a child of the tests would seem as large as the tests.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static void on_alarm(int number) {
  (void)number;
  kill(child, SIGKILL);
}

static long long microseconds(struct timeval time) {
  return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int count, char **arguments) {
  if (count < 5) return 64;
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  child = fork();
  if (child < 0) return 71;
  if (child == 0) {
    unsigned long long bytes = strtoull(arguments[3], NULL, 10);
    struct rlimit limit = {bytes, bytes};
    rlim_t seconds = (rlim_t)atoi(arguments[2]);
    struct rlimit patience = {seconds, seconds};
    if (setrlimit(RLIMIT_CPU, &patience) != 0) _exit(71);
    if (bytes > 0 && setrlimit(RLIMIT_AS, &limit) != 0) _exit(71);
    execv(arguments[4], arguments + 4);
    _exit(71);
  }
  // Whoever starts this may have blocked signals.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGALRM, on_alarm);
  alarm(10 * (unsigned)atoi(arguments[2]));
  int status = 0;
  struct rusage usage;
  while (wait4(child, &status, 0, &usage) < 0) {}
  clock_gettime(CLOCK_MONOTONIC, &end);
  int result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  FILE *report = fopen(arguments[1], "w");
  if (!report) return 71;
  fprintf(
    report, "%d %lld %lld %ld\n", result,
    (end.tv_sec - start.tv_sec) * 1000000LL + (end.tv_nsec - start.tv_nsec) / 1000,
    microseconds(usage.ru_utime) + microseconds(usage.ru_stime), usage.ru_maxrss);
  return fclose(report) == 0 ? 0 : 71;
}
