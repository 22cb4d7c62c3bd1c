/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_bundle.c: see inspect_bundle.h. */
#include "verify/inspect_bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/embed.h"
#include "verify/engine_vouch.h"
#include "verify/vsa_int.h"

#include "trust/base/banned.h"

#define LINES     1000
#define SECONDS   60 /* unless --timeout says other */
#define TYPE_WORD "application/vnd.dev.sigstore.bundle"

struct told {
	struct line {
		unsigned depth;
		char *label, *text;
	} line[LINES];
	size_t n;
};

static void
told_free(struct told **t)
{
	if (*t == NULL)
		return;
	for (size_t i = 0; i < (*t)->n; i++) {
		free((*t)->line[i].label);
		free((*t)->line[i].text);
	}
	free(*t);
	*t = NULL;
}

/* What speaks of bundles, a page or a prompt, is none. */
static bool
is_object(struct cv_span text)
{
	while (text.n > 0 && strchr(" \t\r\n", text.p[0]) != NULL && text.p[0] != '\0')
		cv_span_take(&text, 1);
	return text.n > 0 && text.p[0] == '{';
}

bool
cv_is_bundle(const char *path)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_BUNDLE);
	struct cv_err ignored;
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size <= CV_MAX_BUNDLE &&
	       cv_conf_read(&text, AT_FDCWD, path, CV_MAX_BUNDLE, &ignored) > 0 &&
	       is_object(cv_buf_span(&text)) &&
	       memmem(text.p, text.n, TYPE_WORD, strlen(TYPE_WORD)) != NULL;
}

/* ---- asking ---- */

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct told *t = ctx;
	struct line *l = &t->line[t->n];

	if (t->n == LINES)
		return cv_fail(e, CV_R_WORKER, "trust: too many lines about one bundle");
	l->depth = (unsigned)cv_frame_u64(f, CV_TAG_POS, 8);
	l->label = strdup(cv_frame_str(f, CV_TAG_NAME, 100));
	l->text = strdup(cv_frame_str(f, CV_TAG_TEXT, CV_ERR_TEXT));
	t->n++;
	if (l->label == NULL || l->text == NULL)
		return cv_fail_memory(e);
	return cv_frame_done(f, "trust: OBSERVED", e);
}

static int
ask(struct told *t, struct cv_span bundle, const struct cv_sigroot *root, int64_t seconds,
    struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct cv_role_on on = { .ctx = t, .fact = on_fact, .pipe_fd = -1 };
	char dir[PATH_MAX];
	struct cv_role_opts opts = { .dir = dir,
				     .cancel_fd = -1,
				     .deadline = cv_mono_ms() + seconds * 1000 };
	struct cv_blob text = CV_NO_BLOB;
	struct cv_out *o;
	int rc;

	if (cv_role_dir(dir, sizeof(dir), e) != 0 ||
	    cv_role_start(&r, CV_ROLE_TRUST, &opts, e) != 0 || cv_role_bytes(&text, bundle, e) != 0)
		return -1;
	o = cv_role_frame(r, CV_K_TASK);
	cv_out_u64(o, CV_TAG_TASK, CV_T_CHAIN);
	cv_out_blob(o, CV_TAG_BLOB, text);
	rc = cv_role_send(r, e);
	cv_closep(&text.fd);
	if (rc != 0 || cv_vouch_root(r, root, e) != 0)
		return -1;
	return cv_role_run(r, &on, NULL, e);
}

/* ---- showing ---- */

/* last: no line after this one is at its depth, below the same parent. */
static bool
last(const struct told *t, size_t i, unsigned depth)
{
	for (size_t k = i + 1; k < t->n && t->line[k].depth >= depth; k++)
		if (t->line[k].depth == depth)
			return false;
	return true;
}

static void
print(const struct told *t)
{
	for (size_t i = 0; i < t->n; i++) {
		cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(1 << 16);
		const struct line *l = &t->line[i];

		for (unsigned d = 1; d < l->depth; d++)
			cv_buf_str(&out, last(t, i, d) ? "   " : "│  ");
		if (l->depth > 0)
			cv_buf_str(&out, last(t, i, l->depth) ? "└─ " : "├─ ");
		cv_text_safe(&out, cv_span_str(l->label), CV_TEXT_FIELD);
		cv_buf_str(&out, "  ");
		cv_text_safe(&out, cv_span_str(l->text), CV_ERR_TEXT);
		(void)printf("%s\n", cv_buf_text(&out));
	}
	(void)puts(
		"\nThis is what was seen; it is no verdict, and says of nobody that they may "
		"sign.\nTo decide: clawverify verify PATH --bundle FILE --identity NAME --issuer "
		"URL");
}

static int
print_json(const struct told *t, struct cv_err *e)
{
	json_t *list = json_array();
	cv_auto(cv_json_drop) json_t *v =
		json_pack("{s:s,s:o}", "schema", "clawverify.inspect-bundle/1", "chain", list);
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_BUNDLE);

	for (size_t i = 0; v != NULL && i < t->n; i++)
		if (json_array_append_new(list,
					  json_pack("{s:i,s:s,s:s}", "depth", (int)t->line[i].depth,
						    "label", t->line[i].label, "text",
						    t->line[i].text)) != 0)
			return cv_fail(e, CV_R_MALFORMED, "the bundle has text that is not UTF-8");
	if (v == NULL)
		return cv_fail_memory(e);
	if (cv_json_emit(&text, v, e) != 0)
		return -1;
	(void)fputs(cv_buf_text(&text), stdout);
	return 0;
}

int
cv_inspect_bundle(struct cv_cmdline *c, const char *path, struct cv_err *e)
{
	cv_auto(told_free) struct told *t = calloc(1, sizeof(*t));
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_BUNDLE);
	cv_auto(cv_buf_free) struct cv_buf root = CV_BUF(CV_MAX_TRUST_ROOT);
	const char *file = cv_cl_value(c, "root");
	struct cv_sigroot judge = { .name = CV_PUBLIC_GOOD, .text = cv_embed_root() };
	int64_t seconds = SECONDS;
	int got = t == NULL ? cv_fail_memory(e)
			    : cv_conf_read(&text, AT_FDCWD, path, CV_MAX_BUNDLE, e);

	if (got > 0 && file != NULL && strcmp(file, CV_PUBLIC_GOOD) != 0) {
		got = cv_cl_read(&root, "root", file, CV_MAX_TRUST_ROOT, e) == 0 ? 1 : -1;
		judge.name = strlen(file) < 256 ? file : "--root"; /* names have an end */
		judge.text = cv_buf_span(&root);
	}
	if (got <= 0 || cv_cl_seconds(c, "timeout", CV_MAX_TIMEOUT, &seconds, e) != 0 ||
	    ask(t, cv_buf_span(&text), &judge, seconds, e) != 0)
		return cv_cmd_failed(c, e);
	if (!cv_cl_json(c))
		print(t);
	else if (print_json(t, e) != 0)
		return cv_cmd_failed(c, e);
	return CV_EXIT_PASS;
}
