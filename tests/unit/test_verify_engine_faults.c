/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_engine_faults.c: workers that are missing, die, lie or hang; a
 * caller who will not wait. Whatever happens: never a pass that the thing was
 * needed for, and always an answer in time.
 */
#include "tests/engine/run.h"
#include "tests/helpers/cut.h"
#include "trust/base/clock.h"
#include "trust/base/sandbox.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SLOW (CV_SANITIZED ? 20000 : 5000) /* ms that are too long to give up in */

static void
begin(struct small *s, struct run *r, const char *name)
{
	small_make(s, run_dir(name));
	run_open(r, s);
	run_lock(r);
}

static void
end(struct small *s, struct run *r)
{
	run_close(r);
	small_free(s);
}

/* workers_of: DIR/how, whose workers are the helper of that name. */
static void
workers_of(struct run *r, const char *helper, const char *how)
{
	static const char *const kinds[] = { "trust", "contents", "fetch" };
	char real[4096], path[4096];

	cv_text_fmt(path, sizeof(path), "%s/tests/helpers/%s", t_build(), helper);
	if (realpath(path, real) == NULL)
		t_fail(__FILE__, __LINE__, "%s is not built", path);
	cv_text_fmt(r->workers, sizeof(r->workers), "%s/%s", t_tmpdir(), how);
	T(mkdir(r->workers, 0755) == 0 || errno == EEXIST);
	for (size_t i = 0; i < CV_COUNT(kinds); i++) {
		cv_text_fmt(path, sizeof(path), "%s/clawverify-%s", r->workers, kinds[i]);
		T(symlink(real, path) == 0 || errno == EEXIST);
	}
}

static void
no_pass(const struct run *r, const char *what)
{
	if (r->res->decision.outcome == CV_PASS || cv_allows(r->res->decision.verdict)) {
		run_show(r->res);
		t_fail(__FILE__, __LINE__, "passes with %s", what);
	}
}

static void
no_workers(void)
{
	struct small s;
	struct run r;

	begin(&s, &r, "none");
	cv_text_fmt(r.workers, sizeof(r.workers), "%s/nowhere", t_tmpdir());
	run_verify(&r);
	run_says_no(&r, CV_UNKNOWN, "runtime", "worker.died");
	run_says_no(&r, CV_UNKNOWN, "llm", "worker.died");
	end(&s, &r);
}

/* The ways of tests/helpers/worker.c. Those that hang get a short deadline. */
static void
bad_workers(void)
{
	static const struct {
		const char *how;
		bool hangs;
	} ways[] = {
		{ "exit-early", false },
		{ "killed-early", false },
		{ "garbage-hello", false },
		{ "fact-hello", false },
		{ "big-hello", false },
		{ "garbage", false },
		{ "oversized", false },
		{ "many-fds", false },
		{ "wrong-count", false },
		{ "no-count", false },
		{ "own-kind", false },
		{ "hello-twice", false },
		{ "foreign-check", false },
		{ "verify-check", false },
		{ "unknown-check", false },
		{ "usage-reason", false },
		{ "no-reason", false },
		{ "error-pass", false },
		{ "error-usage", false },
		{ "error-check", false },
		{ "need-out-of-turn", false },
		{ "killed", false },
		{ "exit-0", false },
		{ "exit-1", false },
		{ "endless-facts", true },
		{ "endless-progress", true },
		{ "stay-after-done", true },
		{ "no-hello", true },
		{ "deaf", true },
		{ "never", true },
	};
	struct small s;
	struct run r;

	begin(&s, &r, "bad");
	for (size_t i = 0; i < CV_COUNT(ways); i++) {
		int64_t start = cv_mono_ms();

		workers_of(&r, "worker", ways[i].how);
		r.rq.deadline = start + (ways[i].hangs ? 300 : SLOW);
		run_verify(&r);
		no_pass(&r, ways[i].how);
		T(cv_mono_ms() - start < 2 * SLOW);
		if (r.res->decision.outcome != CV_UNKNOWN)
			run_show(r.res);
		T_INT(r.res->decision.outcome, CV_UNKNOWN);
	}
	end(&s, &r);
}

/* ---- every frame in turn ---- */

static struct cut *
cut_open(struct run *r, const char *how)
{
	char real[4096], path[4096];
	struct cut *c;
	int fd;

	workers_of(r, "cut", how);
	cv_text_fmt(path, sizeof(path), "%s/cut", r->workers);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	T(fd >= 0 && ftruncate(fd, sizeof(*c)) == 0);
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	T(c != MAP_FAILED);
	T(realpath(t_build(), real) != NULL);
	cv_text_fmt(c->real, sizeof(c->real), "%s", real);
	return c;
}

/* sweep: returns how many frames were met. A DONE frame said twice has been
 * heard once; a PROGRESS frame is nothing that was needed. */
