/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_match.c: SBOMs bound and matched through the task, as verify asks. */
#include "sbom/known/dbwrite.h"
#include "sbom/known/match.h"
#include "sbom/known/sql.h"
#include "sbom/known/tasks.h"
#include "tests/support/ask.h"
#include "tests/support/t.h"
#include "trust/base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW   1790000000
#define DAY   86400
#define HEX   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* ---- an index ---- */

#define ADV(id, aliases, severity, eco, name, ranges)                                              \
	"{\"id\":\"" id "\",\"modified\":\"2026-01-02T00:00:00Z\",\"aliases\":[" aliases "],"      \
	"\"summary\":\"about " name "\",\"database_specific\":{\"severity\":\"" severity "\"},"    \
	"\"affected\":[{\"package\":{\"ecosystem\":\"" eco "\",\"name\":\"" name "\"},"            \
	"\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" ranges "]}]}]}"
#define FIXED(v) "{\"introduced\":\"0\"},{\"fixed\":\"" v "\"}"

static const char *const advisories[] = {
	ADV("GO-1", "\"CVE-2026-1\",\"GHSA-1\"", "", "Go", "example.com/m", FIXED("1.2.0")),
	ADV("GHSA-1", "\"CVE-2026-1\"", "HIGH", "Go", "example.com/m", FIXED("1.2.0")),
	ADV("GO-2", "", "", "Go", "stdlib", FIXED("1.22.3")),
	ADV("GHSA-2", "", "LOW", "npm", "@scope/left-pad",
	    "{\"introduced\":\"2.0.0\"},{\"last_affected\":\"2.5.0\"}"),
	ADV("MAL-1", "", "", "npm", "evil", "{\"introduced\":\"0\"}"),
	ADV("PYSEC-1", "", "MODERATE", "PyPI", "My.Package", FIXED("2.0rc1")),
	ADV("DSA-1", "", "", "Debian:12", "openssl", FIXED("3.0.11-1~deb12u2")),
	ADV("DSA-2", "", "", "Debian:11", "openssl", FIXED("9.9")),
	"{\"id\":\"GIT-1\",\"modified\":\"2026-01-02T00:00:00Z\",\"affected\":[{\"package\":"
	"{\"ecosystem\":\"Go\",\"name\":\"example.com/git\"},\"ranges\":[{\"type\":\"GIT\","
	"\"events\":[{\"introduced\":\"0\"}]}]}]}",
};

static int
make_index(int64_t built)
{
	struct cv_dbw *w = NULL;
	struct cv_err e = { 0 };
	int fd = t_memfd("", 0);

	cv_sql_warm();
	T_OK(cv_dbw_open(&w, built, "test", &e), e);
	for (size_t i = 0; i < CV_COUNT(advisories); i++)
		T_OK(cv_dbw_record(w, cv_span_str(advisories[i]), "test", NULL, &e), e);
	T_INT(cv_dbw_counts(w)->rejected, 0);
	T_OK(cv_dbw_finish(w, fd, &e), e);
	cv_dbw_free(&w);
	return fd;
}

/* ---- asking ---- */

static struct cv_blob
blob_of(int fd)
{
	struct stat st;

	T(fstat(fd, &st) == 0);
	return (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size };
}

struct want {
	const char *media;
	int index;    /* descriptor, -1 none */
	uint64_t max; /* age */
	bool no_subject;
};

static struct ask *
ask_about(struct cv_span document, const struct want *w)
{
	struct ask *a = ask_open(&cv_task_sbom, cv_sql_warm);
	struct cv_out *o = ask_frame(a, CV_K_TASK);
	struct cv_digest d;
	struct cv_err e = { 0 };
	int fd = t_memfd(document.p, document.n);

	cv_out_u64(o, CV_TAG_TASK, CV_T_SBOM);
	cv_out_str(o, CV_TAG_NAME, "image");
	cv_out_str(o, CV_TAG_MEDIA, w->media != NULL ? w->media : "");
	cv_out_u64(o, CV_TAG_NOW, NOW);
	cv_out_u64(o, CV_TAG_MAX, w->max);
	cv_out_blob(o, CV_TAG_BLOB, blob_of(fd));
	ask_send(a);
	(void)close(fd);
	if (!w->no_subject) {
		T_OK(cv_digest_parse(&d, cv_span_str("sha256:" HEX), &e), e);
		o = ask_frame(a, CV_K_ITEM);
		cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_SUBJECT);
		cv_out_digest(o, CV_TAG_DIGEST, &d);
		ask_send(a);
	}
	if (w->index >= 0) {
		o = ask_frame(a, CV_K_ITEM);
		cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_DB);
		cv_out_blob(o, CV_TAG_BLOB, blob_of(w->index));
		ask_send(a);
	}
	ask_run(a);
	if (!a->done)
		t_fail(__FILE__, __LINE__, "ERROR: %s", a->e.text);
	return a;
}

