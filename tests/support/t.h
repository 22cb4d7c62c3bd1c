/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t.h: the test kit. A test program is a list of functions run by T_MAIN; it
 * prints one TAP line each and a last line "# N passed, N failed, N skipped".
 * A check that fails ends its function and is counted; t_skip says why.
 */
#ifndef CV_T_H
#define CV_T_H

#include "trust/base/buf.h"
#include "trust/base/digest.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct t_case {
	const char *name;
	void (*run)(void);
};

int t_main(const struct t_case *cases, size_t n, int argc, char **argv);
void t_fail(const char *file, int line, const char *fmt, ...)
	cv_printf(3, 4) __attribute__((noreturn));
void t_skip(const char *fmt, ...) cv_printf(1, 2) __attribute__((noreturn));

#define T_MAIN(cases)                                                          \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		return t_main(cases, sizeof(cases) / sizeof((cases)[0]), argc, argv); \
	}

#define T(cond)                                                                \
	do {                                                                   \
		if (!(cond))                                                   \
			t_fail(__FILE__, __LINE__, "%s", #cond);               \
	} while (0)

/* a call that must return 0; prints e's text when it does not */
#define T_OK(call, e)                                                          \
	do {                                                                   \
		if ((call) != 0)                                               \
			t_fail(__FILE__, __LINE__, "%s: %s: %s", #call,        \
			       cv_reason_word((e).reason), (e).text);          \
	} while (0)

/* a call that must return -1 with that reason */
#define T_NO(call, e, want)                                                    \
	do {                                                                   \
		(e).reason = CV_R_NONE;                                        \
		if ((call) != -1)                                              \
			t_fail(__FILE__, __LINE__, "%s: did not fail", #call); \
		if ((e).reason != (want))                                      \
			t_fail(__FILE__, __LINE__, "%s: %s (%s), want %s", #call, \
			       cv_reason_word((e).reason), (e).text,           \
			       cv_reason_word(want));                          \
	} while (0)

#define T_STR(got, want)                                                       \
	do {                                                                   \
		const char *got_ = (got), *want_ = (want);                     \
		if (strcmp(got_, want_) != 0)                                  \
			t_fail(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, got_, want_); \
	} while (0)

#define T_INT(got, want)                                                       \
	do {                                                                   \
		long long got_ = (long long)(got), want_ = (long long)(want);  \
		if (got_ != want_)                                             \
			t_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #got, got_, want_); \
	} while (0)

#define T_HAS(text, part)                                                      \
	do {                                                                   \
		const char *text_ = (text), *part_ = (part);                   \
		if (strstr(text_, part_) == NULL)                              \
			t_fail(__FILE__, __LINE__, "\"%s\" does not have \"%s\"", text_, part_); \
	} while (0)

/* t_memfd: a memfd with these bytes, offset 0; t_tmpdir: a fresh directory,
 * removed at exit; t_build: where the programs are ($CV_BUILD, else "build"). */
int t_memfd(const void *p, size_t n);
const char *t_tmpdir(void);
const char *t_build(void);
void t_write_file(const char *path, const void *p, size_t n);

#endif
