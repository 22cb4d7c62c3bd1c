/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cyclonedx.c: reads CycloneDX JSON as it streams by. Never recurses: components
 * inside components are a stack of fixed height.
 */
#include "cyclonedx.h"

#include "trust/base/enc.h"

#include <string.h>

#include "trust/base/banned.h"

#define NESTING (CV_MAX_JSON_DEPTH / 2)
#define TEXT    CV_MAX_COMPONENT_TEXT

struct part {
	struct cv_component c;
	const char *group;
	const char *release; /* of the source package, as trivy splits it */
	const char *epoch;
	bool range; /* has a versionRange */
	bool versioned;
};

struct reader {
	struct cv_sbom *sbom;
	struct cv_js *js;
	struct part part[NESTING];
	size_t depth;
};

int
cv_cyclonedx_ok(const char *spec, struct cv_err *e)
{
	static const char *const known[] = { "1.2", "1.3", "1.4", "1.5", "1.6", "1.7" };

	for (size_t i = 0; i < CV_COUNT(known); i++)
		if (strcmp(spec, known[i]) == 0)
			return 0;
	return cv_fail(e, CV_R_UNSUPPORTED, "CycloneDX \"%.20s\", want 1.2 to 1.7", spec);
}

static const char *
text(struct reader *r)
{
	return cv_arena_text(&r->sbom->arena, r->js, TEXT);
}

static bool
known_type(const char *type)
{
	static const char *const types[] = {
		"application",
		"framework",
		"library",
		"container",
		"platform",
		"operating-system",
		"device",
		"device-driver",
		"firmware",
		"file",
		"data",
		"machine-learning-model",
		"cryptographic-asset",
	};

	for (size_t i = 0; i < CV_COUNT(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* ---- hashes ---- */

/* Hexadecimal digits of each algorithm's hash (schema: hash-alg, hash-content). */
static size_t
hash_length(const char *alg)
{
	static const struct {
		const char *alg;
		size_t digits;
	} table[] = {
		{ "MD5", 32 },          { "SHA-1", 40 },         { "SHA-256", 64 },
		{ "SHA-384", 96 },      { "SHA-512", 128 },      { "SHA3-256", 64 },
		{ "SHA3-384", 96 },     { "SHA3-512", 128 },     { "BLAKE2b-256", 64 },
		{ "BLAKE2b-384", 96 },  { "BLAKE2b-512", 128 },  { "BLAKE3", 0 },
		{ "Streebog-256", 64 }, { "Streebog-512", 128 },
	};

	for (size_t i = 0; i < CV_COUNT(table); i++)
		if (strcmp(table[i].alg, alg) == 0)
			return table[i].digits;
	return SIZE_MAX;
}

static bool
hex_value(struct cv_span s, uint8_t *out, size_t want)
{
	char low[129];
	struct cv_err e;

	if (s.n > 128 || s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		low[i] = (char)(c >= 'A' && c <= 'F' ? c + 32 : c);
		if (!((low[i] >= '0' && low[i] <= '9') || (low[i] >= 'a' && low[i] <= 'f')))
			return false;
	}
	return want == 0 || cv_hex_decode(out, want, cv_span(low, s.n), &e) == 0;
}

static void
one_hash(struct reader *r, struct cv_component *c)
{
	struct cv_buf alg = CV_BUF(64), content = CV_BUF(256);
	const char *key;
	uint8_t bytes[32];

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "alg") == 0)
			cv_js_string(r->js, &alg);
		else if (strcmp(key, "content") == 0)
			cv_js_string(r->js, &content);
		else
			cv_js_skip(r->js);
	}
	size_t digits = hash_length(cv_buf_text(&alg));
	bool sha256 = strcmp(cv_buf_text(&alg), "SHA-256") == 0;
	if (cv_js_failed(r->js))
		;
	else if (digits == SIZE_MAX)
		cv_js_fail(r->js, CV_R_MALFORMED, "unknown hash algorithm \"%.40s\"",
			   cv_buf_text(&alg));
	else if ((digits != 0 && content.n != digits) ||
		 !hex_value(cv_buf_span(&content), bytes, sha256 ? 32 : 0))
		cv_js_fail(r->js, CV_R_MALFORMED, "the hash is no %s", cv_buf_text(&alg));
	else if (sha256) {
		c->has_sha256 = true;
		memcpy(c->sha256, bytes, sizeof(bytes));
	}
	cv_buf_free(&alg);
	cv_buf_free(&content);
}

/* ---- properties ---- */

