/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h: something done in a child that sealed itself before, and how it ended. */
#ifndef CV_TEST_SEALED_H
#define CV_TEST_SEALED_H

#include "tests/support/t.h"
#include "trust/base/limits.h"
#include "trust/base/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 77, SUCCEEDED = 99, NOT_SEALED = 66 };

/* A child that seals itself and calls run; its wait status. */
static inline int
in_sealed(enum cv_seal seal, long (*run)(void), unsigned *flags)
{
	int p[2], status, abi;
	unsigned in_force = 0;
	struct cv_err e = { 0 };
	pid_t pid;

	T(pipe2(p, O_CLOEXEC) == 0);
	pid = fork();
	T(pid >= 0);
	if (pid == 0) {
		alarm(20);
		signal(SIGXFSZ, SIG_IGN);
		if (cv_seal(seal, NULL, &in_force, &abi, &e) != 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(NOT_SEALED);
		}
		if (write(p[1], &in_force, sizeof(in_force)) != sizeof(in_force))
			_exit(NOT_SEALED);
		_exit(run() >= 0 ? SUCCEEDED : FAILED);
	}
	close(p[1]);
	T(read(p[0], flags, sizeof(*flags)) == sizeof(*flags));
	close(p[0]);
	T(waitpid(pid, &status, 0) == pid);
	return status;
}

#endif