static const struct ask_fact *
fact(const struct ask *a, uint64_t kind)
{
	for (size_t i = 0; i < a->nfacts; i++)
		if (a->fact[i].fact == kind)
			return &a->fact[i];
	return NULL;
}

#define CDX(root, components)                                                                      \
	"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"metadata\":{\"component\":{"       \
	"\"type\":\"container\",\"name\":\"i\",\"version\":\"" root                                \
	"\"}},\"components\":[" components "]}"
#define COMP(name, version, purl)                                                                  \
	"{\"type\":\"library\",\"name\":\"" name "\",\"version\":\"" version "\",\"purl\":\"" purl \
	"\"}"

/* ---- each component by itself ---- */

enum answer { CLEAN, HIT, GAP };

static void
components(void)
{
	static const struct {
		const char *purl;
		enum answer want;
		const char *text; /* the advisory, or part of the gap's words */
	} t[] = {
		/* versions */
		{ "pkg:golang/example.com/m@v1.1.9", HIT, "GO-1" },
		{ "pkg:golang/example.com/m@v1.2.0-rc.1", HIT, "GO-1" },
		{ "pkg:golang/example.com/m@v1.2.0", CLEAN, NULL },
		{ "pkg:golang/Example.com/M@v1.0.0", HIT, "GO-1" },
		{ "pkg:golang/stdlib@1.22.2", HIT, "GO-2" },
		{ "pkg:golang/std@go1.22.2", HIT, "GO-2" },
		{ "pkg:golang/stdlib@go1.22.3", CLEAN, NULL },
		{ "pkg:npm/%40scope/left-pad@2.5.0", HIT, "GHSA-2" },
		{ "pkg:npm/%40scope/left-pad@2.5.1", CLEAN, NULL },
		{ "pkg:npm/%40scope/left-pad@1.9.9", CLEAN, NULL },
		{ "pkg:npm/left-pad@2.0.0", CLEAN, NULL },
		{ "pkg:npm/evil@0.0.1", HIT, "MAL-1" },
		{ "pkg:pypi/my_package@2.0b1", HIT, "PYSEC-1" },
		{ "pkg:pypi/MY-package@2.0", CLEAN, NULL },
		/* Debian: the source, and the release */
		{ "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?upstream=openssl&distro=debian-12", HIT,
		  "DSA-1" },
		{ "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?upstream=openssl&distro=debian-12.5",
		  CLEAN, NULL },
		{ "pkg:deb/debian/x@1?upstream=openssl%403.0.9-1&distro=debian-bookworm", HIT,
		  "DSA-1" },
		{ "pkg:deb/debian/openssl@3.0.9-1?distro=debian-12&epoch=1", CLEAN, NULL },
		{ "pkg:deb/debian/openssl@3.0.9-1?distro=debian-12", HIT, "DSA-1" },
		/* gaps */
		{ "pkg:golang/example.com/m", GAP, "without a version" },
		{ "pkg:golang/example.com/m@(devel)", GAP, "without a version" },
		{ "pkg:golang/example.com/unknown@(devel)", CLEAN, NULL },
		{ "pkg:golang/example.com/git@v1.0.0", GAP, "cannot be compared" },
		{ "pkg:cargo/serde@1.0.0", GAP, "of a kind that is not matched (cargo)" },
		{ "pkg:deb/ubuntu/openssl@1?distro=ubuntu-22.04", GAP, "(deb/ubuntu)" },
		{ "pkg:deb/debian/openssl@3.0.9-1", GAP, "release is not said" },
		{ "pkg:deb/debian/openssl@1?distro=debian-10", GAP, "(Debian 10)" },
		{ "pkg:deb/debian/libssl3@3.0.9-1?distro=debian-12", GAP, "source package" },
		{ "pkg:generic/x", GAP, "(generic)" },
		{ "pkg:npm", GAP, "breaks its format" },
		{ "http://example.com", GAP, "breaks its format" },
		{ "", GAP, "without a package URL" },
	};
	struct want w = { .index = make_index(NOW) };
	char doc[2048];

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct ask *a;
		const struct ask_fact *s, *v;

		(void)snprintf(doc, sizeof doc, CDX("1", COMP("x", "", "%s")), t[i].purl);
		a = ask_about(cv_span_str(doc), &w);
		s = fact(a, CV_F_SBOM);
		v = fact(a, CV_F_VULN);
		T(s != NULL);
		if ((v != NULL) != (t[i].want == HIT) || s->count != 1 ||
		    s->value != (t[i].want != GAP) || s->size != (t[i].want == GAP))
			t_fail(__FILE__, __LINE__, "%s: %llu of %llu covered, %llu not; %s",
			       t[i].purl, (unsigned long long)s->value,
			       (unsigned long long)s->count, (unsigned long long)s->size,
			       v != NULL ? v->ref : "no hit");
		if (t[i].want == HIT) {
			T_STR(v->ref, t[i].text);
			T_INT(ask_has(a, "vuln.known")->reason, CV_R_RULE);
			T(ask_passed(a, "vuln.no-coverage"));
		} else if (t[i].want == CLEAN) {
			T(ask_passed(a, "vuln.known"));
			T(ask_passed(a, "vuln.no-coverage"));
		} else {
			T_INT(ask_has(a, "vuln.no-coverage")->reason, CV_R_NO_COVERAGE);
			T_HAS(ask_has(a, "vuln.no-coverage")->found, t[i].text);
			/* the only component: nothing was matched, nothing is clean */
			T_INT(ask_has(a, "vuln.known")->reason, CV_R_NO_COVERAGE);
		}
		ask_close(&a);
	}
	(void)close(w.index);
}

