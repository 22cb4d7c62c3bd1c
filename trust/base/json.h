/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: the only door for JSON (RFC 8259).
 *
 * One strict tokenizer checks the whole text first: UTF-8, one value and
 * nothing after it, no duplicate keys at any level, depth, number of nodes,
 * string length, and it keeps the place of every value. Only then does jansson
 * build the values. Comments (both C forms) and trailing commas are accepted
 * only with CV_JSON_HUMAN; they are blanked, so that places stay true.
 *
 * Every complaint starts with "NAME:LINE:COLUMN: " (both from 1, columns in
 * code points) and says what was found and what was wanted.
 *
 * A struct cv_jv is a value in a document: cheap, copied by value, valid until
 * the document is freed. An absent value is a cv_jv too (cv_jv_absent).
 */
#ifndef CV_JSON_H
#define CV_JSON_H

#include "buf.h"

#include <jansson.h>

enum {
	CV_JSON_HUMAN = 2,     /* comments and trailing commas */
	CV_JSON_FOLD_KEYS = 4, /* keys equal but for ASCII case are duplicates:
				  Go readers match without case, last wins */
	CV_JSON_REALS = 8,     /* allow numbers with fraction or exponent; they
				  are refused otherwise */
	CV_JSON_LARGE = 16,    /* up to CV_MAX_JSON_LARGE: for documents that are signed
				  as one and large by nature (TUF targets), never for
				  what anybody may send */
};

struct cv_jdoc;

struct cv_jv {
	const struct cv_jdoc *doc;
	uint32_t node; /* 0 is the root */
	bool absent;
	const char *missing; /* absent: the key that was asked for, for complaints;
				it is the caller's, usually a literal */
};

enum cv_jtype {
	CV_J_ABSENT,
	CV_J_NULL,
	CV_J_BOOL,
	CV_J_INT,
	CV_J_REAL,
	CV_J_STRING,
	CV_J_ARRAY,
	CV_J_OBJECT
};

/* cv_json_parse: `name` is copied and used in complaints; `in` is copied.
 * At most CV_MAX_JSON_DOM bytes (CV_MAX_JSON_LARGE with that flag): else CV_R_LIMIT.
 * Malformed: CV_R_MALFORMED; duplicate keys: CV_R_AMBIGUOUS; a limit: CV_R_LIMIT. A
 * caller reading its own configuration turns them into CV_R_CONFIG. */
int cv_json_parse(struct cv_jdoc **ret, const char *name, struct cv_span in, unsigned flags,
		  struct cv_err *e) cv_must;
void cv_json_free(struct cv_jdoc **doc);

/* cv_json_free_secret: the same for a document that holds secrets: its text and
 * its strings are overwritten first. */
void cv_json_free_secret(struct cv_jdoc **doc);

struct cv_jv cv_json_root(const struct cv_jdoc *doc);

enum cv_jtype cv_jv_type(struct cv_jv v);
const char *cv_jv_type_word(struct cv_jv v);                  /* "a string", "nothing" */
struct cv_jv cv_jv_get(struct cv_jv object, const char *key); /* absent if missing or no object */
size_t cv_jv_len(struct cv_jv v);                             /* members or elements; else 0 */
struct cv_jv cv_jv_at(struct cv_jv v, size_t i); /* i-th member or element, in text order */
const char *cv_jv_key(struct cv_jv member);      /* key of an object's member; "" else */
bool cv_jv_has(struct cv_jv object, const char *key);
json_t *cv_jv_json(struct cv_jv v); /* borrowed; NULL if absent */

/* Iteration in one go, O(1) a step: for (v = first(o); !v.absent; v = next(v)) */
struct cv_jv cv_jv_first(struct cv_jv v);
struct cv_jv cv_jv_next(struct cv_jv v);

/* Typed reading. Absent, or of another type: -1, "NAME:L:C: ...found..., want
 * ...", CV_R_MALFORMED. Returned strings belong to the document and contain no
 * NUL. cv_jv_str wants at least one character. */
int cv_jv_str(struct cv_jv v, const char **ret, struct cv_err *e) cv_must;
int cv_jv_text(struct cv_jv v, const char **ret, struct cv_err *e) cv_must; /* "" allowed */
int cv_jv_u64(struct cv_jv v, uint64_t max, uint64_t *ret, struct cv_err *e) cv_must;
int cv_jv_bool(struct cv_jv v, bool *ret, struct cv_err *e) cv_must;
int cv_jv_want(struct cv_jv v, enum cv_jtype type, struct cv_err *e) cv_must;

/* cv_jv_keys: every key of the object is in `allowed` (NULL-terminated), or is
 * "$comment", "$schema" or starts with "x-". Else CV_R_MALFORMED at the key's
 * place, with a "did you mean" when one is near. */
int cv_jv_keys(struct cv_jv object, const char *const *allowed, struct cv_err *e) cv_must;

/* cv_jv_choice: a string that is one of `words`; *ret is its index. */
int cv_jv_choice(struct cv_jv v, const char *const *words, size_t *ret, struct cv_err *e) cv_must;

/* cv_jv_fail: fail at the place of v (of its key when it is a member and
 * `at_key`). */
int cv_jv_fail(struct cv_jv v, struct cv_err *e, enum cv_reason reason, const char *fmt, ...)
	cv_printf(4, 5);

/* Places. Line and column from 1; byte offsets of the value in the text. */
struct cv_jpos {
	unsigned line, column;
	size_t start, end; /* [start, end) */
};
struct cv_jpos cv_jv_pos(struct cv_jv v);
struct cv_jpos cv_jv_key_pos(struct cv_jv member);
const char *cv_json_name(const struct cv_jdoc *doc);

/* cv_word_near: the word of `words` that a typing mistake may have meant, or
 * NULL (Damerau-Levenshtein distance at most 2 and under half the length). */
const char *cv_word_near(const char *word, const char *const *words);

/* Writing. cv_json_emit: strict, keys sorted bytewise, 2 spaces, trailing
 * newline. cv_json_canonical: RFC 8785; reals are refused. */
int cv_json_emit(struct cv_buf *out, const json_t *v, struct cv_err *e) cv_must;
int cv_json_canonical(struct cv_buf *out, const json_t *v, struct cv_err *e) cv_must;

/* cv_json_warm: what jansson does once and what would open files later. */
void cv_json_warm(void);

#endif
