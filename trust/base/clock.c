/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: points in time by arithmetic alone: no time zone, no locale, no
 * tables of the C library. Must never ask for the wall clock. */
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"

#include <limits.h>
#include <time.h>

#include "trust/base/banned.h"

#define DAY 86400

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years
 * are counted from March, so that the leap day is the last of its year. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t
days_in(int64_t year, int64_t month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly n digits; sets s->bad otherwise. */
static int64_t
digits(struct cv_span *s, size_t n)
{
	struct cv_span part = cv_span_take(s, n);
	int64_t v = 0;

	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] < '0' || part.p[i] > '9')
			s->bad = true;
		v = v * 10 + (part.p[i] - '0');
	}
	return s->bad ? 0 : v;
}

static void
literal(struct cv_span *s, uint8_t c)
{
	if (cv_span_u8(s) != c)
		s->bad = true;
}

/* RFC 3339 5.6: partial-time "Z"; the seconds of the day. */
static int64_t
time_of_day(struct cv_span *s)
{
	int64_t hour, minute, second;

	literal(s, 'T');
	hour = digits(s, 2);
	literal(s, ':');
	minute = digits(s, 2);
	literal(s, ':');
	second = digits(s, 2);
	/* A leap second (60) has no place in seconds since the epoch. */
	if (hour > 23 || minute > 59 || second > 59)
		s->bad = true;
	if (!s->bad && s->n > 0 && s->p[0] == '.') {
		cv_span_u8(s);
		digits(s, 1);
		while (!s->bad && s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9')
			cv_span_u8(s);
	}
	literal(s, 'Z');
	return hour * 3600 + minute * 60 + second;
}

int
cv_time_parse(int64_t *ret, struct cv_span text, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	struct cv_span s = text;
	int64_t year, month, day, seconds = 0;

	year = digits(&s, 4);
	literal(&s, '-');
	month = digits(&s, 2);
	literal(&s, '-');
	day = digits(&s, 2);
	if (!s.bad &&
	    (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)))
		s.bad = true;
	if (!s.bad && s.n > 0)
		seconds = time_of_day(&s);
	if (!cv_span_done(&s))
		return cv_fail(e, CV_R_MALFORMED,
			       "found \"%s\", want a time as 2026-01-31T23:59:59Z or a date as "
			       "2026-01-31, of the years 1970 to 9999",
			       cv_text_brief(brief, text));
	*ret = days_of(year, month, day) * DAY + seconds;
	return 0;
}

const char *
cv_time_text(int64_t t, char out[CV_TIME_TEXT])
{
	int64_t day = t / DAY, second = t % DAY;
	int64_t era, doe, yoe, doy, m, year;

	if (t < 0 || t > INT64_C(253402300799)) { /* 9999-12-31T23:59:59Z */
		cv_text_fmt(out, CV_TIME_TEXT, "@%lld", (long long)t);
		return out;
	}
	day += 719468; /* days since 0000-03-01; an era is 400 years */
	era = day / 146097;
	doe = day % 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	m = (5 * doy + 2) / 153;
	year = yoe + era * 400 + (m >= 10 ? 1 : 0);
	cv_text_fmt(out, CV_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year,
		    (int)(m < 10 ? m + 3 : m - 9), (int)(doy - (153 * m + 2) / 5 + 1),
		    (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
	return out;
}

static int64_t
unit(uint8_t c)
{
	switch (c) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return DAY;
	default:
		return 0;
	}
}

int
cv_duration_parse(int64_t *ret, struct cv_span text, int64_t max, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	struct cv_span number = text;
	int64_t seconds = 0;
	uint64_t v = 0;

	if (!text.bad && text.n > 1) {
		number.n--;
		seconds = unit(text.p[number.n]);
	}
	if (seconds == 0 || max < 0 ||
	    cv_u64_parse(&v, number, (uint64_t)(max / seconds), NULL) != 0)
		return cv_fail(e, CV_R_MALFORMED,
			       "found \"%s\", want a duration as 90s, 15m, 24h or 5d, of at most "
			       "%lld seconds",
			       cv_text_brief(brief, text), (long long)max);
	*ret = (int64_t)v * seconds;
	return 0;
}

int64_t
cv_mono_ms(void)
{
	struct timespec ts = { 0 };

	/* Cannot fail: the clock exists on every Linux, and the address is good. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
cv_mono_left(int64_t deadline)
{
	int64_t left;

	if (deadline == 0)
		return -1;
	left = deadline - cv_mono_ms();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
