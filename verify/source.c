/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: see source.h. Must never use bytes by what a worker says of them. */
#include "verify/source_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

int
cv_source_open(struct cv_source **ret, const struct cv_source_opts *opts, struct cv_err *e)
{
	struct cv_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	s->o = *opts;
	*ret = s;
	return 0;
}

void
cv_source_close(struct cv_source **s)
{
	if (*s == NULL)
		return;
	cv_role_end(&(*s)->role);
	free(*s);
	*s = NULL;
}

bool
cv_source_sandbox(const struct cv_source *s, unsigned *flags, int *landlock)
{
	*flags = s->sandbox;
	*landlock = s->landlock;
	return s->ran;
}

const char *
cv_got_check(enum cv_reason reason)
{
	switch (reason) {
	case CV_R_DIGEST:
		return "fetch.digest-mismatch";
	case CV_R_ABSENT:
		return "fetch.absent";
	case CV_R_LIMIT:
		return "fetch.too-large";
	case CV_R_THROTTLED:
		return "fetch.throttled";
	case CV_R_CUTOFF:
		return "fetch.cut-off";
	case CV_R_DENIED:
		return "fetch.denied";
	case CV_R_OFFLINE:
		return "fetch.offline";
	case CV_R_DEADLINE:
		return "fetch.deadline";
	case CV_R_CANCELLED:
		return "run.cancelled";
	case CV_R_RULE:
		return "file.unsafe";
	case CV_R_CONFIG:
		return "fetch.denied";
	case CV_R_WORKER:
		return "worker.died";
	case CV_R_CONFINEMENT:
		return "sandbox.unavailable";
	case CV_R_MEMORY:
	case CV_R_DISK:
	case CV_R_IO:
	case CV_R_BUG:
		return "internal.error";
	default:
		return "fetch.unreachable";
	}
}

void
cv_got_failed(struct cv_got *got, const char *check)
{
	if (got->err.reason == CV_R_NONE)
		cv_fail(&got->err, CV_R_BUG, "a transfer failed without a reason");
	got->status = CV_S_FAILED;
	got->check = check != NULL ? check : cv_got_check(got->err.reason);
	cv_closep(&got->blob.fd);
}

static void
start(struct cv_got *got)
{
	*got = (struct cv_got){ .status = CV_S_FAILED, .blob = CV_NO_BLOB };
}

int
cv_got_too_large(uint64_t size, uint64_t max, struct cv_err *e)
{
	return cv_fail(e, CV_R_LIMIT, "%llu bytes, at most %llu are accepted",
		       (unsigned long long)size, (unsigned long long)max);
}

/* from_store: true if the store answered. */
static bool
from_store(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
	   struct cv_got *got)
{
	const struct cv_role_opts *r = s->o.role;
	int rc = cv_store_find_until(s->o.store, want, size, r == NULL ? 0 : r->deadline,
				     r == NULL ? -1 : r->cancel_fd, &got->blob, &got->err);

	if (rc == 0)
		return false;
	if (rc > 0 && got->blob.len > max)
		rc = cv_got_too_large(got->blob.len, max, &got->err);
	if (rc < 0) {
		cv_got_failed(got, NULL);
		return true;
	}
	got->status = CV_S_GIVEN;
	got->digest = *want;
	return true;
}

/* note_key: how a question is known in the store's notes; false if its answers
 * are not kept: only evidence is, whose every answer proves itself. What a tag
 * of an image names has to be asked. */
static bool
note_key(const struct cv_question *q, char out[1024])
{
	char digest[CV_DIGEST_TEXT];

	if (q->task == CV_T_REFERRERS)
		(void)snprintf(out, 1024, "referrers %s %s", q->name,
			       cv_digest_text(q->asked, digest));
	else if (q->task == CV_T_MANIFEST && q->want == NULL && strncmp(q->ref, "sha256-", 7) == 0)
		(void)snprintf(out, 1024, "tag %s %s", q->name, q->ref);
	else
		return false;
	return true;
}

/* from_notes: offline, what the source answered when it was last asked. */
static bool
from_notes(struct cv_source *s, const struct cv_question *q, struct cv_got *got)
{
	char key[1024], media[256];
	struct cv_digest d;

	if (!s->o.offline || q->name == NULL || !note_key(q, key) ||
	    !cv_store_noted(s->o.store, key, &d, media) ||
	    !from_store(s, &d, CV_SIZE_ANY, q->max, got))
		return false;
	(void)snprintf(got->media, sizeof(got->media), "%s", media);
	return true;
}

/* ---- mirrors ---- */

/* failed: the registry's own answer decides; what its mirrors did is told too. */
static void
failed(struct cv_got *got, const char *check, const char *why)
{
	char text[CV_ERR_TEXT];

	cv_got_failed(got, check);
	if (why[0] == '\0')
		return;
	memcpy(text, got->err.text, sizeof(text));
	(void)cv_fail(&got->err, got->err.reason, "%s; before that, %s", text, why);
}

/* ours: trouble that another source would not be spared. */
static bool
ours(enum cv_reason reason)
{
	switch (reason) {
	case CV_R_MEMORY:
	case CV_R_DISK:
	case CV_R_IO:
	case CV_R_BUG:
	case CV_R_CANCELLED:
	case CV_R_CONFIG:
	case CV_R_CONFINEMENT:
		return true;
	default:
		return false;
	}
}