/* ---- the whole document ---- */

static void
aliases_are_one(void)
{
	static const char doc[] =
		CDX("sha256:" HEX,
		    COMP("m", "1.0.0", "pkg:golang/example.com/m@v1.0.0") "," COMP(
			    "m", "1.0.0",
			    "pkg:golang/example.com/m@v1.0.0") "," COMP("n", "1.0.0",
									"pkg:npm/evil@1.0.0"));
	struct want w = { .index = make_index(NOW) };
	struct ask *a = ask_about(cv_span_str(doc), &w);

	T_INT(ask_no(a, "vuln.known"), 2);
	T_INT(a->fact[0].fact, CV_F_VULN);
	T_STR(a->fact[0].ref, "MAL-1"); /* worst first */
	T_STR(a->fact[0].text, "MALICIOUS");
	T_STR(a->fact[1].name, "pkg:golang/example.com/m@v1.0.0");
	T_STR(a->fact[1].text, "HIGH"); /* what the alias knew */
	T_STR(a->fact[1].version, "1.2.0");
	T_HAS(a->fact[1].note, "CVE-2026-1");
	T_STR(a->fact[2].media, "CycloneDX 1.5");
	T_INT(a->fact[2].count, 3);
	T_INT(a->fact[2].value, 3);
	T(ask_passed(a, "sbom.malformed"));
	T(ask_passed(a, "sbom.unsupported"));
	T(ask_passed(a, "sbom.subject-mismatch"));
	T(ask_passed(a, "vuln.index-absent"));
	T(ask_passed(a, "vuln.index-stale"));
	ask_close(&a);
	(void)close(w.index);
}

