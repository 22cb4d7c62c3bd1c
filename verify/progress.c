/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c: see progress.h. */
#include "verify/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/text.h"
#include "verify/report/report.h"

#include "trust/base/banned.h"

int
cv_progress_open(struct cv_progress *p, const struct cv_cmdline *c, struct cv_err *e)
{
	const char *how = cv_cl_value(c, "progress");
	const char *term = cv_cl_env(c, "TERM");
	bool bars = isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;

	*p = (struct cv_progress){ .how = bars ? CV_PROGRESS_BARS : CV_PROGRESS_TEXT,
				   .began = cv_mono_ms() };
	if (how == NULL || strcmp(how, "auto") == 0)
		;
	else if (strcmp(how, "plain") == 0)
		p->how = CV_PROGRESS_TEXT;
	else if (strcmp(how, "none") == 0)
		p->how = CV_PROGRESS_NONE;
	else
		return cv_fail(e, CV_R_USAGE, "--progress %.40s: want auto, plain or none", how);
	if (cv_cl_flag(c, "quiet"))
		p->how = CV_PROGRESS_NONE;
	return 0;
}

static void
clear(struct cv_progress *p)
{
	while (p->lines > 0) {
		(void)fputs("\033[1A\033[2K", stderr);
		p->lines--;
	}
}

/* line: "llm   [=======>      ]  1.2 GiB of 15.0 GiB, 1.0 GiB/s, 14 s left" */
static void
line(const struct cv_transfer *t, int64_t now)
{
	char done[CV_SIZE_TEXT], total[CV_SIZE_TEXT], rate[CV_SIZE_TEXT];
	uint64_t ms = now > t->began ? (uint64_t)(now - t->began) : 1;
	uint64_t persec = t->done / ms * 1000 + t->done % ms * 1000 / ms;
	char bar[21] = "                    ";

	(void)fprintf(stderr, "%-16.40s ", t->name);
	if (t->total > 0) {
		uint64_t n = t->done >= t->total ? 20 : t->done / (t->total / 20 + 1);

		memset(bar, '=', (size_t)(n > 20 ? 20 : n));
		(void)fprintf(stderr, "[%s] %s of %s, %s/s", bar, cv_size_text(t->done, done),
			      cv_size_text(t->total, total), cv_size_text(persec, rate));
		if (persec > 0 && t->total > t->done)
			(void)fprintf(stderr, ", %llu s left",
				      (unsigned long long)((t->total - t->done) / persec));
	} else {
		(void)fprintf(stderr, "%s, %s/s", cv_size_text(t->done, done),
			      cv_size_text(persec, rate));
	}
	(void)fputc('\n', stderr);
}

static struct cv_transfer *
entry(struct cv_progress *p, const char *artifact, int64_t now)
{
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(71);
	struct cv_transfer *oldest = &p->t[0];

	cv_text_safe(&safe, cv_span_str(artifact), 40);
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->t[i].name, cv_buf_text(&safe)) == 0)
			return &p->t[i];
		if (p->t[i].told < oldest->told)
			oldest = &p->t[i];
	}
	if (p->n < CV_PROGRESS_LINES)
		oldest = &p->t[p->n++];
	*oldest = (struct cv_transfer){ .began = now, .told = now };
	(void)snprintf(oldest->name, sizeof(oldest->name), "%s", cv_buf_text(&safe));
	return oldest;
}

static void
draw(struct cv_progress *p, int64_t now)
{
	if (now - p->began < CV_PROGRESS_AFTER || now - p->drawn < CV_PROGRESS_EVERY)
		return;
	clear(p);
	for (size_t i = 0; i < p->n; i++)
		line(&p->t[i], now);
	p->lines = (unsigned)p->n;
	p->drawn = now;
	(void)fflush(stderr);
}

static void
on_transfer(void *ctx, const char *artifact, uint64_t done, uint64_t total)
{
	struct cv_progress *p = ctx;
	int64_t now = cv_mono_ms();
	struct cv_transfer *t;

	if (p->how == CV_PROGRESS_NONE)
		return;
	t = entry(p, artifact, now);
	if (done < t->done) /* the next blob of the same artifact */
		t->began = now;
	t->done = done;
	t->total = total;
	if (p->how == CV_PROGRESS_BARS) {
		draw(p, now);
	} else if (now - t->told >= CV_PROGRESS_PLAIN) {
		t->told = now;
		line(t, now);
	}
}

static void
on_finished(void *ctx, const struct cv_r_artifact *a)
{
	struct cv_progress *p = ctx;
	char took[CV_SIZE_TEXT];

	if (p->how == CV_PROGRESS_NONE)
		return;
	for (size_t i = 0; i < p->n; i++) {
		if (strncmp(p->t[i].name, a->name, sizeof(p->t[i].name) - 1) == 0) {
			p->t[i] = p->t[--p->n];
			break;
		}
	}
	/* short runs need no running commentary */
	if (p->how == CV_PROGRESS_TEXT && cv_mono_ms() - p->began >= CV_PROGRESS_AFTER)
		(void)fprintf(stderr, "%s %.64s, %s\n", cv_outcome_word(a->outcome), a->name,
			      cv_ms_text(a->ms, took));
}

struct cv_watch
cv_progress_watch(struct cv_progress *p)
{
	return (struct cv_watch){ .ctx = p, .transfer = on_transfer, .finished = on_finished };
}

void
cv_progress_close(struct cv_progress *p)
{
	clear(p);
	(void)fflush(stderr);
}
