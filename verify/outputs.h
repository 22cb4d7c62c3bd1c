/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.h: a result to where the -o options want it. */
#ifndef CV_OUTPUTS_H
#define CV_OUTPUTS_H

#include "verify/cmd.h"

/* cv_outputs_write: text to standard output unless -o says otherwise; every
 * -o FORMAT=FILE besides, each file replaced in one step. */
int cv_outputs_write(const struct cv_cmdline *c, const struct cv_result *r,
		     struct cv_err *e) cv_must;

#endif
