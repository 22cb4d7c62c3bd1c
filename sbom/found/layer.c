/* SPDX-License-Identifier: Apache-2.0 */
/* layer.c: see layer.h. Must never answer "pass" for a layer that was not read to its
 * last byte. */
#include "sbom/found/layer.h"
#include "sbom/found/names.h"
#include "sbom/found/path.h"
#include "sbom/found/table.h"
#include "sbom/found/tar.h"

#include "trust/base/oci.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define WHITEOUT      ".wh."
#define OPAQUE_NAME   ".wh..wh..opq"
#define PROGRESS_STEP (32 * CV_MIB)

/* A name's place in the table, and what stands there. */
#define MARK_DIR     1u
#define MARK_REMOVAL 2u
#define MARK_BITS    2

struct walk {
	const struct cv_layer_job *job;
	struct cv_answers *a;
	struct cv_inflate *z;
	struct cv_tar *tar;
	struct cv_hash *hash;
	struct cv_table_out *table;
	struct cv_names names;
	uint64_t entries, told;
	struct cv_path path, target;
};

static const char *const all_checks[] = {
	"image.layer-malformed", "image.traversal",         "image.device-node",
	"image.duplicate-entry", "image.whiteout-invalid",  "image.bomb",
	"image.diffid-mismatch", "image.unsupported-layer", NULL,
};

static void
free_walk(struct walk *k)
{
	cv_tar_free(&k->tar);
	cv_inflate_free(&k->z);
	cv_hash_free(&k->hash);
	cv_table_close(&k->table);
	cv_names_free(&k->names);
}

/* ---- one entry ---- */

/* flaw: say what is wrong with the present entry; it stays out of the table. */
static int
flaw(struct walk *k, const struct cv_tar_entry *t, const char *check, enum cv_reason reason,
     const char *what, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, reason);

	cv_finding_found(&f, "%s", what);
	cv_finding_where(&f, "layer %llu, %.*s (header at byte %llu)",
			 (unsigned long long)k->job->pos, (int)(t->name.n < 256 ? t->name.n : 256),
			 (const char *)t->name.p, (unsigned long long)t->at);
	return cv_answer(k->a, &f, e);
}

static int
name_flaw(struct walk *k, const struct cv_tar_entry *t, enum cv_path_flaw w, bool link,
	  struct cv_err *e)
{
	char text[128];

	cv_text_fmt(text, sizeof(text), "the %s %s", link ? "target" : "name",
		    cv_path_flaw_text(w));
	if (cv_path_escapes(w))
		return flaw(k, t, link ? "image.link-escape" : "image.traversal", CV_R_RULE, text,
			    e);
	return flaw(k, t, "image.layer-malformed", CV_R_LIMIT, text, e);
}

static enum cv_row_kind
row_kind(uint8_t kind)
{
	switch (kind) {
	case CV_TAR_FILE:
		return CV_ROW_FILE;
	case CV_TAR_HARDLINK:
		return CV_ROW_HARDLINK;
	case CV_TAR_SYMLINK:
		return CV_ROW_SYMLINK;
	case CV_TAR_CHAR:
		return CV_ROW_CHAR;
	case CV_TAR_BLOCK:
		return CV_ROW_BLOCK;
	case CV_TAR_DIR:
		return CV_ROW_DIR;
	default:
		return CV_ROW_FIFO;
	}
}

/* whiteout: turn the row of a ".wh." name into a removal; NULL, or what is wrong. */
static const char *
whiteout(struct walk *k, const struct cv_tar_entry *t, struct cv_row *row)
{
	const char *slash = strrchr(k->path.s, '/');
	size_t at = slash != NULL ? (size_t)(slash - k->path.s) + 1 : 0;
	struct cv_span base = cv_span(k->path.s + at, k->path.n - at);

	if (t->kind != CV_TAR_FILE || t->size > 0)
		return "a whiteout that is not an empty regular file";
	if (cv_span_eq_str(base, OPAQUE_NAME)) {
		row->kind = CV_ROW_OPAQUE;
		row->name.n = at > 0 ? at - 1 : 0;
		return NULL;
	}
	if (cv_span_has_prefix(base, ".wh..wh."))
		return "a name of AUFS's own, which runtimes treat differently";
	(void)cv_span_take(&base, strlen(WHITEOUT));
	if (base.n == 0 || cv_span_eq_str(base, ".") || cv_span_eq_str(base, ".."))
		return "a whiteout of nothing, or of a directory itself";
	row->kind = CV_ROW_WHITEOUT;
	memcpy(k->target.s, k->path.s, at);
	memcpy(k->target.s + at, base.p, base.n);
	row->name = cv_span(k->target.s, at + base.n);
	return NULL;
}

