/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings, digests, time, text, findings and the catalogue. */
#include "tests/support/t.h"
#include "trust/base/checks.h"
#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/finding.h"
#include "trust/base/text.h"

#include <time.h>
#include <unistd.h>

typedef int decoder(struct cv_buf *out, struct cv_span text, struct cv_err *e);

struct b64_case {
	const char *text, *want; /* NULL: refused */
};

static void
run_base64(decoder *decode, const struct b64_case *c, size_t n)
{
	struct cv_err e;

	for (size_t i = 0; i < n; i++) {
		cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(100);

		cv_buf_str(&out, "+");
		if (c[i].want == NULL) {
			T_NO(decode(&out, cv_span_str(c[i].text), &e), e, CV_R_MALFORMED);
			T_STR(cv_buf_text(&out), "+"); /* nothing half done */
			T_INT(out.failed, CV_R_NONE);
		} else {
			T_OK(decode(&out, cv_span_str(c[i].text), &e), e);
			T_STR(cv_buf_text(&out) + 1, c[i].want);
		}
	}
}

static void
base64_accepts_one_text_for_each_value(void)
{
	/* RFC 4648 10, then what is refused */
	static const struct b64_case padded[] = {
		{ "", "" },	    { "Zg==", "f" },	  { "Zm8=", "fo" },	{ "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" },		  { "Zm9vYmE=", "fooba" },
		{ "Zm9vYmFy", "foobar" },	  { "Pz8/Pj4+", "?\?\?>>>" },
		{ "Zg", NULL },	    { "Zg=", NULL },	  { "Zg===", NULL },	{ "Zm8", NULL },
		{ "Zm9v=", NULL },  { "Zm9v==", NULL },	  { "Zm9v====", NULL }, { "=", NULL },
		{ "==", NULL },	    { "====", NULL },	  { "Zh==", NULL },	{ "Zm9=", NULL },
		{ "Zm9v\n", NULL }, { "Zm 9", NULL },	  { "Zm-_", NULL },	{ "Zg==Zg==", NULL },
		{ "Z===", NULL },   { "Zm=v", NULL },	  { "Z", NULL },	{ "Zm9vZ", NULL },
		{ "Zm9\xc3", NULL } };
	static const struct b64_case url[] = {
		{ "", "" },	   { "Zg", "f" },     { "Zm8", "fo" },	  { "Zm9v", "foo" },
		{ "Pz8_Pj4-", "?\?\?>>>" },	      { "Zg==", NULL },	  { "Zm8=", NULL },
		{ "Pz8/", NULL },  { "Zh", NULL },    { "Zm9", NULL },	  { "Z", NULL },
		{ "Zm9vZ", NULL }, { "Zm9v ", NULL }, { "Zm9v\n", NULL } };
	static const struct b64_case dsse[] = {
		{ "Zg==", "f" },	  { "Zg", "f" },	    { "Zm8", "fo" },
		{ "Pz8_Pj4-", "?\?\?>>>" }, { "Pz8/Pj4+", "?\?\?>>>" }, { "Pz8_Pg==", "?\?\?>" },
		{ "Pz8/Pg", "?\?\?>" },	  { "Pz8_Pj4+", NULL },	    { "Pz8/Pj4-", NULL },
		{ "Zg=", NULL },	  { "Zg===", NULL },	    { "Zh", NULL },
		{ " Zg==", NULL },	  { "Z", NULL } };

	run_base64(cv_base64_decode, padded, CV_COUNT(padded));
	run_base64(cv_base64url_decode, url, CV_COUNT(url));
	run_base64(cv_base64_decode_dsse, dsse, CV_COUNT(dsse));
}