/* from_mirrors: true if one of them gave the bytes, or there is no use in going on.
 * Else why holds, for people, what came of the last one that was asked. */
static bool
from_mirrors(struct cv_source *s, const struct cv_question *q, struct cv_got *got, char why[512])
{
	const char *path = s->o.repo != NULL ? strchr(s->o.repo, '/') : NULL, *check;
	const struct cv_items *mirrors;
	char host[CV_MAX_REF + 1], name[CV_MAX_REF + 1];
	struct cv_question at = *q;

	why[0] = '\0';
	if (path == NULL || q->want == NULL || s->o.offline)
		return false;
	mirrors = cv_registries_mirrors(s->o.registries, cv_source_host(s->o.repo, host));
	at.name = name;
	at.not_last = true;
	for (size_t i = 0; i < mirrors->n; i++) {
		if ((s->mirrors_down & 1U << i) != 0 ||
		    (size_t)snprintf(name, sizeof(name), "%s%s", mirrors->v[i].text, path) >=
			    sizeof(name))
			continue;
		check = NULL;
		start(got);
		if (cv_source_ask(s, &at, got, &check) == 0 && got->status == CV_S_GIVEN)
			return true;
		if (ours(got->err.reason)) {
			cv_got_failed(got, check);
			return true;
		}
		if (got->err.reason == CV_R_UNREACHABLE || got->err.reason == CV_R_THROTTLED)
			s->mirrors_down |= 1U << i;
		cv_text_fmt(why, 512, "mirror %s: %s", mirrors->v[i].text,
			    got->err.reason != CV_R_NONE ? got->err.text : "has it not");
		cv_closep(&got->blob.fd);
	}
	start(got);
	return false;
}

static void
question(struct cv_source *s, const struct cv_question *q, struct cv_got *got)
{
	const char *check = NULL;
	char key[1024], why[512];
	struct cv_err ignored;

	start(got);
	if (from_notes(s, q, got) || from_mirrors(s, q, got, why))
		return;
	if (s->o.repo == NULL && q->task != CV_T_URL && !s->o.offline)
		cv_fail(&got->err, CV_R_BUG, "a question about no repository");
	if (got->err.reason != CV_R_NONE || cv_source_ask(s, q, got, &check) != 0)
		failed(got, check, why);
	else if (got->status == CV_S_GIVEN && got->digest.alg == CV_SHA256 && note_key(q, key))
		/* a note that cannot be written is missed offline, and only there */
		(void)!cv_store_note(s->o.store, key, &got->digest, got->media, &ignored);
}

/* ---- the questions ---- */

void
cv_source_manifest(struct cv_source *s, const char *ref, const struct cv_digest *want, uint64_t max,
		   struct cv_got *got)
{
	struct cv_question q = { .task = CV_T_MANIFEST,
				 .name = s->o.repo,
				 .ref = ref,
				 .want = want,
				 .size = CV_SIZE_ANY,
				 .max = max,
				 .bulk = true };

	start(got);
	if (want != NULL && from_store(s, want, CV_SIZE_ANY, max, got))
		return;
	if (s->o.layout_fd >= 0 && want != NULL)
		cv_layout_blob(s, want, CV_SIZE_ANY, max, got);
	else if (s->o.layout_fd >= 0)
		cv_layout_part(s, "index.json", NULL, CV_SIZE_ANY, max, got);
	else
		question(s, &q, got);
}

void
cv_source_blob(struct cv_source *s, const struct cv_digest *want, uint64_t size, uint64_t max,
	       struct cv_got *got)
{
	struct cv_question q = { .task = CV_T_GETBLOB,
				 .name = s->o.repo,
				 .want = want,
				 .asked = want,
				 .size = size,
				 .max = size != CV_SIZE_ANY ? size : max,
				 .bulk = true };

	start(got);
	if (size != CV_SIZE_ANY && size > max) {
		cv_got_too_large(size, max, &got->err);
		cv_got_failed(got, NULL);
		return;
	}
	if (from_store(s, want, size, max, got))
		return;
	if (s->o.layout_fd >= 0)
		cv_layout_blob(s, want, size, q.max, got);
	else
		question(s, &q, got);
}

void
cv_source_referrers(struct cv_source *s, const struct cv_digest *subject, uint64_t max,
		    struct cv_got *got)
{
	struct cv_question q = { .task = CV_T_REFERRERS,
				 .name = s->o.repo,
				 .asked = subject,
				 .size = CV_SIZE_ANY,
				 .max = max,
				 .bulk = true };

	question(s, &q, got);
}

void
cv_source_resolve(struct cv_source *s, const char *tag, struct cv_got *got)
{
	struct cv_question q = { .task = CV_T_RESOLVE,
				 .name = s->o.repo,
				 .ref = tag,
				 .size = CV_SIZE_ANY,
				 .max = CV_MAX_MANIFEST };

	question(s, &q, got);
}

void
cv_source_url(struct cv_source *s, const char *url, const struct cv_digest *want, uint64_t max,
	      struct cv_got *got)
{
	struct cv_question q = { .task = CV_T_URL,
				 .name = url,
				 .want = want,
				 .size = CV_SIZE_ANY,
				 .max = max,
				 .bulk = true };

	start(got);
	if (want != NULL && from_store(s, want, CV_SIZE_ANY, max, got))
		return;
	question(s, &q, got);
}
