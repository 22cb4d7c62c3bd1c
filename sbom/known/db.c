/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c: an advisory index as it lies in a descriptor. Never opens a path, never
 * writes, never reads "damaged" as "nothing known".
 */
#include "db.h"

#include "sql.h"

#include "trust/base/digest.h"
#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trust/base/banned.h"

enum { ST_META, ST_COVERS, ST_COVERS_ANY, ST_ECO, ST_PKG, ST_AFF, ST_VULN, ST_COUNT };

static const char *const sql[ST_COUNT] = {
	[ST_META] = "SELECT value FROM meta WHERE key=?1",
	[ST_COVERS] = "SELECT rows FROM rel WHERE eco=?1 AND release=?2",
	[ST_COVERS_ANY] = "SELECT rows FROM rel WHERE eco=?1 LIMIT 1",
	[ST_ECO] = "SELECT name,covered,records,newest FROM eco ORDER BY name",
	[ST_PKG] = "SELECT id FROM pkg WHERE eco=?1 AND name=?2",
	[ST_AFF] = "SELECT vuln,release,rule FROM aff WHERE pkg=?1 ORDER BY n",
	[ST_VULN] = "SELECT grp,osv,cve,severity,summary FROM vuln WHERE id=?1",
};

struct cv_db {
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	void *map;
	size_t map_n;
	unsigned char *image;
	size_t image_n;
	struct cv_db_info info;
};

static int
damaged(struct cv_err *e, const char *what)
{
	return cv_fail(e, CV_R_MALFORMED, "advisory index: %s", what);
}

/* ---- opening ---- */

static int
map_image(struct cv_db *db, struct cv_blob blob, struct cv_err *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t slack = blob.off % page;

	if (blob.len > CV_MAX_ADVISORY_DB)
		return cv_fail(e, CV_R_LIMIT, "advisory index: %llu bytes, want at most %llu",
			       (unsigned long long)blob.len,
			       (unsigned long long)CV_MAX_ADVISORY_DB);
	if (blob.len < 512 + CV_DB_TRAILER)
		return damaged(e, "too short");
	db->map_n = (size_t)(blob.len + slack);
	db->map = mmap(NULL, db->map_n, PROT_READ, MAP_PRIVATE, blob.fd, (off_t)(blob.off - slack));
	if (db->map == MAP_FAILED) {
		db->map = NULL;
		return cv_fail_errno(e, "mapping the advisory index");
	}
	db->image = (unsigned char *)db->map + slack;
	db->image_n = (size_t)blob.len - CV_DB_TRAILER;
	return 0;
}

static int
check_trailer(const struct cv_db *db, bool checked, struct cv_err *e)
{
	const unsigned char *trailer = db->image + db->image_n;
	struct cv_digest d;

	if (memcmp(trailer, CV_DB_MAGIC, 16) != 0)
		return damaged(e, "this is none, or it was cut off");
	if (checked)
		return 0;
	if (cv_digest_of(&d, CV_SHA256, cv_span(db->image, db->image_n), e) < 0)
		return -1;
	if (memcmp(trailer + 16, d.b, 32) != 0)
		return damaged(e, "damaged: its checksum differs");
	return 0;
}

