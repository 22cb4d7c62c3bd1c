/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h: running real programs in a scratch directory of their own, for tests that
 * compare. Nothing of the caller's home or configuration is read by them.
 */
#ifndef CV_TEST_PEER_H
#define CV_TEST_PEER_H

#include "tests/support/t.h"

/* peer_has: the program is installed. peer_want: skip the test if it is not. */
bool peer_has(const char *program);
void peer_want(const char *program);

/* peer_sh: run a shell command in t_tmpdir(); true if it exits 0. Its output goes
 * to the file "log" there. */
bool peer_sh(const char *fmt, ...) cv_printf(1, 2);

/* peer_read: append a file of t_tmpdir(); the test fails if it is not there.
 * peer_write: write one. */
void peer_read(struct cv_buf *out, const char *name);
void peer_write(const char *name, struct cv_span bytes);

#endif
