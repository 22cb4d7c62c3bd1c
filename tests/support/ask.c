/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c: see ask.h. */
#include "tests/support/ask.h"
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "trust/base/sandbox.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 120000

static void __attribute__((noreturn))
child(int sock, const struct cv_task_def *def, void (*warm)(void))
{
	struct cv_task_def tasks[2] = { *def, { .task = 0 } };
	struct cv_worker_def w = {
		.name = "test", .seal = CV_SEAL_COMPUTE, .warm = warm, .tasks = tasks
	};

	if (dup2(sock, CV_WORKER_SOCK) < 0)
		_exit(9);
	for (int fd = CV_WORKER_SOCK + 1; fd < 256; fd++)
		(void)close(fd);
	_exit(cv_worker_main(&w, 0, NULL));
}

/* text: a string field that may be missing, cut to fit */
static void
text(struct cv_frame *f, uint8_t tag, char *out, size_t size)
{
	out[0] = '\0';
	if (cv_frame_has(f, tag))
		(void)snprintf(out, size, "%s", cv_frame_str(f, tag, CV_MAX_FRAME));
}

static uint64_t
number(struct cv_frame *f, uint8_t tag)
{
	return cv_frame_has(f, tag) ? cv_frame_u64(f, tag, UINT64_MAX) : 0;
}

static struct cv_frame *
next(struct ask *d)
{
	struct cv_err e = { 0 };
	int rc = cv_frame_recv(d->sock, &d->in, cv_mono_ms() + LIMIT_MS, -1, &e);

	if (rc != 1)
		t_fail(__FILE__, __LINE__, "the worker ended without an answer: %s",
		       rc == 0 ? "closed" : e.text);
	return &d->in;
}

struct ask *
ask_open(const struct cv_task_def *def, void (*warm)(void))
{
	struct ask *d = calloc(1, sizeof(*d));
	int pair[2];

	T(d != NULL);
	d->finding = calloc(ASK_MAX, sizeof(*d->finding));
	d->fact = calloc(ASK_MAX, sizeof(*d->fact));
	T(d->finding != NULL && d->fact != NULL);
	T(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	(void)fflush(NULL);
	d->child = fork();
	T(d->child >= 0);
	if (d->child == 0)
		child(pair[1], def, warm);
	(void)close(pair[1]);
	d->sock = pair[0];
	T(next(d)->kind == CV_K_HELLO);
	cv_out_start(&d->out, CV_K_TASK);
	return d;
}

struct cv_out *
ask_frame(struct ask *d, enum cv_kind kind)
{
	d->items = kind == CV_K_TASK ? 0 : kind == CV_K_ITEM ? d->items + 1 : d->items;
	cv_out_start(&d->out, (uint8_t)kind);
	return &d->out;
}

void
ask_send(struct ask *d)
{
	struct cv_err e = { 0 };

	T(!d->out.bad);
	T_OK(cv_frame_send(d->sock, &d->out, cv_mono_ms() + LIMIT_MS, -1, &e), e);
}

static void
take_finding(struct ask *d, struct cv_frame *f)
{
	struct ask_finding *x = &d->finding[d->nfindings++];
	char reason[64];

	T(d->nfindings < ASK_MAX);
	text(f, CV_TAG_CHECK, x->check, sizeof(x->check));
	x->not_applicable = number(f, CV_TAG_KIND) == 1;
	if (!x->not_applicable) {
		text(f, CV_TAG_REASON, reason, sizeof(reason));
		x->reason = cv_reason_parse(reason);
		T(x->reason < CV_R_COUNT);
	}
	text(f, CV_TAG_EXPECTED, x->expected, sizeof(x->expected));
	text(f, CV_TAG_FOUND, x->found, sizeof(x->found));
	text(f, CV_TAG_WHERE, x->where, sizeof(x->where));
	text(f, CV_TAG_NOTE, x->note, sizeof(x->note));
}

static void
take_fact(struct ask *d, struct cv_frame *f)
{
	struct ask_fact *x = &d->fact[d->nfacts++];

	T(d->nfacts < ASK_MAX);
	x->fact = number(f, CV_TAG_FACT);
	x->count = number(f, CV_TAG_COUNT);
	x->value = number(f, CV_TAG_VALUE);
	x->size = number(f, CV_TAG_SIZE);
	text(f, CV_TAG_NAME, x->name, sizeof(x->name));
	text(f, CV_TAG_REF, x->ref, sizeof(x->ref));
	text(f, CV_TAG_MEDIA, x->media, sizeof(x->media));
	text(f, CV_TAG_TEXT, x->text, sizeof(x->text));
	text(f, CV_TAG_VERSION, x->version, sizeof(x->version));
	text(f, CV_TAG_NOTE, x->note, sizeof(x->note));
}

void
ask_run(struct ask *d)
{
	struct cv_frame *f;
	char reason[64];

	cv_out_u64(ask_frame(d, CV_K_RUN), CV_TAG_COUNT, d->items);
	ask_send(d);
	for (f = next(d);
	     f->kind == CV_K_FACT || f->kind == CV_K_FINDING || f->kind == CV_K_PROGRESS;
	     f = next(d)) {
		if (f->kind == CV_K_FINDING)
			take_finding(d, f);
		else if (f->kind == CV_K_FACT)
			take_fact(d, f);
		T(!f->bad);
	}
	if (f->kind == CV_K_DONE) {
		T_INT(cv_frame_u64(f, CV_TAG_COUNT, UINT64_MAX), d->nfacts + d->nfindings);
		d->done = true;
		return;
	}
	T_INT(f->kind, CV_K_ERROR);
	text(f, CV_TAG_REASON, reason, sizeof(reason));
	d->e.reason = cv_reason_parse(reason);
	text(f, CV_TAG_TEXT, d->e.text, sizeof(d->e.text));
}

void
ask_close(struct ask **dp)
{
	struct ask *d = *dp;
	int status = 0;

	(void)close(d->sock);
	T(waitpid(d->child, &status, 0) == d->child);
	T(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cv_frame_clear(&d->in);
	free(d->finding);
	free(d->fact);
	free(d);
	*dp = NULL;
}

const struct ask_finding *
ask_has(const struct ask *d, const char *check)
{
	for (size_t i = 0; i < d->nfindings; i++)
		if (strcmp(d->finding[i].check, check) == 0)
			return &d->finding[i];
	return NULL;
}

size_t
ask_no(const struct ask *d, const char *check)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nfindings; i++)
		n += strcmp(d->finding[i].check, check) == 0 && !d->finding[i].not_applicable &&
		     d->finding[i].reason != CV_R_NONE;
	return n;
}

bool
ask_passed(const struct ask *d, const char *check)
{
	const struct ask_finding *f = NULL;
	size_t n = 0;

	for (size_t i = 0; i < d->nfindings; i++)
		if (strcmp(d->finding[i].check, check) == 0) {
			f = &d->finding[i];
			n++;
		}
	return n == 1 && !f->not_applicable && f->reason == CV_R_NONE;
}

uint64_t
ask_count(const struct ask *d, const char *name)
{
	for (size_t i = 0; i < d->nfacts; i++)
		if (d->fact[i].fact == CV_F_COUNTS && strcmp(d->fact[i].name, name) == 0)
			return d->fact[i].count;
	return 0;
}
