/* SPDX-License-Identifier: Apache-2.0 */
/* gatecfg_int.h: the fields of a policy that a host can make final. */
#ifndef CV_GATECFG_INT_H
#define CV_GATECFG_INT_H

#include "verify/gatecfg.h"

/* cv_gate_final_check: with a policy: is its field at least as tight as the
 * final value? CV_R_UNAUTHORISED if not. Without (NULL): is the value one that
 * such a field can have? CV_R_CONFIG if not. */
int cv_gate_final_check(const struct cv_gate_final *f, const struct cv_policy *p,
			struct cv_err *e) cv_must;

#endif
