/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: see worker.h. Must never say DONE for a task that was not carried
 * to its end, and never outlive its deadline by more than a moment.
 */
#include "trust/base/worker.h"
#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define GRACE_MS    1000          /* past the deadline: verify says it first, and better */
#define PROGRESS_MS 50            /* between two PROGRESS frames */
#define MAX_EARLY   (64 * CV_MIB) /* frames that wait for RUN */

struct cv_worker {
	const struct cv_worker_def *def;
	int sock;
	struct cv_frame in;   /* TASK, ITEM, RUN */
	struct cv_frame give; /* answers to needs */
	struct cv_out out;
	struct cv_out done;
	struct cv_buf early; /* what was stated before RUN: u32le length, bytes */
	bool running;
	uint64_t count; /* FACT and FINDING frames of this task */
	uint64_t need;  /* last ID used */
	const char *check;
	int64_t deadline;
	int64_t progress; /* when the last PROGRESS was sent */
};

/* One task under way. */
struct job {
	const struct cv_task_def *def; /* NULL: none known */
	void *state;
	uint64_t items; /* ITEM frames that came */
	bool failed;    /* start or item did; the rest is read and forgotten */
	struct cv_err e;
};

/* leave: verify is gone or broke the protocol: there is nobody to tell. */
static void __attribute__((noreturn)) leave(const char *why)
{
	fprintf(stderr, "clawverify worker: %s\n", why);
	exit(1);
}

static void
send_now(struct cv_worker *w, const struct cv_out *o)
{
	struct cv_err e = { 0 };

	if (cv_frame_send(w->sock, o, 0, -1, &e) != 0)
		leave(e.text);
}

struct cv_out *
cv_w_start(struct cv_worker *w, enum cv_kind kind)
{
	cv_out_start(&w->out, (uint8_t)kind);
	return &w->out;
}

struct cv_out *
cv_w_fact(struct cv_worker *w, enum cv_fact fact)
{
	cv_w_start(w, CV_K_FACT);
	cv_out_u64(&w->out, CV_TAG_FACT, fact);
	return &w->out;
}

static int
keep(struct cv_worker *w, struct cv_err *e)
{
	if (w->out.nfds != 0)
		return cv_fail(e, CV_R_BUG, "a descriptor cannot be sent before RUN");
	cv_buf_u32le(&w->early, (uint32_t)w->out.n);
	cv_buf_add(&w->early, w->out.b, w->out.n);
	return cv_buf_ok(&w->early, "what was found while reading the inputs", e);
}

int
cv_w_send(struct cv_worker *w, struct cv_err *e)
{
	uint8_t kind = w->out.b[1];

	if (w->out.bad)
		return cv_fail(e, CV_R_BUG, "a frame of kind %u was put together wrongly", kind);
	if (!w->running && keep(w, e) != 0)
		return -1;
	if (w->running)
		send_now(w, &w->out);
	if (kind == CV_K_FACT || kind == CV_K_FINDING)
		w->count++;
	return 0;
}

/* Send what was kept. */
static void
flush_early(struct cv_worker *w)
{
	struct cv_span s = cv_buf_span(&w->early), frame;

	while (s.n > 0) {
		frame = cv_span_take(&s, cv_span_u32le(&s));
		if (s.bad || frame.n > sizeof(w->out.b))
			leave("frames that were kept are broken");
		memcpy(w->out.b, frame.p, frame.n);
		w->out.n = frame.n;
		w->out.bad = false;
		w->out.nfds = 0;
		send_now(w, &w->out);
	}
	cv_buf_free(&w->early);
	w->early = CV_BUF(MAX_EARLY);
}

static void
text_field(struct cv_out *o, uint8_t tag, const char *text)
{
	if (text[0] != '\0')
		cv_out_str(o, tag, text);
}

