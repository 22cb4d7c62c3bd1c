/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_osv.c: what an advisory says about a version; what is no advisory. */
#include "sbom/known/osv.h"
#include "tests/support/t.h"

#include <stdlib.h>

/* A quotation mark each: rows are written with ' for ". */
static struct cv_span
quoted(struct cv_buf *out, const char *text)
{
	*out = CV_BUF(1 << 16);
	for (; *text != '\0'; text++)
		cv_buf_byte(out, *text == '\'' ? '"' : (uint8_t)*text);
	return cv_buf_span(out);
}

#define AFF(eco, inside)                                                                           \
	"{'id':'X-1','affected':[{'package':{'ecosystem':'" eco "','name':'p'}," inside "}]}"
#define RANGE(type, events) "'ranges':[{'type':'" type "','events':[" events "]}]"

struct row {
	const char *text, *version;
	enum cv_osv_answer want;
	const char *fixed; /* NULL: any */
};

static void
affected(void)
{
	static const struct row t[] = {
		/* no beginning is the beginning */
		{ AFF("npm", RANGE("SEMVER", "{'fixed':'1.0.0'}")), "0.1.0", CV_OSV_YES, "1.0.0" },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'fixed':'1.0.0'}")), "0.9.9",
		  CV_OSV_YES, "1.0.0" },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'fixed':'1.0.0'}")), "1.0.0",
		  CV_OSV_NO, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'fixed':'1.0.0'}")), "1.0.0-rc.1",
		  CV_OSV_YES, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'last_affected':'1.0.0'}")),
		  "1.0.0", CV_OSV_YES, "" },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'last_affected':'1.0.0'}")),
		  "1.0.1", CV_OSV_NO, NULL },
		/* events in no order */
		{ AFF("npm", RANGE("SEMVER", "{'fixed':'2.2.0'},{'introduced':'2.0.0'},"
					     "{'fixed':'1.5.0'},{'introduced':'1.0.0'}")),
		  "2.1.0", CV_OSV_YES, "2.2.0" },
		{ AFF("npm", RANGE("SEMVER", "{'fixed':'2.2.0'},{'introduced':'2.0.0'},"
					     "{'fixed':'1.5.0'},{'introduced':'1.0.0'}")),
		  "1.5.0", CV_OSV_NO, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'1.0.0'},{'fixed':'1.5.0'},"
					     "{'introduced':'2.0.0'}")),
		  "9.0.0", CV_OSV_YES, "" },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'1.0.0'}")), "0.9.0", CV_OSV_NO, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'limit':'1.0.0'}")), "1.0.0",
		  CV_OSV_NO, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'limit':'1.0.0'}")), "0.9.0",
		  CV_OSV_YES, NULL },
		/* a list of versions */
		{ AFF("PyPI", "'versions':['1.0','1.1']"), "1.1", CV_OSV_YES, "" },
		{ AFF("PyPI", "'versions':['1.0','1.1']"), "1.1.0", CV_OSV_YES, "" },
		{ AFF("PyPI", "'versions':['1.0','1.1']"), "1.2", CV_OSV_NO, NULL },
		{ AFF("npm", "'versions':['v1.0.0']"), "1.0.0", CV_OSV_YES, NULL },
		{ AFF("npm", "'versions':['(devel)']"), "(devel)", CV_OSV_YES, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'2.0.0'}") ",'versions':['1.0.0']"),
		  "1.0.0", CV_OSV_YES, NULL },
		/* what cannot be told */
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'}")), "(devel)", CV_OSV_CANNOT_TELL,
		  NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'}")), "", CV_OSV_CANNOT_TELL, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'0'},{'fixed':'x y'}")), "1.0.0",
		  CV_OSV_YES, NULL },
		{ AFF("npm", RANGE("SEMVER", "{'introduced':'x y'}")), "1.0.0", CV_OSV_CANNOT_TELL,
		  NULL },
		{ AFF("npm", RANGE("GIT", "{'introduced':'0'}")), "1.0.0", CV_OSV_CANNOT_TELL,
		  NULL },
		{ AFF("npm", RANGE("NEWER", "{'introduced':'9'}")), "1.0.0", CV_OSV_CANNOT_TELL,
		  NULL },
		{ AFF("npm", "'x':1"), "1.0.0", CV_OSV_CANNOT_TELL, NULL },
		/* commits beside versions: the versions answer */
		{ AFF("npm", RANGE("GIT", "{'introduced':'0'}") ",'versions':['2.0.0']"), "1.0.0",
		  CV_OSV_NO, NULL },
		/* Debian and PEP 440 orders */
		{ AFF("Debian:12", RANGE("ECOSYSTEM", "{'introduced':'0'},{'fixed':'1:1.0-1'}")),
		  "2.0-1", CV_OSV_YES, "1:1.0-1" },
		{ AFF("Debian:12", RANGE("ECOSYSTEM", "{'introduced':'0'},{'fixed':'1.0~rc1-1'}")),
		  "1.0-1", CV_OSV_NO, NULL },
		{ AFF("PyPI", RANGE("ECOSYSTEM", "{'introduced':'0'},{'fixed':'1.0.post1'}")),
		  "1.0", CV_OSV_YES, NULL },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_osv o;
		struct cv_err e = { 0 };
		struct cv_buf b;
		struct cv_span fixed = cv_span(NULL, 0);
		enum cv_osv_answer got;

		T_OK(cv_osv_read(&o, quoted(&b, t[i].text), "row", &e), e);
		T_INT(o.naffected, 1);
		got = cv_osv_eval(cv_eco_scheme(o.affected[0].eco),
				  cv_span(o.affected[0].rule, o.affected[0].rule_n),
				  cv_span_str(t[i].version), &fixed);
		if (got != t[i].want)
			t_fail(__FILE__, __LINE__, "%s, version \"%s\": %d, want %d", t[i].text,
			       t[i].version, (int)got, (int)t[i].want);
		if (t[i].fixed != NULL && !cv_span_eq_str(fixed, t[i].fixed))
			t_fail(__FILE__, __LINE__, "%s: fixed in \"%.*s\"", t[i].text, (int)fixed.n,
			       (const char *)fixed.p);
		cv_osv_free(&o);
		cv_buf_free(&b);
	}
}

