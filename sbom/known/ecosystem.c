/* SPDX-License-Identifier: Apache-2.0 */
/* ecosystem.c: names of ecosystems, packages and releases. Never guesses one. */
#include "ecosystem.h"

#include <string.h>

#include "trust/base/banned.h"

static const struct {
	const char *name;
	enum cv_vscheme scheme;
} ecosystems[CV_ECO_COUNT] = {
	[CV_ECO_NONE] = { "none", CV_V_NONE },     [CV_ECO_GO] = { "Go", CV_V_SEMVER },
	[CV_ECO_NPM] = { "npm", CV_V_SEMVER },     [CV_ECO_PYPI] = { "PyPI", CV_V_PEP440 },
	[CV_ECO_DEBIAN] = { "Debian", CV_V_DPKG },
};

enum cv_eco
cv_eco_of(struct cv_span name)
{
	for (int i = 1; i < CV_ECO_COUNT; i++)
		if (cv_span_eq_str(name, ecosystems[i].name))
			return (enum cv_eco)i;
	return CV_ECO_NONE;
}

const char *
cv_eco_name(enum cv_eco eco)
{
	return (unsigned)eco < CV_ECO_COUNT ? ecosystems[eco].name : "none";
}

enum cv_vscheme
cv_eco_scheme(enum cv_eco eco)
{
	return (unsigned)eco < CV_ECO_COUNT ? ecosystems[eco].scheme : CV_V_NONE;
}

void
cv_eco_key(struct cv_buf *out, enum cv_eco eco, struct cv_span name)
{
	bool dash = false;

	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		/* PEP 503: runs of "-", "_" and "." are one "-". */
		bool sep = eco == CV_ECO_PYPI && (c == '-' || c == '_' || c == '.');
		if (!sep || !dash)
			cv_buf_byte(out, sep ? '-' : c);
		dash = sep;
	}
}

const char *
cv_eco_debian_release(struct cv_span version, char out[8])
{
	static const char *const code[][2] = {
		{ "wheezy", "7" },  { "jessie", "8" },    { "stretch", "9" },
		{ "buster", "10" }, { "bullseye", "11" }, { "bookworm", "12" },
		{ "trixie", "13" }, { "forky", "14" },    { "duke", "15" },
	};
	size_t n = 0;

	for (size_t i = 0; i < CV_COUNT(code); i++)
		if (cv_span_eq_str(version, code[i][0])) {
			memcpy(out, code[i][1], strlen(code[i][1]) + 1);
			return out;
		}
	while (n < version.n && n < 4 && version.p[n] >= '0' && version.p[n] <= '9') {
		out[n] = (char)version.p[n];
		n++;
	}
	if (n < version.n && version.p[n] != '.')
		n = 0;
	out[n] = '\0';
	return out;
}