static void
no_index(void)
{
	static const char doc[] = CDX("1", COMP("m", "1", "pkg:npm/x@1.0.0"));
	struct want w = { .index = -1 };
	struct ask *a = ask_about(cv_span_str(doc), &w);

	T_INT(ask_has(a, "vuln.index-absent")->reason, CV_R_NO_COVERAGE);
	T_INT(ask_has(a, "vuln.known")->reason, CV_R_NO_COVERAGE);
	T_INT(ask_has(a, "vuln.no-coverage")->reason, CV_R_NO_COVERAGE);
	T(ask_has(a, "vuln.index-stale")->not_applicable);
	T(ask_passed(a, "sbom.malformed"));
	ask_close(&a);
	/* not an index: the same, and why */
	w.index = t_memfd(doc, sizeof doc - 1);
	a = ask_about(cv_span_str(doc), &w);
	T_INT(ask_has(a, "vuln.index-absent")->reason, CV_R_MALFORMED);
	T_INT(ask_has(a, "vuln.known")->reason, CV_R_NO_COVERAGE);
	ask_close(&a);
	(void)close(w.index);
}

static void
nothing_inside(void)
{
	static const char *const docs[] = {
		CDX("1", ""),
		CDX("1", "{\"type\":\"operating-system\",\"name\":\"debian\",\"version\":\"12\"},"
			 "{\"type\":\"file\",\"name\":\"/bin/x\"}"),
	};
	struct want w = { .index = make_index(NOW) };

	for (size_t i = 0; i < CV_COUNT(docs); i++) {
		struct ask *a = ask_about(cv_span_str(docs[i]), &w);

		T_INT(fact(a, CV_F_SBOM)->count, 0);
		T_INT(ask_has(a, "vuln.no-coverage")->reason, CV_R_NO_COVERAGE);
		T_INT(ask_has(a, "vuln.known")->reason, CV_R_NO_COVERAGE);
		ask_close(&a);
	}
	(void)close(w.index);
}

static void
context_with_a_purl_counts(void)
{
	static const char doc[] = CDX("1", "{\"type\":\"file\",\"name\":\"f\",\"purl\":"
					   "\"pkg:npm/evil@1.0.0\"}");
	struct want w = { .index = make_index(NOW) };
	struct ask *a = ask_about(cv_span_str(doc), &w);

	T_INT(ask_no(a, "vuln.known"), 1);
	ask_close(&a);
	(void)close(w.index);
}

static void
age(void)
{
	static const struct {
		int64_t built;
		uint64_t max;
		enum cv_reason want;
	} t[] = {
		{ NOW - 6 * DAY, 5 * DAY, CV_R_STALE }, { NOW - 5 * DAY - 1, 5 * DAY, CV_R_STALE },
		{ NOW + 2 * DAY, 5 * DAY, CV_R_STALE }, { NOW + 2 * DAY, 0, CV_R_STALE },
		{ NOW - 5 * DAY, 5 * DAY, CV_R_NONE },  { NOW - 5000 * (int64_t)DAY, 0, CV_R_NONE },
	};
	static const char doc[] = CDX("1", COMP("m", "1", "pkg:npm/evil@1.0.0"));

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct want w = { .index = make_index(t[i].built), .max = t[i].max };
		struct ask *a = ask_about(cv_span_str(doc), &w);

		T_INT(ask_has(a, "vuln.index-stale")->reason, t[i].want);
		T_INT(ask_no(a, "vuln.known"), 1); /* old knowledge is knowledge */
		ask_close(&a);
		(void)close(w.index);
	}
}

static void
subject(void)
{
	static const struct {
		const char *doc;
		enum cv_reason want;
	} t[] = {
		{ CDX("sha256:" OTHER, ""), CV_R_DIGEST },
		{ CDX("sha256:" HEX, ""), CV_R_NONE },
		{ CDX("latest", ""), CV_R_NONE },
		{ "{\"spdxVersion\":\"SPDX-2.3\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"name\":"
		  "\"i@sha256:" OTHER "\",\"packages\":[]}",
		  CV_R_DIGEST },
		{ "{\"spdxVersion\":\"SPDX-2.3\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"name\":"
		  "\"i@sha256:" HEX "\",\"packages\":[]}",
		  CV_R_NONE },
	};
	struct want w = { .index = -1 };

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct ask *a = ask_about(cv_span_str(t[i].doc), &w);

		T_INT(ask_has(a, "sbom.subject-mismatch")->reason, t[i].want);
		ask_close(&a);
	}
	w.no_subject = true;
	struct ask *a = ask_about(cv_span_str(t[1].doc), &w);
	T_INT(ask_has(a, "sbom.subject-mismatch")->reason, CV_R_UNDECIDED);
	ask_close(&a);
}

