/* SPDX-License-Identifier: Apache-2.0 */
/* need.c: see need.h. Must never hand out bytes that are not those the parent
 * names. */
#include "trust/need.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

bool
cv_is_ours(enum cv_reason r)
{
	return cv_reason_exit(r) == CV_EXIT_INTERNAL || r == CV_R_WORKER || r == CV_R_DEADLINE ||
	       r == CV_R_CANCELLED;
}

void
cv_got_free(struct cv_got *g)
{
	cv_buf_free(&g->text);
}

/* Send the started NEED and take in the bytes of its answer. */
static int
ask(struct cv_worker *w, uint64_t max, uint64_t *spent, struct cv_got *g, struct cv_err *e)
{
	cv_auto(cv_freep) struct cv_given *a = calloc(1, sizeof(*a));
	int r;

	*g = (struct cv_got){ .given = false };
	if (a == NULL)
		return cv_fail_memory(e);
	if (cv_w_ask(w, a, e) != 0)
		return -1;
	if (a->status == CV_S_ABSENT) {
		cv_fail(&g->why, CV_R_ABSENT, "the source answered that there is none");
		return 0;
	}
	if (a->status != CV_S_GIVEN) {
		cv_fail(&g->why, a->err.reason, "%s", a->err.text);
		return 0;
	}
	cv_text_fmt(g->media, sizeof(g->media), "%s", a->media);
	*spent += a->blob.len;
	if (a->blob.len > max) {
		g->edge = true;
		cv_fail(&g->why, CV_R_LIMIT, "found %llu bytes, want at most %llu",
			(unsigned long long)a->blob.len, (unsigned long long)max);
		cv_closep(&a->blob.fd);
		return 0;
	}
	g->text = CV_BUF((size_t)a->blob.len);
	r = cv_buf_pread(&g->text, a->blob.fd, a->blob.off, a->blob.len, "what was given", &g->why);
	cv_closep(&a->blob.fd);
	g->given = r == 0;
	if (r != 0 && cv_is_ours(g->why.reason))
		return cv_fail(e, g->why.reason, "%s", g->why.text);
	return 0;
}

static void
refuse(struct cv_got *g, enum cv_reason reason, const char *text)
{
	g->given = false;
	g->edge = true;
	cv_fail(&g->why, reason, "%s", text);
	cv_buf_free(&g->text);
}

static int
check_edge(const struct cv_descriptor *d, struct cv_got *g, struct cv_err *e)
{
	char found[CV_DIGEST_TEXT], want[CV_DIGEST_TEXT], text[2 * CV_DIGEST_TEXT + 40];

	if (g->text.n != d->size) {
		cv_text_fmt(text, sizeof(text), "found %zu bytes, want %llu", g->text.n,
			    (unsigned long long)d->size);
		refuse(g, CV_R_DIGEST, text);
		return 0;
	}
	if (cv_digest_of(&g->digest, d->digest.alg, cv_buf_span(&g->text), e) != 0)
		return -1;
	if (cv_digest_eq(&g->digest, &d->digest))
		return 0;
	cv_text_fmt(text, sizeof(text), "found bytes of %s, want %s",
		    cv_digest_text(&g->digest, found), cv_digest_text(&d->digest, want));
	refuse(g, CV_R_DIGEST, text);
	return 0;
}

int
cv_need_node(struct cv_worker *w, enum cv_node role, const struct cv_descriptor *d, uint64_t max,
	     uint64_t *spent, struct cv_got *g, struct cv_err *e)
{
	struct cv_out *o;
	char text[80];

	if (d->size > max) {
		*g = (struct cv_got){ .given = false };
		cv_text_fmt(text, sizeof(text), "found %llu bytes, want at most %llu",
			    (unsigned long long)d->size, (unsigned long long)max);
		refuse(g, CV_R_LIMIT, text);
		return 0;
	}
	if (role == CV_NODE_EVIDENCE && *spent + d->size > CV_MAX_EVIDENCE_ASKED) {
		*g = (struct cv_got){ .given = false };
		cv_fail(&g->why, CV_R_LIMIT, "found more than %llu bytes of evidence before it",
			CV_MAX_EVIDENCE_ASKED);
		return 0;
	}
	o = cv_w_need(w, CV_N_BLOB);
	cv_out_digest(o, CV_TAG_DIGEST, &d->digest);
	cv_out_str(o, CV_TAG_MEDIA, d->media);
	cv_out_u64(o, CV_TAG_MAX, d->size);
	cv_out_u64(o, CV_TAG_ROLE, role);
	if (ask(w, d->size, spent, g, e) != 0)
		return -1;
	return g->given ? check_edge(d, g, e) : 0;
}

int
cv_need_referrers(struct cv_worker *w, const struct cv_digest *d, uint64_t *spent, struct cv_got *g,
		  struct cv_err *e)
{
	struct cv_out *o = cv_w_need(w, CV_N_REFERRERS);

	cv_out_digest(o, CV_TAG_DIGEST, d);
	cv_out_u64(o, CV_TAG_MAX, CV_MAX_MANIFEST);
	return ask(w, CV_MAX_MANIFEST, spent, g, e);
}

int
cv_need_tag(struct cv_worker *w, const char *tag, uint64_t *spent, struct cv_got *g,
	    struct cv_err *e)
{
	struct cv_out *o = cv_w_need(w, CV_N_TAG);

	cv_out_str(o, CV_TAG_NAME, tag);
	cv_out_u64(o, CV_TAG_MAX, CV_MAX_MANIFEST);
	if (ask(w, CV_MAX_MANIFEST, spent, g, e) != 0)
		return -1;
	return g->given ? cv_digest_of(&g->digest, CV_SHA256, cv_buf_span(&g->text), e) : 0;
}

int
cv_sealed_memfd(int *ret, struct cv_span bytes, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = memfd_create("cv-payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return cv_fail_errno(e, "memfd_create");
	if (cv_write_all(fd, bytes.p, bytes.n, "a memfd", e) != 0)
		return -1;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
		return cv_fail_errno(e, "sealing a memfd");
	*ret = fd;
	fd = -1;
	return 0;
}
