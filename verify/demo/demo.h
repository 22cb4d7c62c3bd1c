/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo.h: the samples of `clawverify demo`, taken into the program (make.py made
 * them, table.sh makes the table). A path is "SAMPLE/file"; the files of another
 * sample than "good" are those that differ from it.
 */
#ifndef CV_DEMO_H
#define CV_DEMO_H

#include <stddef.h>

struct cv_demo_file {
	const char *path;
	const char *start, *end;
};

extern const struct cv_demo_file cv_demo_files[];
extern const size_t cv_demo_nfiles;

#endif
