/* SPDX-License-Identifier: Apache-2.0 */
/* auto.c: release functions for cv_auto. They must never change errno: they
 * run while an error is on its way out. */
#include "trust/base/auto.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "trust/base/banned.h"

void
cv_freep(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;
	int saved = errno;

	free(*p);
	*p = NULL;
	errno = saved;
}

void
cv_closep(int *fd)
{
	int saved = errno;

	/* Never again after EINTR: on Linux the descriptor is gone by then. */
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