/* A component that begins like a whiteout: 0 none, 1 the last one only, 2 another. */
static int
whiteout_like(const struct cv_path *p)
{
	const char *s = p->s;

	if (strstr(s, WHITEOUT) == NULL)
		return 0;
	for (;;) {
		const char *slash = strchr(s, '/');
		bool is = strncmp(s, WHITEOUT, strlen(WHITEOUT)) == 0;

		if (slash == NULL)
			return is ? 1 : 0;
		if (is)
			return 2;
		s = slash + 1;
	}
}

static int
add_row(struct walk *k, const struct cv_row *row, struct cv_err *e)
{
	uint64_t place = k->entries;
	unsigned mark = row->kind == CV_ROW_DIR                                      ? MARK_DIR
			: row->kind == CV_ROW_WHITEOUT || row->kind == CV_ROW_OPAQUE ? MARK_REMOVAL
										     : 0;

	if (k->table != NULL && cv_table_add(k->table, row, &place, e) < 0)
		return -1;
	/* an emptied directory is no removal of its name */
	if (row->kind == CV_ROW_OPAQUE)
		return 0;
	return cv_names_add(&k->names, row->name, place << MARK_BITS | mark, e);
}

/* judge: the row of an entry, or *ok false with the finding stated. */
static int
judge(struct walk *k, const struct cv_tar_entry *t, struct cv_row *row, bool *ok, struct cv_err *e)
{
	enum cv_path_flaw w = cv_path_parse(&k->path, t->name, CV_PATH_IMAGE);

	*ok = false;
	if (w != CV_PATH_FINE)
		return name_flaw(k, t, w, false, e);
	if (t->kind == CV_TAR_CHAR || t->kind == CV_TAR_BLOCK) {
		char text[80];

		cv_text_fmt(text, sizeof(text), "a %s device %u/%u",
			    t->kind == CV_TAR_CHAR ? "character" : "block", t->major, t->minor);
		return flaw(k, t, "image.device-node", CV_R_RULE, text, e);
	}
	if ((t->attributes & CV_PAX_OVERLAY) != 0)
		return flaw(k, t, "image.whiteout-invalid", CV_R_AMBIGUOUS,
			    "an extended attribute that overlayfs takes for its own", e);
	if (k->path.n == 0 && t->kind != CV_TAR_DIR)
		return flaw(k, t, "image.layer-malformed", CV_R_MALFORMED,
			    "the root itself as something else than a directory", e);
	*row = (struct cv_row){
		.kind = (uint8_t)row_kind(t->kind),
		.flags = (t->attributes & CV_PAX_CAPABILITY) != 0 ? CV_ROW_CAPABILITY : 0,
		.mode = (uint16_t)t->mode,
		.size = t->size,
		.at = t->at,
		.name = cv_span(k->path.s, k->path.n),
		.link = t->link,
	};
	*ok = true;
	return 0;
}

/* judge_links: the part of it about what an entry points to or removes. */
static int
judge_links(struct walk *k, const struct cv_tar_entry *t, struct cv_row *row, bool *ok,
	    struct cv_err *e)
{
	const char *wrong = NULL;
	int like = whiteout_like(&k->path);

