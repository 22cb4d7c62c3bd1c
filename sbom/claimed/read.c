/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c: finds out what a document is, unwraps it, and has it read. Two passes:
 * the first takes only the outer keys (what tells the format may come last), the
 * second reads. Never reads a document in a format that another reader could take
 * for a different one.
 */
#include "doc.h"

#include "cyclonedx.h"
#include "spdx.h"

#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

/* What the keys of one object say. */
struct marks {
	char cyclonedx[24]; /* specVersion, if bomFormat is CycloneDX */
	char spdx[24];      /* spdxVersion */
	bool is_cyclonedx;
	bool graph;     /* "@context": SPDX 3 */
	bool statement; /* "_type", "payloadType": an envelope that is not opened here */
	bool data, sbom;
	bool more; /* keys beside Data and Timestamp */
};

enum shape { SHAPE_PLAIN, SHAPE_STRING, SHAPE_DATA, SHAPE_DATA_STRING, SHAPE_SBOM };

struct input {
	struct cv_blob blob;
	struct cv_span span;
	const char *name;
};

static int
open_input(struct cv_js **ret, const struct input *in, struct cv_err *e)
{
	if (in->blob.fd >= 0)
		return cv_js_open_blob(ret, in->name, in->blob, CV_JS_FOLD_KEYS, e);
	return cv_js_open_span(ret, in->name, in->span, CV_JS_FOLD_KEYS, e);
}

/* ---- first pass ---- */

static void
short_text(struct cv_js *js, char *out, size_t size)
{
	struct cv_buf b = CV_BUF(4096);

	cv_js_string(js, &b);
	cv_text_fmt(out, size, "%s", cv_buf_text(&b));
	cv_buf_free(&b);
}

/* One key that tells the format; false if it does not. */
static bool
mark(struct cv_js *js, struct marks *m, const char *key)
{
	char word[24];

	if (strcmp(key, "bomFormat") == 0) {
		short_text(js, word, sizeof(word));
		m->is_cyclonedx = strcmp(word, "CycloneDX") == 0;
		if (!m->is_cyclonedx)
			cv_js_fail(js, CV_R_MALFORMED, "bomFormat is not \"CycloneDX\"");
	} else if (strcmp(key, "specVersion") == 0) {
		short_text(js, m->cyclonedx, sizeof(m->cyclonedx));
	} else if (strcmp(key, "spdxVersion") == 0) {
		short_text(js, m->spdx, sizeof(m->spdx));
	} else {
		return false;
	}
	return true;
}

static void
probe_object(struct cv_js *js, struct marks *m)
{
	const char *key;

	cv_js_object(js);
	while ((key = cv_js_key(js)) != NULL) {
		m->graph = m->graph || strcmp(key, "@context") == 0;
		m->statement = m->statement || strcmp(key, "_type") == 0 ||
			       strcmp(key, "payloadType") == 0;
		if (!mark(js, m, key))
			cv_js_skip(js);
	}
}

static void
probe_string(struct cv_js *js, struct marks *m)
{
	struct cv_js *sub = cv_js_sub(js);

	if (sub == NULL)
		return;
	probe_object(sub, m);
	cv_js_sub_end(&sub);
}

static void
probe_member(struct cv_js *js, const char *key, struct marks *outer, struct marks *inner,
	     enum shape *shape)
{
	bool data = strcmp(key, "Data") == 0, sbom = strcmp(key, "sbom") == 0;

	outer->data = outer->data || data;
	outer->sbom = outer->sbom || sbom;
	outer->more = outer->more || (!data && strcmp(key, "Timestamp") != 0);
	outer->graph = outer->graph || strcmp(key, "@context") == 0;
	outer->statement =
		outer->statement || strcmp(key, "_type") == 0 || strcmp(key, "payloadType") == 0;
	if (data && cv_js_peek(js) == CV_JS_STRING) {
		*shape = SHAPE_DATA_STRING;
		probe_string(js, inner);
	} else if ((data || sbom) && cv_js_peek(js) == CV_JS_OBJECT) {
		*shape = data ? SHAPE_DATA : SHAPE_SBOM;
		probe_object(js, inner);
	} else if (!mark(js, outer, key)) {
		cv_js_skip(js);
	}
}

static bool
any(const struct marks *m)
{
	return m->is_cyclonedx || m->spdx[0] != '\0' || m->graph;
}

/* The shape of the whole, and the marks of the document in it. */
static void
probe(struct cv_js *js, struct marks *m, enum shape *shape)
{
	struct marks inner = { .data = false };
	const char *key;

	if (cv_js_peek(js) == CV_JS_STRING) {
		*shape = SHAPE_STRING;
		probe_string(js, m);
		return;
	}
	*shape = SHAPE_PLAIN;
	cv_js_object(js);
	while ((key = cv_js_key(js)) != NULL)
		probe_member(js, key, m, &inner, shape);
	if (cv_js_failed(js))
		return;
	if ((m->data || m->sbom) && any(m) && any(&inner))
		cv_js_fail(js, CV_R_AMBIGUOUS, "a document around another document");
	else if (m->data && any(&inner) && m->more)
		cv_js_fail(js, CV_R_AMBIGUOUS, "a wrapped document with other keys beside it");
	if (any(m))
		*shape = SHAPE_PLAIN;
	else if (*shape != SHAPE_PLAIN)
		*m = inner;
}

