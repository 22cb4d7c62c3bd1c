/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the command. Everything it can do is in the table of verbs.c. */
#include "verify/cmdline.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "trust/base/ssl.h"

#include "trust/base/banned.h"

/* std_fds: descriptors 0 to 2 are there, so that no file of ours becomes one. A
 * standard output that was closed takes nothing: a result that nobody can read
 * was not given. */
static int
std_fds(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	cv_ssl_watch(); /* out of memory is not a bad key */
	if (std_fds() != 0)
		return CV_EXIT_INTERNAL;
	/* a reader that goes away is an error of write(2), not our death */
	(void)signal(SIGPIPE, SIG_IGN);
	return cv_cmdline_main(argc, argv);
}
