/* SPDX-License-Identifier: Apache-2.0 */
/*
 * package.c: see package.h. Must never hand out a member whose name was not judged, and
 * never answer "pass" for an archive that was not read to its last byte.
 */
#include "sbom/found/package.h"
#include "sbom/found/installs.h"
#include "sbom/found/look.h"
#include "sbom/found/names.h"
#include "sbom/found/tar.h"
#include "sbom/found/zip.h"

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define MAX_NAMES_BYTES (64 * CV_MIB)
/* A name's place: offset in `kept`, how many bytes of the path, directory or not. */
#define PLACE_LEN 13
#define PLACE_DIR 1u

struct pack {
	struct cv_package *ret;
	const struct cv_member_use *use;
	struct cv_answers *a;
	struct cv_names names;
	struct cv_buf kept; /* paths, one behind the other */
	struct cv_buf fold;
	struct cv_buf manifest; /* the present one */
	struct cv_installs installs;
	char top[CV_MAX_COMPONENT + 1];
	bool has_modules;
	struct cv_path path;
	const char *inner; /* the path without the top folder */
	char where[512];
	struct cv_member m;
	struct cv_hash *hash;
};

static const char *const archive_checks[] = { "archive.malformed", "archive.ambiguous",
					      "archive.traversal", "archive.unsafe-member",
					      "archive.bomb",      NULL };
static const char *const pickle_checks[] = { "model.pickle", NULL };

static int
problem(struct pack *k, const char *check, enum cv_reason reason, const char *what,
	struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, reason);

	cv_finding_found(&f, "%s", what);
	cv_finding_where(&f, "%s", k->where);
	return cv_answer(k->a, &f, e);
}

/* ---- names ---- */

static int
keep_name(struct pack *k, size_t at, size_t len, bool dir, struct cv_err *e)
{
	uint64_t place = ((uint64_t)at << PLACE_LEN | len) << 1 | (dir ? PLACE_DIR : 0);

	cv_buf_reset(&k->fold);
	cv_path_fold(&k->fold, cv_span(k->kept.p + at, len));
	if (cv_buf_ok(&k->fold, "a folded name", e) < 0)
		return -1;
	return cv_names_add(&k->names, cv_buf_span(&k->fold), place, e);
}

/* keep: the path, and the directories that it wants. */
static int
keep(struct pack *k, bool dir, struct cv_err *e)
{
	size_t at = k->kept.n, n = strlen(k->inner);

	cv_buf_add(&k->kept, k->inner, n);
	if (cv_buf_ok(&k->kept, "the names of an archive", e) < 0)
		return -1;
	for (size_t i = 1; i < n; i++)
		if (k->inner[i] == '/' && keep_name(k, at, i, true, e) < 0)
			return -1;
	return keep_name(k, at, n, dir, e);
}

static struct cv_span
kept_name(const struct pack *k, uint64_t place)
{
	size_t len = (size_t)(place >> 1) & ((1u << PLACE_LEN) - 1);

	return cv_span(k->kept.p + (place >> (PLACE_LEN + 1)), len);
}

/* collisions: names that one file system takes for one. The same directory several
 * times is none. */
static int
collisions(struct pack *k, struct cv_err *e)
{
	size_t from = 0, at, n;

	cv_names_sort(&k->names);
	while ((n = cv_names_group(&k->names, &from, &at)) > 0) {
		const struct cv_name *v = k->names.v + at;
		struct cv_span first = kept_name(k, v[0].place);

		for (size_t i = 1; i < n; i++) {
			struct cv_span s = kept_name(k, v[i].place);
			bool dirs = (v[0].place & v[i].place & PLACE_DIR) != 0;

			if (dirs && cv_span_eq(first, s))
				continue;
			cv_text_fmt(k->where, sizeof(k->where), "%.*s and %.*s", (int)first.n,
				    (const char *)first.p, (int)s.n, (const char *)s.p);
			if (problem(k, "archive.ambiguous", CV_R_AMBIGUOUS,
				    "two members that take one place", e) < 0)
				return -1;
			break;
		}
	}
	return 0;
}