static void
refused(void)
{
	static const struct {
		const char *text;
		enum cv_reason want;
	} t[] = {
		{ "", CV_R_MALFORMED },
		{ "[]", CV_R_MALFORMED },
		{ "{}", CV_R_MALFORMED },
		{ "{'id':''}", CV_R_MALFORMED },
		{ "{'id':'a b'}", CV_R_MALFORMED },
		{ "{'id':'a/b'}", CV_R_MALFORMED },
		{ "{'id':1}", CV_R_MALFORMED },
		{ "{'id':'a'}x", CV_R_MALFORMED },
		{ "{'id':'a','id':'b'}", CV_R_AMBIGUOUS },
		{ "{'id':'a','affected':[1]}", CV_R_MALFORMED },
		{ "{'id':'a','affected':[{'package':1}]}", CV_R_MALFORMED },
		{ "{'id':'a','affected':[{'ranges':{}}]}", CV_R_MALFORMED },
		{ "{'id':'a','affected':[{'versions':[1]}]}", CV_R_MALFORMED },
		{ "{'id':'a','x':{'y':1,'y':2}}", CV_R_AMBIGUOUS },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_osv o;
		struct cv_err e = { 0 };
		struct cv_buf b;
		int rc = cv_osv_read(&o, quoted(&b, t[i].text), "row", &e);

		/* a duplicate key may be called either */
		if (rc == 0 || (e.reason != t[i].want &&
				!(t[i].want == CV_R_AMBIGUOUS && e.reason == CV_R_MALFORMED)))
			t_fail(__FILE__, __LINE__, "%s: %s", t[i].text,
			       rc == 0 ? "taken" : cv_reason_word(e.reason));
		cv_buf_free(&b);
	}
}