static void
base64_goes_there_and_back(void)
{
	uint8_t bytes[97];
	struct cv_err e;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 200);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(200), back = CV_BUF(100);

		cv_base64_encode(&text, cv_span(bytes, n));
		T_OK(cv_base64_decode(&back, cv_buf_span(&text), &e), e);
		T(cv_span_eq(cv_buf_span(&back), cv_span(bytes, n)));
		cv_buf_reset(&text);
		cv_buf_reset(&back);
		cv_base64url_encode(&text, cv_span(bytes, n));
		T_OK(cv_base64url_decode(&back, cv_buf_span(&text), &e), e);
		T(cv_span_eq(cv_buf_span(&back), cv_span(bytes, n)));
	}
}

static void
base64_respects_the_maximum(void)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(2);
	struct cv_err e;

	T_NO(cv_base64_decode(&out, cv_span_str("Zm9v"), &e), e, CV_R_LIMIT);
	cv_buf_reset(&out);
	T_OK(cv_base64_decode(&out, cv_span_str("Zm8="), &e), e);
	cv_base64_encode(&out, cv_span_str("a"));
	T_INT(out.failed, CV_R_LIMIT);
}

static void
hex_is_strict(void)
{
	static const char *const no[] = { "", "0", "00ff0", "00ff001", "00FF00", "00fg00", "0x00f0",
					  " 0ff00", "00ff0 " };
	uint8_t b[3] = { 9, 9, 9 };
	char text[7];
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(no); i++)
		T_NO(cv_hex_decode(b, 3, cv_span_str(no[i]), &e), e, CV_R_MALFORMED);
	T_INT(b[0], 9); /* untouched by failure */
	T_OK(cv_hex_decode(b, 3, cv_span_str("00ff9a"), &e), e);
	T(b[0] == 0 && b[1] == 0xff && b[2] == 0x9a);
	cv_hex_encode(text, b, 3);
	T_STR(text, "00ff9a");
	T_OK(cv_hex_decode(b, 0, cv_span_str(""), &e), e);
}

static void
numbers_have_one_spelling(void)
{
	static const char *const no[] = { "", "-1", "+1", "01", "00", " 1", "1 ", "1a", "0x1", "1.0",
					  "18446744073709551616", "99999999999999999999999", "101" };
	uint64_t v = 7;
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(no); i++)
		T_NO(cv_u64_parse(&v, cv_span_str(no[i]), 100, &e), e, CV_R_MALFORMED);
	T_NO(cv_u64_parse(&v, cv_span_str("18446744073709551616"), UINT64_MAX, &e), e,
	     CV_R_MALFORMED);
	T_INT(v, 7);
	T_HAS(e.text, "want a decimal number from 0 to 18446744073709551615");
	T_OK(cv_u64_parse(&v, cv_span_str("18446744073709551615"), UINT64_MAX, &e), e);
	T(v == UINT64_MAX);
	T_OK(cv_u64_parse(&v, cv_span_str("0"), 0, &e), e);
	T_INT(v, 0);
	T_OK(cv_u64_parse(&v, cv_span_str("100"), 100, &e), e);
}

static void
utf8_is_rfc_3629(void)
{
	static const char *const yes[] = { "", "plain ascii, eight", "\xc2\x80", "\xdf\xbf",
					   "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
					   "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
					   "abcdefgh\xc3\xa9" };
	static const char *const no[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
					  "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf",
					  "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
					  "\xff", "\xfe", "abcdefgh\xff", "\xf0\x90\x80",
					  "\xe1\x80\xc0", "abcdefg\xe9xyz" };
	struct cv_span s = cv_span_str("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");

	for (size_t i = 0; i < CV_COUNT(yes); i++)
		T(cv_utf8_valid(cv_span_str(yes[i])));
	for (size_t i = 0; i < CV_COUNT(no); i++)
		T(!cv_utf8_valid(cv_span_str(no[i])));
	T_INT(cv_utf8_next(&s), 'a');
	T_INT(cv_utf8_next(&s), 0xe9);
	T_INT(cv_utf8_next(&s), 0x20ac);
	T_INT(cv_utf8_next(&s), 0x1f600);
	T(cv_span_done(&s));
	T_INT(cv_utf8_next(&s), 0);
	T(s.bad);
	T(!cv_utf8_valid(s));
}