static unsigned
sweep(struct run *r, struct cut *c, enum cut_how how, bool from_worker, uint64_t step)
{
	unsigned met = 0;

	c->how = how;
	c->from_worker = from_worker;
	for (uint64_t at = 1;; at += step) {
		char what[64];

		c->count = c->hit = 0;
		c->at = at;
		r->rq.deadline = cv_mono_ms() + (how == CUT_DROP ? 400 : SLOW);
		run_verify(r);
		if (c->hit == 0)
			break; /* beyond the last frame */
		met++;
		if (c->hit == 3 || (how == CUT_TWICE && c->hit == 2))
			continue;
		cv_text_fmt(what, sizeof(what), "frame %llu, way %d", (unsigned long long)at,
			    (int)how);
		no_pass(r, what);
		T_INT(r->res->decision.outcome, CV_UNKNOWN);
	}
	T_INT(r->res->decision.outcome, CV_PASS); /* nothing happened in this one */
	return met;
}

static void
killed_at_every_frame(void)
{
	struct small s;
	struct run r;
	struct cut *c;
	unsigned met;

	begin(&s, &r, "kill");
	c = cut_open(&r, "kill-cut");
	met = sweep(&r, c, CUT_KILL, false, CV_SANITIZED ? 5 : 1);
	printf("# %u frames\n", met);
	T(met > (CV_SANITIZED ? 20 : 100));
	munmap(c, sizeof(*c));
	end(&s, &r);
}

static void
ended_at_every_frame(void)
{
	struct small s;
	struct run r;
	struct cut *c;

	begin(&s, &r, "end");
	c = cut_open(&r, "end-cut");
	T(sweep(&r, c, CUT_END, true, CV_SANITIZED ? 5 : 1) > 10);
	munmap(c, sizeof(*c));
	end(&s, &r);
}

static void
every_frame_twice(void)
{
	struct small s;
	struct run r;
	struct cut *c;

	begin(&s, &r, "twice");
	c = cut_open(&r, "twice-cut");
	T(sweep(&r, c, CUT_TWICE, true, CV_SANITIZED ? 5 : 1) > 10);
	munmap(c, sizeof(*c));
	end(&s, &r);
}

static void
frames_lost(void)
{
	struct small s;
	struct run r;
	struct cut *c;

	begin(&s, &r, "lost");
	c = cut_open(&r, "lost-cut");
	T(sweep(&r, c, CUT_DROP, true, 7) > 5);
	T(sweep(&r, c, CUT_DROP, false, 7) > 5); /* what verify says, too */
	munmap(c, sizeof(*c));
	end(&s, &r);
}

/* ---- a caller who will not wait ---- */

static void
deadline(void)
{
	struct small s;
	struct run r;

	begin(&s, &r, "late");
	r.rq.deadline = cv_mono_ms() - 1;
	run_verify(&r);
	run_says_no(&r, CV_UNKNOWN, "runtime", "run.deadline");
	run_says_no(&r, CV_UNKNOWN, "llm", "run.deadline");
	/* anywhere in the middle: unknown, or a pass that came in time */
	for (int ms = 1; ms < 40; ms += 3) {
		r.rq.deadline = cv_mono_ms() + ms;
		run_verify(&r);
		T(r.res->decision.outcome != CV_FAIL);
	}
	end(&s, &r);
}

static void *
take_back(void *ctx)
{
	int *fd = ctx;
	uint64_t one = 1;

	usleep(50000);
	(void)!write(*fd, &one, sizeof(one));
	return NULL;
}

static void
cancelled(void)
{
	struct small s;
	struct run r;
	pthread_t t;
	int64_t start;
	int fd = eventfd(0, EFD_CLOEXEC);

	begin(&s, &r, "cancel");
	workers_of(&r, "worker", "deaf");
	r.rq.cancel_fd = fd;
	start = cv_mono_ms();
	T(pthread_create(&t, NULL, take_back, &fd) == 0);
	run_verify(&r);
	T(pthread_join(t, NULL) == 0);
	T(cv_mono_ms() - start < SLOW);
	run_says_no(&r, CV_UNKNOWN, "runtime", "run.cancelled");
	run_says_no(&r, CV_UNKNOWN, "llm", "run.cancelled");
	close(fd);
	r.rq.cancel_fd = -1;
	end(&s, &r);
}

