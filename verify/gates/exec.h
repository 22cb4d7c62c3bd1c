/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.h: the hook that a launcher executes: a request on standard input, the
 * answer on standard output, the same in the exit code.
 */
#ifndef CV_GATES_EXEC_H
#define CV_GATES_EXEC_H

#include "verify/gate.h"

#define CV_HOOK_STDIN_MS 10000 /* a request has to be there by then */

/* cv_hook_read: append all of fd, until `deadline` (cv_mono_ms scale). CV_R_LIMIT
 * over CV_GATE_MAX_REQUEST, CV_R_DEADLINE. */
int cv_hook_read(int fd, int64_t deadline, struct cv_buf *out, struct cv_err *e) cv_must;

/* cv_hook_answer: write the answer to `out`; returns its exit code, or
 * CV_EXIT_INTERNAL when it could not be written. When there is no memory left for
 * it, a constant answer "retry" is written. */
int cv_hook_answer(FILE *out, const struct cv_gate_answer *a, struct cv_span request);

#endif
