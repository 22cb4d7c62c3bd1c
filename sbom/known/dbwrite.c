/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbwrite.c: advisories into tables. Never keeps part of an advisory: each one is
 * taken whole or counted as rejected.
 */
#include "dbwrite.h"

#include "sql.h"

#include "trust/base/digest.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

enum {
	ST_VULN,
	ST_GONE,
	ST_PKG,
	ST_PKG_ID,
	ST_AFF,
	ST_ECO,
	ST_REL,
	ST_ID,
	ST_ID_PUT,
	ST_DEAD,
	ST_NODE,
	ST_NODE_ID,
	ST_GROUP,
	ST_META,
	ST_COUNT
};

static const char *const sql[ST_COUNT] = {
	[ST_VULN] = "INSERT INTO vuln VALUES(?1,?2,?3,?4,?5,?6,?7)",
	[ST_GONE] = "INSERT OR IGNORE INTO gone VALUES(?1)",
	[ST_PKG] = "INSERT INTO pkg VALUES(?1,?2,?3)",
	[ST_PKG_ID] = "SELECT id FROM pkg WHERE eco=?1 AND name=?2",
	[ST_AFF] = "INSERT INTO aff VALUES(?1,?2,?3,?4,?5)",
	[ST_ECO] = "INSERT INTO eco VALUES(?1,?2,1,?3) ON CONFLICT(name) DO UPDATE SET "
		   "records=records+1, newest=max(newest,excluded.newest)",
	[ST_REL] = "INSERT INTO rel VALUES(?1,?2,1) ON CONFLICT(eco,release) DO UPDATE SET "
		   "rows=rows+1",
	[ST_ID] = "SELECT vuln,modified FROM scratch.ids WHERE osv=?1",
	[ST_ID_PUT] = "INSERT OR REPLACE INTO scratch.ids VALUES(?1,?2,?3)",
	[ST_DEAD] = "INSERT OR IGNORE INTO scratch.dead VALUES(?1)",
	[ST_NODE] = "INSERT OR IGNORE INTO scratch.node(name) VALUES(?1)",
	[ST_NODE_ID] = "SELECT id FROM scratch.node WHERE name=?1",
	[ST_GROUP] = "UPDATE vuln SET grp=?2 WHERE id=?1",
	[ST_META] = "INSERT INTO meta VALUES(?1,?2)",
};

static const char schema[] =
	"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY;"
	"PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF;"
	"ATTACH ':memory:' AS scratch;"
	"BEGIN;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE eco(name TEXT PRIMARY KEY, covered INT NOT NULL, records INT NOT NULL,"
	" newest TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE rel(eco INT, release TEXT, rows INT NOT NULL, PRIMARY KEY(eco,release))"
	" WITHOUT ROWID;"
	"CREATE TABLE pkg(eco INT, name TEXT, id INT NOT NULL, PRIMARY KEY(eco,name))"
	" WITHOUT ROWID;"
	"CREATE TABLE aff(pkg INT, n INT, vuln INT NOT NULL, release TEXT NOT NULL,"
	" rule BLOB NOT NULL, PRIMARY KEY(pkg,n)) WITHOUT ROWID;"
	"CREATE TABLE vuln(id INTEGER PRIMARY KEY, osv TEXT NOT NULL, cve TEXT NOT NULL,"
	" grp INT NOT NULL, severity TEXT NOT NULL, summary TEXT NOT NULL, modified TEXT NOT NULL);"
	"CREATE TABLE gone(osv TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE scratch.ids(osv TEXT PRIMARY KEY, vuln INT, modified TEXT) WITHOUT ROWID;"
	"CREATE TABLE scratch.dead(vuln INT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE scratch.node(id INTEGER PRIMARY KEY, name TEXT UNIQUE);";

struct cv_dbw {
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	struct cv_dbw_counts counts;
	int64_t now, vulns, pkgs, rules;
	char name[256];
	uint32_t *parent; /* union-find over alias names, [nodes] */
	size_t nodes;
	uint32_t *node_of; /* of each vuln id */
	size_t vuln_cap;
};