static void
documents(void)
{
	static const struct {
		const char *doc, *media, *check;
		enum cv_reason want;
	} t[] = {
		{ "", NULL, "sbom.malformed", CV_R_MALFORMED },
		{ "{}", NULL, "sbom.malformed", CV_R_MALFORMED },
		{ "{\"bomFormat\":\"CycloneDX\"", NULL, "sbom.malformed", CV_R_MALFORMED },
		{ "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[],"
		  "\"components\":[]}",
		  NULL, "sbom.malformed", CV_R_AMBIGUOUS },
		{ "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"9.0\"}", NULL, "sbom.unsupported",
		  CV_R_UNSUPPORTED },
		{ "{\"@context\":\"x\",\"@graph\":[]}", NULL, "sbom.unsupported",
		  CV_R_UNSUPPORTED },
		{ "<?xml version=\"1.0\"?>", NULL, "sbom.unsupported", CV_R_UNSUPPORTED },
		{ CDX("1", ""), "https://spdx.dev/Document/v2.3", "sbom.malformed",
		  CV_R_AMBIGUOUS },
		{ CDX("1", ""), "https://cyclonedx.org/bom/v1.5", "sbom.malformed", CV_R_NONE },
		{ "{\"Data\":" CDX("1", "") ",\"Timestamp\":\"x\"}", "https://cyclonedx.org/bom",
		  "sbom.malformed", CV_R_NONE },
	};
	struct want w = { .index = -1 };

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct ask *a;
		const struct ask_finding *f;

		w.media = t[i].media;
		a = ask_about(cv_span_str(t[i].doc), &w);
		f = ask_has(a, t[i].check);
		if (f == NULL || f->reason != t[i].want)
			t_fail(__FILE__, __LINE__, "%s: %s", t[i].doc,
			       f == NULL ? "no finding" : cv_reason_word(f->reason));
		if (t[i].want != CV_R_NONE) {
			T_INT(a->nfindings, 1); /* nothing else is called good */
			T(fact(a, CV_F_SBOM) == NULL);
		}
		ask_close(&a);
	}
}

