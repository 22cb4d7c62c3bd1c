/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h: a strict JSON reader that builds nothing (RFC 8259).
 *
 * For documents that are too large, or not worth it, to be held as a tree: the
 * caller pulls values in text order and keeps what it wants. Memory is one
 * window of 64 KiB and one word per key of the objects that are open just now,
 * whatever the size of the document.
 *
 * As strict as the JSON door of trust/base: UTF-8, no duplicate key in any
 * object (whether it is read or skipped), depth, no lone surrogate, no NUL, one
 * value and nothing after it. Complaints begin with "NAME:LINE:COLUMN: ".
 *
 * Failure is sticky: after the first one every call says "nothing more", and
 * cv_js_end() tells what it was. So a reader is a loop without error handling:
 *
 *     cv_js_object(js);
 *     while ((key = cv_js_key(js)) != NULL)
 *             if (strcmp(key, "name") == 0)
 *                     cv_js_string(js, &name);
 *             else
 *                     cv_js_skip(js);
 *     rc = cv_js_end(js, e);
 *
 * Every key must be followed by taking its value (skip at least), and likewise
 * every element announced by cv_js_more(). Calls out of order are CV_R_BUG.
 */
#ifndef CV_STREAM_H
#define CV_STREAM_H

#include "trust/base/buf.h"
#include "trust/base/frame.h"

struct cv_js;

enum {
	/* Keys equal but for ASCII case are duplicates: Go readers match without
	 * case and the last one wins. */
	CV_JS_FOLD_KEYS = 1,
	/* NaN, Infinity and -Infinity are numbers: Python writes them unasked, and the
	 * configurations of models are written by Python. */
	CV_JS_PYTHON = 2,
};

enum cv_js_type {
	CV_JS_NOTHING = 0, /* failed, or no value here */
	CV_JS_OBJECT,
	CV_JS_ARRAY,
	CV_JS_STRING,
	CV_JS_NUMBER,
	CV_JS_BOOL,
	CV_JS_NULL,
};

/* Where bytes come from: *got 0 is the end. */
struct cv_js_source {
	int (*read)(void *ctx, uint8_t *out, size_t n, size_t *got, struct cv_err *e);
	void *ctx;
};

/* cv_js_open: read from a source, a blob (its descriptor is borrowed; CV_R_CUTOFF
 * if the file turns out shorter) or memory (borrowed). `name` is copied. */
int cv_js_open(struct cv_js **ret, const char *name, struct cv_js_source src, unsigned flags,
	       struct cv_err *e) cv_must;
int cv_js_open_blob(struct cv_js **ret, const char *name, struct cv_blob blob, unsigned flags,
		    struct cv_err *e) cv_must;
int cv_js_open_span(struct cv_js **ret, const char *name, struct cv_span in, unsigned flags,
		    struct cv_err *e) cv_must;
void cv_js_free(struct cv_js **js);

/* cv_js_peek: the type of the next value, without taking it. */
enum cv_js_type cv_js_peek(struct cv_js *js);
const char *cv_js_type_word(enum cv_js_type t); /* "an object" */

/* cv_js_object, cv_js_array: enter; another type fails as malformed. */
void cv_js_object(struct cv_js *js);
void cv_js_array(struct cv_js *js);

/* cv_js_key: the next key of the object entered last; NULL when it has ended
 * (and was left) or on failure. Valid until the next call. */
const char *cv_js_key(struct cv_js *js);

/* cv_js_more: true if the array entered last has another element; false when it
 * has ended (and was left) or on failure. */
bool cv_js_more(struct cv_js *js);

/* cv_js_string: append a string value; one that does not fit the buffer's
 * maximum is CV_R_LIMIT, another type is malformed. */
void cv_js_string(struct cv_js *js, struct cv_buf *out);

/* cv_js_is_false: is the next value the literal false? It is not taken. */
bool cv_js_is_false(struct cv_js *js);

/* cv_js_skip: take one value of any kind, checking all of it. */
void cv_js_skip(struct cv_js *js);

/* cv_js_sub: a reader of the document inside a string value. Finish it with
 * cv_js_sub_end(), then go on with the outer one, which has failed if the inner
 * one did. NULL on failure (of the outer one). */
struct cv_js *cv_js_sub(struct cv_js *js);
void cv_js_sub_end(struct cv_js **sub);

/* cv_js_fail: make it fail at the present place, unless it has already. */
void cv_js_fail(struct cv_js *js, enum cv_reason reason, const char *fmt, ...) cv_printf(3, 4);

bool cv_js_failed(const struct cv_js *js);

/* cv_js_end: 0 if nothing failed and the one value was all there is; else -1 and
 * what. */
int cv_js_end(struct cv_js *js, struct cv_err *e) cv_must;

/* cv_js_status: 0 if nothing has failed so far; else -1 and what. */
int cv_js_status(const struct cv_js *js, struct cv_err *e) cv_must;

#endif
