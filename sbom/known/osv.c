/* SPDX-License-Identifier: Apache-2.0 */
/*
 * osv.c: reads OSV advisories. Never turns a range that it does not understand
 * into "not affected".
 */
#include "osv.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define TEXT     CV_MAX_COMPONENT_TEXT
#define MAX_RULE CV_MAX_ADVISORY

struct reader {
	struct cv_osv *o;
	struct cv_js *js;
	size_t alias_cap, affected_cap;
	struct cv_buf rule;     /* of the affected entry being read */
	struct cv_buf versions; /* its versions, which come after the ranges */
	const char *word;       /* severity in a source's own words */
	const char *cvss;
};

static const char *
text(struct reader *r)
{
	return cv_arena_text(&r->o->arena, r->js, TEXT);
}

static void
out_of_memory(struct reader *r)
{
	cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
}

static void
add_alias(struct reader *r, const char *id)
{
	struct cv_osv *o = r->o;

	if (o->nalias == r->alias_cap) {
		size_t cap = r->alias_cap == 0 ? 8 : r->alias_cap * 2;
		const char **more = cv_arena_bytes(&o->arena, cap * sizeof(*more));
		if (more == NULL) {
			out_of_memory(r);
			return;
		}
		if (o->nalias > 0)
			memcpy(more, o->alias, o->nalias * sizeof(*more));
		o->alias = more;
		r->alias_cap = cap;
	}
	o->alias[o->nalias++] = id;
}

/* ---- rules ---- */

static void
check_buf(struct reader *r, const struct cv_buf *b)
{
	if (b->failed == CV_R_MEMORY)
		out_of_memory(r);
	else if (b->failed != CV_R_NONE)
		cv_js_fail(r->js, CV_R_LIMIT, "too many versions");
}

static void
op(struct reader *r, struct cv_buf *b, enum cv_osv_op code, struct cv_span arg)
{
	if (arg.n > CV_MAX_VERSION) {
		cv_js_fail(r->js, CV_R_LIMIT, "a version of more than %d bytes", CV_MAX_VERSION);
		return;
	}
	cv_buf_byte(b, (uint8_t)code);
	cv_buf_u16le(b, (uint16_t)arg.n);
	cv_buf_add(b, arg.p, arg.n);
	check_buf(r, b);
}

static void
op_value(struct reader *r, struct cv_buf *b, enum cv_osv_op code)
{
	struct cv_buf v = CV_BUF(CV_MAX_VERSION);

	cv_js_string(r->js, &v);
	if (!cv_js_failed(r->js))
		op(r, b, code, cv_buf_span(&v));
	cv_buf_free(&v);
}

/* One event object; its keys are the kinds of event. */
static bool
event(struct reader *r, struct cv_buf *b)
{
	bool introduced = false;
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "introduced") == 0) {
			introduced = true;
			op_value(r, b, CV_OSV_INTRODUCED);
		} else if (strcmp(key, "fixed") == 0) {
			op_value(r, b, CV_OSV_FIXED);
		} else if (strcmp(key, "last_affected") == 0) {
			op_value(r, b, CV_OSV_LAST);
		} else if (strcmp(key, "limit") == 0) {
			op_value(r, b, CV_OSV_LIMIT);
		} else {
			cv_js_skip(r->js);
		}
	}
	return introduced;
}

/* A range without a beginning begins at the beginning. */
static void
range(struct reader *r)
{
	struct cv_buf events = CV_BUF(MAX_RULE);
	bool git = false, known = false, introduced = false;
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "type") == 0) {
			const char *type = text(r);
			git = strcmp(type, "GIT") == 0;
			known = strcmp(type, "SEMVER") == 0 || strcmp(type, "ECOSYSTEM") == 0;
		} else if (strcmp(key, "events") == 0) {
			cv_js_array(r->js);
			while (cv_js_more(r->js))
				introduced = event(r, &events) || introduced;
		} else {
			cv_js_skip(r->js);
		}
	}
	if (known) {
		op(r, &r->rule, CV_OSV_RANGE, cv_span(NULL, 0));
		if (!introduced)
			op(r, &r->rule, CV_OSV_INTRODUCED, cv_span_str("0"));
		cv_buf_add(&r->rule, events.p, events.n);
	} else if (!git) {
		op(r, &r->rule, CV_OSV_UNSURE, cv_span(NULL, 0));
	}
	check_buf(r, &events);
	check_buf(r, &r->rule);
	cv_buf_free(&events);
}

/* ---- affected ---- */

static void
package(struct reader *r, struct cv_osv_affected *a)
{
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "ecosystem") == 0) {
			struct cv_span s = cv_span_str(text(r)), base = s;
			const uint8_t *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;
			if (colon != NULL) {
				base.n = (size_t)(colon - s.p);
				a->release = (const char *)colon + 1;
			}
			a->eco = cv_eco_of(base);
			a->ecosystem = cv_arena_keep(&r->o->arena, base);
			if (a->ecosystem == NULL) {
				a->ecosystem = "";
				out_of_memory(r);
			}
		} else if (strcmp(key, "name") == 0) {
			a->name = text(r);
		} else {
			cv_js_skip(r->js);
		}
	}
}

