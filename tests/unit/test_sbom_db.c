/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_db.c: advisories compiled into an index, and read back. */
#include "sbom/known/db.h"
#include "sbom/known/dbwrite.h"
#include "sbom/known/sql.h"
#include "sbom/known/tasks.h"
#include "tests/support/ask.h"
#include "tests/support/t.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1790000000

/* ---- asking the worker ---- */

static struct cv_blob
blob_of(int fd)
{
	struct stat st;

	T(fstat(fd, &st) == 0);
	return (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size };
}

static struct ask *
start_import(int *out)
{
	struct ask *a = ask_open(&cv_task_dbimport, cv_sql_warm);
	struct cv_out *o = ask_frame(a, CV_K_TASK);

	*out = t_memfd("", 0);
	cv_out_u64(o, CV_TAG_TASK, CV_T_DBIMPORT);
	cv_out_u64(o, CV_TAG_NOW, NOW);
	cv_out_str(o, CV_TAG_NAME, "test");
	cv_out_fd(o, CV_TAG_OUT, *out);
	ask_send(a);
	return a;
}

static void
add(struct ask *a, const char *name, struct cv_blob blob)
{
	struct cv_out *o = ask_frame(a, CV_K_ITEM);

	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_ADVISORIES);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_blob(o, CV_TAG_BLOB, blob);
	ask_send(a);
}

static void
add_bytes(struct ask *a, const char *name, struct cv_span bytes)
{
	int fd = t_memfd(bytes.p, bytes.n);

	add(a, name, (struct cv_blob){ .fd = fd, .len = bytes.n });
	(void)close(fd);
}

/* import_one: one file; the index in *out, or the reason why there is none */
static enum cv_reason
import_one(const char *name, struct cv_span bytes, int *out, struct ask **ret)
{
	struct ask *a = start_import(out);
	enum cv_reason r;

	add_bytes(a, name, bytes);
	ask_run(a);
	r = a->done ? CV_R_NONE : a->e.reason;
	if (ret != NULL)
		*ret = a;
	else
		ask_close(&a);
	return r;
}

/* ---- advisories ---- */

#define GO(id, name, fixed)                                                                        \
	"{\"id\":\"" id "\",\"modified\":\"2026-01-02T00:00:00Z\",\"summary\":\"about " name "\"," \
	"\"affected\":[{\"package\":{\"ecosystem\":\"Go\",\"name\":\"" name "\"},"                 \
	"\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"" fixed  \
	"\"}]}]}]}"

/* pack: one regular member, with libarchive's writer */
static struct cv_span
pack(struct cv_buf *b, const char *kind, const char *filter, const char *member, const char *text)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	size_t used = 0, cap = 1 << 16;

	*b = CV_BUF(cap);
	T(archive_write_set_format_by_name(a, kind) == ARCHIVE_OK);
	if (filter != NULL)
		T(archive_write_add_filter_by_name(a, filter) == ARCHIVE_OK);
	T(cv_buf_extend(b, cap) != NULL);
	T(archive_write_open_memory(a, b->p, cap, &used) == ARCHIVE_OK);
	archive_entry_set_pathname(e, member);
	archive_entry_set_size(e, (la_int64_t)strlen(text));
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	T(archive_write_header(a, e) == ARCHIVE_OK);
	T(archive_write_data(a, text, strlen(text)) == (la_ssize_t)strlen(text));
	T(archive_write_close(a) == ARCHIVE_OK);
	archive_entry_free(e);
	(void)archive_write_free(a);
	b->n = used;
	return cv_buf_span(b);
}

