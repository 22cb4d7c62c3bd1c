/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.c: `measure CMD...`: run CMD quietly and print "SECONDS PEAK_KIB EXIT".
 * For benchmarks: a child's peak as the kernel accounts it includes what its
 * parent had mapped when it forked, so the parent has to be small.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0;
	struct rusage used;
	double start;
	pid_t pid;

	if (argc < 2 || null < 0)
		return 2;
	start = now();
	pid = fork();
	if (pid == 0) {
		if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(126);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return 2;
	printf("%.6f %ld %d\n", now() - start, used.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