int
cv_w_finding(struct cv_worker *w, const struct cv_finding *f, struct cv_err *e)
{
	struct cv_out *o = cv_w_start(w, CV_K_FINDING);

	cv_out_str(o, CV_TAG_CHECK, f->check);
	if (f->outcome == CV_NOT_APPLICABLE)
		cv_out_u64(o, CV_TAG_KIND, 1);
	else
		cv_out_str(o, CV_TAG_REASON, cv_reason_word(f->reason));
	text_field(o, CV_TAG_EXPECTED, f->expected);
	text_field(o, CV_TAG_FOUND, f->found);
	text_field(o, CV_TAG_WHERE, f->where);
	text_field(o, CV_TAG_NOTE, f->note);
	if (f->evidence.alg != CV_ALG_NONE)
		cv_out_digest(o, CV_TAG_EVIDENCE, &f->evidence);
	return cv_w_send(w, e);
}

int
cv_w_progress(struct cv_worker *w, uint64_t done, uint64_t total, struct cv_err *e)
{
	int64_t now = cv_mono_ms();
	struct cv_out *o;

	if (!w->running || now - w->progress < PROGRESS_MS)
		return 0;
	w->progress = now;
	o = cv_w_start(w, CV_K_PROGRESS);
	cv_out_u64(o, CV_TAG_VALUE, done);
	if (total != 0)
		cv_out_u64(o, CV_TAG_SIZE, total);
	return cv_w_send(w, e);
}

void
cv_w_check(struct cv_worker *w, const char *check)
{
	w->check = check;
}

struct cv_out *
cv_w_done_extra(struct cv_worker *w)
{
	return &w->done;
}

void *
cv_w_ctx(const struct cv_worker *w)
{
	return w->def->ctx;
}

int64_t
cv_w_deadline(const struct cv_worker *w)
{
	return w->deadline;
}

/* ---- needs ---- */

struct cv_out *
cv_w_need(struct cv_worker *w, enum cv_need need)
{
	cv_w_start(w, CV_K_NEED);
	cv_out_u64(&w->out, CV_TAG_ID, w->need + 1);
	cv_out_u64(&w->out, CV_TAG_NEED, need);
	return &w->out;
}

static void
read_failed(struct cv_frame *f, struct cv_given *ret)
{
	enum cv_reason reason = cv_reason_parse(cv_frame_str(f, CV_TAG_REASON, 64));

	if (reason == CV_R_NONE || reason >= CV_R_COUNT)
		f->bad = true;
	cv_fail(&ret->err, reason, "%s", cv_frame_str(f, CV_TAG_TEXT, CV_MAX_FRAME));
}

static void
copy_text(struct cv_frame *f, uint8_t tag, char *to, size_t size)
{
	const char *s;

	if (!cv_frame_has(f, tag))
		return;
	s = cv_frame_str(f, tag, size - 1);
	memcpy(to, s, strlen(s) + 1);
}

static void
read_given(struct cv_frame *f, struct cv_given *ret)
{
	if (cv_frame_has(f, CV_TAG_KIND)) {
		ret->cred = (enum cv_cred)cv_frame_u64(f, CV_TAG_KIND, CV_CRED_BEARER);
		copy_text(f, CV_TAG_USER, ret->user, sizeof(ret->user));
		copy_text(f, CV_TAG_SECRET, ret->secret, sizeof(ret->secret));
		return;
	}
	copy_text(f, CV_TAG_MEDIA, ret->media, sizeof(ret->media));
	if (cv_frame_has(f, CV_TAG_DIGEST))
		ret->digest = cv_frame_digest(f, CV_TAG_DIGEST);
	ret->blob = cv_frame_blob(f, CV_TAG_BLOB, UINT64_MAX);
}

