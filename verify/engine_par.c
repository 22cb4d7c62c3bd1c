/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_par.c: see engine_par.h. A worker process dies with the thread that
 * started it (PR_SET_PDEATHSIG is about threads), so fn ends what it starts.
 */
#include "verify/engine_par.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "trust/base/banned.h"

#define MAX_THREADS 64

struct par {
	atomic_size_t next;
	size_t n;
	void (*fn)(void *ctx, size_t i);
	void *ctx;
};

static void *
work(void *arg)
{
	struct par *p = arg;
	size_t i;

	while ((i = atomic_fetch_add(&p->next, 1)) < p->n)
		p->fn(p->ctx, i);
	return NULL;
}

bool
cv_par_start(pthread_t *thread, void *(*fn)(void *ctx), void *ctx)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(thread, NULL, fn, ctx);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0;
}

void
cv_par(size_t n, size_t threads, void (*fn)(void *ctx, size_t i), void *ctx)
{
	struct par p = { .n = n, .fn = fn, .ctx = ctx };
	pthread_t t[MAX_THREADS];
	size_t i, started = 0;

	if (threads > n)
		threads = n;
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	for (i = 1; i < threads; i++)
		if (cv_par_start(&t[started], work, &p))
			started++;
	(void)work(&p);
	for (i = 0; i < started; i++)
		(void)pthread_join(t[i], NULL);
}

size_t
cv_par_cpus(void)
{
	cpu_set_t set;
	int n = 0;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n > 0 ? (size_t)n : 1;
}
