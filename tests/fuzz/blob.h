/* SPDX-License-Identifier: Apache-2.0 */
/* blob.h: the fuzzer's bytes as a blob, in one memfd for all runs. */
#ifndef CV_FUZZ_BLOB_H
#define CV_FUZZ_BLOB_H

#include "trust/base/frame.h"

#include <sys/mman.h>
#include <unistd.h>

static inline struct cv_blob
fuzz_blob(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		__builtin_trap();
	return (struct cv_blob){ .fd = fd, .len = size };
}

#endif
