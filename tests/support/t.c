/* SPDX-License-Identifier: Apache-2.0 */
/* t.c: the test kit, see t.h. */
#include "tests/support/t.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
	jmp_buf out;
	bool skipped;
	char text[2048];
	char tmp[64];
	pid_t tmp_owner;
} t;

void
t_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(t.text, sizeof(t.text), "%s:%d: ", file, line);

	va_start(ap, fmt);
	vsnprintf(t.text + n, sizeof(t.text) - (size_t)n, fmt, ap);
	va_end(ap);
	t.skipped = false;
	longjmp(t.out, 1);
}

void
t_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t.text, sizeof(t.text), fmt, ap);
	va_end(ap);
	t.skipped = true;
	longjmp(t.out, 1);
}

int
t_main(const struct t_case *cases, size_t n, int argc, char **argv)
{
	volatile int passed = 0, failed = 0, skipped = 0;
	volatile size_t i;

	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
			continue;
		if (setjmp(t.out) == 0) {
			cases[i].run();
			passed++;
			printf("ok %zu - %s\n", i + 1, cases[i].name);
		} else if (t.skipped) {
			skipped++;
			printf("ok %zu - %s # SKIP %s\n", i + 1, cases[i].name, t.text);
		} else {
			failed++;
			printf("not ok %zu - %s\n# %s\n", i + 1, cases[i].name, t.text);
		}
		fflush(stdout);
	}
	printf("# %d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed != 0 || passed + skipped == 0;
}

int
t_memfd(const void *p, size_t n)
{
	int fd = memfd_create("t", MFD_CLOEXEC);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
remove_tmp(void)
{
	if (t.tmp[0] != '\0' && t.tmp_owner == getpid())
		nftw(t.tmp, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
t_tmpdir(void)
{
	if (t.tmp[0] != '\0')
		return t.tmp;
	snprintf(t.tmp, sizeof(t.tmp), "/tmp/cv-test-XXXXXX");
	if (mkdtemp(t.tmp) == NULL)
		abort();
	t.tmp_owner = getpid();
	atexit(remove_tmp);
	return t.tmp;
}

const char *
t_build(void)
{
	const char *b = getenv("CV_BUILD");

	return b != NULL ? b : "build";
}

void
t_write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
		abort();
}
