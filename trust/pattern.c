/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c: see pattern.h. Must never find a match in a part of a text. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "trust/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

#define MATCH_LIMIT 100000 /* steps; names are short */
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT  1024 /* KiB */

struct cv_pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	char text[CV_MAX_PATTERN + 1];
};

void
cv_pattern_free(struct cv_pattern **p)
{
	if (*p == NULL)
		return;
	pcre2_code_free((*p)->code);
	pcre2_match_context_free((*p)->limits);
	free(*p);
	*p = NULL;
}

const char *
cv_pattern_text(const struct cv_pattern *p)
{
	return p->text;
}

static int
compile(struct cv_pattern *p, struct cv_err *e)
{
	char why[200], brief[CV_TEXT_BRIEF];
	size_t at;
	int code;

	/* NEVER_BACKSLASH_C: \C would cut a character in two */
	p->code = pcre2_compile((PCRE2_SPTR)p->text, PCRE2_ZERO_TERMINATED,
				PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF |
					PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
				&code, &at, NULL);
	p->limits = pcre2_match_context_create(NULL);
	if (p->limits == NULL || (p->code == NULL && code == PCRE2_ERROR_HEAP_FAILED))
		return cv_fail_memory(e);
	if (p->code == NULL) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "the pattern %s cannot be read: at character %zu: %s",
			       cv_text_brief(brief, cv_span_str(p->text)), at, why);
	}
	pcre2_set_match_limit(p->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(p->limits, HEAP_LIMIT);
	return 0;
}

int
cv_pattern_compile(struct cv_pattern **ret, const char *text, struct cv_err *e)
{
	cv_auto(cv_pattern_free) struct cv_pattern *p = calloc(1, sizeof(*p));
	char brief[CV_TEXT_BRIEF];
	struct cv_err ignored;

	if (p == NULL)
		return cv_fail_memory(e);
	if (strlen(text) > CV_MAX_PATTERN)
		return cv_fail(e, CV_R_UNSUPPORTED, "a pattern of %zu bytes, want at most %d",
			       strlen(text), CV_MAX_PATTERN);
	memcpy(p->text, text, strlen(text) + 1);
	if (compile(p, e) != 0)
		return -1;
	if (cv_pattern_match(p, "", &ignored) == 0 || cv_pattern_match(p, "\x7f", &ignored) == 0)
		return cv_fail(e, CV_R_UNSUPPORTED,
			       "the pattern %s matches anything: that names nobody",
			       cv_text_brief(brief, cv_span_str(text)));
	*ret = cv_steal(p);
	return 0;
}

int
cv_pattern_match(const struct cv_pattern *p, const char *text, struct cv_err *e)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int rc;

	if (data == NULL)
		return cv_fail_memory(e);
	rc = pcre2_match(p->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, p->limits);
	pcre2_match_data_free(data);
	/* 0: it matches, and has more groups than there was room for */
	if (rc >= 0)
		return 0;
	if (rc == PCRE2_ERROR_NOMATCH)
		return cv_fail(e, CV_R_IDENTITY, "the pattern does not match");
	if (rc == PCRE2_ERROR_NOMEMORY)
		return cv_fail_memory(e);
	return cv_fail(e, CV_R_UNSUPPORTED,
		       "whether the pattern matches could not be found out within its limits (%d)",
		       rc);
}