int
cv_w_ask(struct cv_worker *w, struct cv_given *ret, struct cv_err *e)
{
	struct cv_frame *f = &w->give;

	memset(ret, 0, sizeof(*ret));
	ret->blob = CV_NO_BLOB;
	if (!w->running)
		return cv_fail(e, CV_R_BUG, "a need cannot be stated before RUN");
	if (cv_w_send(w, e) != 0)
		return -1;
	w->need++;
	if (cv_frame_recv(w->sock, f, 0, -1, e) != 1)
		leave("no answer to a need");
	if (f->kind != CV_K_GIVE || cv_frame_u64(f, CV_TAG_ID, UINT64_MAX) != w->need)
		leave("another frame than the answer to a need");
	ret->status = (enum cv_status)cv_frame_u64(f, CV_TAG_STATUS, CV_S_FAILED);
	if (ret->status == CV_S_GIVEN)
		read_given(f, ret);
	else if (ret->status == CV_S_FAILED)
		read_failed(f, ret);
	else if (ret->status != CV_S_ABSENT)
		f->bad = true;
	if (f->bad)
		leave("a malformed answer to a need");
	if (cv_frame_has(f, CV_TAG_SECRET))
		OPENSSL_cleanse(f->b, sizeof(f->b));
	cv_frame_clear(f);
	return 0;
}

/* ---- the loop ---- */

/* The process ends by SIGALRM soon after ms milliseconds; 0 takes it back. */
static void
arm(uint64_t ms)
{
	struct itimerval t = { .it_value = { .tv_sec = (time_t)(ms / 1000),
					     .tv_usec = (suseconds_t)(ms % 1000 * 1000) } };

	if (setitimer(ITIMER_REAL, &t, NULL) != 0)
		leave("cannot arm the deadline");
}

static void
take_deadline(struct cv_worker *w)
{
	uint64_t ms = 0;

	if (cv_frame_has(&w->in, CV_TAG_DEADLINE))
		ms = cv_frame_u64(&w->in, CV_TAG_DEADLINE, INT32_MAX);

	w->deadline = ms == 0 ? 0 : cv_mono_ms() + (int64_t)ms;
	arm(ms == 0 ? 0 : ms + GRACE_MS);
}

static const struct cv_task_def *
find_task(const struct cv_worker_def *def, uint64_t task)
{
	for (const struct cv_task_def *t = def->tasks; t->task != 0; t++)
		if (t->task == task)
			return t;
	return NULL;
}

static void
start_job(struct cv_worker *w, const struct cv_worker_def *def, struct job *j)
{
	uint64_t task = cv_frame_u64(&w->in, CV_TAG_TASK, UINT32_MAX);

	w->running = false;
	w->count = 0;
	w->check = NULL;
	w->progress = cv_mono_ms();
	cv_buf_reset(&w->early);
	cv_out_start(&w->done, CV_K_DONE);
	take_deadline(w);
	if (w->in.bad)
		leave("a TASK without its number");
	j->def = find_task(def, task);
	if (j->def == NULL)
		j->failed = cv_fail(&j->e, CV_R_BUG, "the %s worker has no task %u", def->name,
				    (unsigned)task) != 0;
	else if (j->def->start != NULL)
		j->failed = j->def->start(w, &w->in, &j->state, &j->e) != 0;
}

static void
add_item(struct cv_worker *w, struct job *j)
{
	if (j->failed)
		return;
	if (j->def->item == NULL)
		j->failed = cv_fail(&j->e, CV_R_BUG, "this task has no items") != 0;
	else
		j->failed = j->def->item(w, &w->in, j->state, &j->e) != 0;
}

/* A handler that says -1 without saying why has a bug; it has not succeeded. */
static void
send_error(struct cv_worker *w, const struct cv_err *e)
{
	struct cv_out *o = cv_w_start(w, CV_K_ERROR);
	enum cv_reason reason = e->reason == CV_R_NONE ? CV_R_BUG : e->reason;

	cv_out_str(o, CV_TAG_REASON, cv_reason_word(reason));
	cv_out_str(o, CV_TAG_TEXT, e->text);
	if (w->check != NULL && cv_check_find(w->check) != NULL)
		cv_out_str(o, CV_TAG_CHECK, w->check);
	send_now(w, o);
}