static int
name_flaw(struct pack *k, enum cv_path_flaw w, struct cv_err *e)
{
	char text[128];

	cv_text_fmt(text, sizeof(text), "the name %s", cv_path_flaw_text(w));
	if (cv_path_escapes(w))
		return problem(k, "archive.traversal", CV_R_RULE, text, e);
	if (w == CV_PATH_LONG || w == CV_PATH_COMPONENT_LONG || w == CV_PATH_DEEP)
		return problem(k, "archive.malformed", CV_R_LIMIT, text, e);
	return problem(k, "archive.ambiguous", CV_R_AMBIGUOUS, text, e);
}

/* strip: npm's top folder, one and the same for all. *ok false: nothing to hand out. */
static int
strip(struct pack *k, bool dir, bool *ok, struct cv_err *e)
{
	const char *slash = strchr(k->path.s, '/');
	size_t n = slash != NULL ? (size_t)(slash - k->path.s) : k->path.n;

	*ok = false;
	if (k->top[0] == '\0')
		cv_text_fmt(k->top, sizeof(k->top), "%.*s", (int)n, k->path.s);
	if (strlen(k->top) != n || memcmp(k->top, k->path.s, n) != 0)
		return problem(k, "archive.ambiguous", CV_R_AMBIGUOUS,
			       "a second top folder: npm merges them", e);
	if (slash == NULL && !dir)
		return problem(k, "archive.ambiguous", CV_R_AMBIGUOUS,
			       "outside of a top folder, which npm strips", e);
	k->inner = slash != NULL ? slash + 1 : "";
	*ok = slash != NULL;
	return 0;
}

/* judge_name: fills k->path and k->inner; *ok false: the member is refused or is the top
 * folder itself. */
static int
judge_name(struct pack *k, struct cv_span raw, uint64_t at, bool dir, bool *ok, struct cv_err *e)
{
	enum cv_path_flaw w = cv_path_parse(&k->path, raw, CV_PATH_PACKAGE);

	*ok = false;
	cv_text_fmt(k->where, sizeof(k->where), "%.*s (header at byte %llu)",
		    (int)(raw.n < 256 ? raw.n : 256), (const char *)raw.p, (unsigned long long)at);
	if (++k->ret->members > CV_MAX_PACKAGE_ENTRIES)
		return 0; /* the caller looks */
	if (w != CV_PATH_FINE)
		return name_flaw(k, w, e);
	k->inner = k->path.s;
	*ok = true;
	return k->ret->kind == CV_PACKAGE_TAR ? strip(k, dir, ok, e) : 0;
}

/* ---- members ---- */

static int
begin(struct pack *k, struct cv_err *e)
{
	bool dir = k->m.mode == 0040755;

	k->m.path = k->inner;
	k->m.digest = (struct cv_digest){ .alg = CV_ALG_NONE };
	if (keep(k, dir, e) < 0)
		return -1;
	if (strncmp(k->inner, "node_modules/", 13) == 0)
		k->has_modules = true;
	if (k->use->begins != NULL && k->use->begins(k->use->ctx, &k->m, e) < 0)
		return -1;
	if (dir || k->m.link != NULL)
		return 0;
	return cv_hash_open(&k->hash, CV_SHA256, e);
}

/* content: hashed, kept if it is a manifest, and put where it can be looked into. */
static int
content(struct pack *k, struct cv_span piece, bool manifest, struct cv_err *e)
{
	if (cv_hash_add(k->hash, piece.p, piece.n, e) < 0)
		return -1;
	if (manifest)
		cv_buf_add(&k->manifest, piece.p, piece.n);
	if (k->use->look && cv_write_all(k->use->scratch, piece.p, piece.n, "a member", e) < 0)
		return -1;
	return k->use->data != NULL ? k->use->data(k->use->ctx, piece, e) : 0;
}

/* content_starts: true if the content is a manifest's. */
static bool
content_starts(struct pack *k)
{
	cv_buf_reset(&k->manifest);
	k->manifest.failed = CV_R_NONE;
	return k->hash != NULL && cv_installs_wants(&k->installs, k->inner);
}

