/* SPDX-License-Identifier: Apache-2.0 */
/* tasks.h: the fetch worker's tasks (proto.h, CV_T_MANIFEST and on). Their
 * context (cv_w_ctx) is the struct cv_net that main opened. */
#ifndef CV_FETCH_TASKS_H
#define CV_FETCH_TASKS_H

#include "fetch/net.h"
#include "trust/base/worker.h"

extern const struct cv_task_def cv_fetch_tasks[];

/* For main's struct cv_net_opts: they speak to verify through the worker, which
 * each task sets as the ctx of these. */
int cv_fetch_login(void *ctx, const char *host, struct cv_login *ret, struct cv_err *e);
int cv_fetch_pem(void *ctx, enum cv_need what, const char *host, struct cv_buf *out,
		 struct cv_err *e);
void cv_fetch_progress(void *ctx, uint64_t done, uint64_t total);

#endif
