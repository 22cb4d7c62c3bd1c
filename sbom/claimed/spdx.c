/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spdx.c: reads SPDX 2 JSON as it streams by. Relations may come before or after
 * what they relate, so roots are marked at the end. Never guesses a root.
 */
#include "spdx.h"

#include "trust/base/enc.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define TEXT      CV_MAX_COMPONENT_TEXT
#define MAX_ROOTS 100000

struct reader {
	struct cv_sbom *sbom;
	struct cv_js *js;
	const char **root; /* SPDXIDs that the document says it describes */
	size_t nroot, cap;
	bool has_id;
};

int
cv_spdx_ok(const char *version, struct cv_err *e)
{
	if (strcmp(version, "SPDX-2.2") == 0 || strcmp(version, "SPDX-2.3") == 0)
		return 0;
	return cv_fail(e, CV_R_UNSUPPORTED, "\"%.20s\", want SPDX-2.2 or SPDX-2.3", version);
}

static const char *
text(struct reader *r)
{
	return cv_arena_text(&r->sbom->arena, r->js, TEXT);
}

static void
add_root(struct reader *r, const char *id)
{
	if (cv_js_failed(r->js))
		return;
	if (r->nroot == MAX_ROOTS) {
		cv_js_fail(r->js, CV_R_LIMIT, "the document describes more than %d elements",
			   MAX_ROOTS);
		return;
	}
	if (r->nroot == r->cap) {
		size_t cap = r->cap == 0 ? 16 : r->cap * 2;
		const char **more = realloc(r->root, cap * sizeof(*more));
		if (more == NULL) {
			cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
			return;
		}
		r->root = more;
		r->cap = cap;
	}
	r->root[r->nroot++] = id;
}

/* ---- packages ---- */

/* "PACKAGE-MANAGER" in 2.3, "PACKAGE_MANAGER" in 2.2: the type alone decides. */
static const char *
external_ref(struct reader *r)
{
	struct cv_buf type = CV_BUF(TEXT);
	const char *locator = "", *key;
	bool purl;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "referenceType") == 0)
			cv_js_string(r->js, &type);
		else if (strcmp(key, "referenceLocator") == 0)
			locator = text(r);
		else
			cv_js_skip(r->js);
	}
	purl = strcmp(cv_buf_text(&type), "purl") == 0;
	cv_buf_free(&type);
	return purl ? locator : "";
}

static void
checksum(struct reader *r, struct cv_component *c)
{
	struct cv_buf alg = CV_BUF(TEXT), value = CV_BUF(TEXT);
	struct cv_err e;
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "algorithm") == 0)
			cv_js_string(r->js, &alg);
		else if (strcmp(key, "checksumValue") == 0)
			cv_js_string(r->js, &value);
		else
			cv_js_skip(r->js);
	}
	if (!cv_js_failed(r->js) && strcmp(cv_buf_text(&alg), "SHA256") == 0) {
		if (cv_hex_decode(c->sha256, 32, cv_buf_span(&value), &e) < 0)
			cv_js_fail(r->js, CV_R_MALFORMED, "the checksum is no SHA256");
		else
			c->has_sha256 = true;
	}
	cv_buf_free(&alg);
	cv_buf_free(&value);
}

/* "built package from: NAME VERSION": the source package, where a well-known
 * generator puts it. */
static void
source_info(struct reader *r, struct cv_component *c)
{
	static const char prefix[] = "built package from: ";
	struct cv_buf b = CV_BUF(CV_MAX_JSON_STRING);

	cv_js_string(r->js, &b);
	struct cv_span s = cv_buf_span(&b);
	if (!cv_js_failed(r->js) && cv_span_has_prefix(s, prefix)) {
		(void)cv_span_take(&s, sizeof(prefix) - 1);
		struct cv_span name = cv_span_until(&s, ' ');
		if (!s.bad && name.n <= TEXT && s.n <= TEXT) {
			const char *n = cv_arena_keep(&r->sbom->arena, name);
			const char *v = cv_arena_keep(&r->sbom->arena, s);
			if (n == NULL || v == NULL)
				cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
			else {
				c->source = n;
				c->source_version = v;
			}
		}
	}
	cv_buf_free(&b);
}