	if (like == 2)
		wrong = "a directory with the name of a whiteout";
	else if (like == 1)
		wrong = whiteout(k, t, row);
	if (wrong != NULL) {
		*ok = false;
		return flaw(k, t, "image.whiteout-invalid", CV_R_AMBIGUOUS, wrong, e);
	}
	if (t->kind == CV_TAR_HARDLINK) {
		enum cv_path_flaw w = cv_path_parse(&k->target, t->link, CV_PATH_IMAGE);

		if (w != CV_PATH_FINE) {
			*ok = false;
			return name_flaw(k, t, w, true, e);
		}
		row->link = cv_span(k->target.s, k->target.n);
		if (k->target.n == 0 || whiteout_like(&k->target) != 0) {
			*ok = false;
			return flaw(k, t, "image.link-escape", CV_R_RULE,
				    "a hard link to the root or to a whiteout", e);
		}
	}
	return 0;
}

/* ---- the whole ---- */

static int
tell(struct walk *k, struct cv_err *e)
{
	uint64_t done = cv_inflate_taken(k->z);

	if (k->job->progress == NULL || done - k->told < PROGRESS_STEP)
		return 0;
	k->told = done;
	return k->job->progress(k->job->ctx, done, k->job->blob.len, e);
}

/* entries: `why` is set when the layer itself ends the walk, e when we do. */
static int
entries(struct walk *k, struct cv_err *why, struct cv_err *e)
{
	struct cv_tar_entry t;
	struct cv_row row;
	int rc;

	while ((rc = cv_tar_next(k->tar, &t, why)) == 1) {
		bool ok;

		if (++k->entries > CV_MAX_ENTRIES)
			return cv_fail(why, CV_R_LIMIT, "more than %d entries", CV_MAX_ENTRIES);
		if (judge(k, &t, &row, &ok, e) < 0 ||
		    (ok && judge_links(k, &t, &row, &ok, e) < 0) ||
		    (ok && add_row(k, &row, e) < 0) || tell(k, e) < 0)
			return -1;
	}
	return rc;
}

/* drain: the rest of the stream, so that the diffID is known although the archive in
 * it is broken. */
static int
drain(struct walk *k, struct cv_err *e)
{
	struct cv_span piece;

	do {
		if (cv_inflate_read(k->z, &piece, e) < 0)
			return -1;
	} while (piece.n > 0);
	return 0;
}

static int
twin_finding(struct walk *k, const struct cv_name *a, const struct cv_name *b, struct cv_err *e)
{
	bool removal = ((a->place | b->place) & MARK_REMOVAL) != 0;
	struct cv_finding f = cv_finding_no(
		removal ? "image.whiteout-invalid" : "image.duplicate-entry", CV_R_AMBIGUOUS);
	char name[256] = "";

	if (k->table != NULL)
		cv_table_name(k->table, b->place >> MARK_BITS, name, sizeof(name));
	cv_finding_found(&f, removal ? "the same path removed and named again in one layer"
				     : "the same path twice");
	cv_finding_expected(&f, "each path once");
	cv_finding_where(&f, "layer %llu, %s", (unsigned long long)k->job->pos, name);
	return cv_answer(k->a, &f, e);
}

static int
duplicates(struct walk *k, struct cv_err *e)
{
	size_t from = 0, at, n;

	cv_names_sort(&k->names);
	while ((n = cv_names_group(&k->names, &from, &at)) > 0) {
		const struct cv_name *v = k->names.v + at;
		size_t dirs = 0;

		for (size_t i = 0; i < n; i++)
			dirs += (v[i].place & MARK_DIR) != 0;
		if (dirs == n)
			continue;
		/* show a pair that is one: the first that is no directory, and another */
		size_t odd = 0;
		while (odd < n && (v[odd].place & MARK_DIR) != 0)
			odd++;
		if (twin_finding(k, &v[odd], &v[odd == 0 ? 1 : 0], e) < 0)
			return -1;
	}
	return 0;
}

static int
diff_id(struct walk *k, struct cv_layer *ret, struct cv_err *e)
{
	char want[CV_DIGEST_TEXT], got[CV_DIGEST_TEXT];

	if (cv_hash_end(k->hash, &ret->diff_id, e) < 0)
		return -1;
	if (k->job->diff_id.alg == CV_ALG_NONE || cv_digest_eq(&ret->diff_id, &k->job->diff_id))
		return 0;
	struct cv_finding f = cv_finding_no("image.diffid-mismatch", CV_R_DIGEST);
	cv_finding_expected(&f, "%s", cv_digest_text(&k->job->diff_id, want));
	cv_finding_found(&f, "%s", cv_digest_text(&ret->diff_id, got));
	cv_finding_where(&f, "layer %llu", (unsigned long long)k->job->pos);
	return cv_answer(k->a, &f, e);
}

