/* SPDX-License-Identifier: Apache-2.0 */
/* sql.c: the few SQLite calls we make. Never opens a file. */
#include "sql.h"

#include <string.h>

#include "trust/base/banned.h"

int
cv_sql_fail(sqlite3 *db, const char *what, struct cv_err *e)
{
	int code = db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return cv_fail_memory(e);
	case SQLITE_FULL:
	case SQLITE_TOOBIG:
		return cv_fail(e, CV_R_LIMIT, "advisory index: %s: larger than it may be", what);
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return cv_fail(e, CV_R_BUG, "advisory index: %s: %s", what, sqlite3_errstr(code));
	default:
		return cv_fail(e, CV_R_MALFORMED, "advisory index: %s: %s", what,
			       sqlite3_errstr(code));
	}
}

int
cv_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct cv_err *e)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
		return cv_sql_fail(db, "a table is missing or damaged", e);
	return 0;
}

int
cv_sql_exec(sqlite3 *db, const char *sql, struct cv_err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return cv_sql_fail(db, "preparing", e);
	return 0;
}

int
cv_sql_step(sqlite3_stmt *st, struct cv_err *e)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return cv_sql_fail(sqlite3_db_handle(st), "reading or writing", e);
	}
}

const char *
cv_sql_text(sqlite3_stmt *st, int col, bool *bad)
{
	if (sqlite3_column_type(st, col) == SQLITE_TEXT) {
		const char *s = (const char *)sqlite3_column_text(st, col);
		if (s != NULL && strlen(s) == (size_t)sqlite3_column_bytes(st, col))
			return s;
	}
	*bad = true;
	return "";
}

struct cv_span
cv_sql_blob(sqlite3_stmt *st, int col, bool *bad)
{
	if (sqlite3_column_type(st, col) == SQLITE_BLOB) {
		const void *p = sqlite3_column_blob(st, col);
		int n = sqlite3_column_bytes(st, col);
		if (n == 0 || p != NULL)
			return cv_span(p, (size_t)n);
	}
	*bad = true;
	return cv_span(NULL, 0);
}

int64_t
cv_sql_int(sqlite3_stmt *st, int col, bool *bad)
{
	if (sqlite3_column_type(st, col) == SQLITE_INTEGER)
		return sqlite3_column_int64(st, col);
	*bad = true;
	return 0;
}

void
cv_sql_close(sqlite3 **db)
{
	(void)sqlite3_close_v2(*db);
	*db = NULL;
}

void
cv_sql_finalize(sqlite3_stmt **st)
{
	(void)sqlite3_finalize(*st);
	*st = NULL;
}

void
cv_sql_warm(void)
{
	unsigned char byte;

	/* The first random number opens /dev/urandom. */
	if (sqlite3_initialize() == SQLITE_OK)
		sqlite3_randomness(1, &byte);
}