static int
judge_manifest(struct pack *k, struct cv_err *e)
{
	if (k->manifest.failed == CV_R_MEMORY)
		return cv_fail_memory(e);
	if (k->manifest.failed != CV_R_NONE)
		return cv_installs_large(&k->installs, k->inner, e);
	return cv_installs_member(&k->installs, k->inner, cv_buf_span(&k->manifest), e);
}

/* look: for pickles, in the content that the scratch file holds now. */
static int
look(struct pack *k, struct cv_err *e)
{
	const struct cv_looked l = { .where = k->inner,
				     .name = k->inner,
				     .digest = k->m.digest,
				     .blob = { .fd = k->use->scratch, .len = k->m.size } };
	struct cv_format format;

	if (cv_format_of(&format, k->inner, l.blob, e) < 0 || cv_look(k->a, &l, &format, e) < 0)
		return -1;
	if (lseek(k->use->scratch, 0, SEEK_SET) != 0 || ftruncate(k->use->scratch, 0) != 0)
		return cv_fail_errno(e, "the scratch file");
	return 0;
}

static int
finish(struct pack *k, struct cv_err *e)
{
	bool file = k->hash != NULL;

	if (file && cv_hash_end(k->hash, &k->m.digest, e) < 0)
		return -1;
	cv_hash_free(&k->hash);
	if (file && judge_manifest(k, e) < 0)
		return -1;
	if (file && k->use->look && look(k, e) < 0)
		return -1;
	return k->use->ends != NULL ? k->use->ends(k->use->ctx, &k->m, e) : 0;
}

/* ---- npm: a gzip'd tar ---- */

static const char *
refused_kind(uint8_t kind)
{
	switch (kind) {
	case CV_TAR_HARDLINK:
		return "a hard link";
	case CV_TAR_SYMLINK:
		return "a symlink";
	case CV_TAR_CHAR:
	case CV_TAR_BLOCK:
		return "a device";
	case CV_TAR_FIFO:
		return "a fifo";
	default:
		return NULL;
	}
}

/* A finding about the archive is in `why`, our own failure in e. */
struct trouble {
	struct cv_err why;
	bool bomb;
};

static int
tar_content(struct pack *k, struct cv_tar *tar, struct trouble *t, struct cv_err *e)
{
	bool manifest = content_starts(k);
	struct cv_span piece;

	while (k->hash != NULL) {
		if (cv_tar_data(tar, &piece, &t->why) < 0)
			return -1;
		if (piece.n == 0)
			break;
		if (content(k, piece, manifest, e) < 0)
			return -1;
	}
	return finish(k, e);
}

static int
tar_member(struct pack *k, struct cv_tar *tar, const struct cv_tar_entry *t, struct trouble *tr,
	   struct cv_err *e)
{
	char target[CV_MAX_PATH + 1];
	const char *kind = refused_kind(t->kind);
	bool ok, link = t->kind == CV_TAR_SYMLINK;

	if (judge_name(k, t->name, t->at, t->kind == CV_TAR_DIR, &ok, e) < 0)
		return -1;
	if (kind != NULL && problem(k, "archive.unsafe-member", CV_R_RULE, kind, e) < 0)
		return -1;
	if (!ok || (kind != NULL && !link))
		return 0;
	cv_text_fmt(target, sizeof(target), "%.*s", (int)t->link.n, (const char *)t->link.p);
	k->m = (struct cv_member){ .size = t->size, .link = link ? target : NULL };
	k->m.mode = link                    ? 0120777
		    : t->kind == CV_TAR_DIR ? 0040755
		    : (t->mode & 0100) != 0 ? 0100755
					    : 0100644;
	k->ret->bytes += t->size;
	if (begin(k, e) < 0)
		return -1;
	return tar_content(k, tar, tr, e);
}

static int
too_many(const struct pack *k, struct trouble *t)
{
	t->bomb = true;
	if (k->ret->members > CV_MAX_PACKAGE_ENTRIES)
		return cv_fail(&t->why, CV_R_LIMIT, "more than %d members", CV_MAX_PACKAGE_ENTRIES);
	return cv_fail(&t->why, CV_R_LIMIT, "more than %llu bytes",
		       (unsigned long long)CV_MAX_PACKAGE_BYTES);
}

