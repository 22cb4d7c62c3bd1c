/* SPDX-License-Identifier: Apache-2.0 */
/* git_object.c: see git_object.h. Must never leave a byte out of the payload that is
 * not of the signature. */
#include "trust/git_object.h"

#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const struct {
	const char *begin;
	enum cv_git_scheme scheme;
} blocks[] = {
	{ CV_SSHSIG_BEGIN, CV_GIT_SSH },
	{ "-----BEGIN PGP SIGNATURE-----", CV_GIT_OPENPGP },
	{ "-----BEGIN PGP MESSAGE-----", CV_GIT_OPENPGP },
	{ "-----BEGIN SIGNED MESSAGE-----", CV_GIT_X509 },
};

void
cv_git_free(struct cv_git_object *o)
{
	cv_buf_free(&o->payload);
	cv_buf_free(&o->signature);
	*o = (struct cv_git_object){ 0 };
}

/* git takes a line for an opener by its beginning; 0 is none. */
static enum cv_git_scheme
opens(struct cv_span line)
{
	for (size_t i = 0; i < CV_COUNT(blocks); i++)
		if (cv_span_has_prefix(line, blocks[i].begin))
			return blocks[i].scheme;
	return (enum cv_git_scheme)0;
}

/* ---- headers ---- */

/* A header line, "WORD value", without its LF; bad if there is no other LF. */
static struct cv_span
header(struct cv_span *s, const char *word)
{
	struct cv_span line = cv_span_until(s, '\n');
	size_t n = strlen(word);

	if (line.n <= n || !cv_span_has_prefix(line, word) || line.p[n] != ' ') {
		s->bad = true;
		return cv_span(NULL, 0);
	}
	return cv_span(line.p + n + 1, line.n - n - 1);
}

static bool
next_is(struct cv_span s, const char *word)
{
	return cv_span_has_prefix(s, word) && s.n > strlen(word) && s.p[strlen(word)] == ' ';
}

static bool
is_id(struct cv_span s, enum cv_git_hash hash)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n == (size_t)hash;
}

/* "Name <address> seconds +hhmm"; name and address as git's fsck wants them. */
static int
person(struct cv_git_object *o, struct cv_span s, const char *what, struct cv_err *e)
{
	const uint8_t *gt = s.n > 0 ? memchr(s.p, '>', s.n) : NULL;
	const uint8_t *lt = s.n > 0 ? memchr(s.p, '<', s.n) : NULL;
	struct cv_span rest, zone, seconds;
	uint64_t t = 0;

	if (gt == NULL || lt == NULL || lt > gt)
		return cv_fail(e, CV_R_MALFORMED, "found a %s without <address>", what);
	o->by = cv_span(s.p, (size_t)(gt + 1 - s.p));
	rest = cv_span(gt + 1, s.n - o->by.n);
	if (cv_span_u8(&rest) != ' ')
		rest.bad = true;
	seconds = cv_span_until(&rest, ' ');
	zone = cv_span_take(&rest, 5);
	if (!cv_span_done(&rest) || cv_u64_parse(&t, seconds, INT64_MAX, NULL) != 0 ||
	    (zone.p[0] != '+' && zone.p[0] != '-'))
		return cv_fail(e, CV_R_MALFORMED,
			       "found a %s without \"seconds +hhmm\" after the address", what);
	for (size_t i = 1; i < zone.n; i++)
		if (zone.p[i] < '0' || zone.p[i] > '9')
			return cv_fail(e, CV_R_MALFORMED, "found a %s with a strange time zone",
				       what);
	o->time = (int64_t)t;
	return 0;
}

/* ---- commits ---- */

static int
commit_head(struct cv_git_object *o, enum cv_git_hash hash, struct cv_span *s, struct cv_err *e)
{
	struct cv_span by;
	bool ids;

	o->target = header(s, "tree");
	ids = is_id(o->target, hash);
	while (next_is(*s, "parent"))
		if (!is_id(header(s, "parent"), hash))
			ids = false;
	if (s->bad || !ids)
		return cv_fail(e, CV_R_MALFORMED,
			       "found no tree at the start, or an id that is not %d digits",
			       (int)hash);
	by = header(s, "author");
	if (s->bad || person(o, by, "author", e) != 0)
		return s->bad ? cv_fail(e, CV_R_MALFORMED, "found no author after tree and parents")
			      : -1;
	by = header(s, "committer");
	if (s->bad)
		return cv_fail(e, CV_R_MALFORMED, "found no committer after the author");
	return person(o, by, "committer", e);
}