/* ---- digests ---- */

#define ABC_256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
digests_of_abc(void)
{
	/* FIPS 180-4 examples */
	static const struct {
		enum cv_alg alg;
		const char *text;
	} c[] = {
		{ CV_SHA256, "sha256:" ABC_256 },
		{ CV_SHA384, "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			     "8086072ba1e7cc2358baeca134c825a7" },
		{ CV_SHA512, "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" } };
	struct cv_digest d, same;
	char text[CV_DIGEST_TEXT];
	struct cv_err e;
	int fd = t_memfd("xabcx", 5);

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		T_OK(cv_digest_of(&d, c[i].alg, cv_span_str("abc"), &e), e);
		T_STR(cv_digest_text(&d, text), c[i].text);
		T_OK(cv_digest_parse(&same, cv_span_str(text), &e), e);
		T(cv_digest_eq(&d, &same));
		T_INT(cv_digest_cmp(&d, &same), 0);
		T_OK(cv_digest_fd(&same, c[i].alg, fd, 1, 3, &e), e);
		T(cv_digest_eq(&d, &same));
		T_NO(cv_digest_fd(&same, c[i].alg, fd, 3, 3, &e), e, CV_R_CUTOFF);
		T_NO(cv_digest_fd(&same, c[i].alg, fd, UINT64_MAX, 3, &e), e, CV_R_CUTOFF);
		T_NO(cv_digest_fd(&same, c[i].alg, fd, 0, UINT64_MAX, &e), e, CV_R_CUTOFF);
		T_NO(cv_digest_fd(&same, c[i].alg, -1, 0, 3, &e), e, CV_R_IO);
		same.b[0] ^= 1;
		T(!cv_digest_eq(&d, &same));
		T(cv_digest_cmp(&d, &same) * cv_digest_cmp(&same, &d) < 0);
	}
	close(fd);
	T_NO(cv_digest_of(&d, CV_ALG_NONE, cv_span_str("abc"), &e), e, CV_R_BUG);
	T_NO(cv_digest_of(&d, (enum cv_alg)4, cv_span_str("abc"), &e), e, CV_R_BUG);
}

static void
digest_text_has_one_spelling(void)
{
	static const struct {
		const char *text;
		enum cv_reason want;
	} no[] = { { "", CV_R_MALFORMED },
		   { "sha256", CV_R_MALFORMED },
		   { "sha256:", CV_R_MALFORMED },
		   { ":" ABC_256, CV_R_MALFORMED },
		   { ABC_256, CV_R_MALFORMED },
		   { "sha256:" ABC_256 "0", CV_R_MALFORMED },
		   { "sha256:" ABC_256 "00", CV_R_MALFORMED },
		   { "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		     CV_R_MALFORMED },
		   { "sha256:" ABC_256 "\n", CV_R_MALFORMED },
		   { "SHA256:" ABC_256, CV_R_MALFORMED },
		   { "sha512:" ABC_256, CV_R_MALFORMED },
		   { "sha256 :" ABC_256, CV_R_MALFORMED },
		   { "+b64:" ABC_256, CV_R_MALFORMED },
		   { "a++b:" ABC_256, CV_R_MALFORMED },
		   { "a+:" ABC_256, CV_R_MALFORMED },
		   { "../../etc:" ABC_256, CV_R_MALFORMED },
		   { "md5:d41d8cd98f00b204e9800998ecf8427e", CV_R_UNSUPPORTED },
		   { "sha256+b64u:xyz", CV_R_UNSUPPORTED },
		   { "blake3:" ABC_256, CV_R_UNSUPPORTED },
		   { "none:", CV_R_UNSUPPORTED } };
	struct cv_digest d = { .alg = CV_SHA384 };
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(no); i++)
		T_NO(cv_digest_parse(&d, cv_span_str(no[i].text), &e), e, no[i].want);
	T_INT(d.alg, CV_SHA384);
	T_NO(cv_digest_parse(&d, cv_span("sha256:" ABC_256 "\0", 72), &e), e, CV_R_MALFORMED);
	T_NO(cv_digest_hex(&d, CV_ALG_NONE, cv_span_str(""), &e), e, CV_R_UNSUPPORTED);
	T_NO(cv_digest_hex(&d, (enum cv_alg)77, cv_span_str(""), &e), e, CV_R_UNSUPPORTED);
	T_OK(cv_digest_hex(&d, CV_SHA256, cv_span_str(ABC_256), &e), e);
}