/* database_specific.severity and ecosystem_specific.severity: a word. */
static void
specific(struct reader *r)
{
	const char *key;

	if (cv_js_peek(r->js) != CV_JS_OBJECT) {
		cv_js_skip(r->js);
		return;
	}
	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "severity") == 0 && cv_js_peek(r->js) == CV_JS_STRING)
			r->word = text(r);
		else
			cv_js_skip(r->js);
	}
}

static void
severity(struct reader *r)
{
	const char *key;

	if (cv_js_peek(r->js) != CV_JS_ARRAY) {
		cv_js_skip(r->js);
		return;
	}
	cv_js_array(r->js);
	while (cv_js_more(r->js)) {
		cv_js_object(r->js);
		while ((key = cv_js_key(r->js)) != NULL) {
			if (strcmp(key, "score") != 0 || cv_js_peek(r->js) != CV_JS_STRING) {
				cv_js_skip(r->js);
				continue;
			}
			const char *word = cv_cvss_word(text(r));
			r->cvss = word != NULL ? word : r->cvss;
		}
	}
}

/* Versions that the ranges say already are left out: the two are a union. */
static void
add_versions(struct reader *r, enum cv_eco eco)
{
	struct cv_span in = cv_buf_span(&r->versions), fixed;
	struct cv_span ranges = cv_buf_span(&r->rule);

	while (in.n > 0 && !in.bad) {
		(void)cv_span_u8(&in);
		struct cv_span v = cv_span_take(&in, cv_span_u16le(&in));
		if (eco != CV_ECO_NONE && ranges.n > 0 &&
		    cv_osv_eval(cv_eco_scheme(eco), ranges, v, &fixed) == CV_OSV_YES)
			continue;
		op(r, &r->rule, CV_OSV_VERSION, v);
		ranges = cv_span(r->rule.p, ranges.n);
	}
}

static void
end_affected(struct reader *r, struct cv_osv_affected *a)
{
	struct cv_osv *o = r->o;

	if (!cv_js_failed(r->js) && (a->name[0] == '\0' || a->ecosystem[0] == '\0')) {
		/* Affected code without a package (commits only) says nothing here. */
		return;
	}
	if (r->rule.n == 0 && r->versions.n == 0)
		op(r, &r->rule, CV_OSV_UNSURE, cv_span(NULL, 0));
	add_versions(r, a->eco);
	if (cv_js_failed(r->js))
		return;
	char *rule = cv_arena_bytes(&o->arena, r->rule.n);
	if (rule == NULL) {
		out_of_memory(r);
		return;
	}
	if (r->rule.n > 0)
		memcpy(rule, r->rule.p, r->rule.n);
	a->rule = rule;
	a->rule_n = r->rule.n;
	if (o->naffected == r->affected_cap) {
		size_t cap = r->affected_cap == 0 ? 8 : r->affected_cap * 2;
		struct cv_osv_affected *more = cv_arena_bytes(&o->arena, cap * sizeof(*more));
		if (more == NULL) {
			out_of_memory(r);
			return;
		}
		if (o->naffected > 0)
			memcpy(more, o->affected, o->naffected * sizeof(*more));
		o->affected = more;
		r->affected_cap = cap;
	}
	o->affected[o->naffected++] = *a;
}

static void
affected(struct reader *r)
{
	struct cv_osv_affected a = { .ecosystem = "", .release = "", .name = "", .rule = "" };
	const char *key;

	cv_buf_reset(&r->rule);
	cv_buf_reset(&r->versions);
	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "package") == 0) {
			package(r, &a);
		} else if (strcmp(key, "ranges") == 0) {
			cv_js_array(r->js);
			while (cv_js_more(r->js))
				range(r);
		} else if (strcmp(key, "versions") == 0) {
			cv_js_array(r->js);
			while (cv_js_more(r->js))
				op_value(r, &r->versions, CV_OSV_VERSION);
		} else if (strcmp(key, "severity") == 0) {
			severity(r);
		} else if (strcmp(key, "ecosystem_specific") == 0 ||
			   strcmp(key, "database_specific") == 0) {
			specific(r);
		} else {
			cv_js_skip(r->js);
		}
	}
	end_affected(r, &a);
}

/* ---- the record ---- */

static void
aliases(struct reader *r)
{
	cv_js_array(r->js);
	while (cv_js_more(r->js))
		add_alias(r, text(r));
}

/* Upstream is no alias (schema 1.7: a copy says less than the original); the CVE
 * among it is kept for people. */