/* What generators say beside the standard fields, of which matching needs some. */
static void
property(struct reader *r, struct part *p, bool root, const char *name, struct cv_buf *value)
{
	static const struct {
		const char *name;
		size_t at;
	} keep[] = {
		{ "aquasecurity:trivy:SrcName", offsetof(struct part, c.source) },
		{ "aquasecurity:trivy:SrcVersion", offsetof(struct part, c.source_version) },
		{ "aquasecurity:trivy:SrcRelease", offsetof(struct part, release) },
		{ "aquasecurity:trivy:SrcEpoch", offsetof(struct part, epoch) },
	};
	const char *v = cv_buf_text(value);

	if (root && (strcmp(name, "aquasecurity:trivy:ImageID") == 0 ||
		     strcmp(name, "aquasecurity:trivy:RepoDigest") == 0))
		cv_sbom_note(r->sbom, true, "property of the root component", v);
	if (strcmp(name, "aquasecurity:trivy:Class") == 0 && strcmp(v, "lang-pkgs") == 0)
		p->c.context = true;
	for (size_t i = 0; i < CV_COUNT(keep); i++) {
		if (strcmp(name, keep[i].name) != 0)
			continue;
		const char *kept = cv_arena_keep(&r->sbom->arena, cv_buf_span(value));
		if (kept == NULL)
			cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
		else
			memcpy((char *)p + keep[i].at, &kept, sizeof(kept));
	}
}

static void
properties(struct reader *r, struct part *p, bool root)
{
	struct cv_buf name = CV_BUF(TEXT), value = CV_BUF(CV_MAX_JSON_STRING);

	cv_js_array(r->js);
	while (cv_js_more(r->js)) {
		const char *key;
		cv_buf_reset(&name);
		cv_buf_reset(&value);
		cv_js_object(r->js);
		while ((key = cv_js_key(r->js)) != NULL) {
			if (strcmp(key, "name") == 0)
				cv_js_string(r->js, &name);
			else if (strcmp(key, "value") == 0 && cv_js_peek(r->js) == CV_JS_STRING)
				cv_js_string(r->js, &value);
			else
				cv_js_skip(r->js);
		}
		if (!cv_js_failed(r->js))
			property(r, p, root, cv_buf_text(&name), &value);
	}
	cv_buf_free(&name);
	cv_buf_free(&value);
}

/* ---- components ---- */

static void
hashes(struct reader *r, struct cv_component *c)
{
	cv_js_array(r->js);
	while (cv_js_more(r->js))
		one_hash(r, c);
}

static void
field(struct reader *r, struct part *p, bool root, const char *key)
{
	struct cv_component *c = &p->c;

	if (strcmp(key, "bom-ref") == 0)
		c->ref = text(r);
	else if (strcmp(key, "type") == 0)
		c->type = text(r);
	else if (strcmp(key, "group") == 0)
		p->group = text(r);
	else if (strcmp(key, "name") == 0)
		c->name = text(r);
	else if (strcmp(key, "version") == 0) {
		c->version = text(r);
		p->versioned = true;
	} else if (strcmp(key, "versionRange") == 0) {
		p->range = true;
		cv_js_skip(r->js);
	} else if (strcmp(key, "purl") == 0)
		c->purl = text(r);
	else if (strcmp(key, "hashes") == 0)
		hashes(r, c);
	else if (strcmp(key, "properties") == 0)
		properties(r, p, root);
	else
		cv_js_skip(r->js);
}

/* "group/name", as a purl would have it. */
static void
join_group(struct reader *r, struct part *p)
{
	struct cv_buf b = CV_BUF(2 * TEXT + 2);

	if (p->group[0] == '\0')
		return;
	cv_buf_str(&b, p->group);
	cv_buf_byte(&b, '/');
	cv_buf_str(&b, p->c.name);
	const char *kept =
		b.failed == CV_R_NONE ? cv_arena_keep(&r->sbom->arena, cv_buf_span(&b)) : NULL;
	cv_buf_free(&b);
	if (kept == NULL)
		cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
	else
		p->c.name = kept;
}

/* trivy splits the source version: [epoch:]version[-release]. */
static void
join_source(struct reader *r, struct part *p)
{
	struct cv_buf b = CV_BUF(4 * TEXT);

	if (p->release[0] == '\0' && p->epoch[0] == '\0')
		return;
	if (p->epoch[0] != '\0' && strcmp(p->epoch, "0") != 0)
		cv_buf_fmt(&b, "%s:", p->epoch);
	cv_buf_str(&b, p->c.source_version);
	if (p->release[0] != '\0')
		cv_buf_fmt(&b, "-%s", p->release);
	const char *kept =
		b.failed == CV_R_NONE ? cv_arena_keep(&r->sbom->arena, cv_buf_span(&b)) : NULL;
	cv_buf_free(&b);
	if (kept == NULL)
		cv_js_fail(r->js, CV_R_MEMORY, "out of memory");
	else
		p->c.source_version = kept;
}

