/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_layers.c: into the layers, one contents worker each, as many at once as
 * there are processors. A layer that the store has is hashed by the thread that
 * walks it; one that has to be fetched is asked of the job's own thread, to
 * which the source belongs. What the walkers find is kept apart, layer by layer,
 * and told by the job's thread.
 */
#include "verify/image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

enum state { TODO, WANTED, FETCHED, DONE };

/* One layer under way. */
struct layer {
	struct walk *walk;
	const struct cv_r_layer *r;
	size_t pos;
	enum state state;
	struct cv_got got;
	struct cv_blob blob;     /* the bytes; owned */
	struct cv_blob table;    /* what the walk wrote; owned */
	struct cv_digest diffid; /* as computed */
	bool facts;
	struct cv_call call;
	struct cv_err err; /* reason set: it failed */
	const char *check;
};

struct walk {
	struct cv_image_job *im;
	struct layer *layer;
	size_t n;
	pthread_mutex_t mu;
	pthread_cond_t moved;
	size_t walked; /* layers that are over */
	bool stop;     /* one failed: the others need not start */
};

/* ---- one layer ---- */

static int
send_layer(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct layer *l = c->ctx;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_LAYER);
	cv_out_blob(o, CV_TAG_BLOB, l->blob);
	cv_out_str(o, CV_TAG_MEDIA, l->r->media);
	cv_out_digest(o, CV_TAG_DIFFID, &l->r->diffid);
	cv_out_u64(o, CV_TAG_POS, l->pos);
	cv_out_fd(o, CV_TAG_OUT, l->table.fd);
	return cv_role_send(r, e);
}

static int
layer_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct layer *l = ctx;

	if (cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED) != CV_F_LAYER || l->facts ||
	    cv_frame_u64(f, CV_TAG_POS, CV_MAX_LAYERS) != l->pos)
		return cv_fail(e, CV_R_WORKER, "contents: a fact that was not asked for");
	l->facts = true;
	l->diffid = cv_frame_digest(f, CV_TAG_DIFFID);
	return cv_frame_done(f, "contents: LAYER", e);
}

/* check_layer: the worker's own word must not contradict what it found. */
static int
check_layer(struct layer *l, struct cv_err *e)
{
	struct stat st;
	size_t i;

	if (fstat(l->table.fd, &st) != 0)
		return cv_fail_errno(e, "entry table");
	l->table.len = (uint64_t)st.st_size;
	if (l->facts && cv_digest_eq(&l->diffid, &l->r->diffid))
		return 0;
	for (i = 0; i < l->call.nsaid; i++)
		if (l->call.said[i].outcome != CV_PASS)
			return 0; /* it said that something is wrong */
	return cv_fail(e, CV_R_WORKER, "contents: a layer passed without its diffID");
}

static int
walk_layer(struct layer *l, struct cv_err *e)
{
	l->table = (struct cv_blob){ .fd = memfd_create("clawverify-layer", MFD_CLOEXEC) };
	if (l->table.fd < 0)
		return cv_fail_errno(e, "memfd_create");
	l->call = (struct cv_call){ .job = l->walk->im->job,
				    .kind = CV_ROLE_CONTENTS,
				    .ctx = l,
				    .send = send_layer,
				    .fact = layer_fact,
				    .pipe_fd = -1,
				    .answers = cv_layer_checks };
	if (cv_call_run(&l->call, e) != 0) {
		l->check = l->call.check;
		return -1;
	}
	return check_layer(l, e);
}

/* fetch_by_owner: ask the job's thread, and wait. */
static int
fetch_by_owner(struct layer *l, struct cv_err *e)
{
	struct walk *w = l->walk;

	(void)pthread_mutex_lock(&w->mu);
	l->state = WANTED;
	(void)pthread_cond_broadcast(&w->moved);
	while (l->state == WANTED)
		(void)pthread_cond_wait(&w->moved, &w->mu);
	(void)pthread_mutex_unlock(&w->mu);
	if (l->got.status == CV_S_GIVEN) {
		l->blob = l->got.blob;
		l->got.blob = CV_NO_BLOB;
		return 0;
	}
	l->check = l->got.status == CV_S_ABSENT ? "fetch.absent" : l->got.check;
	if (l->got.status == CV_S_ABSENT)
		return cv_fail(e, CV_R_ABSENT, "the source does not have this layer");
	*e = l->got.err;
	return -1;
}

static int
one_layer(struct layer *l, struct cv_err *e)
{
	struct cv_store *store = l->walk->im->job->run->rq->store;
	int found;

	if (cv_run_stop(l->walk->im->job->run, e) != 0)
		return -1;
	found = cv_store_find(store, &l->r->digest, l->r->size, &l->blob, e);
	if (found < 0 || (found == 0 && fetch_by_owner(l, e) != 0))
		return -1;
	return walk_layer(l, e);
}