static void
no_digest_equals_nothing(void)
{
	struct cv_digest a = { 0 }, b = { 0 }, junk = { .alg = (enum cv_alg)200 };
	char text[CV_DIGEST_TEXT];

	T(!cv_digest_eq(&a, &b));
	T(!cv_digest_eq(&junk, &junk));
	T_STR(cv_digest_text(&a, text), "none");
	T_STR(cv_digest_text(&junk, text), "none");
	T_INT(cv_alg_size(CV_ALG_NONE), 0);
	T_INT(cv_alg_size((enum cv_alg)200), 0);
	T_INT(cv_alg_parse(cv_span_str("none")), CV_ALG_NONE);
	T_INT(cv_alg_parse(cv_span_str("sha256 ")), CV_ALG_NONE);
}

static void
hashing_by_parts(void)
{
	struct cv_hash *h = NULL;
	struct cv_digest d, whole;
	static char big[700001];
	struct cv_err e;
	int fd;

	memset(big, 'q', sizeof(big));
	fd = t_memfd(big, sizeof(big));
	T_OK(cv_hash_open(&h, CV_SHA256, &e), e);
	for (size_t at = 0; at < sizeof(big); at += 1001)
		T_OK(cv_hash_add(h, big + at, sizeof(big) - at < 1001 ? sizeof(big) - at : 1001, &e), e);
	T_OK(cv_hash_add(h, NULL, 0, &e), e);
	T_OK(cv_hash_end(h, &d, &e), e);
	T_NO(cv_hash_end(h, &d, &e), e, CV_R_BUG);
	T_NO(cv_hash_add(h, "x", 1, &e), e, CV_R_BUG);
	cv_hash_free(&h);
	cv_hash_free(&h);
	T_OK(cv_digest_fd(&whole, CV_SHA256, fd, 0, sizeof(big), &e), e);
	T(cv_digest_eq(&d, &whole));
	T_NO(cv_digest_fd(&whole, CV_SHA256, fd, 0, sizeof(big) + 1, &e), e, CV_R_CUTOFF);
	T_OK(cv_digest_fd(&whole, CV_SHA256, fd, 5, 0, &e), e);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(NULL, 0), &e), e);
	T(cv_digest_eq(&d, &whole));
	close(fd);
}

/* ---- time ---- */

static void
times_are_rfc_3339_utc(void)
{
	static const struct {
		const char *text;
		int64_t t;
	} yes[] = { { "1970-01-01T00:00:00Z", 0 },
		    { "1970-01-01", 0 },
		    { "2000-02-29T23:59:59Z", 951868799 },
		    { "2024-02-29", 1709164800 },
		    { "2026-09-22T19:10:00Z", 1790104200 },
		    { "2026-09-22T19:10:00.123456789Z", 1790104200 },
		    { "2100-02-28", 4107456000 },
		    { "9999-12-31T23:59:59Z", 253402300799 } };
	static const char *const no[] = {
		"", "2026", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32", "2026-04-31",
		"2026-02-29", "2100-02-29", "1900-02-28", "1969-12-31", "10000-01-01", "2026-1-1",
		"2026-01-01 00:00:00Z", "2026-01-01t00:00:00Z", "2026-01-01T00:00:00z",
		"2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00.1", "2026-01-01T00:00:00Z ", " 2026-01-01", "2026-01-01Z",
		"2026-01-01T", "2026/01/01", "-026-01-01", "2026-01-01T00:00Z", "+2026-01-01",
		"2026-01-01T0a:00:00Z" };
	char text[CV_TIME_TEXT];
	int64_t t = 5;
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(no); i++)
		T_NO(cv_time_parse(&t, cv_span_str(no[i]), &e), e, CV_R_MALFORMED);
	T_INT(t, 5);
	for (size_t i = 0; i < CV_COUNT(yes); i++) {
		T_OK(cv_time_parse(&t, cv_span_str(yes[i].text), &e), e);
		T_INT(t, yes[i].t);
	}
	T_NO(cv_time_parse(&t, cv_span("2026-01-01\0", 11), &e), e, CV_R_MALFORMED);
	T_STR(cv_time_text(INT64_MIN, text), "@-9223372036854775808");
	T_STR(cv_time_text(253402300800, text), "@253402300800");
	T_STR(cv_time_text(-1, text), "@-1");
}