static void
upstream(struct reader *r)
{
	cv_js_array(r->js);
	while (cv_js_more(r->js)) {
		const char *id = text(r);
		if (strncmp(id, "CVE-", 4) == 0)
			r->o->cve = id;
	}
}

static void
summary(struct reader *r)
{
	struct cv_buf b = CV_BUF(CV_MAX_JSON_STRING);

	cv_js_string(r->js, &b);
	struct cv_span s = cv_buf_span(&b);
	/* One line for people: cut between characters. */
	while (s.n > 300)
		s.n--;
	while (s.n > 0 && s.n < b.n && (b.p[s.n] & 0xc0) == 0x80)
		s.n--;
	r->o->summary = cv_arena_keep(&r->o->arena, s);
	if (r->o->summary == NULL) {
		r->o->summary = "";
		out_of_memory(r);
	}
	cv_buf_free(&b);
}

static void
field(struct reader *r, const char *key)
{
	struct cv_osv *o = r->o;

	if (strcmp(key, "id") == 0)
		o->id = text(r);
	else if (strcmp(key, "modified") == 0)
		o->modified = text(r);
	else if (strcmp(key, "summary") == 0)
		summary(r);
	else if (strcmp(key, "withdrawn") == 0) {
		/* null, which some writers use for "not withdrawn" */
		o->withdrawn = cv_js_peek(r->js) == CV_JS_STRING;
		cv_js_skip(r->js);
	} else if (strcmp(key, "aliases") == 0 && cv_js_peek(r->js) == CV_JS_ARRAY)
		aliases(r);
	else if (strcmp(key, "upstream") == 0 && cv_js_peek(r->js) == CV_JS_ARRAY)
		upstream(r);
	else if (strcmp(key, "affected") == 0 && cv_js_peek(r->js) == CV_JS_ARRAY) {
		cv_js_array(r->js);
		while (cv_js_more(r->js))
			affected(r);
	} else if (strcmp(key, "severity") == 0)
		severity(r);
	else if (strcmp(key, "database_specific") == 0)
		specific(r);
	else
		cv_js_skip(r->js);
}

/* A few words, whatever the source's habit of spelling them. */
static const char *
severity_word(const struct reader *r)
{
	static const char *const words[][2] = {
		{ "critical", "CRITICAL" }, { "high", "HIGH" },       { "important", "HIGH" },
		{ "moderate", "MEDIUM" },   { "medium", "MEDIUM" },   { "low", "LOW" },
		{ "negligible", "LOW" },    { "unimportant", "LOW" }, { "none", "NONE" },
	};
	char low[16];
	size_t n = r->word != NULL ? strlen(r->word) : 0;

	if (strncmp(r->o->id, "MAL-", 4) == 0)
		return "MALICIOUS";
	if (r->cvss != NULL)
		return r->cvss;
	if (n == 0 || n >= sizeof(low))
		return "UNKNOWN";
	for (size_t i = 0; i <= n; i++) {
		char c = r->word[i];
		low[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	for (size_t i = 0; i < CV_COUNT(words); i++)
		if (strcmp(low, words[i][0]) == 0)
			return words[i][1];
	return "UNKNOWN";
}

static bool
id_ok(const char *id)
{
	size_t n = strlen(id);

	for (size_t i = 0; i < n; i++)
		if (id[i] <= ' ' || id[i] >= 0x7f || id[i] == '/')
			return false;
	return n > 0 && n <= 128;
}

int
cv_osv_read(struct cv_osv *ret, struct cv_span json, const char *name, struct cv_err *e)
{
	struct cv_osv o = {
		.id = "", .modified = "", .summary = "", .severity = "UNKNOWN", .cve = ""
	};
	struct reader r = { .o = &o, .rule = CV_BUF(MAX_RULE), .versions = CV_BUF(MAX_RULE) };
	const char *key;

	if (json.n > CV_MAX_ADVISORY)
		return cv_fail(e, CV_R_LIMIT, "%s: %zu bytes, want at most %llu", name, json.n,
			       (unsigned long long)CV_MAX_ADVISORY);
	if (cv_js_open_span(&r.js, name, json, 0, e) < 0)
		return -1;
	cv_js_object(r.js);
	while ((key = cv_js_key(r.js)) != NULL)
		field(&r, key);
	if (!cv_js_failed(r.js) && !id_ok(o.id))
		cv_js_fail(r.js, CV_R_MALFORMED, "not an advisory: no usable id");
	int rc = cv_js_end(r.js, e);
	o.severity = severity_word(&r);
	cv_js_free(&r.js);
	cv_buf_free(&r.rule);
	cv_buf_free(&r.versions);
	if (rc < 0)
		cv_osv_free(&o);
	else
		*ret = o;
	return rc;
}

void
cv_osv_free(struct cv_osv *o)
{
	cv_arena_free(&o->arena);
	*o = (struct cv_osv){ 0 };
}
