/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql.h: SQLite behind our own errors. The advisory index is an SQLite 3 database
 * image (dbwrite.h has its schema) followed by a trailer:
 *
 *     "clawverify-index" (16 bytes), SHA-256 of the image (32 bytes)
 *
 * SQLite is used on memory alone: no path is ever opened.
 */
#ifndef CV_SQL_H
#define CV_SQL_H

#include "trust/base/err.h"
#include "trust/base/span.h"

#include <sqlite3.h>

#define CV_DB_FORMAT  1
#define CV_DB_MAGIC   "clawverify-index"
#define CV_DB_TRAILER (16 + 32)

/* cv_sql_fail: the error of the call that just failed. Out of memory is
 * CV_R_MEMORY, a full database CV_R_LIMIT; in a database that was read, anything
 * else is CV_R_MALFORMED: it is damaged. */
int cv_sql_fail(sqlite3 *db, const char *what, struct cv_err *e);

int cv_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct cv_err *e) cv_must;
int cv_sql_exec(sqlite3 *db, const char *sql, struct cv_err *e) cv_must;

/* cv_sql_step: 1 a row, 0 done, -1 failed. */
int cv_sql_step(sqlite3_stmt *st, struct cv_err *e) cv_must;

/* cv_sql_text, cv_sql_blob: a column of the present row, valid until the next
 * step. A column of another type, or out of memory, sets *bad. */
const char *cv_sql_text(sqlite3_stmt *st, int col, bool *bad);
struct cv_span cv_sql_blob(sqlite3_stmt *st, int col, bool *bad);
int64_t cv_sql_int(sqlite3_stmt *st, int col, bool *bad);

void cv_sql_close(sqlite3 **db);
void cv_sql_finalize(sqlite3_stmt **st);

/* cv_sql_warm: what SQLite does once and what would open files later. Before the
 * process is sealed. */
void cv_sql_warm(void);

#endif
