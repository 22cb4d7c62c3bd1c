/* SPDX-License-Identifier: Apache-2.0 */
/* agent_int.h: the two halves of the reader of agent.json. */
#ifndef CV_AGENT_INT_H
#define CV_AGENT_INT_H

#include "verify/agent.h"

/* cv_agent_launch: fill a->launch from the member "launch". The artifacts are
 * there, and sorted. */
int cv_agent_launch(struct cv_agent *a, struct cv_jv v, struct cv_err *e) cv_must;

#endif