/* ---- statements ---- */

static sqlite3_stmt *
start(struct cv_dbw *w, int which)
{
	(void)sqlite3_reset(w->st[which]);
	return w->st[which];
}

static int
text(struct cv_dbw *w, sqlite3_stmt *st, int at, const char *s, struct cv_err *e)
{
	/* The statement runs before s goes away. */
	if (sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC) != SQLITE_OK)
		return cv_sql_fail(w->db, "binding", e);
	return 0;
}

static int
number(struct cv_dbw *w, sqlite3_stmt *st, int at, int64_t v, struct cv_err *e)
{
	if (sqlite3_bind_int64(st, at, v) != SQLITE_OK)
		return cv_sql_fail(w->db, "binding", e);
	return 0;
}

static int
run(sqlite3_stmt *st, struct cv_err *e)
{
	int rc = cv_sql_step(st, e);

	(void)sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/* A statement with one text that gives one number; *ret is -1 without a row. */
static int
find(struct cv_dbw *w, int which, const char *key, int64_t *ret, struct cv_err *e)
{
	sqlite3_stmt *st = start(w, which);
	bool bad = false;

	if (text(w, st, 1, key, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	*ret = rc == 1 ? cv_sql_int(st, 0, &bad) : -1;
	(void)sqlite3_reset(st);
	if (bad)
		return cv_fail(e, CV_R_BUG, "advisory index: a column is not a number");
	return rc < 0 ? -1 : 0;
}

int
cv_dbw_open(struct cv_dbw **ret, int64_t now, const char *name, struct cv_err *e)
{
	struct cv_dbw *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return cv_fail_memory(e);
	w->now = now;
	cv_text_fmt(w->name, sizeof(w->name), "%s", name);
	int rc = sqlite3_open_v2("file:index?vfs=memdb", &w->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
					 SQLITE_OPEN_NOMUTEX,
				 NULL);
	if (rc != SQLITE_OK)
		rc = cv_sql_fail(w->db, "opening memory", e);
	if (rc == 0)
		rc = cv_sql_exec(w->db, schema, e);
	for (int i = 0; i < ST_COUNT && rc == 0; i++)
		rc = cv_sql_prepare(w->db, sql[i], &w->st[i], e);
	if (rc < 0) {
		cv_dbw_free(&w);
		return -1;
	}
	*ret = w;
	return 0;
}

void
cv_dbw_free(struct cv_dbw **w)
{
	if (*w == NULL)
		return;
	for (int i = 0; i < ST_COUNT; i++)
		cv_sql_finalize(&(*w)->st[i]);
	cv_sql_close(&(*w)->db);
	free((*w)->parent);
	free((*w)->node_of);
	free(*w);
	*w = NULL;
}

const struct cv_dbw_counts *
cv_dbw_counts(const struct cv_dbw *w)
{
	return &w->counts;
}

/* ---- aliases ---- */

static uint32_t
top(struct cv_dbw *w, uint32_t n)
{
	while (w->parent[n] != n) {
		w->parent[n] = w->parent[w->parent[n]];
		n = w->parent[n];
	}
	return n;
}

/* The number of a name, which is its own group at first. */
static int
node(struct cv_dbw *w, const char *name, uint32_t *ret, struct cv_err *e)
{
	int64_t id;

	if (find(w, ST_NODE_ID, name, &id, e) < 0)
		return -1;
	if (id < 0) {
		sqlite3_stmt *st = start(w, ST_NODE);
		if (text(w, st, 1, name, e) < 0 || run(st, e) < 0)
			return -1;
		id = sqlite3_last_insert_rowid(w->db);
	}
	if (id < 0 || id >= UINT32_MAX)
		return cv_fail(e, CV_R_LIMIT, "advisory index: too many aliases");
	if ((size_t)id >= w->nodes) {
		size_t n = ((size_t)id + 1) * 2;
		uint32_t *more = realloc(w->parent, n * sizeof(*more));
		if (more == NULL)
			return cv_fail_memory(e);
		for (size_t i = w->nodes; i < n; i++)
			more[i] = (uint32_t)i;
		w->parent = more;
		w->nodes = n;
	}
	*ret = (uint32_t)id;
	return 0;
}

static int
join_aliases(struct cv_dbw *w, const struct cv_osv *o, int64_t vuln, struct cv_err *e)
{
	uint32_t own, other;

	if ((size_t)vuln >= w->vuln_cap) {
		size_t cap = ((size_t)vuln + 1) * 2;
		uint32_t *more = realloc(w->node_of, cap * sizeof(*more));
		if (more == NULL)
			return cv_fail_memory(e);
		memset(more + w->vuln_cap, 0, (cap - w->vuln_cap) * sizeof(*more));
		w->node_of = more;
		w->vuln_cap = cap;
	}
	if (node(w, o->id, &own, e) < 0)
		return -1;
	w->node_of[vuln] = own;
	for (size_t i = 0; i < o->nalias; i++) {
		if (node(w, o->alias[i], &other, e) < 0)
			return -1;
		w->parent[top(w, other)] = top(w, own);
	}
	return 0;
}

/* ---- one advisory ---- */

static int
package_id(struct cv_dbw *w, enum cv_eco eco, const char *key, int64_t *ret, struct cv_err *e)
{
	sqlite3_stmt *st = start(w, ST_PKG_ID);
	bool bad = false;

	if (number(w, st, 1, eco, e) < 0 || text(w, st, 2, key, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	*ret = rc == 1 ? cv_sql_int(st, 0, &bad) : ++w->pkgs;
	(void)sqlite3_reset(st);
	if (bad)
		return cv_fail(e, CV_R_BUG, "advisory index: a column is not a number");
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	st = start(w, ST_PKG);
	if (number(w, st, 1, eco, e) < 0 || text(w, st, 2, key, e) < 0 ||
	    number(w, st, 3, *ret, e) < 0)
		return -1;
	return run(st, e);
}

static int
put_release(struct cv_dbw *w, enum cv_eco eco, const char *release, struct cv_err *e)
{
	sqlite3_stmt *st = start(w, ST_REL);

	if (number(w, st, 1, eco, e) < 0 || text(w, st, 2, release, e) < 0)
		return -1;
	return run(st, e);
}

static int
put_affected(struct cv_dbw *w, const struct cv_osv_affected *a, int64_t vuln, struct cv_err *e)
{
	struct cv_buf key = CV_BUF(CV_MAX_COMPONENT_TEXT);
	int64_t pkg = 0;

	cv_eco_key(&key, a->eco, cv_span_str(a->name));
	int rc = cv_buf_ok(&key, "a package's name", e);
	if (rc == 0)
		rc = package_id(w, a->eco, cv_buf_text(&key), &pkg, e);
	cv_buf_free(&key);
	if (rc < 0 || put_release(w, a->eco, a->release, e) < 0)
		return -1;
	sqlite3_stmt *st = start(w, ST_AFF);
	if (number(w, st, 1, pkg, e) < 0 || number(w, st, 2, ++w->rules, e) < 0 ||
	    number(w, st, 3, vuln, e) < 0 || text(w, st, 4, a->release, e) < 0)
		return -1;
	if (sqlite3_bind_blob64(st, 5, a->rule, a->rule_n, SQLITE_STATIC) != SQLITE_OK)
		return cv_sql_fail(w->db, "binding", e);
	return run(st, e);
}

/* Count the record once for every ecosystem in it. */
static int
put_ecosystems(struct cv_dbw *w, const struct cv_osv *o, struct cv_err *e)
{
	const char *seen[64];
	size_t n = 0;

	for (size_t i = 0; i < o->naffected && n < CV_COUNT(seen); i++) {
		const struct cv_osv_affected *a = &o->affected[i];
		bool known = false;
		for (size_t k = 0; k < n && !known; k++)
			known = strcmp(seen[k], a->ecosystem) == 0;
		if (known)
			continue;
		seen[n++] = a->ecosystem;
		sqlite3_stmt *st = start(w, ST_ECO);
		if (text(w, st, 1, a->ecosystem, e) < 0 ||
		    number(w, st, 2, a->eco != CV_ECO_NONE, e) < 0 ||
		    text(w, st, 3, o->modified, e) < 0 || run(st, e) < 0)
			return -1;
	}
	return 0;
}

/* The CVE by which people know it: an alias, else the upstream one. */
static const char *
cve_of(const struct cv_osv *o)
{
	for (size_t i = 0; i < o->nalias; i++)
		if (strncmp(o->alias[i], "CVE-", 4) == 0)
			return o->alias[i];
	return o->cve;
}

static int
put_vuln(struct cv_dbw *w, const struct cv_osv *o, int64_t id, struct cv_err *e)
{
	sqlite3_stmt *st = start(w, ST_VULN);

	if (number(w, st, 1, id, e) < 0 || text(w, st, 2, o->id, e) < 0 ||
	    text(w, st, 3, cve_of(o), e) < 0 || number(w, st, 4, 0, e) < 0 ||
	    text(w, st, 5, o->severity, e) < 0 || text(w, st, 6, o->summary, e) < 0 ||
	    text(w, st, 7, o->modified, e) < 0)
		return -1;
	return run(st, e);
}

/* 1: another record with this id is kept; 0: this one is to be taken. */
static int
superseded(struct cv_dbw *w, const struct cv_osv *o, struct cv_err *e)
{
	sqlite3_stmt *st = start(w, ST_ID);
	bool bad = false;

	if (text(w, st, 1, o->id, e) < 0)
		return -1;
	int rc = cv_sql_step(st, e);
	if (rc <= 0) {
		(void)sqlite3_reset(st);
		return rc;
	}
	int64_t old = cv_sql_int(st, 0, &bad);
	bool newer = strcmp(o->modified, cv_sql_text(st, 1, &bad)) > 0;
	(void)sqlite3_reset(st);
	w->counts.duplicates++;
	if (bad)
		return cv_fail(e, CV_R_BUG, "advisory index: scratch table");
	if (!newer)
		return 1;
	w->counts.records--;
	st = start(w, ST_DEAD);
	if (number(w, st, 1, old, e) < 0)
		return -1;
	return run(st, e);
}

static int
take(struct cv_dbw *w, const struct cv_osv *o, struct cv_err *e)
{
	int rc = superseded(w, o, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (w->counts.records == CV_MAX_ADVISORIES)
		return cv_fail(e, CV_R_LIMIT, "more than %d advisories", CV_MAX_ADVISORIES);
	w->counts.records++;
	int64_t id = ++w->vulns;
	sqlite3_stmt *st = start(w, ST_ID_PUT);
	if (text(w, st, 1, o->id, e) < 0 || number(w, st, 2, id, e) < 0 ||
	    text(w, st, 3, o->modified, e) < 0 || run(st, e) < 0)
		return -1;
	if (put_ecosystems(w, o, e) < 0)
		return -1;
	if (o->withdrawn) {
		w->counts.withdrawn++;
		st = start(w, ST_GONE);
		return text(w, st, 1, o->id, e) < 0 ? -1 : run(st, e);
	}
	bool any = false;
	for (size_t i = 0; i < o->naffected; i++)
		any = any || o->affected[i].eco != CV_ECO_NONE;
	if (!any)
		return 0;
	if (put_vuln(w, o, id, e) < 0 || join_aliases(w, o, id, e) < 0)
		return -1;
	for (size_t i = 0; i < o->naffected; i++)
		if (o->affected[i].eco != CV_ECO_NONE &&
		    put_affected(w, &o->affected[i], id, e) < 0)
			return -1;
	return 0;
}

static bool
about_the_record(enum cv_reason reason)
{
	return reason == CV_R_MALFORMED || reason == CV_R_AMBIGUOUS || reason == CV_R_LIMIT;
}

int
cv_dbw_record(struct cv_dbw *w, struct cv_span json, const char *where, const char *stem,
	      struct cv_err *e)
{
	struct cv_osv o;
	struct cv_err why = { 0 };
	int rc = cv_osv_read(&o, json, where, &why);

	if (rc == 0 && stem != NULL && strcmp(stem, o.id) != 0) {
		rc = cv_fail(&why, CV_R_MALFORMED, "%s: the id inside is %.100s", where, o.id);
		cv_osv_free(&o);
	}
	if (rc < 0) {
		if (!about_the_record(why.reason)) {
			*e = why;
			return -1;
		}
		if (w->counts.rejected++ == 0)
			cv_text_fmt(w->counts.first_reject, sizeof(w->counts.first_reject), "%s",
				    why.text);
		return 0;
	}
	rc = take(w, &o, e);
	cv_osv_free(&o);
	return rc;
}

/* ---- the end ---- */

static int
put_meta(struct cv_dbw *w, const char *key, const char *value, struct cv_err *e)
{
	sqlite3_stmt *st = start(w, ST_META);

	if (text(w, st, 1, key, e) < 0 || text(w, st, 2, value, e) < 0)
		return -1;
	return run(st, e);
}

static int
put_meta_number(struct cv_dbw *w, const char *key, int64_t v, struct cv_err *e)
{
	char digits[32];

	cv_text_fmt(digits, sizeof(digits), "%lld", (long long)v);
	return put_meta(w, key, digits, e);
}

static int
put_groups(struct cv_dbw *w, struct cv_err *e)
{
	for (int64_t id = 1; id <= w->vulns; id++) {
		if ((size_t)id >= w->vuln_cap || w->node_of[id] == 0)
			continue;
		sqlite3_stmt *st = start(w, ST_GROUP);
		if (number(w, st, 1, id, e) < 0 ||
		    number(w, st, 2, top(w, w->node_of[id]), e) < 0 || run(st, e) < 0)
			return -1;
	}
	return 0;
}

static int
write_image(struct cv_dbw *w, int fd, struct cv_err *e)
{
	sqlite3_int64 n = 0;
	struct cv_digest d;
	/* The image where it is: no second copy. */
	const unsigned char *p = sqlite3_serialize(w->db, "main", &n, SQLITE_SERIALIZE_NOCOPY);

	if (p == NULL || n <= 0)
		return cv_fail(e, CV_R_BUG, "advisory index: no image");
	if (cv_digest_of(&d, CV_SHA256, cv_span(p, (size_t)n), e) < 0 ||
	    cv_write_all(fd, p, (size_t)n, "the advisory index", e) < 0 ||
	    cv_write_all(fd, CV_DB_MAGIC, 16, "the advisory index", e) < 0 ||
	    cv_write_all(fd, d.b, 32, "the advisory index", e) < 0)
		return -1;
	w->counts.bytes = (uint64_t)n + CV_DB_TRAILER;
	return 0;
}

int
cv_dbw_finish(struct cv_dbw *w, int fd, struct cv_err *e)
{
	static const char end[] = "DELETE FROM aff WHERE vuln IN (SELECT vuln FROM scratch.dead);"
				  "DELETE FROM vuln WHERE id IN (SELECT vuln FROM scratch.dead);"
				  "COMMIT;";

	if (w->counts.records == 0)
		return cv_fail(e, CV_R_MALFORMED, "no advisory was read, %llu rejected: %s",
			       (unsigned long long)w->counts.rejected, w->counts.first_reject);
	w->counts.packages = (uint64_t)w->pkgs;
	w->counts.rules = (uint64_t)w->rules;
	if (put_groups(w, e) < 0 || put_meta_number(w, "format", CV_DB_FORMAT, e) < 0 ||
	    put_meta_number(w, "built", w->now, e) < 0 || put_meta(w, "name", w->name, e) < 0 ||
	    put_meta_number(w, "records", (int64_t)w->counts.records, e) < 0 ||
	    put_meta_number(w, "rejected", (int64_t)w->counts.rejected, e) < 0)
		return -1;
	for (int i = 0; i < ST_COUNT; i++)
		cv_sql_finalize(&w->st[i]);
	if (cv_sql_exec(w->db, end, e) < 0)
		return -1;
	return write_image(w, fd, e);
}