static void
run_job(struct cv_worker *w, struct job *j)
{
	w->running = true;
	flush_early(w);
	if (!j->failed && j->def->run != NULL)
		j->failed = j->def->run(w, j->state, &j->e) != 0;
	if (!j->failed) {
		cv_out_u64(&w->done, CV_TAG_COUNT, w->count);
		if (w->done.bad)
			j->failed = cv_fail(&j->e, CV_R_BUG, "DONE was put together wrongly") != 0;
	}
	/* Before the answer: an output that verify reads to its end is closed. */
	if (j->def != NULL && j->def->end != NULL)
		j->def->end(j->state);
	w->running = false;
	if (j->failed)
		send_error(w, &j->e);
	else
		send_now(w, &w->done);
	arm(0);
}

/* One frame; false when verify has closed the socket. */
static bool
next(struct cv_worker *w)
{
	struct cv_err e = { 0 };
	int rc = cv_frame_recv(w->sock, &w->in, 0, -1, &e);

	if (rc < 0)
		leave(e.text);
	return rc > 0;
}

/* One task from TASK to its answer; false when there is none any more. */
static bool
serve(struct cv_worker *w, const struct cv_worker_def *def)
{
	struct job j = { 0 };

	if (!next(w))
		return false;
	if (w->in.kind != CV_K_TASK)
		leave("a frame before TASK");
	start_job(w, def, &j);
	for (;;) {
		if (!next(w))
			leave("verify is gone");
		if (w->in.kind == CV_K_RUN)
			break;
		if (w->in.kind != CV_K_ITEM)
			leave("neither ITEM nor RUN");
		j.items++;
		add_item(w, &j);
	}
	/* what was not looked at must not count as looked at and found good */
	if (cv_frame_u64(&w->in, CV_TAG_COUNT, UINT64_MAX) != j.items || w->in.bad)
		leave("an ITEM was lost");
	run_job(w, &j);
	return true;
}

/* ---- starting ---- */

/* What opens files on first use, and would die of it later. OpenSSL shall read no
 * configuration, and where nothing is encrypted its error texts and ciphers would be
 * 300 KiB for nothing. */
static void
warm_up(const struct cv_worker_def *def)
{
	time_t epoch = 0;
	struct tm tm;
	uint64_t off = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT;

	if (def->seal == CV_SEAL_COMPUTE)
		off |= OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ADD_ALL_CIPHERS;
	if (setenv("TZ", "UTC0", 1) != 0)
		leave("out of memory");
	tzset();
	(void)localtime_r(&epoch, &tm);
	json_object_seed(0);
	if (OPENSSL_init_crypto(off, NULL) != 1)
		leave("cannot start OpenSSL");
	if (def->warm != NULL)
		def->warm();
}

static void
seal(struct cv_worker *w, const struct cv_worker_def *def)
{
	static const char *const names[] = { "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE" };
	const char *paths[CV_COUNT(names) + 1] = { NULL };
	struct cv_err e = { 0 };
	struct cv_out *o;
	unsigned in_force;
	int abi;
	size_t n = 0;

	for (size_t i = 0; i < CV_COUNT(names) && def->seal == CV_SEAL_NET; i++)
		if ((paths[n] = getenv(names[i])) != NULL)
			n++;
	if (cv_seal((enum cv_seal)def->seal, paths, &in_force, &abi, &e) != 0)
		leave(e.text);
	o = cv_w_start(w, CV_K_HELLO);
	cv_out_u64(o, CV_TAG_SANDBOX, in_force);
	cv_out_u64(o, CV_TAG_VALUE, (uint64_t)abi);
	send_now(w, o);
}

static bool
is_ours(int sock)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

int
cv_worker_main(const struct cv_worker_def *def, int argc, char **argv)
{
	struct cv_worker *w;

	(void)argc;
	(void)argv;
	if (!is_ours(CV_WORKER_SOCK)) {
		fprintf(stderr, "This is the %s worker of clawverify, which starts it by itself.\n",
			def->name);
		return CV_EXIT_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a write past the limit fails instead */
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		leave("out of memory");
	w->def = def;
	w->sock = CV_WORKER_SOCK;
	w->early = CV_BUF(MAX_EARLY);
	warm_up(def);
	seal(w, def);
	while (serve(w, def) && def->many)
		;
	cv_frame_clear(&w->in);
	cv_buf_free(&w->early);
	free(w);
	return 0;
}