static void
on_layer(void *ctx, size_t i)
{
	struct walk *w = ctx;
	struct layer *l = &w->layer[i];
	bool stop;

	(void)pthread_mutex_lock(&w->mu);
	stop = w->stop;
	(void)pthread_mutex_unlock(&w->mu);
	if (!stop && one_layer(l, &l->err) != 0 && l->err.reason == CV_R_NONE)
		cv_fail(&l->err, CV_R_BUG, "a layer failed without a reason");
	cv_closep(&l->blob.fd);
	(void)pthread_mutex_lock(&w->mu);
	l->state = DONE;
	w->walked++;
	w->stop = w->stop || l->err.reason != CV_R_NONE;
	(void)pthread_cond_broadcast(&w->moved);
	(void)pthread_mutex_unlock(&w->mu);
}

/* ---- all layers ---- */

static void *
walkers(void *ctx)
{
	struct walk *w = ctx;

	cv_par(w->n, w->im->job->run->cpus, on_layer, w);
	return NULL;
}

static struct layer *
wanted(const struct walk *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->layer[i].state == WANTED)
			return &w->layer[i];
	return NULL;
}

/* serve: fetch what the walkers ask for, until all are over. */
static void
serve(struct walk *w)
{
	struct layer *l;

	(void)pthread_mutex_lock(&w->mu);
	while (w->walked < w->n) {
		l = wanted(w);
		if (l == NULL) {
			(void)pthread_cond_wait(&w->moved, &w->mu);
			continue;
		}
		(void)pthread_mutex_unlock(&w->mu);
		cv_source_blob(w->im->src, &l->r->digest, l->r->size, CV_MAX_LAYER_BYTES, &l->got);
		(void)pthread_mutex_lock(&w->mu);
		l->state = FETCHED;
		(void)pthread_cond_broadcast(&w->moved);
	}
	(void)pthread_mutex_unlock(&w->mu);
}

/* walk_all: 0 if every layer was walked to its end. */
static int
walk_all(struct walk *w, struct cv_err *e)
{
	pthread_t t;
	size_t i;

	if (!cv_par_start(&t, walkers, w))
		return cv_fail(e, CV_R_MEMORY, "no thread could be started");
	serve(w);
	(void)pthread_join(t, NULL);
	for (i = 0; i < w->n; i++)
		if (w->layer[i].err.reason != CV_R_NONE)
			return 1;
	return 0;
}

static void
tell(struct walk *w)
{
	struct cv_job *j = w->im->job;
	size_t i;

	for (i = 0; i < w->n; i++) {
		struct layer *l = &w->layer[i];

		cv_call_tell(&l->call);
		if (l->err.reason != CV_R_NONE)
			cv_job_err(j, l->check, "image.layer-malformed", &l->err);
	}
}

/* ---- the merged tree, the configuration ---- */

static int
send_place(struct cv_role *r, enum cv_placed kind, const char *path, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(r, CV_K_ITEM);

	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_PLACE);
	cv_out_u64(o, CV_TAG_KIND, kind);
	cv_out_str(o, CV_TAG_NAME, path);
	return cv_role_send(r, e);
}

static int
send_word(struct cv_role *r, enum cv_program kind, const char *text, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(r, CV_K_ITEM);

	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_PROGRAM);
	cv_out_u64(o, CV_TAG_KIND, kind);
	cv_out_str(o, CV_TAG_TEXT, text);
	return cv_role_send(r, e);
}

static int
send_program(const struct cv_launch *l, struct cv_role *r, struct cv_err *e)
{
	size_t i;

	for (i = 0; i < l->entrypoint.n; i++)
		if (send_word(r, CV_PROGRAM_ENTRYPOINT, l->entrypoint.v[i].text, e) != 0)
			return -1;
	for (i = 0; i < l->command.n; i++)
		if (send_word(r, CV_PROGRAM_COMMAND, l->command.v[i].text, e) != 0)
			return -1;
	for (i = 0; i < l->nenv; i++)
		if (strcmp(l->env[i].name, "PATH") == 0 && l->env[i].rule == CV_BOUND &&
		    send_word(r, CV_PROGRAM_PATH, l->env[i].value, e) != 0)
			return -1;
	return l->workdir == NULL ? 0 : send_word(r, CV_PROGRAM_WORKDIR, l->workdir, e);
}

static int
send_launch(const struct cv_launch *l, struct cv_role *r, struct cv_err *e)
{
	size_t i;

	for (i = 0; i < l->nmounts; i++)
		if (send_place(r, CV_PLACE_MOUNT, l->mounts[i].target, e) != 0)
			return -1;
	for (i = 0; i < l->nwritable; i++)
		if (send_place(r,
			       l->writable[i].kind == CV_W_TMPFS ? CV_PLACE_TMPFS : CV_PLACE_VOLUME,
			       l->writable[i].path, e) != 0)
			return -1;
	for (i = 0; i < l->nbinds; i++)
		if (send_place(r, CV_PLACE_BIND, l->binds[i].target, e) != 0)
			return -1;
	return send_program(l, r, e);
}