static void
times_agree_with_the_c_library(void)
{
	char ours[CV_TIME_TEXT], theirs[CV_TIME_TEXT];
	struct cv_err e;

	for (int64_t t = 0; t < 253402300800; t += 86400 * 97 + 12347) {
		time_t tt = (time_t)t;
		struct tm tm;
		int64_t back;

		T(gmtime_r(&tt, &tm) != NULL);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm);
		T_STR(cv_time_text(t, ours), theirs);
		T_OK(cv_time_parse(&back, cv_span_str(ours), &e), e);
		T_INT(back, t);
	}
}

static void
durations(void)
{
	static const char *const no[] = { "", "s", "90", "90 s", "-1s", "1w", "01s", "1.5h", "1h30m",
					  "s90", "S", "90S", "101d", "99999999999999999999s",
					  "9223372036854775807d" };
	int64_t max = 100 * 86400, v;
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(no); i++)
		T_NO(cv_duration_parse(&v, cv_span_str(no[i]), max, &e), e, CV_R_MALFORMED);
	T_OK(cv_duration_parse(&v, cv_span_str("90s"), max, &e), e);
	T_INT(v, 90);
	T_OK(cv_duration_parse(&v, cv_span_str("15m"), max, &e), e);
	T_INT(v, 900);
	T_OK(cv_duration_parse(&v, cv_span_str("24h"), max, &e), e);
	T_INT(v, 86400);
	T_OK(cv_duration_parse(&v, cv_span_str("100d"), max, &e), e);
	T_INT(v, max);
	T_NO(cv_duration_parse(&v, cv_span_str("0s"), -1, &e), e, CV_R_MALFORMED);
	T_INT(cv_mono_left(0), -1);
	T_INT(cv_mono_left(1), 0);
	T_INT(cv_mono_left(-5), 0);
	T(cv_mono_left(cv_mono_ms() + 5000) > 4000);
	T_INT(cv_mono_left(INT64_MAX), INT32_MAX);
}

/* ---- text ---- */

static void
text_is_made_harmless(void)
{
	static const struct {
		const char *in;
		size_t max;
		const char *want;
	} c[] = { { "plain", 0, "plain" },
		  { "", 5, "" },
		  { "caf\xc3\xa9 \xe6\x97\xa5", 0, "caf\xc3\xa9 \xe6\x97\xa5" },
		  { "a\033[31mb\n", 0, "a\\x1b[31mb\\x0a" },
		  { "\x7f\tz", 0, "\\x7f\\x09z" },
		  { "\xc2\x9b" "31m", 0, "\\u{9b}31m" },
		  { "x\xff\xc3z", 0, "x\\xff\\xc3z" },
		  { "\xe2\x80\xae" "abc", 0, "\\u{202e}abc" },
		  { "\xe2\x80\x8b\xef\xbb\xbf", 0, "\\u{200b}\\u{feff}" },
		  { "\xf3\xa0\x81\x81", 0, "\\u{e0041}" },
		  { "\xe2\x80\xa8\xe2\x80\xa9", 0, "\\u{2028}\\u{2029}" },
		  { "back\\slash", 0, "back\\slash" },
		  { "12345", 5, "12345" },
		  { "123456", 5, "12345..." },
		  { "\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9\xc3\xa9..." },
		  { "\n\n\n", 2, "\\x0a\\x0a..." },
		  { "ab\xed\xa0\x80", 0, "ab\\xed\\xa0\\x80" } };

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(200);

		cv_text_safe(&b, cv_span_str(c[i].in), c[i].max);
		T_STR(cv_buf_text(&b), c[i].want);
	}
}