/* primaryPackagePurpose in CycloneDX's words. */
static const char *
purpose(struct reader *r)
{
	static const char *const words[][2] = {
		{ "APPLICATION", "application" },
		{ "FRAMEWORK", "framework" },
		{ "LIBRARY", "library" },
		{ "CONTAINER", "container" },
		{ "OPERATING-SYSTEM", "operating-system" },
		{ "OPERATING_SYSTEM", "operating-system" },
		{ "DEVICE", "device" },
		{ "FIRMWARE", "firmware" },
		{ "FILE", "file" },
	};
	const char *said = text(r);

	for (size_t i = 0; i < CV_COUNT(words); i++)
		if (strcmp(said, words[i][0]) == 0)
			return words[i][1];
	return "";
}

#define PURLS 16

struct package {
	struct cv_component c;
	const char *purl[PURLS];
	size_t npurl;
};

static void
external_refs(struct reader *r, struct package *p)
{
	cv_js_array(r->js);
	while (cv_js_more(r->js)) {
		const char *purl = external_ref(r);
		bool known = purl[0] == '\0';
		for (size_t i = 0; i < p->npurl && !known; i++)
			known = strcmp(p->purl[i], purl) == 0;
		if (known)
			continue;
		if (p->npurl == PURLS)
			cv_js_fail(r->js, CV_R_LIMIT, "a package with more than %d purls", PURLS);
		else
			p->purl[p->npurl++] = purl;
	}
}

static void
field(struct reader *r, struct package *p, const char *key)
{
	struct cv_component *c = &p->c;

	if (strcmp(key, "SPDXID") == 0)
		c->ref = text(r);
	else if (strcmp(key, "name") == 0)
		c->name = text(r);
	else if (strcmp(key, "versionInfo") == 0)
		c->version = text(r);
	else if (strcmp(key, "primaryPackagePurpose") == 0)
		c->type = purpose(r);
	else if (strcmp(key, "sourceInfo") == 0)
		source_info(r, c);
	else if (strcmp(key, "externalRefs") == 0)
		external_refs(r, p);
	else if (strcmp(key, "checksums") == 0) {
		cv_js_array(r->js);
		while (cv_js_more(r->js))
			checksum(r, c);
	} else
		cv_js_skip(r->js);
}

static void
package(struct reader *r)
{
	struct package p = { .c = { .ref = "",
				    .type = "",
				    .name = "",
				    .version = "",
				    .purl = "",
				    .source = "",
				    .source_version = "" } };
	struct cv_sbom *s = r->sbom;
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL)
		field(r, &p, key);
	if (!cv_js_failed(r->js) && (p.c.ref[0] == '\0' || p.c.name[0] == '\0'))
		cv_js_fail(r->js, CV_R_MALFORMED, "a package without SPDXID or name");
	bool os = strcmp(p.c.type, "operating-system") == 0;
	if (os && s->distro[0] == '\0') {
		s->distro = p.c.name;
		s->distro_version = p.c.version;
	}
	p.c.context = os || strcmp(p.c.type, "file") == 0;
	if (p.npurl == 0)
		cv_sbom_add(s, r->js, &p.c);
	for (size_t i = 0; i < p.npurl; i++) {
		p.c.purl = p.purl[i];
		cv_sbom_add(s, r->js, &p.c);
	}
}

/* ---- what the document is about ---- */

static void
relationship(struct reader *r)
{
	const char *from = "", *to = "", *type = "", *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "spdxElementId") == 0)
			from = text(r);
		else if (strcmp(key, "relatedSpdxElement") == 0)
			to = text(r);
		else if (strcmp(key, "relationshipType") == 0)
			type = text(r);
		else
			cv_js_skip(r->js);
	}
	if ((strcmp(type, "DESCRIBES") == 0 || strcmp(type, "DESCRIBE") == 0) &&
	    strcmp(from, "SPDXRef-DOCUMENT") == 0)
		add_root(r, to);
	else if (strcmp(type, "DESCRIBED_BY") == 0 && strcmp(to, "SPDXRef-DOCUMENT") == 0)
		add_root(r, from);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_ref(const void *a, const void *b)
{
	const struct cv_component *const *x = a, *const *y = b;

	return strcmp((*x)->ref, (*y)->ref);
}