static void
words(void)
{
	static const struct {
		const char *text, *severity;
		bool withdrawn;
	} t[] = {
		{ "{'id':'X'}", "UNKNOWN", false },
		{ "{'id':'MAL-1'}", "MALICIOUS", false },
		{ "{'id':'X','database_specific':{'severity':'MODERATE'}}", "MEDIUM", false },
		{ "{'id':'X','database_specific':{'severity':'odd'}}", "UNKNOWN", false },
		{ "{'id':'X','severity':[{'type':'CVSS_V3','score':"
		  "'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'}]}",
		  "CRITICAL", false },
		{ "{'id':'X','severity':[{'type':'CVSS_V3','score':"
		  "'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L'}]}",
		  "LOW", false },
		{ "{'id':'X','severity':[{'type':'CVSS_V3','score':'CVSS:3.1/AV:N'}]}", "UNKNOWN",
		  false },
		{ "{'id':'X','withdrawn':'2026-01-01T00:00:00Z'}", "UNKNOWN", true },
		{ "{'id':'X','withdrawn':null}", "UNKNOWN", false },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_osv o;
		struct cv_err e = { 0 };
		struct cv_buf b;

		T_OK(cv_osv_read(&o, quoted(&b, t[i].text), "row", &e), e);
		T_STR(o.severity, t[i].severity);
		T(o.withdrawn == t[i].withdrawn);
		cv_osv_free(&o);
		cv_buf_free(&b);
	}
}

/* A rule whose bytes are damaged is broken, or says something: never out of bounds. */
static void
broken_rules(void)
{
	static const uint8_t rule[] = { 'R', 0,   0,   'I', 1,   0, '0', 'F', 5,   0,  '1',
					'.', '0', '.', '0', 'V', 3, 0,   '9', '.', '9' };
	uint8_t b[sizeof rule];
	struct cv_span fixed;

	for (size_t n = 0; n < sizeof rule; n++)
		(void)cv_osv_eval(CV_V_SEMVER, cv_span(rule, n), cv_span_str("1.0.0"), &fixed);
	T_INT(cv_osv_eval(CV_V_SEMVER, cv_span(rule, 8), cv_span_str("1.0.0"), &fixed),
	      CV_OSV_BROKEN);
	T_INT(cv_osv_eval(CV_V_SEMVER, cv_span("X\0\0", 3), cv_span_str("1.0.0"), &fixed),
	      CV_OSV_BROKEN);
	for (size_t i = 0; i < sizeof rule * 8; i++) {
		memcpy(b, rule, sizeof rule);
		b[i / 8] ^= (uint8_t)(1u << i % 8);
		(void)cv_osv_eval(CV_V_SEMVER, cv_span(b, sizeof b), cv_span_str("0.5.0"), &fixed);
	}
}

static void
keys(void)
{
	static const struct {
		enum cv_eco eco;
		const char *name, *key;
	} t[] = {
		{ CV_ECO_PYPI, "My_.-Package", "my-package" },
		{ CV_ECO_NPM, "@Scope/a_b", "@scope/a_b" },
		{ CV_ECO_GO, "github.com/A/b", "github.com/a/b" },
	};
	static const char *const releases[][2] = {
		{ "12", "12" },     { "12.5", "12" }, { "bookworm", "12" },
		{ "trixie", "13" }, { "", "" },       { "sid", "" },
		{ "12x", "" },      { "12345", "" },  { "Bookworm", "" },
	};
	char out[8];

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_buf b = CV_BUF(256);

		cv_eco_key(&b, t[i].eco, cv_span_str(t[i].name));
		T_STR(cv_buf_text(&b), t[i].key);
		cv_buf_free(&b);
	}
	for (size_t i = 0; i < CV_COUNT(releases); i++)
		T_STR(cv_eco_debian_release(cv_span_str(releases[i][0]), out), releases[i][1]);
	T_INT(cv_eco_of(cv_span_str("pypi")), CV_ECO_NONE);
	T_INT(cv_eco_of(cv_span_str("PyPI")), CV_ECO_PYPI);
}

static const struct t_case cases[] = {
	{ "affected", affected },         { "refused", refused }, { "words", words },
	{ "broken_rules", broken_rules }, { "keys", keys },
};

T_MAIN(cases)