static void
finish(struct reader *r, struct part *p, bool root)
{
	struct cv_component *c = &p->c;
	struct cv_sbom *s = r->sbom;

	if (cv_js_failed(r->js))
		return;
	if (!known_type(c->type))
		cv_js_fail(r->js, CV_R_MALFORMED, "component \"%.80s\": unknown type \"%.40s\"",
			   c->name, c->type);
	else if (c->name[0] == '\0')
		cv_js_fail(r->js, CV_R_MALFORMED, "a component without a name");
	else if (!p->versioned && strcmp(s->spec, "1.4") < 0)
		cv_js_fail(r->js, CV_R_MALFORMED,
			   "component \"%.80s\" without a version, which CycloneDX %s wants",
			   c->name, s->spec);
	else if (p->versioned && p->range)
		cv_js_fail(r->js, CV_R_AMBIGUOUS,
			   "component \"%.80s\" has both a version and a versionRange", c->name);
	bool os = strcmp(c->type, "operating-system") == 0;
	if (os && s->distro[0] == '\0') {
		s->distro = c->name;
		s->distro_version = c->version;
	}
	c->root = root;
	c->context = c->context || root || os || strcmp(c->type, "file") == 0 ||
		     strcmp(c->type, "data") == 0 || strcmp(c->type, "cryptographic-asset") == 0;
	join_group(r, p);
	join_source(r, p);
	if (root)
		cv_sbom_note_root(s, c);
	cv_sbom_add(s, r->js, c);
}

static struct part *
push(struct reader *r)
{
	if (r->depth == NESTING) {
		cv_js_fail(r->js, CV_R_LIMIT, "components nested deeper than %d", NESTING);
		return NULL;
	}
	struct part *p = &r->part[r->depth++];
	*p = (struct part){
		.c = { .ref = "",
		       .type = "",
		       .name = "",
		       .version = "",
		       .purl = "",
		       .source = "",
		       .source_version = "" },
		.group = "",
		.release = "",
		.epoch = "",
	};
	cv_js_object(r->js);
	return p;
}

/*
 * Components until the list (or the one object) that was entered last is over.
 * `one`: an object has just been announced, not a list. At each turn we are in
 * the object at the top of the stack; its list of components, once entered, is
 * served by pushing each element.
 */
static void
components(struct reader *r, bool one)
{
	struct part *p = NULL;

	r->depth = 0;
	if (one)
		p = push(r);
	else if (cv_js_array(r->js), cv_js_more(r->js))
		p = push(r);
	while (p != NULL && !cv_js_failed(r->js)) {
		bool root = one && r->depth == 1;
		const char *key = cv_js_key(r->js);
		if (key != NULL && strcmp(key, "components") == 0) {
			cv_js_array(r->js);
			if (cv_js_more(r->js))
				p = push(r);
			continue;
		}
		if (key != NULL) {
			field(r, p, root, key);
			continue;
		}
		finish(r, p, root);
		r->depth--;
		if (r->depth == 0 && one)
			return;
		if (cv_js_more(r->js))
			p = push(r);
		else if (r->depth == 0)
			return;
		else
			p = &r->part[r->depth - 1];
	}
}

/* ---- metadata ---- */

static void
tool(struct reader *r)
{
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "name") == 0 && cv_js_peek(r->js) == CV_JS_STRING) {
			const char *name = text(r);
			if (strcmp(name, "syft") == 0)
				r->sbom->omits_source = true;
		} else {
			cv_js_skip(r->js);
		}
	}
}

static void
tool_list(struct reader *r)
{
	cv_js_array(r->js);
	while (cv_js_more(r->js))
		tool(r);
}

/* A list until 1.4; from 1.5 also an object of components and services. */
static void
tools(struct reader *r)
{
	const char *key;

	if (cv_js_peek(r->js) == CV_JS_ARRAY) {
		tool_list(r);
		return;
	}
	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "components") == 0)
			tool_list(r);
		else
			cv_js_skip(r->js);
	}
}

static void
metadata(struct reader *r)
{
	const char *key;

	cv_js_object(r->js);
	while ((key = cv_js_key(r->js)) != NULL) {
		if (strcmp(key, "component") == 0)
			components(r, true);
		else if (strcmp(key, "tools") == 0)
			tools(r);
		else
			cv_js_skip(r->js);
	}
}

void
cv_cyclonedx_read(struct cv_sbom *sbom, struct cv_js *js)
{
	struct reader r = { .sbom = sbom, .js = js };
	const char *key;

	cv_js_object(js);
	while ((key = cv_js_key(js)) != NULL) {
		if (strcmp(key, "metadata") == 0)
			metadata(&r);
		else if (strcmp(key, "components") == 0)
			components(&r, false);
		else if (strcmp(key, "serialNumber") == 0)
			sbom->ns = text(&r);
		else if (strcmp(key, "spdxVersion") == 0 || strcmp(key, "packages") == 0)
			cv_js_fail(js, CV_R_AMBIGUOUS,
				   "the document is CycloneDX and has SPDX's \"%s\"", key);
		else
			cv_js_skip(js);
	}
}