static int
open_image(struct cv_db *db, struct cv_err *e)
{
	if (sqlite3_open_v2(":memory:", &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return cv_sql_fail(db->db, "opening memory", e);
	/* it keeps no error: of a whole image, only memory can have been short */
	if (sqlite3_deserialize(db->db, "main", db->image, (sqlite3_int64)db->image_n,
				(sqlite3_int64)db->image_n,
				SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		return sqlite3_errcode(db->db) == SQLITE_OK ? cv_fail_memory(e)
							    : cv_sql_fail(db->db, "opening", e);
	if (sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(db->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK)
		return cv_sql_fail(db->db, "opening", e);
	(void)sqlite3_limit(db->db, SQLITE_LIMIT_LENGTH, (int)CV_MAX_ADVISORY + 65536);
	return cv_sql_exec(db->db,
			   "PRAGMA query_only=ON; PRAGMA cell_size_check=ON;"
			   "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=2147418112;",
			   e);
}

static sqlite3_stmt *
start(struct cv_db *db, int which)
{
	(void)sqlite3_reset(db->st[which]);
	return db->st[which];
}

static int
bind_text(struct cv_db *db, sqlite3_stmt *st, int at, const char *s, struct cv_err *e)
{
	if (sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC) != SQLITE_OK)
		return cv_sql_fail(db->db, "binding", e);
	return 0;
}

static int
bind_int(struct cv_db *db, sqlite3_stmt *st, int at, int64_t v, struct cv_err *e)
{
	if (sqlite3_bind_int64(st, at, v) != SQLITE_OK)
		return cv_sql_fail(db->db, "binding", e);
	return 0;
}

static int
meta(struct cv_db *db, const char *key, char *out, size_t size, struct cv_err *e)
{
	sqlite3_stmt *st = start(db, ST_META);
	bool bad = false;

	if (bind_text(db, st, 1, key, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	if (rc == 1)
		cv_text_fmt(out, size, "%s", cv_sql_text(st, 0, &bad));
	(void)sqlite3_reset(st);
	if (rc < 0)
		return -1;
	return rc == 0 || bad ? damaged(e, "its description is incomplete") : 0;
}

static int
meta_number(struct cv_db *db, const char *key, uint64_t *ret, struct cv_err *e)
{
	char text[32];
	struct cv_err why;

	if (meta(db, key, text, sizeof(text), e) < 0)
		return -1;
	if (cv_u64_parse(ret, cv_span_str(text), INT64_MAX, &why) < 0)
		return damaged(e, "its description holds no number");
	return 0;
}

static int
read_info(struct cv_db *db, struct cv_err *e)
{
	uint64_t format, built;

	if (meta_number(db, "format", &format, e) < 0)
		return -1;
	if (format != CV_DB_FORMAT)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "advisory index: format %llu, want %d: import the advisories again",
			       (unsigned long long)format, CV_DB_FORMAT);
	if (meta_number(db, "built", &built, e) < 0 ||
	    meta_number(db, "records", &db->info.records, e) < 0 ||
	    meta_number(db, "rejected", &db->info.rejected, e) < 0)
		return -1;
	db->info.built = (int64_t)built;
	return meta(db, "name", db->info.name, sizeof(db->info.name), e);
}

int
cv_db_open(struct cv_db **ret, struct cv_blob blob, bool checked, struct cv_err *e)
{
	struct cv_db *db = calloc(1, sizeof(*db));
	int rc;

	if (db == NULL)
		return cv_fail_memory(e);
	rc = map_image(db, blob, e);
	if (rc == 0)
		rc = check_trailer(db, checked, e);
	if (rc == 0)
		rc = open_image(db, e);
	for (int i = 0; i < ST_COUNT && rc == 0; i++)
		rc = cv_sql_prepare(db->db, sql[i], &db->st[i], e);
	if (rc == 0)
		rc = read_info(db, e);
	if (rc < 0)
		cv_db_close(&db);
	else
		*ret = db;
	return rc;
}

void
cv_db_close(struct cv_db **db)
{
	if (*db == NULL)
		return;
	for (int i = 0; i < ST_COUNT; i++)
		cv_sql_finalize(&(*db)->st[i]);
	cv_sql_close(&(*db)->db);
	if ((*db)->map != NULL)
		(void)munmap((*db)->map, (*db)->map_n);
	free(*db);
	*db = NULL;
}

const struct cv_db_info *
cv_db_info(const struct cv_db *db)
{
	return &db->info;
}

/* ---- asking ---- */

int
cv_db_covers(struct cv_db *db, enum cv_eco eco, const char *release, struct cv_err *e)
{
	sqlite3_stmt *st = start(db, release[0] != '\0' ? ST_COVERS : ST_COVERS_ANY);

	if (bind_int(db, st, 1, eco, e) < 0)
		return -1;
	if (release[0] != '\0' && bind_text(db, st, 2, release, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	(void)sqlite3_reset(st);
	return rc;
}

int
cv_db_ecosystems(struct cv_db *db,
		 int (*each)(void *ctx, const char *name, bool covered, uint64_t records,
			     const char *newest, struct cv_err *e),
		 void *ctx, struct cv_err *e)
{
	sqlite3_stmt *st = start(db, ST_ECO);
	bool bad = false;
	int rc;

	while ((rc = cv_sql_step(st, e)) == 1) {
		const char *name = cv_sql_text(st, 0, &bad);
		int64_t covered = cv_sql_int(st, 1, &bad), records = cv_sql_int(st, 2, &bad);
		const char *newest = cv_sql_text(st, 3, &bad);
		if (bad || records < 0)
			rc = damaged(e, "a row of ecosystems");
		else
			rc = each(ctx, name, covered != 0, (uint64_t)records, newest, e);
		if (rc < 0)
			break;
	}
	(void)sqlite3_reset(st);
	return rc;
}

static int
package(struct cv_db *db, enum cv_eco eco, const char *key, int64_t *ret, struct cv_err *e)
{
	sqlite3_stmt *st = start(db, ST_PKG);
	bool bad = false;

	if (bind_int(db, st, 1, eco, e) < 0 || bind_text(db, st, 2, key, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	if (rc == 1)
		*ret = cv_sql_int(st, 0, &bad);
	(void)sqlite3_reset(st);
	return bad ? damaged(e, "a row of packages") : rc;
}

int
cv_db_lookup(struct cv_db *db, enum cv_eco eco, const char *key, bool *known,
	     int (*each)(void *ctx, const struct cv_db_rule *rule, struct cv_err *e), void *ctx,
	     struct cv_err *e)
{
	int64_t id = 0;
	bool bad = false;
	int rc = package(db, eco, key, &id, e);

	*known = rc == 1;
	if (rc <= 0)
		return rc;
	sqlite3_stmt *st = start(db, ST_AFF);
	if (bind_int(db, st, 1, id, e) < 0)
		return -1;
	while ((rc = cv_sql_step(st, e)) == 1) {
		struct cv_db_rule r = { .vuln = cv_sql_int(st, 0, &bad),
					.release = cv_sql_text(st, 1, &bad),
					.rule = cv_sql_blob(st, 2, &bad) };
		rc = bad ? damaged(e, "a row of rules") : each(ctx, &r, e);
		if (rc < 0)
			break;
	}
	(void)sqlite3_reset(st);
	return rc;
}

int
cv_db_vuln(struct cv_db *db, int64_t id, struct cv_db_vuln *ret, struct cv_err *e)
{
	sqlite3_stmt *st = start(db, ST_VULN);
	bool bad = false;

	if (bind_int(db, st, 1, id, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return damaged(e, "a rule of an advisory that is not there");
	*ret = (struct cv_db_vuln){ .group = cv_sql_int(st, 0, &bad),
				    .osv = cv_sql_text(st, 1, &bad),
				    .cve = cv_sql_text(st, 2, &bad),
				    .severity = cv_sql_text(st, 3, &bad),
				    .summary = cv_sql_text(st, 4, &bad) };
	return bad ? damaged(e, "a row of advisories") : 0;
}
