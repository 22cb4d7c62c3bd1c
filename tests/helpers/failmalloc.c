/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failmalloc.c: a library to preload: one allocation of a program fails, or all
 * from one on (tests/sweep). What and when is in the file FAILMALLOC names, mapped
 * before the process is sealed and shared by all processes of a run:
 *
 *     u64 at      the allocation, from 1 on; 0: none
 *     u64 from    1: all from there on
 *     u64 count   allocations so far, of all processes of that program
 *     u64 hit     how many failed
 *     char[32]    the program: its file's name
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct plan {
	uint64_t at, from;
	_Atomic uint64_t count, hit;
	char program[32];
};

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static struct plan *plan; /* NULL: nothing fails in this program */

__attribute__((constructor)) static void
begin(void)
{
	const char *file = getenv("FAILMALLOC");
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	struct plan *p;

	if (fd < 0 || n <= 0)
		return;
	self[n] = '\0';
	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p != MAP_FAILED && strcmp(strrchr(self, '/') + 1, p->program) == 0)
		plan = p;
}

static int
fails(void)
{
	uint64_t k;

	if (plan == NULL)
		return 0;
	k = atomic_fetch_add(&plan->count, 1) + 1;
	if (plan->at == 0 || (plan->from != 0 ? k < plan->at : k != plan->at))
		return 0;
	(void)atomic_fetch_add(&plan->hit, 1);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

int
posix_memalign(void **ret, size_t align, size_t n)
{
	void *p = fails() ? NULL : __libc_memalign(align, n);

	if (p == NULL)
		return ENOMEM;
	*ret = p;
	return 0;
}

void *
aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}
