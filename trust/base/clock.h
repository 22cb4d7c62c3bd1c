/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h: points in time. Wall-clock times are seconds since the Unix epoch,
 * UTC, and are passed in as arguments: only verify asks the system. Deadlines
 * are milliseconds of CLOCK_MONOTONIC; 0 means none.
 */
#ifndef CV_CLOCK_H
#define CV_CLOCK_H

#include "err.h"
#include "span.h"

#include <stdint.h>

/* cv_time_parse: RFC 3339 with "Z", fraction digits ignored; or a plain date
 * "YYYY-MM-DD", which is that day's first second. Years 1970 to 9999. */
int cv_time_parse(int64_t *ret, struct cv_span text, struct cv_err *e) cv_must;

#define CV_TIME_TEXT 32
/* cv_time_text: "2026-09-22T19:10:00Z" into out; returns out. */
const char *cv_time_text(int64_t t, char out[CV_TIME_TEXT]);

/* cv_duration_parse: "90s", "15m", "24h", "5d" -> seconds, at most max. */
int cv_duration_parse(int64_t *ret, struct cv_span text, int64_t max, struct cv_err *e) cv_must;

/* cv_mono_ms: now on the monotonic clock, for deadlines. */
int64_t cv_mono_ms(void);

/* cv_mono_left: milliseconds until deadline, 0 if past, -1 if there is none;
 * the value that poll(2) takes. */
int cv_mono_left(int64_t deadline);

#endif