/* XML and tag-value are no JSON: say what it is rather than where it breaks. */
static int
not_json(struct cv_span head, struct cv_err *e)
{
	if (cv_span_has_prefix(head, "\xef\xbb\xbf"))
		(void)cv_span_take(&head, 3);
	while (head.n > 0 &&
	       (head.p[0] == ' ' || head.p[0] == '\n' || head.p[0] == '\r' || head.p[0] == '\t'))
		(void)cv_span_u8(&head);
	if (cv_span_has_prefix(head, "<"))
		return cv_fail(e, CV_R_UNSUPPORTED, "XML: only JSON documents are read");
	if (cv_span_has_prefix(head, "SPDXVersion:"))
		return cv_fail(e, CV_R_UNSUPPORTED, "SPDX tag-value: only JSON documents are read");
	return 0;
}

static int
check_head(const struct input *in, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(64);
	int rc = 0;

	if (in->blob.fd < 0)
		return not_json(in->span, e);
	uint64_t n = in->blob.len < 64 ? in->blob.len : 64;
	rc = cv_buf_pread(&b, in->blob.fd, in->blob.off, n, in->name, e);
	if (rc == 0)
		rc = not_json(cv_buf_span(&b), e);
	cv_buf_free(&b);
	return rc;
}

static int
choose(const struct marks *m, struct cv_sbom *s, const char *name, struct cv_err *e)
{
	if ((m->is_cyclonedx ? 1 : 0) + (m->spdx[0] != '\0' ? 1 : 0) + (m->graph ? 1 : 0) > 1)
		return cv_fail(e, CV_R_AMBIGUOUS, "%s: marked as two formats at once", name);
	if (m->is_cyclonedx) {
		s->format = CV_SBOM_CYCLONEDX;
		cv_text_fmt(s->spec, sizeof(s->spec), "%s", m->cyclonedx);
		return cv_cyclonedx_ok(m->cyclonedx, e);
	}
	if (m->spdx[0] != '\0') {
		s->format = CV_SBOM_SPDX;
		if (cv_spdx_ok(m->spdx, e) < 0)
			return -1;
		cv_text_fmt(s->spec, sizeof(s->spec), "%s", m->spdx + 5);
		return 0;
	}
	if (m->graph)
		return cv_fail(e, CV_R_UNSUPPORTED, "%s: JSON-LD (SPDX 3), want SPDX 2.2 or 2.3",
			       name);
	if (m->statement)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "%s: an envelope or statement, want the document in it", name);
	return cv_fail(e, CV_R_MALFORMED, "%s: neither CycloneDX nor SPDX", name);
}

/* ---- second pass ---- */

static void
read_object(struct cv_js *js, struct cv_sbom *s)
{
	if (s->format == CV_SBOM_CYCLONEDX)
		cv_cyclonedx_read(s, js);
	else
		cv_spdx_read(s, js);
}

static void
read_string(struct cv_js *js, struct cv_sbom *s)
{
	struct cv_js *sub = cv_js_sub(js);

	if (sub == NULL)
		return;
	read_object(sub, s);
	cv_js_sub_end(&sub);
}

static void
read_wrapped(struct cv_js *js, struct cv_sbom *s, enum shape shape)
{
	const char *want = shape == SHAPE_SBOM ? "sbom" : "Data", *key;

	cv_js_object(js);
	while ((key = cv_js_key(js)) != NULL) {
		if (strcmp(key, want) != 0)
			cv_js_skip(js);
		else if (shape == SHAPE_DATA_STRING)
			read_string(js, s);
		else
			read_object(js, s);
	}
}

static int
first_pass(const struct input *in, struct cv_sbom *s, enum shape *shape, struct cv_err *e)
{
	struct marks m = { .data = false };
	struct cv_js *js = NULL;
	int rc;

	if (check_head(in, e) < 0 || open_input(&js, in, e) < 0)
		return -1;
	probe(js, &m, shape);
	rc = cv_js_end(js, e);
	cv_js_free(&js);
	return rc < 0 ? -1 : choose(&m, s, in->name, e);
}

static int
second_pass(const struct input *in, struct cv_sbom *s, enum shape shape, struct cv_err *e)
{
	struct cv_js *js = NULL;
	int rc;

	if (open_input(&js, in, e) < 0)
		return -1;
	if (shape == SHAPE_PLAIN)
		read_object(js, s);
	else if (shape == SHAPE_STRING)
		read_string(js, s);
	else
		read_wrapped(js, s, shape);
	rc = cv_js_end(js, e);
	cv_js_free(&js);
	return rc;
}

static int
read_input(struct cv_sbom **ret, const struct input *in, struct cv_err *e)
{
	enum shape shape = SHAPE_PLAIN;
	struct cv_sbom *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return cv_fail_memory(e);
	s->name = s->ns = s->distro = s->distro_version = "";
	if (first_pass(in, s, &shape, e) < 0 || second_pass(in, s, shape, e) < 0) {
		cv_sbom_free(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

int
cv_sbom_read(struct cv_sbom **ret, struct cv_blob blob, const char *name, struct cv_err *e)
{
	struct input in = { .blob = blob, .name = name };

	if (blob.len > CV_MAX_SBOM)
		return cv_fail(e, CV_R_LIMIT, "%s: %llu bytes, want at most %llu", name,
			       (unsigned long long)blob.len, (unsigned long long)CV_MAX_SBOM);
	return read_input(ret, &in, e);
}

int
cv_sbom_read_span(struct cv_sbom **ret, struct cv_span text, const char *name, struct cv_err *e)
{
	struct input in = { .blob = CV_NO_BLOB, .span = text, .name = name };

	if (text.n > CV_MAX_SBOM)
		return cv_fail(e, CV_R_LIMIT, "%s: %zu bytes, want at most %llu", name, text.n,
			       (unsigned long long)CV_MAX_SBOM);
	return read_input(ret, &in, e);
}