static void
containers(void)
{
	static const struct {
		const char *kind, *filter, *name, *member;
	} t[] = {
		{ "zip", NULL, "a.zip", "GO-1.json" },
		{ "ustar", NULL, "a.tar", "x/GO-1.json" },
		{ "ustar", "gzip", "a.tar.gz", "GO-1.json" },
		{ "ustar", "gzip", "a.tgz", "GO-1.json" },
		{ "ustar", "zstd", "a.tar.zst", "GO-1.json" },
		{ "ustar", "xz", "a.tar.xz", "GO-1.json" },
		{ "raw", NULL, "GO-1.json", "x" },
		{ "raw", "gzip", "GO-1.json.gz", "x" },
		{ "raw", "zstd", "all.jsonl.zst", "x" },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_buf b;
		struct ask *a;
		struct cv_span s = pack(&b, t[i].kind, t[i].filter, t[i].member,
					GO("GO-1", "example.com/m", "1.2.3"));
		int out;

		if (import_one(t[i].name, s, &out, &a) != CV_R_NONE)
			t_fail(__FILE__, __LINE__, "%s: %s", t[i].name, a->e.text);
		T_INT(ask_count(a, "records"), 1);
		T_INT(ask_count(a, "bytes"), blob_of(out).len);
		ask_close(&a);
		(void)close(out);
		/* cut in the middle: never a smaller index */
		if (strcmp(t[i].kind, "raw") != 0 || t[i].filter != NULL) {
			if (import_one(t[i].name, cv_span(s.p, s.n * 2 / 5), &out, NULL) ==
			    CV_R_NONE)
				t_fail(__FILE__, __LINE__, "%s: cut short and taken", t[i].name);
			(void)close(out);
		}
		cv_buf_free(&b);
	}
}

static void
refused(void)
{
	static const struct {
		const char *name, *text;
		enum cv_reason reason;
	} t[] = {
		{ "a.json", "", CV_R_MALFORMED },
		{ "a.json", "{}", CV_R_MALFORMED },
		{ "a.json", "[]", CV_R_MALFORMED },
		{ "a.jsonl", "\n\n", CV_R_MALFORMED },
		{ "a.txt", GO("GO-1", "m", "1.0.0"), CV_R_UNSUPPORTED },
		{ "a.zip", "not a zip", CV_R_MALFORMED },
		{ "a.tar", "not a tar", CV_R_MALFORMED },
		{ "a.json.gz", "not gzip", CV_R_MALFORMED },
		{ "a.json", "{\"id\":\"a\",\"id\":\"b\"}", CV_R_MALFORMED },
	};
	int out;

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		enum cv_reason r = import_one(t[i].name, cv_span_str(t[i].text), &out, NULL);

		if (r != t[i].reason)
			t_fail(__FILE__, __LINE__, "%s %s: %s", t[i].name, t[i].text,
			       cv_reason_word(r));
		T_INT(blob_of(out).len, 0);
		(void)close(out);
	}
}

static void
counts(void)
{
	static const char lines[] =
		GO("GO-1", "a",
		   "1.0.0") "\n"
			    "nonsense\n" GO("GO-1", "a",
					    "1.1.0") "\n" /* the same id, no newer */
						     "{\"id\":\"GO-2\",\"withdrawn\":\"2026-01-"
						     "01T00:00:00Z\"}\n"
						     "{\"id\":\"X-1\",\"affected\":[{\"package\":{"
						     "\"ecosystem\":\"crates.io\","
						     "\"name\":\"c\"},\"versions\":[\"1\"]}]}\n";
	struct ask *a;
	int out;

	T_INT(import_one("a.jsonl", cv_span_str(lines), &out, &a), CV_R_NONE);
	T_INT(ask_count(a, "records"), 3);
	T_INT(ask_count(a, "rejected"), 1);
	T_INT(ask_count(a, "duplicates"), 1);
	T_INT(ask_count(a, "withdrawn"), 1);
	T_INT(ask_count(a, "packages"), 1);
	ask_close(&a);
	a = ask_open(&cv_task_dbstatus, cv_sql_warm);
	struct cv_out *o = ask_frame(a, CV_K_TASK);
	cv_out_u64(o, CV_TAG_TASK, CV_T_DBSTATUS);
	cv_out_blob(o, CV_TAG_BLOB, blob_of(out));
	ask_send(a);
	ask_run(a);
	T(a->done);
	T_INT(ask_count(a, "built"), NOW);
	T_INT(ask_count(a, "records"), 3);
	T_INT(ask_count(a, "covered:Go"), 1);
	T_INT(ask_count(a, "unmatched:crates.io"), 1);
	ask_close(&a);
	(void)close(out);
}