static void
hidden_characters_have_classes(void)
{
	static const struct {
		uint32_t cp;
		const char *class;
	} c[] = { { 0, "control" },	     { '\n', "control" },
		  { 0x7f, "control" },	     { 0x9f, "control" },
		  { 0x2028, "control" },     { 0x61c, "bidirectional control" },
		  { 0x200e, "bidirectional control" },
		  { 0x202a, "bidirectional control" },
		  { 0x202e, "bidirectional control" },
		  { 0x2066, "bidirectional control" },
		  { 0x2069, "bidirectional control" },
		  { 0xad, "zero width" },    { 0x34f, "zero width" },
		  { 0x180e, "zero width" },  { 0x200b, "zero width" },
		  { 0x200d, "zero width" },  { 0x2060, "zero width" },
		  { 0x2064, "zero width" },  { 0x206f, "zero width" },
		  { 0xfeff, "zero width" },  { 0x3164, "zero width" },
		  { 0xfe0f, "variation selector" },
		  { 0x180b, "variation selector" },
		  { 0xe0100, "variation selector" },
		  { 0xe01ef, "variation selector" },
		  { 0xe0000, "tag character" },
		  { 0xe007f, "tag character" } };
	static const uint32_t visible[] = { ' ', '~', 0xa0, 0xac, 0xae, 0xe9, 0x200a, 0x2010, 0x2030,
					    0x205f, 0x2070, 0x4e00, 0xfdff, 0xfe10, 0x1f600, 0x10fffd };

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		T(cv_text_hidden(c[i].cp) != NULL);
		T_STR(cv_text_hidden(c[i].cp), c[i].class);
	}
	for (size_t i = 0; i < CV_COUNT(visible); i++)
		T(cv_text_hidden(visible[i]) == NULL);
}

static void
brief_and_fixed_texts_are_cut(void)
{
	char brief[CV_TEXT_BRIEF], small[8], hostile[400];

	T_STR(cv_text_brief(brief, cv_span_str("a\nb")), "a\\x0a" "b");
	T_STR(cv_text_brief(brief, cv_span(NULL, 0)), "");
	for (size_t i = 0; i + 4 <= sizeof(hostile); i += 4)
		memcpy(hostile + i, "\xf3\xa0\x81\x81", 4); /* the longest form each */
	cv_text_brief(brief, cv_span(hostile, sizeof(hostile)));
	T_INT(strlen(brief), CV_TEXT_QUOTE * strlen("\\u{e0041}") + 3);
	cv_text_fmt(small, sizeof(small), "%s", "1234567");
	T_STR(small, "1234567");
	cv_text_fmt(small, sizeof(small), "%s", "12345678");
	T_STR(small, "1234...");
	cv_text_fmt(small, sizeof(small), "%s", "123\xe2\x82\xac" "56");
	T_STR(small, "123...");
}

/* ---- findings ---- */

static void
the_catalogue_is_sorted(void)
{
	size_t n;
	const struct cv_check *c = cv_check_all(&n);

	T(n > 50);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(c[i - 1].id, c[i].id) >= 0)
			t_fail(__FILE__, __LINE__, "%s and %s", c[i - 1].id, c[i].id);
		T(cv_check_find(c[i].id) == &c[i]);
		T(c[i].title[0] != '\0' && c[i].by != 0 && c[i].by < 8);
		T(strspn(c[i].id, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(c[i].id));
		T(strchr(c[i].id, '.') != NULL);
	}
	T(cv_check_find("") == NULL);
	T(cv_check_find(NULL) == NULL);
	T(cv_check_find("sig.invali") == NULL);
	T(cv_check_find("sig.invalid ") == NULL);
	T(cv_check_find("zzz") == NULL);
}

