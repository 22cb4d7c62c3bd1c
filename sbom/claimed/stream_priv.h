/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_priv.h: the inside of the streaming reader, shared by its two halves:
 * stream_text.c takes bytes and strings, stream.c the structure around them.
 */
#ifndef CV_STREAM_PRIV_H
#define CV_STREAM_PRIV_H

#include "keyset.h"
#include "stream.h"

#define CV_JS_WINDOW (64 * 1024)
#define CV_JS_KEY    1024

struct cv_js_level {
	bool object;
	bool any;    /* a member or element was seen: a comma comes first */
	size_t keys; /* keys of the objects around this one */
};

struct span_source {
	struct cv_span in;
};

struct blob_source {
	struct cv_blob blob;
	uint64_t done;
};

struct cv_js {
	char name[128];
	struct cv_js_source src;
	struct span_source span;
	struct blob_source blob;
	struct cv_js *outer; /* of a sub reader */
	unsigned flags;
	struct cv_err err; /* reason CV_R_NONE while all is well */

	uint8_t window[CV_JS_WINDOW];
	size_t pos, have;
	uint64_t base; /* offset of window[0] in the document */
	bool ended;

	unsigned line;
	uint64_t line_start; /* offset of the line's first byte */
	uint64_t tails;      /* bytes of this line that continue a character */

	struct cv_js_level level[CV_MAX_JSON_DEPTH];
	unsigned depth;
	bool want_value; /* a value must be taken now */
	bool in_string;
	bool done; /* the one value was taken */
	struct cv_keyset keys;
	char key[CV_JS_KEY + 1];
};

/* cv_js_malformed: fail for what was found (a byte, -1 the end) and wanted. */
void cv_js_malformed(struct cv_js *js, int c, const char *want);

/* The next byte without taking it, -1 at the end and after a failure; the same
 * and take it; the same behind white space. */
int cv_js_look(struct cv_js *js);
int cv_js_take(struct cv_js *js);
int cv_js_look_past_space(struct cv_js *js);

/* cv_js_some: more of the string that is open: up to `cap` (at least 4) decoded
 * bytes; closes it (in_string) at its quote. Returns how many. */
size_t cv_js_some(struct cv_js *js, uint8_t *out, size_t cap);

#endif