static bool
past_limits(const struct pack *k)
{
	return k->ret->members > CV_MAX_PACKAGE_ENTRIES || k->ret->bytes > CV_MAX_PACKAGE_BYTES;
}

static int
walk_tar(struct pack *k, struct cv_tar *tar, struct trouble *t, struct cv_err *e)
{
	struct cv_tar_entry m;
	int rc;

	while ((rc = cv_tar_next(tar, &m, &t->why)) == 1) {
		if (m.size > CV_MAX_PACKAGE_BYTES)
			k->ret->bytes = m.size;
		else if (tar_member(k, tar, &m, t, e) < 0)
			return -1;
		if (past_limits(k))
			return too_many(k, t);
	}
	return rc;
}

static int
walk_npm(struct pack *k, struct cv_blob blob, struct trouble *t, struct cv_err *e)
{
	const struct cv_inflate_want want = {
		.pack = CV_PACK_GZIP,
		.max = CV_MAX_PACKAGE_BYTES + CV_MAX_PACKAGE_ENTRIES * 2048ull,
		.single = true,
	};
	cv_auto(cv_inflate_free) struct cv_inflate *z = NULL;
	cv_auto(cv_tar_free) struct cv_tar *tar = NULL;
	int rc;

	if (cv_inflate_open(&z, blob, &want, e) < 0 || cv_tar_open(&tar, z, e) < 0)
		return -1;
	rc = walk_tar(k, tar, t, e);
	t->bomb = t->bomb || cv_inflate_bomb(z);
	cv_tar_free(&tar);
	return rc;
}

/* ---- zip ---- */

static int
zip_member(struct pack *k, struct cv_zip *z, const struct cv_zip_entry *m, struct trouble *t,
	   struct cv_err *e)
{
	bool ok, manifest, dir = m->kind == CV_ZIP_DIR;
	struct cv_span piece;

	if (judge_name(k, m->name, m->at, dir, &ok, e) < 0)
		return -1;
	if (m->kind == CV_ZIP_LINK || m->kind == CV_ZIP_OTHER)
		return problem(k, "archive.unsafe-member", CV_R_RULE,
			       m->kind == CV_ZIP_LINK ? "a symlink" : "a device or fifo", e);
	if (!ok)
		return 0;
	k->m = (struct cv_member){ .size = m->size };
	k->m.mode = dir ? 0040755 : m->executable ? 0100755 : 0100644;
	k->ret->bytes += m->size;
	if (past_limits(k))
		return too_many(k, t);
	if (begin(k, e) < 0)
		return -1;
	manifest = content_starts(k);
	while (k->hash != NULL) {
		if (cv_zip_data(z, &piece, &t->why) < 0)
			return -1;
		if (piece.n == 0)
			break;
		if (content(k, piece, manifest, e) < 0)
			return -1;
	}
	return finish(k, e);
}

static int
walk_zip(struct pack *k, struct cv_blob blob, struct trouble *t, struct cv_err *e)
{
	cv_auto(cv_zip_free) struct cv_zip *z = NULL;
	struct cv_zip_entry m;
	int rc;

	if (cv_zip_open(&z, blob, CV_ZIP_DESCRIPTORS, &t->why) < 0)
		return -1;
	while ((rc = cv_zip_next(z, &m, &t->why)) == 1)
		if (zip_member(k, z, &m, t, e) < 0) {
			rc = -1;
			break;
		}
	t->bomb = t->bomb || cv_zip_bomb(z);
	return rc;
}

/* ---- the whole ---- */

/* kind_of: by the first bytes. */
static int
kind_of(struct pack *k, struct cv_blob blob, struct trouble *t, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(4);
	int rc = cv_buf_pread(&b, blob.fd, blob.off, blob.len < 4 ? blob.len : 4, "the archive", e);

	if (rc == 0 && b.n >= 2 && b.p[0] == 0x1f && b.p[1] == 0x8b)
		k->ret->kind = CV_PACKAGE_TAR;
	else if (rc == 0 && b.n >= 2 && b.p[0] == 'P' && b.p[1] == 'K')
		k->ret->kind = CV_PACKAGE_ZIP;
	else if (rc == 0)
		rc = cv_fail(&t->why, CV_R_MALFORMED,
			     "neither a gzip'd tarball nor a zip archive by its first bytes");
	cv_buf_free(&b);
	return rc;
}