/* Lines that continue a header begin with one space. They are taken together with it;
 * out NULL: nobody wants them. */
static void
value(struct cv_span first, struct cv_span *s, struct cv_buf *out)
{
	for (struct cv_span line = first;;) {
		if (out != NULL) {
			cv_buf_add(out, line.p, line.n);
			cv_buf_byte(out, '\n');
		}
		if (s->n == 0 || s->p[0] != ' ')
			return;
		line = cv_span_until(s, '\n');
		if (s->bad)
			return;
		cv_span_take(&line, 1);
	}
}

/* The headers after committer: gpgsig goes to the signature, the other algorithm's is
 * dropped as git does it, all else is signed. */
static int
commit_rest(struct cv_git_object *o, enum cv_git_hash hash, struct cv_span *s, struct cv_err *e)
{
	static const char *const names[] = { "gpgsig", "gpgsig-sha256" };
	bool seen[2] = { false, false };
	size_t own = hash == CV_GIT_SHA1 ? 0 : 1;

	for (;;) {
		const uint8_t *from = s->p;
		struct cv_span line = cv_span_until(s, '\n');
		size_t which = next_is(line, names[0]) ? 0 : next_is(line, names[1]) ? 1 : 2;

		if (s->bad)
			return cv_fail(e, CV_R_MALFORMED,
				       "found no empty line between headers and message");
		if (line.n == 0)
			return 0;
		if (which == 2) {
			if (cv_span_has_prefix(line, "gpgsig"))
				return cv_fail(e, CV_R_AMBIGUOUS,
					       "found a header that only begins like \"gpgsig\"");
			value(line, s, NULL);
			if (s->bad)
				continue;
			cv_buf_add(&o->payload, from, (size_t)(s->p - from));
			continue;
		}
		if (seen[which])
			return cv_fail(e, CV_R_AMBIGUOUS, "found the header %s twice",
				       names[which]);
		seen[which] = true;
		cv_span_take(&line, strlen(names[which]) + 1);
		value(line, s, which == own ? &o->signature : NULL);
	}
}

static int
commit(struct cv_git_object *o, enum cv_git_hash hash, struct cv_span raw, struct cv_err *e)
{
	struct cv_span s = raw;

	if (commit_head(o, hash, &s, e) != 0)
		return -1;
	cv_buf_add(&o->payload, raw.p, raw.n - s.n);
	if (commit_rest(o, hash, &s, e) != 0)
		return -1;
	cv_buf_byte(&o->payload, '\n');
	cv_buf_add(&o->payload, s.p, s.n);
	if (cv_buf_ok(&o->signature, "the signature", e) != 0) /* lost, not absent */
		return -1;
	if (o->signature.n == 0)
		return cv_fail(e, CV_R_ABSENT, "the commit is not signed");
	return 0;
}

/* ---- tags ---- */

static int
tag_head(struct cv_git_object *o, enum cv_git_hash hash, struct cv_span *s, struct cv_err *e)
{
	static const char *const types[] = { "commit", "tree", "blob", "tag" };
	struct cv_span by;
	bool known = false;

	o->target = header(s, "object");
	o->type = header(s, "type");
	o->name = header(s, "tag");
	by = header(s, "tagger");
	if (s->bad)
		return cv_fail(e, CV_R_MALFORMED, "found no object, type, tag and tagger in order");
	for (size_t i = 0; i < CV_COUNT(types); i++)
		known = known || cv_span_eq_str(o->type, types[i]);
	if (!is_id(o->target, hash) || !known)
		return cv_fail(e, CV_R_MALFORMED,
			       "found a type that git does not have, or an id that is not %d "
			       "digits",
			       (int)hash);
	if (person(o, by, "tagger", e) != 0)
		return -1;
	/* git has no other headers but, in a repository of two hashes, gpgsig */
	if (cv_span_until(s, '\n').n != 0 || s->bad)
		return cv_fail(e, CV_R_MALFORMED, "found no empty line after the tagger");
	return 0;
}

