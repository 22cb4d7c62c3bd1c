/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h: reading an advisory index (sql.h, dbwrite.h).
 *
 * The image is mapped read-only from its descriptor and handed to SQLite as
 * memory, so no path is opened and nothing is copied. A damaged index is
 * CV_R_MALFORMED at whatever point it is noticed, and its trailing SHA-256 is
 * checked at the start: "no row" always means that there is none.
 */
#ifndef CV_DB_H
#define CV_DB_H

#include "ecosystem.h"

#include "trust/base/frame.h"

struct cv_db;

struct cv_db_info {
	int64_t built; /* seconds since the epoch */
	uint64_t records, rejected;
	char name[256];
};

/* cv_db_open: the descriptor is borrowed for the call. `checked`: the caller has
 * hashed these bytes in this run, so the trailer need not be checked again. */
int cv_db_open(struct cv_db **ret, struct cv_blob blob, bool checked, struct cv_err *e) cv_must;
void cv_db_close(struct cv_db **db);

const struct cv_db_info *cv_db_info(const struct cv_db *db);

/* cv_db_covers: are there advisories for this ecosystem and release ("": the
 * ecosystem as a whole)? 1, 0, -1. */
int cv_db_covers(struct cv_db *db, enum cv_eco eco, const char *release, struct cv_err *e) cv_must;

/* cv_db_ecosystems: call `each` for every ecosystem met, covered or not. */
int cv_db_ecosystems(struct cv_db *db,
		     int (*each)(void *ctx, const char *name, bool covered, uint64_t records,
				 const char *newest, struct cv_err *e),
		     void *ctx, struct cv_err *e) cv_must;

/* cv_db_lookup: call `each` for every rule about a package; *known tells whether
 * the index has ever heard of it. */
struct cv_db_rule {
	int64_t vuln;
	const char *release; /* "" for all */
	struct cv_span rule;
};
int cv_db_lookup(struct cv_db *db, enum cv_eco eco, const char *key, bool *known,
		 int (*each)(void *ctx, const struct cv_db_rule *rule, struct cv_err *e), void *ctx,
		 struct cv_err *e) cv_must;

/* cv_db_vuln: the words of one advisory, valid until the next call. */
struct cv_db_vuln {
	int64_t group;
	const char *osv, *cve, *severity, *summary;
};
int cv_db_vuln(struct cv_db *db, int64_t id, struct cv_db_vuln *ret, struct cv_err *e) cv_must;

#endif
