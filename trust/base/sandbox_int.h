/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox_int.h: between sandbox.c and sandbox_calls.c. */
#ifndef CV_SANDBOX_INT_H
#define CV_SANDBOX_INT_H

#include "sandbox.h"

/* cv_seal_calls: the seccomp part of cv_seal; nothing is added to *in_force when
 * the kernel has no filters, or nobody has looked at this architecture. */
int cv_seal_calls(enum cv_seal seal, unsigned *in_force, struct cv_err *e) cv_must;

#endif