/* By the media type, as OCI has it. Docker's names say little: schema 2 calls layers
 * "tar.gzip" that skopeo and others leave plain, and all runtimes look at the bytes. */
static int
pack_of(const struct cv_layer_job *job, enum cv_pack *ret, struct cv_err *e)
{
	struct cv_span m = cv_span_str(job->media);

	if (cv_span_has_prefix(m, "application/vnd.docker."))
		return cv_inflate_guess(ret, job->blob, e);
	*ret = cv_span_has_suffix(m, "gzip")   ? CV_PACK_GZIP
	       : cv_span_has_suffix(m, "zstd") ? CV_PACK_ZSTD
					       : CV_PACK_PLAIN;
	return 0;
}

static int
open_walk(struct walk *k, struct cv_err *e)
{
	struct cv_inflate_want want = { .max = CV_MAX_UNPACKED_BYTES };
	enum cv_alg alg = k->job->diff_id.alg != CV_ALG_NONE ? k->job->diff_id.alg : CV_SHA256;

	if (pack_of(k->job, &want.pack, e) < 0 ||
	    cv_inflate_open(&k->z, k->job->blob, &want, e) < 0 ||
	    cv_hash_open(&k->hash, alg, e) < 0)
		return -1;
	cv_inflate_hash(k->z, k->hash);
	if (k->job->out >= 0 && cv_table_create(&k->table, k->job->out, e) < 0)
		return -1;
	return cv_tar_open(&k->tar, k->z, e);
}

/* The layer's own fault, as the finding that says it best. */
static int
fault(struct walk *k, const struct cv_err *why, struct cv_err *e)
{
	const char *check = "image.layer-malformed";
	char where[64];

	if (!cv_answers_about_content(why->reason)) {
		*e = *why;
		return cv_fail_within(e, "layer %llu", (unsigned long long)k->job->pos);
	}
	if (why->reason == CV_R_UNSUPPORTED)
		check = "image.unsupported-layer";
	else if (k->entries > CV_MAX_ENTRIES || (k->z != NULL && cv_inflate_bomb(k->z)))
		check = "image.bomb";
	cv_text_fmt(where, sizeof(where), "layer %llu", (unsigned long long)k->job->pos);
	return cv_answer_err(k->a, check, where, why, e);
}

static int
run(struct walk *k, struct cv_layer *ret, struct cv_err *e)
{
	struct cv_err why = { 0 };

	if (cv_layer_media(k->job->media, &why) < 0)
		return fault(k, &why, e);
	if (open_walk(k, e) < 0)
		return -1;
	if (entries(k, &why, e) < 0) {
		if (why.reason == CV_R_NONE || fault(k, &why, e) < 0)
			return -1;
		/* a broken archive in a sound stream: the digest can still be told */
		if (k->entries <= CV_MAX_ENTRIES && drain(k, NULL) == 0)
			return diff_id(k, ret, e);
		return 0;
	}
	if (duplicates(k, e) < 0 || diff_id(k, ret, e) < 0)
		return -1;
	ret->entries = k->entries;
	ret->unpacked = cv_inflate_made(k->z);
	ret->whole = true;
	if (k->table != NULL && cv_table_finish(k->table, ret->unpacked, e) < 0)
		return -1;
	return cv_answers_pass(k->a, all_checks, e);
}

int
cv_layer_walk(struct cv_layer *ret, const struct cv_layer_job *job, struct cv_answers *a,
	      struct cv_err *e)
{
	struct walk *k = calloc(1, sizeof(*k));
	int rc;

	*ret = (struct cv_layer){ 0 };
	if (k == NULL)
		return cv_fail_memory(e);
	k->job = job;
	k->a = a;
	k->names = CV_NAMES(CV_MAX_ENTRIES);
	rc = run(k, ret, e);
	free_walk(k);
	free(k);
	return rc;
}