static int
tag(struct cv_git_object *o, enum cv_git_hash hash, struct cv_span raw, struct cv_err *e)
{
	struct cv_span s = raw;
	size_t at = 0;
	bool found = false;

	if (tag_head(o, hash, &s, e) != 0)
		return -1;
	while (s.n > 0) {
		size_t here = raw.n - s.n;
		bool last = memchr(s.p, '\n', s.n) == NULL;
		struct cv_span line = last ? cv_span_take(&s, s.n) : cv_span_until(&s, '\n');

		if (opens(line) == 0)
			continue;
		if (found)
			return cv_fail(e, CV_R_AMBIGUOUS, "found two signatures in the tag");
		found = true;
		at = here;
	}
	if (!found)
		return cv_fail(e, CV_R_ABSENT, "the tag is not signed");
	cv_buf_add(&o->payload, raw.p, at);
	cv_buf_add(&o->signature, raw.p + at, raw.n - at);
	return 0;
}

/* ---- both ---- */

int
cv_git_parse(struct cv_git_object *ret, enum cv_git_kind kind, enum cv_git_hash hash,
	     struct cv_span raw, struct cv_err *e)
{
	const char *what = kind == CV_GIT_COMMIT ? "commit" : "tag";

	*ret = (struct cv_git_object){ .kind = kind,
				       .payload = CV_BUF(CV_GIT_MAX_OBJECT),
				       .signature = CV_BUF(CV_GIT_MAX_OBJECT) };
	if (raw.n > CV_GIT_MAX_OBJECT)
		return cv_fail(e, CV_R_LIMIT, "found a %s of %zu bytes, want at most %d", what,
			       raw.n, CV_GIT_MAX_OBJECT);
	if (raw.n > 0 && memchr(raw.p, 0, raw.n) != NULL)
		return cv_fail(e, CV_R_MALFORMED, "found a NUL byte in a %s", what);
	if ((kind == CV_GIT_COMMIT ? commit(ret, hash, raw, e) : tag(ret, hash, raw, e)) != 0)
		return cv_fail_within(e, "git %s", what);
	if (cv_buf_ok(&ret->payload, what, e) != 0 || cv_buf_ok(&ret->signature, what, e) != 0)
		return -1;
	ret->scheme = opens(cv_buf_span(&ret->signature));
	if (ret->scheme == 0)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "git %s: found a signature of an unknown kind, want an SSH one",
			       what);
	return 0;
}

int
cv_git_tag_named(const struct cv_git_object *o, struct cv_span name, struct cv_err *e)
{
	char found[CV_TEXT_BRIEF], want[CV_TEXT_BRIEF];

	if (o->kind == CV_GIT_TAG && cv_span_eq(o->name, name))
		return 0;
	return cv_fail(e, CV_R_RULE, "found the tag \"%s\", want \"%s\"",
		       cv_text_brief(found, o->name), cv_text_brief(want, name));
}

int
cv_git_verify(const struct cv_git_object *o, unsigned need, struct cv_sshsig *sig,
	      struct cv_ssh_proven *ret, struct cv_err *e)
{
	struct cv_message m = cv_message_bytes(cv_buf_span(&o->payload));
	int r;

	*sig = (struct cv_sshsig){ 0 };
	if (o->scheme != CV_GIT_SSH)
		return cv_fail(e, CV_R_UNSUPPORTED, "found a signature by %s, want an SSH one",
			       o->scheme == CV_GIT_OPENPGP ? "OpenPGP" : "X.509 (gitsign, gpgsm)");
	r = cv_sshsig_parse(sig, cv_buf_span(&o->signature), e);
	if (r == 0)
		r = cv_sshsig_verify(sig, &m, "git", need, ret, e);
	cv_message_free(&m);
	return r;
}
