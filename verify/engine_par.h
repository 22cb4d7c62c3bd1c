/* SPDX-License-Identifier: Apache-2.0 */
/* engine_par.h: the same work on many things, in a few threads. */
#ifndef CV_ENGINE_PAR_H
#define CV_ENGINE_PAR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* cv_par: fn(ctx, 0) ... fn(ctx, n - 1), each once, in at most that many
 * threads, the caller's included; returns when all are done. With no thread to
 * be had the caller does everything. Started threads take no signals. */
void cv_par(size_t n, size_t threads, void (*fn)(void *ctx, size_t i), void *ctx);

/* cv_par_start: pthread_create without signals; true if it started. */
bool cv_par_start(pthread_t *thread, void *(*fn)(void *ctx), void *ctx);

/* cv_par_cpus: processors that this process may use, at least 1. */
size_t cv_par_cpus(void);

#endif
