/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c: see peer.h. */
#include "tests/support/peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "trust/base/banned.h"

bool
peer_has(const char *program)
{
	return peer_sh("command -v %s", program);
}

void
peer_want(const char *program)
{
	if (!peer_has(program))
		t_skip("no %s here", program);
}

bool
peer_sh(const char *fmt, ...)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(65536);
	char command[8192];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	cv_buf_fmt(&b,
		   "cd '%s' && export HOME=\"$PWD\" LC_ALL=C GIT_CONFIG_NOSYSTEM=1 && "
		   "unset SSH_AUTH_SOCK GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE && "
		   "( %s ) </dev/null >log 2>&1",
		   t_tmpdir(), command);
	T(b.failed == CV_R_NONE);
	return system(cv_buf_text(&b)) == 0;
}

static void
path(char out[4096], const char *name)
{
	(void)snprintf(out, 4096, "%s/%s", t_tmpdir(), name);
}

void
peer_read(struct cv_buf *out, const char *name)
{
	char p[4096];
	struct cv_err e;

	path(p, name);
	{
		cv_auto(cv_closep) int fd = open(p, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			t_fail(__FILE__, __LINE__, "%s is not there", p);
		T_OK(cv_buf_read_fd(out, fd, name, &e), e);
	}
}

void
peer_write(const char *name, struct cv_span bytes)
{
	char p[4096];

	path(p, name);
	t_write_file(p, bytes.p, bytes.n);
}