static void
findings_are_bounded(void)
{
	struct want w = { .index = make_index(NOW) };
	struct cv_buf b = CV_BUF(1 << 20);
	struct ask *a;

	cv_buf_str(&b, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[");
	for (unsigned i = 0; i < 300; i++)
		cv_buf_fmt(&b, "%s" COMP("e", "1", "pkg:npm/evil@1.0.%u"), i > 0 ? "," : "", i);
	cv_buf_str(&b, "]}");
	a = ask_about(cv_buf_span(&b), &w);
	T_INT(ask_no(a, "vuln.known"), CV_MAX_VULN_FINDINGS);
	T_INT(a->nfacts, 301);
	bool said = false;
	for (size_t i = 0; i < a->nfindings; i++)
		said = said || strstr(a->finding[i].note, "and 250 more") != NULL;
	T(said);
	ask_close(&a);
	cv_buf_free(&b);
	(void)close(w.index);
}

/* ---- speed: 10,000 components, real advisories ---- */

static int
import_real(struct cv_dbw **w)
{
	const char *shared = getenv("CV_SHARED");
	char path[512];
	struct cv_err e = { 0 };
	int fd, out = t_memfd("", 0);

	(void)snprintf(path, sizeof path, "%s/data/osv-go.tar.zst",
		       shared != NULL ? shared : "../shared");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		t_skip("no %s", path);
	T_OK(cv_dbw_open(w, NOW, "go", &e), e);
	T_OK(cv_dbw_import(*w, blob_of(fd), "osv-go.tar.zst", &e), e);
	T_OK(cv_dbw_finish(*w, out, &e), e);
	(void)close(fd);
	return out;
}

/* names: every package of the index, by SQLite */
static size_t
names(int index, char (*out)[256], size_t max)
{
	struct cv_blob blob = blob_of(index);
	struct cv_buf b = CV_BUF(64 << 20);
	struct cv_err e = { 0 };
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;

	T_OK(cv_buf_pread(&b, index, 0, blob.len, "index", &e), e);
	T(sqlite3_open(":memory:", &db) == SQLITE_OK);
	T(sqlite3_deserialize(db, "main", b.p, (sqlite3_int64)b.n - CV_DB_TRAILER,
			      (sqlite3_int64)b.n - CV_DB_TRAILER,
			      SQLITE_DESERIALIZE_READONLY) == SQLITE_OK);
	T(sqlite3_prepare_v2(db, "SELECT name FROM pkg", -1, &st, NULL) == SQLITE_OK);
	while (n < max && sqlite3_step(st) == SQLITE_ROW)
		(void)snprintf(out[n++], sizeof out[0], "%s",
			       (const char *)sqlite3_column_text(st, 0));
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	cv_buf_free(&b);
	return n;
}

static void
match_and_tell(const char *what, int index, struct cv_span document, uint64_t hits)
{
	struct cv_sbom *sbom = NULL;
	struct cv_db *db = NULL;
	struct cv_match m;
	struct cv_err e = { 0 };
	int64_t t1 = cv_mono_ms(), t2, t3;

	T_OK(cv_sbom_read_span(&sbom, document, "big", &e), e);
	T_OK(cv_db_open(&db, blob_of(index), false, &e), e);
	t2 = cv_mono_ms();
	T_OK(cv_match(&m, sbom, db, &e), e);
	t3 = cv_mono_ms();
	T_INT(m.counted, 10000);
	T_INT(m.covered, 10000);
	T(m.n >= hits);
	printf("# 10,000 components, %s: read %lld ms, matched %lld ms, %zu hits\n", what,
	       (long long)(t2 - t1), (long long)(t3 - t2), m.n);
	cv_match_free(&m);
	cv_db_close(&db);
	cv_sbom_free(&sbom);
}

#define OPEN "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":["

static void
ten_thousand(void)
{
	static const char *const bad[] = { "golang.org/x/net", "golang.org/x/crypto",
					   "github.com/gin-gonic/gin", "stdlib",
					   "github.com/nobody/nothing" };
	static char name[1500][256];
	struct cv_buf b = CV_BUF(16 << 20);
	struct cv_dbw *w = NULL;
	int64_t t0 = cv_mono_ms();
	int index = import_real(&w);
	size_t n = names(index, name, CV_COUNT(name));

	T_INT(n, cv_dbw_counts(w)->packages);
	printf("# import of %llu advisories %lld ms, index %llu bytes\n",
	       (unsigned long long)cv_dbw_counts(w)->records, (long long)(cv_mono_ms() - t0),
	       (unsigned long long)cv_dbw_counts(w)->bytes);
	cv_buf_str(&b, OPEN);
	for (unsigned i = 0; i < 10000; i++)
		cv_buf_fmt(&b, "%s" COMP("c", "1", "pkg:golang/%s%s@v%u.9.0"), i > 0 ? "," : "",
			   name[i % n], i % 3 == 0 ? "" : "/sub", 1 + i % 5);
	cv_buf_str(&b, "]}");
	match_and_tell("names of all advisories", index, cv_buf_span(&b), 500);
	cv_buf_reset(&b);
	cv_buf_str(&b, OPEN);
	for (unsigned i = 0; i < 10000; i++)
		cv_buf_fmt(&b, "%s" COMP("c", "1", "pkg:golang/%s@v0.%u.%u"), i > 0 ? "," : "",
			   bad[i % 5], i % 40, i / 40);
	cv_buf_str(&b, "]}");
	match_and_tell("the worst ones, old", index, cv_buf_span(&b), 50000);
	cv_dbw_free(&w);
	cv_buf_free(&b);
	(void)close(index);
}

static const struct t_case cases[] = {
	{ "components", components },
	{ "aliases_are_one", aliases_are_one },
	{ "no_index", no_index },
	{ "nothing_inside", nothing_inside },
	{ "context_with_a_purl_counts", context_with_a_purl_counts },
	{ "age", age },
	{ "subject", subject },
	{ "documents", documents },
	{ "findings_are_bounded", findings_are_bounded },
	{ "ten_thousand", ten_thousand },
};

T_MAIN(cases)
