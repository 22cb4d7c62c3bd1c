/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload.c: stands in the place of a worker program and becomes the real one with
 * failmalloc loaded: a worker is started with an empty environment, so that this
 * cannot be said to it. Beside it lie "real" (a link to the directory of the real
 * programs), "failmalloc.so" and "plan".
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char self[512], real[1100], load[600], plan[600];
	const char *slash = strrchr(argv[0], '/');
	char *env[3] = { load, plan, NULL };

	if (argc < 1 || slash == NULL || (size_t)(slash - argv[0]) >= sizeof(self))
		return 126;
	(void)snprintf(self, sizeof(self), "%.*s", (int)(slash - argv[0]), argv[0]);
	(void)snprintf(real, sizeof(real), "%s/real/%s", self, slash + 1);
	(void)snprintf(load, sizeof(load), "LD_PRELOAD=%s/failmalloc.so", self);
	(void)snprintf(plan, sizeof(plan), "FAILMALLOC=%s/plan", self);
	(void)execve(real, argv, env);
	return 127;
}
