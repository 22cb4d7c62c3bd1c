/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doc.c: the internal model of an SBOM and the digests inside it. Never takes a
 * name for a proof: a digest that agrees says only that the document does not
 * contradict the statement around it.
 */
#include "doc.h"

#include "trust/base/purl.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

void
cv_sbom_add(struct cv_sbom *sbom, struct cv_js *js, const struct cv_component *c)
{
	if (cv_js_failed(js))
		return;
	if (sbom->n == CV_MAX_COMPONENTS) {
		cv_js_fail(js, CV_R_LIMIT, "more than %d components", CV_MAX_COMPONENTS);
		return;
	}
	if (sbom->n == sbom->cap) {
		size_t cap = sbom->cap == 0 ? 256 : sbom->cap * 2;
		struct cv_component *more = realloc(sbom->comp, cap * sizeof(*more));
		if (more == NULL) {
			cv_js_fail(js, CV_R_MEMORY, "out of memory");
			return;
		}
		sbom->comp = more;
		sbom->cap = cap;
	}
	sbom->comp[sbom->n++] = *c;
}

static void
note(struct cv_sbom *sbom, bool strong, const char *where, const struct cv_digest *d)
{
	for (size_t i = 0; i < sbom->ndigest; i++)
		if (sbom->digest[i].strong == strong && cv_digest_eq(&sbom->digest[i].digest, d))
			return;
	/* A document that names more is judged by the first ones: losing one can
	 * turn "equal" into "other", never the reverse. */
	if (sbom->ndigest < CV_SBOM_DIGESTS)
		sbom->digest[sbom->ndigest++] =
			(struct cv_sbom_digest){ .digest = *d, .strong = strong, .where = where };
}

void
cv_sbom_note(struct cv_sbom *sbom, bool strong, const char *where, const char *text)
{
	while ((text = strstr(text, "sha256:")) != NULL) {
		struct cv_digest d;
		struct cv_err e;
		if (strnlen(text, 71) == 71 && cv_digest_parse(&d, cv_span(text, 71), &e) == 0)
			note(sbom, strong, where, &d);
		text += 7;
	}
}

void
cv_sbom_note_root(struct cv_sbom *sbom, const struct cv_component *c)
{
	struct cv_purl p;
	struct cv_err e;
	bool image = strcmp(c->type, "container") == 0;

	cv_sbom_note(sbom, true, "version of the root component", c->version);
	cv_sbom_note(sbom, true, "name of the root component", c->name);
	if (c->purl[0] != '\0' &&
	    cv_purl_parse(&p, cv_span_str(c->purl), CV_PURL_LENIENT, &e) == 0) {
		image = image || strcmp(p.type, "oci") == 0 || strcmp(p.type, "docker") == 0;
		if (p.version != NULL)
			cv_sbom_note(sbom, true, "package URL of the root component", p.version);
		cv_purl_free(&p);
	}
	/* A checksum of something else than an image is no image's digest. */
	if (image && c->has_sha256) {
		struct cv_digest d = { .alg = CV_SHA256 };
		memcpy(d.b, c->sha256, sizeof(c->sha256));
		note(sbom, true, "checksum of the root component", &d);
	}
}

static bool
among(const struct cv_digest *d, const struct cv_digest *subjects, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cv_digest_eq(d, &subjects[i]))
			return true;
	return false;
}

static enum cv_bind
bind_by(const struct cv_sbom *sbom, bool strong, const struct cv_digest *subjects, size_t n,
	const struct cv_sbom_digest **found)
{
	enum cv_bind b = CV_BIND_SILENT;

	for (size_t i = 0; i < sbom->ndigest; i++) {
		const struct cv_sbom_digest *d = &sbom->digest[i];
		if (d->strong != strong)
			continue;
		if (among(&d->digest, subjects, n)) {
			*found = d;
			return CV_BIND_EQUAL;
		}
		if (b == CV_BIND_SILENT)
			*found = d;
		b = CV_BIND_OTHER;
	}
	return b;
}

enum cv_bind
cv_sbom_bind(const struct cv_sbom *sbom, const struct cv_digest *subjects, size_t n,
	     const struct cv_sbom_digest **found)
{
	*found = NULL;
	enum cv_bind b = bind_by(sbom, true, subjects, n, found);
	return b != CV_BIND_SILENT ? b : bind_by(sbom, false, subjects, n, found);
}

void
cv_sbom_free(struct cv_sbom **sbom)
{
	if (*sbom == NULL)
		return;
	cv_arena_free(&(*sbom)->arena);
	free((*sbom)->comp);
	free(*sbom);
	*sbom = NULL;
}