static void
outcomes_follow_from_reasons(void)
{
	struct cv_finding zero = { 0 }, f;

	T_INT(zero.outcome, CV_UNKNOWN);
	for (int i = 0; i < CV_R_COUNT; i++) {
		enum cv_reason r = (enum cv_reason)i;
		int exit = (int)cv_reason_exit(r);

		T_INT(cv_outcome_of(r), exit == 0 ? CV_PASS : exit == 1 ? CV_FAIL : CV_UNKNOWN);
		f = cv_finding_no("sig.invalid", r);
		T_INT(f.outcome, exit == 1 ? CV_FAIL : CV_UNKNOWN); /* never a pass */
	}
	T_INT(cv_outcome_of(CV_R_COUNT), CV_UNKNOWN);
	T_INT(cv_finding_no("sig.invalid", (enum cv_reason)1000).reason, CV_R_BUG);
	f = cv_finding_pass("sig.invalid");
	T_STR(f.check, "sig.invalid");
	T_INT(f.outcome, CV_PASS);
	T_INT(f.reason, CV_R_NONE);
	f = cv_finding_pass("sig.nonsense");
	T_STR(f.check, "internal.unknown-check");
	T_INT(f.outcome, CV_UNKNOWN);
	T_INT(f.reason, CV_R_BUG);
	T_HAS(f.found, "sig.nonsense");
	T_INT(cv_finding_pass(NULL).outcome, CV_UNKNOWN);
	T_STR(cv_outcome_word(CV_PASS), "pass");
	T_STR(cv_outcome_word(CV_FAIL), "fail");
	T_STR(cv_outcome_word(CV_WAIVED), "waived");
	T_STR(cv_outcome_word(CV_NOT_APPLICABLE), "not-applicable");
	T_STR(cv_outcome_word((enum cv_outcome)9), "unknown");
}

static void
finding_texts_are_cut(void)
{
	struct cv_finding f = cv_finding_no("sig.invalid", CV_R_SIGNATURE);
	char big[2000];

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	cv_finding_found(&f, "%s", big);
	T_INT(strlen(f.found), sizeof(f.found) - 1);
	T_STR(f.found + sizeof(f.found) - 4, "...");
	cv_finding_expected(&f, "%s", "e");
	cv_finding_where(&f, "%d", 5);
	cv_finding_note(&f, "n");
	cv_finding_note(&f, "%s, %s", f.note, f.expected);
	T_STR(f.expected, "e");
	T_STR(f.where, "5");
	T_STR(f.note, "n, e");
}

static const struct t_case cases[] = {
	{ "base64 accepts one text for each value", base64_accepts_one_text_for_each_value },
	{ "base64 goes there and back", base64_goes_there_and_back },
	{ "base64 respects the maximum", base64_respects_the_maximum },
	{ "hex is strict", hex_is_strict },
	{ "numbers have one spelling", numbers_have_one_spelling },
	{ "UTF-8 is RFC 3629", utf8_is_rfc_3629 },
	{ "digests of abc", digests_of_abc },
	{ "digest text has one spelling", digest_text_has_one_spelling },
	{ "no digest equals nothing", no_digest_equals_nothing },
	{ "hashing by parts", hashing_by_parts },
	{ "times are RFC 3339 in UTC", times_are_rfc_3339_utc },
	{ "times agree with the C library", times_agree_with_the_c_library },
	{ "durations", durations },
	{ "text is made harmless", text_is_made_harmless },
	{ "hidden characters have classes", hidden_characters_have_classes },
	{ "brief and fixed texts are cut", brief_and_fixed_texts_are_cut },
	{ "the catalogue is sorted", the_catalogue_is_sorted },
	{ "outcomes follow from reasons", outcomes_follow_from_reasons },
	{ "finding texts are cut", finding_texts_are_cut },
};
T_MAIN(cases)
