/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header.h: readers of header field values (RFC 9110, RFC 8288). They read what
 * a server sent: whatever does not follow the grammar is "not there" or -1, and
 * never half understood.
 */
#ifndef CV_FETCH_HEADER_H
#define CV_FETCH_HEADER_H

#include "trust/base/err.h"
#include "trust/base/oci.h"
#include "trust/base/span.h"

/* cv_header_media: type and subtype of a Content-Type without its parameters,
 * lower case; "" if it is none (RFC 9110 8.3.1). */
void cv_header_media(char out[CV_MEDIA_MAX + 1], struct cv_span value);

/* cv_header_range: "bytes FIRST-LAST/TOTAL" (RFC 9110 14.4); total is
 * UINT64_MAX for "*". -1 for all else, LAST < FIRST and TOTAL <= LAST too. */
struct cv_range {
	uint64_t first, last, total;
};
int cv_header_range(struct cv_range *ret, struct cv_span value) cv_must;

/* cv_header_retry: seconds to wait (RFC 9110 10.2.3), from seconds or a date
 * that is compared with `date`, the answer's own Date field, or with `now` when
 * that is missing: two clocks need not agree. A past date is 0. */
int cv_header_retry(int64_t *ret, struct cv_span value, struct cv_span date, int64_t now) cv_must;

/* cv_header_next: the target of the first link whose relations have "next"
 * (RFC 8288). 1 found, 0 there is none, -1 not understood or longer than size. */
int cv_header_next(char *out, size_t size, struct cv_span value) cv_must;

/* cv_header_trim: without spaces and tabs around it. */
struct cv_span cv_header_trim(struct cv_span s);

/* Lexical elements for readers of other fields (RFC 9110 5.6): each takes its
 * element from the front of s. cv_header_token: "" if there is none.
 * cv_header_value: a token or a quoted string, unescaped into out. */
struct cv_span cv_header_token(struct cv_span *s);
int cv_header_value(char *out, size_t size, struct cv_span *s) cv_must;
void cv_header_space(struct cv_span *s);                   /* optional white space */
bool cv_header_is(struct cv_span token, const char *word); /* case aside */

#endif
