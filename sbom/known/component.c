/* SPDX-License-Identifier: Apache-2.0 */
/* component.c: from a component to the key of an advisory. Must never give a key
 * under which another package's advisories would be missed in silence. */
#include "component.h"

#include "trust/base/purl.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

static int
gap(struct cv_pkg *p, enum cv_gap why)
{
	p->gap = why;
	return 0;
}

static int
done(struct cv_pkg *p, struct cv_err *e)
{
	if (p->key.failed == CV_R_MEMORY || p->version.failed == CV_R_MEMORY)
		return cv_fail_memory(e);
	/* longer than any name that an advisory may have */
	if (p->key.failed != CV_R_NONE || p->version.failed != CV_R_NONE)
		p->gap = CV_GAP_BAD_PURL;
	return 0;
}

static void
set_version(struct cv_pkg *p, struct cv_span v)
{
	cv_buf_reset(&p->version);
	cv_buf_add(&p->version, v.p, v.n);
}

/* "namespace/name" */
static void
full_name(struct cv_buf *out, const struct cv_purl *u)
{
	if (u->ns != NULL) {
		cv_buf_str(out, u->ns);
		cv_buf_byte(out, '/');
	}
	cv_buf_str(out, u->name);
}

static void
take_language(struct cv_pkg *p, const struct cv_purl *u, const struct cv_component *c)
{
	struct cv_buf name = CV_BUF(2 * CV_MAX_COMPONENT_TEXT);
	struct cv_span v = cv_span_str(u->version != NULL ? u->version : c->version), n;

	full_name(&name, u);
	n = cv_buf_span(&name);
	if (p->eco == CV_ECO_GO && (cv_span_eq_str(n, "std") || cv_span_eq_str(n, "stdlib"))) {
		n = cv_span_str("stdlib");
		if (cv_span_has_prefix(v, "go"))
			(void)cv_span_take(&v, 2);
	}
	cv_eco_key(&p->key, p->eco, n);
	if (name.failed != CV_R_NONE)
		p->key.failed = name.failed;
	set_version(p, v);
	cv_buf_free(&name);
}

/* ---- Debian ---- */

/* "debian-12.5", "debian-bookworm", "12", "bookworm" */
static void
take_release(struct cv_pkg *p, const struct cv_sbom *sbom, const struct cv_purl *u)
{
	const char *distro = cv_purl_qual(u, "distro");
	struct cv_span s;

	if (distro == NULL && strcmp(sbom->distro, "debian") == 0)
		distro = sbom->distro_version;
	s = cv_span_str(distro);
	if (cv_span_has_prefix(s, "debian-"))
		(void)cv_span_take(&s, 7);
	(void)cv_eco_debian_release(s, p->release);
	if (p->release[0] == '\0')
		p->gap = CV_GAP_RELEASE;
	else
		cv_text_fmt(p->kind, sizeof p->kind, "Debian %s", p->release);
}

/* The epoch is part of a Debian version; some purls have it beside. */
static void
binary_version(struct cv_pkg *p, const struct cv_purl *u, const struct cv_component *c)
{
	const char *v = u->version != NULL ? u->version : c->version;
	const char *epoch = cv_purl_qual(u, "epoch");

	if (epoch != NULL && strcmp(epoch, "0") != 0 && strchr(v, ':') == NULL && v[0] != '\0') {
		cv_buf_str(&p->version, epoch);
		cv_buf_byte(&p->version, ':');
	}
	cv_buf_str(&p->version, v);
}

static void
take_debian(struct cv_pkg *p, const struct cv_sbom *sbom, const struct cv_purl *u,
	    const struct cv_component *c)
{
	struct cv_span up = cv_span_str(cv_purl_qual(u, "upstream")), name;
	const uint8_t *at = up.n > 0 ? memchr(up.p, '@', up.n) : NULL;

	take_release(p, sbom, u);
	if (c->source[0] != '\0') {
		cv_eco_key(&p->key, p->eco, cv_span_str(c->source));
		set_version(p, cv_span_str(c->source_version));
	} else if (up.n > 0) {
		name = cv_span(up.p, at != NULL ? (size_t)(at - up.p) : up.n);
		cv_eco_key(&p->key, p->eco, name);
		if (at != NULL)
			set_version(p, cv_span(at + 1, up.n - name.n - 1));
	} else {
		cv_eco_key(&p->key, p->eco, cv_span_str(u->name));
		p->guessed = !sbom->omits_source;
	}
	if (p->version.n == 0)
		binary_version(p, u, c);
}

/* ---- all ---- */

static enum cv_eco
ecosystem(const struct cv_purl *u)
{
	static const struct {
		const char *type;
		enum cv_eco eco;
	} table[] = {
		{ "golang", CV_ECO_GO },
		{ "npm", CV_ECO_NPM },
		{ "pypi", CV_ECO_PYPI },
	};

	for (size_t i = 0; i < CV_COUNT(table); i++)
		if (strcmp(u->type, table[i].type) == 0)
			return table[i].eco;
	if (strcmp(u->type, "deb") == 0 && u->ns != NULL && strcmp(u->ns, "debian") == 0)
		return CV_ECO_DEBIAN;
	return CV_ECO_NONE;
}

static void
take(struct cv_pkg *p, const struct cv_sbom *sbom, const struct cv_purl *u,
     const struct cv_component *c)
{
	p->eco = ecosystem(u);
	if (p->eco == CV_ECO_NONE) {
		p->gap = CV_GAP_KIND;
		cv_text_fmt(p->kind, sizeof p->kind, "%s%s%s", u->type,
			    strcmp(u->type, "deb") == 0 && u->ns != NULL ? "/" : "",
			    strcmp(u->type, "deb") == 0 && u->ns != NULL ? u->ns : "");
		return;
	}
	cv_text_fmt(p->kind, sizeof p->kind, "%s", cv_eco_name(p->eco));
	if (p->eco == CV_ECO_DEBIAN)
		take_debian(p, sbom, u, c);
	else
		take_language(p, u, c);
}

int
cv_pkg_of(struct cv_pkg *p, const struct cv_sbom *sbom, const struct cv_component *c,
	  struct cv_err *e)
{
	struct cv_purl u;
	struct cv_err why;

	cv_buf_reset(&p->key);
	cv_buf_reset(&p->version);
	p->key.failed = p->version.failed = CV_R_NONE;
	p->gap = CV_GAP_NONE;
	p->eco = CV_ECO_NONE;
	p->guessed = false;
	p->kind[0] = p->release[0] = '\0';
	if (c->purl[0] == '\0')
		return gap(p, CV_GAP_NO_PURL);
	if (cv_purl_parse(&u, cv_span_str(c->purl), CV_PURL_LENIENT, &why) != 0) {
		if (why.reason == CV_R_MEMORY)
			return cv_fail_memory(e);
		return gap(p, CV_GAP_BAD_PURL);
	}
	take(p, sbom, &u, c);
	cv_purl_free(&u);
	return done(p, e);
}

bool
cv_pkg_skipped(const struct cv_pkg *p, const struct cv_component *c)
{
	return c->context &&
	       (p->gap == CV_GAP_NO_PURL || p->gap == CV_GAP_BAD_PURL || p->gap == CV_GAP_KIND);
}

void
cv_pkg_free(struct cv_pkg *p)
{
	cv_buf_free(&p->key);
	cv_buf_free(&p->version);
}