/* ---- reading ---- */

static int
count_rule(void *ctx, const struct cv_db_rule *rule, struct cv_err *e)
{
	(void)rule;
	(void)e;
	++*(unsigned *)ctx;
	return 0;
}

/* Every bit of an index flipped in turn, without the checksum's help: never a crash,
 * and "no such package" only where the package's name itself was hit. */
static void
damage(void)
{
	struct cv_err e = { 0 };
	struct cv_buf b = CV_BUF(1 << 20);
	struct cv_db *db = NULL;
	unsigned seen, lost = 0;
	bool known;
	int out;

	T_INT(import_one("a.json", cv_span_str(GO("GO-1", "example.com/m", "1.2.3")), &out, NULL),
	      CV_R_NONE);
	T_OK(cv_buf_pread(&b, out, 0, blob_of(out).len, "index", &e), e);
	for (size_t i = 0; i < b.n; i += 7) {
		int fd;

		b.p[i] ^= (uint8_t)(1u << i % 8);
		fd = t_memfd(b.p, b.n);
		T(cv_db_open(&db, blob_of(fd), false, &e) != 0);
		T(e.reason == CV_R_MALFORMED);
		if (cv_db_open(&db, blob_of(fd), true, &e) == 0) {
			seen = 0;
			if (cv_db_lookup(db, CV_ECO_GO, "example.com/m", &known, count_rule, &seen,
					 &e) == 0)
				lost += seen == 0;
			cv_db_close(&db);
		}
		(void)close(fd);
		b.p[i] ^= (uint8_t)(1u << i % 8);
	}
	T(lost < 20);
	for (size_t n = 0; n < b.n; n += 997) {
		int fd = t_memfd(b.p, n);

		T(cv_db_open(&db, blob_of(fd), true, &e) != 0);
		(void)close(fd);
	}
	cv_buf_free(&b);
	(void)close(out);
}

/* ---- the real thing ---- */

static void
real_data(void)
{
	const char *shared = getenv("CV_SHARED");
	char path[512];
	struct cv_err e = { 0 };
	struct cv_db *db = NULL;
	struct ask *a;
	unsigned seen = 0;
	bool known;
	int fd, out;

	(void)snprintf(path, sizeof path, "%s/data/osv-go.tar.zst",
		       shared != NULL ? shared : "../shared");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		t_skip("no %s", path);
	a = start_import(&out);
	add(a, "osv-go.tar.zst", blob_of(fd));
	ask_run(a);
	T(a->done);
	T_INT(ask_count(a, "records"), 4277);
	T_INT(ask_count(a, "rejected"), 0);
	T_INT(ask_count(a, "duplicates"), 0);
	printf("# osv-go: %llu records, %llu withdrawn, %llu packages, %llu rules, %llu bytes\n",
	       (unsigned long long)ask_count(a, "records"),
	       (unsigned long long)ask_count(a, "withdrawn"),
	       (unsigned long long)ask_count(a, "packages"),
	       (unsigned long long)ask_count(a, "rules"),
	       (unsigned long long)ask_count(a, "bytes"));
	ask_close(&a);
	T_OK(cv_db_open(&db, blob_of(out), false, &e), e);
	T_OK(cv_db_lookup(db, CV_ECO_GO, "golang.org/x/net", &known, count_rule, &seen, &e), e);
	T(known && seen > 5);
	T_INT(cv_db_covers(db, CV_ECO_GO, "", &e), 1);
	T_INT(cv_db_covers(db, CV_ECO_NPM, "", &e), 0);
	cv_db_close(&db);
	(void)close(out);
	(void)close(fd);
}

static const struct t_case cases[] = {
	{ "refused", refused }, { "containers", containers }, { "counts", counts },
	{ "damage", damage },   { "real_data", real_data },
};

T_MAIN(cases)