static int
send_merge(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct walk *w = c->ctx;
	const struct cv_request *rq = w->im->job->run->rq;
	bool launched = rq->agent->has_launch && rq->agent->launch.image == w->im->job->decl;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);
	uint64_t flags = launched ? CV_MERGE_LAUNCHED : 0;
	size_t i;

	if (cv_policy_allows(rq->policy, "writable-code"))
		flags |= CV_MERGE_CODE_WRITABLE;
	cv_out_u64(o, CV_TAG_TASK, CV_T_MERGE);
	cv_out_u64(o, CV_TAG_COUNT, w->n);
	cv_out_u64(o, CV_TAG_FLAGS, flags);
	if (cv_role_send(r, e) != 0 || (launched && send_launch(&rq->agent->launch, r, e) != 0))
		return -1;
	for (i = 0; i < w->n; i++) {
		o = cv_role_frame(r, CV_K_ITEM);
		cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_LAYER);
		cv_out_u64(o, CV_TAG_POS, i);
		cv_out_blob(o, CV_TAG_BLOB, w->layer[i].table);
		if (cv_role_send(r, e) != 0)
			return -1;
	}
	o = cv_role_frame(r, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_CONFIG);
	cv_out_blob(o, CV_TAG_BLOB, w->im->job->a->config_blob);
	return cv_role_send(r, e);
}

static int
send_config(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct walk *w = c->ctx;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_CONFIG);
	cv_out_blob(o, CV_TAG_BLOB, w->im->job->a->config_blob);
	return cv_role_send(r, e);
}

static void
simple(struct walk *w, int (*send)(struct cv_call *, struct cv_role *, struct cv_err *),
       const char *const *answers)
{
	struct cv_call c = { .job = w->im->job,
			     .kind = CV_ROLE_CONTENTS,
			     .ctx = w,
			     .send = send,
			     .pipe_fd = -1,
			     .answers = answers };
	struct cv_err e = { 0 };

	if (cv_call_run(&c, &e) != 0)
		cv_job_err(w->im->job, c.check, answers[0], &e);
	else
		cv_call_tell(&c);
	cv_call_free(&c);
}

/* no_layers: nothing to look into; what a layer could be is not there. */
static void
no_layers(struct cv_job *j)
{
	size_t i;

	for (i = 0; cv_layer_checks[i] != NULL; i++)
		cv_job_pass(j, cv_layer_checks[i]);
}

static void
look(struct walk *w)
{
	struct cv_job *j = w->im->job;
	struct cv_err e = { 0 };
	int rc;

	if (w->n == 0)
		no_layers(j);
	rc = w->n == 0 ? 0 : walk_all(w, &e);
	if (rc < 0)
		cv_job_err(j, NULL, NULL, &e);
	tell(w);
	if (rc != 0)
		return;
	cv_job_pass(j, "fetch.digest-mismatch"); /* every byte had its digest */
	if (j->a->config_blob.fd < 0) {
		cv_fail(&e, CV_R_DISK, "the store lost the configuration");
		cv_job_err(j, NULL, NULL, &e);
		return;
	}
	simple(w, send_merge, cv_merge_checks);
	simple(w, send_config, cv_config_checks);
}

void
cv_image_contents(struct cv_image_job *im)
{
	struct cv_r_artifact *a = im->job->a;
	struct walk w = { .im = im, .n = a->nlayers };
	struct cv_err e = { 0 };
	size_t i;

	w.layer = calloc(w.n + 1, sizeof(*w.layer));
	if (w.layer == NULL) {
		cv_fail_memory(&e);
		cv_job_err(im->job, NULL, NULL, &e);
		return;
	}
	for (i = 0; i < w.n; i++)
		w.layer[i] = (struct layer){ .walk = &w,
					     .r = &a->layers[i],
					     .pos = i,
					     .got = { .blob = CV_NO_BLOB },
					     .blob = CV_NO_BLOB,
					     .table = CV_NO_BLOB,
					     .call = { .job = im->job } };
	(void)pthread_mutex_init(&w.mu, NULL);
	(void)pthread_cond_init(&w.moved, NULL);
	look(&w);
	for (i = 0; i < w.n; i++) {
		cv_call_free(&w.layer[i].call);
		cv_closep(&w.layer[i].got.blob.fd);
		cv_closep(&w.layer[i].table.fd);
	}
	(void)pthread_cond_destroy(&w.moved);
	(void)pthread_mutex_destroy(&w.mu);
	free(w.layer);
}