/* An SPDXID names one element (SPDX 2.3, 7.2); components made from one package
 * with several purls are neighbours and share the name. */
static void
unique(struct reader *r)
{
	struct cv_sbom *s = r->sbom;

	if (s->n < 2)
		return;
	const struct cv_component **all = malloc(s->n * sizeof(*all));
	if (all == NULL) {
		cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		all[i] = &s->comp[i];
	qsort(all, s->n, sizeof(*all), by_ref);
	for (size_t i = 1; i < s->n; i++)
		if (all[i]->ref != all[i - 1]->ref && strcmp(all[i]->ref, all[i - 1]->ref) == 0)
			cv_js_fail(r->js, CV_R_AMBIGUOUS, "two packages are \"%.80s\"",
				   all[i]->ref);
	free(all);
}

static void
mark_roots(struct reader *r)
{
	struct cv_sbom *s = r->sbom;

	if (r->nroot > 0)
		qsort(r->root, r->nroot, sizeof(*r->root), by_text);
	for (size_t i = 0; i < s->n && r->nroot > 0; i++) {
		struct cv_component *c = &s->comp[i];
		c->root = bsearch(&c->ref, r->root, r->nroot, sizeof(*r->root), by_text) != NULL;
		if (!c->root)
			continue;
		c->context = true;
		cv_sbom_note_root(s, c);
	}
	cv_sbom_note(s, false, "name of the document", s->name);
	cv_sbom_note(s, false, "namespace of the document", s->ns);
}

static void
creation(struct reader *r)
{
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "creators") != 0) {
			cv_js_skip(r->js);
			continue;
		}
		cv_js_array(r->js);
		while (cv_js_more(r->js))
			if (strncmp(text(r), "Tool: syft", 10) == 0)
				r->sbom->omits_source = true;
	}
}

static void
lists(struct reader *r, const char *key)
{
	bool packages = strcmp(key, "packages") == 0;
	bool describes = strcmp(key, "documentDescribes") == 0;

	cv_js_array(r->js);
	while (cv_js_more(r->js)) {
		if (packages)
			package(r);
		else if (describes)
			add_root(r, text(r));
		else
			relationship(r);
	}
}

static void
document_field(struct reader *r, const char *key)
{
	struct cv_sbom *s = r->sbom;

	if (strcmp(key, "SPDXID") == 0)
		r->has_id = strcmp(text(r), "SPDXRef-DOCUMENT") == 0;
	else if (strcmp(key, "name") == 0)
		s->name = text(r);
	else if (strcmp(key, "documentNamespace") == 0)
		s->ns = text(r);
	else if (strcmp(key, "creationInfo") == 0)
		creation(r);
	else if (strcmp(key, "packages") == 0 || strcmp(key, "documentDescribes") == 0 ||
		 strcmp(key, "relationships") == 0)
		lists(r, key);
	else if (strcmp(key, "bomFormat") == 0 || strcmp(key, "components") == 0)
		cv_js_fail(r->js, CV_R_AMBIGUOUS, "the document is SPDX and has CycloneDX's \"%s\"",
			   key);
	else
		cv_js_skip(r->js);
}

void
cv_spdx_read(struct cv_sbom *sbom, struct cv_js *js)
{
	struct reader r = { .sbom = sbom, .js = js };
	const char *key;

	cv_js_object(js);
	while ((key = cv_js_key(js)) != NULL)
		document_field(&r, key);
	if (!cv_js_failed(js) && !r.has_id)
		cv_js_fail(js, CV_R_MALFORMED, "the document's SPDXID is not SPDXRef-DOCUMENT");
	if (!cv_js_failed(js))
		unique(&r);
	if (!cv_js_failed(js))
		mark_roots(&r);
	free(r.root);
}
