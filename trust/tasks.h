/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks.h: the tasks of the trust worker (trust/base/worker.h); what goes in and
 * out is in trust/base/proto.h.
 */
#ifndef CV_TRUST_TASKS_H
#define CV_TRUST_TASKS_H

#include "trust/base/worker.h"
#include "trust/proven.h"

extern const struct cv_task_def cv_task_image;    /* CV_T_IMAGE, image.c */
extern const struct cv_task_def cv_task_blob;     /* CV_T_BLOB, blob.c */
extern const struct cv_task_def cv_task_envelope; /* CV_T_ENVELOPE, envelope.c */
extern const struct cv_task_def cv_task_chain;    /* CV_T_CHAIN, chain.c */
extern const struct cv_task_def cv_task_patterns; /* CV_T_PATTERNS, pattern_task.c */

/* cv_take_trusted: an ITEM frame that must be a KEY, ROOT, IDENTITY or TOOL, into the ring. */
int cv_take_trusted(struct cv_keyring *ring, struct cv_frame *item, struct cv_err *e) cv_must;

#endif