static void
confinement(void)
{
	struct small s;
	struct run r;
	char path[1024], text[20000];
	FILE *f;
	size_t n;

	begin(&s, &r, "sealed");
	cv_text_fmt(path, sizeof(path), "%s", small_path(&s, "policy.json"));
	f = fopen(path, "re");
	T(f != NULL);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	memcpy(strstr(text, "\"best-effort\""), "\"required\"   ", 13);
	t_write_file(path, text, n);
	run_policy(&r);
	workers_of(&r, "worker", "stay-after-done"); /* says: no confinement at all */
	run_verify(&r);
	run_says_no(&r, CV_UNKNOWN, "llm", "sandbox.unavailable");
	run_says_no(&r, CV_UNKNOWN, "", "sandbox.unavailable");
	cv_text_fmt(r.workers, sizeof(r.workers), "%s", t_build());
	run_verify(&r);
	if (CV_SANITIZED || (r.res->sandbox & CV_SBX_LANDLOCK) == 0) {
		T_INT(r.res->decision.outcome, CV_UNKNOWN);
	} else {
		T_INT(r.res->decision.outcome, CV_PASS);
		T((r.res->sandbox & CV_SBX_SECCOMP) != 0);
		T(r.res->landlock > 0);
	}
	end(&s, &r);
}

/* ---- many at once ---- */

#define MANY 50

struct one {
	struct cv_request rq;
	struct cv_result *res;
	struct cv_err e;
	int rc;
};

static void *
run_one(void *ctx)
{
	struct one *o = ctx;

	o->rc = cv_engine_run(&o->res, &o->rq, &o->e);
	return NULL;
}

static bool
same(const struct cv_result *a, const struct cv_result *b)
{
	if (a->nartifacts != b->nartifacts || a->decision.outcome != b->decision.outcome ||
	    memcmp(&a->counts, &b->counts, sizeof(a->counts)) != 0)
		return false;
	for (size_t i = 0; i < a->nartifacts; i++) {
		const struct cv_r_artifact *x = &a->artifacts[i], *y = &b->artifacts[i];

		if (x->outcome != y->outcome || x->basis != y->basis ||
		    x->nfindings != y->nfindings || !cv_digest_eq(&x->digest, &y->digest) ||
		    strcmp(x->note, y->note) != 0)
			return false;
		for (size_t k = 0; k < x->nfindings; k++)
			if (strcmp(x->findings[k].a.f.check, y->findings[k].a.f.check) != 0 ||
			    x->findings[k].a.f.outcome != y->findings[k].a.f.outcome)
				return false;
	}
	return true;
}

static void
fifty_at_once(void)
{
	static struct one one[MANY];
	pthread_t t[MANY];
	struct small s;
	struct run r;

	begin(&s, &r, "fifty");
	run_verify(&r);
	for (size_t i = 0; i < MANY; i++) {
		one[i] = (struct one){ .rq = r.rq, .rc = -2 };
		T(pthread_create(&t[i], NULL, run_one, &one[i]) == 0);
	}
	for (size_t i = 0; i < MANY; i++)
		T(pthread_join(t[i], NULL) == 0);
	for (size_t i = 0; i < MANY; i++) {
		T_OK(one[i].rc, one[i].e);
		if (one[i].res->decision.outcome != CV_PASS)
			run_show(one[i].res);
		T(same(one[i].res, r.res));
		for (size_t k = 0; k < i; k++)
			T(strcmp(one[i].res->request_id, one[k].res->request_id) != 0);
	}
	for (size_t i = 0; i < MANY; i++)
		cv_result_free(&one[i].res);
	end(&s, &r);
}

/* ---- what a caller hears ---- */

struct heard {
	pthread_t thread;
	unsigned finished, transfers, strangers;
};

static void
on_finished(void *ctx, const struct cv_r_artifact *a)
{
	struct heard *h = ctx;

	h->finished += a->outcome == CV_PASS;
	h->strangers += pthread_equal(pthread_self(), h->thread) == 0;
}

static void
on_transfer(void *ctx, const char *artifact, uint64_t done, uint64_t total)
{
	struct heard *h = ctx;

	(void)artifact;
	(void)done;
	(void)total;
	h->transfers++;
	h->strangers += pthread_equal(pthread_self(), h->thread) == 0;
}

static void
watched(void)
{
	struct heard h = { .thread = pthread_self() };
	struct small s;
	struct run r;

	begin(&s, &r, "watch");
	r.rq.watch =
		(struct cv_watch){ .ctx = &h, .transfer = on_transfer, .finished = on_finished };
	run_verify(&r);
	T_INT(h.finished, 4);
	T(h.transfers > 0);
	T_INT(h.strangers, 0);
	end(&s, &r);
}

static const struct t_case cases[] = {
	{ "no worker programs", no_workers },
	{ "bad workers", bad_workers },
	{ "killed at every frame", killed_at_every_frame },
	{ "ended at every frame of a worker", ended_at_every_frame },
	{ "every frame of a worker twice", every_frame_twice },
	{ "frames lost", frames_lost },
	{ "out of time", deadline },
	{ "taken back", cancelled },
	{ "confinement required", confinement },
	{ "fifty requests at once", fifty_at_once },
	{ "what a caller hears", watched },
};
T_MAIN(cases)