static bool
has_member(void *ctx, const char *path)
{
	struct pack *k = ctx;

	cv_buf_reset(&k->fold);
	cv_path_fold(&k->fold, cv_span_str(path));
	return k->fold.failed == CV_R_NONE &&
	       cv_names_has(&k->names, cv_names_hash(cv_buf_span(&k->fold)));
}

/* whole: what all members say together. The names are sorted. */
static int
whole(struct pack *k, struct cv_err *e)
{
	if (cv_installs_end(&k->installs, has_member, k, e) < 0)
		return -1;
	cv_text_fmt(k->ret->name, sizeof(k->ret->name), "%s", k->installs.name);
	cv_text_fmt(k->ret->version, sizeof(k->ret->version), "%s", k->installs.version);
	k->ret->word = cv_installs_word(&k->installs);
	cv_text_fmt(k->where, sizeof(k->where), "%s/node_modules", k->top);
	if (k->has_modules && k->installs.tar && !k->installs.bundles &&
	    problem(k, "archive.ambiguous", CV_R_AMBIGUOUS,
		    "packages in the package, of which its manifest says nothing", e) < 0)
		return -1;
	if (k->use->look && cv_answers_pass(k->a, pickle_checks, e) < 0)
		return -1;
	return cv_answers_pass(k->a, archive_checks, e);
}

static int
run(struct pack *k, struct cv_blob blob, struct trouble *t, struct cv_err *e)
{
	if (kind_of(k, blob, t, e) < 0)
		return -1;
	k->installs = (struct cv_installs){ .a = k->a, .tar = k->ret->kind == CV_PACKAGE_TAR };
	if ((k->ret->kind == CV_PACKAGE_TAR ? walk_npm(k, blob, t, e) : walk_zip(k, blob, t, e)) <
	    0)
		return -1;
	k->ret->whole = true;
	return collisions(k, e) < 0 ? -1 : whole(k, e);
}

/* The archive's own fault, as the finding that says it best. */
static int
fault(struct pack *k, const struct trouble *t, struct cv_err *e)
{
	const char *check = t->bomb                           ? "archive.bomb"
			    : t->why.reason == CV_R_AMBIGUOUS ? "archive.ambiguous"
							      : "archive.malformed";

	if (t->bomb || cv_answers_about_content(t->why.reason))
		return cv_answer_err(k->a, check, "", &t->why, e);
	if (e != NULL)
		*e = t->why;
	return -1;
}

int
cv_package_walk(struct cv_package *ret, struct cv_blob blob, const struct cv_member_use *use,
		struct cv_answers *a, struct cv_err *e)
{
	struct trouble t = { 0 };
	struct cv_err own = { 0 };
	struct pack *k = calloc(1, sizeof(*k));
	int rc;

	*ret = (struct cv_package){ 0 };
	if (k == NULL)
		return cv_fail_memory(e);
	k->ret = ret;
	k->use = use;
	k->a = a;
	k->names = CV_NAMES(CV_MAX_ENTRIES);
	k->kept = CV_BUF(MAX_NAMES_BYTES);
	k->fold = CV_BUF(4 * (CV_MAX_PATH + 1));
	k->manifest = CV_BUF(CV_INSTALLS_TEXT);
	rc = run(k, blob, &t, &own);
	if (rc < 0 && t.why.reason == CV_R_NONE) {
		/* our tables are full: the archive's fault too */
		t.why = own;
		t.bomb = own.reason == CV_R_LIMIT;
	}
	if (rc < 0)
		rc = fault(k, &t, e);
	cv_hash_free(&k->hash);
	cv_names_free(&k->names);
	cv_buf_free(&k->kept);
	cv_buf_free(&k->fold);
	cv_buf_free(&k->manifest);
	free(k);
	return rc;
}
