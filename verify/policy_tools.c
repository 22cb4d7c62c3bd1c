/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_tools.c: the part of policy.json about signers who sign with ssh-keygen -Y,
 * minisign or signify. Must never leave open who, or for what: an allowed_signers file
 * alone says only whom its author knows.
 *
 * A text with a line end in it is the file itself, any other names one below the
 * policy's directory.
 */
#include "verify/policy_int.h"

#include <string.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

bool
cv_tool_same(const struct cv_tool_want *a, const struct cv_tool_want *b)
{
	return a->tool == b->tool && cv_digest_eq(&a->digest, &b->digest) &&
	       strcmp(a->principal, b->principal) == 0 && strcmp(a->ns, b->ns) == 0;
}

static int
from_file(struct cv_policy *p, struct cv_tool_want *w, struct cv_jv v, int dirfd,
	  struct cv_buf *text, struct cv_err *e)
{
	struct cv_err why;
	int got;

	if (dirfd == -1)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "want the file's text itself: files beside this one are not to "
				  "be had");
	if (cv_conf_relative(v, &w->file, e) != 0)
		return -1;
	got = cv_conf_read(text, dirfd, w->file, CV_MAX_TOOL_FILE, &why);
	if (got == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", but there is no such file",
				  w->file);
	if (got < 0)
		return why.reason != CV_R_CONFIG ? cv_fail(e, why.reason, "%s", why.text)
						 : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	p->external_keys = true;
	return 0;
}

static int
read_text(struct cv_policy *p, struct cv_tool_want *w, struct cv_jv v, int dirfd, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_TOOL_FILE);
	const char *value, *copy;

	w->pos = cv_jv_pos(v);
	if (cv_jv_str(v, &value, e) != 0)
		return -1;
	if (strchr(value, '\n') != NULL)
		cv_buf_str(&text, value);
	else if (from_file(p, w, v, dirfd, &text, e) != 0)
		return -1;
	if (cv_buf_ok(&text, "a signer's file", e) != 0)
		return -1;
	copy = cv_mem_bytes(&p->mem, cv_buf_span(&text), e);
	if (copy == NULL)
		return -1;
	w->text = cv_span(copy, text.n);
	return cv_digest_of(&w->digest, CV_SHA256, w->text, e);
}

/* read_word: a principal or a namespace: one word, no pattern. */
static int
read_word(struct cv_jv v, const char **ret, struct cv_err *e)
{
	if (cv_jv_str(v, ret, e) != 0)
		return -1;
	if (**ret != '\0' && strlen(*ret) <= 255 && strpbrk(*ret, " \t\",*?!") == NULL)
		return 0;
	return cv_jv_fail(v, e, CV_R_CONFIG,
			  "found \"%s\", want one name of at most 255 bytes, and no pattern", *ret);
}

static int
read_ssh(struct cv_policy *p, struct cv_tool_want *w, struct cv_jv v, int dirfd, struct cv_err *e)
{
	static const char *const keys[] = { "allowed_signers", "principal", "namespace", NULL };

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    read_word(cv_jv_get(v, "principal"), &w->principal, e) != 0 ||
	    read_word(cv_jv_get(v, "namespace"), &w->ns, e) != 0)
		return -1;
	return read_text(p, w, cv_jv_get(v, "allowed_signers"), dirfd, e);
}

static int
read_list(struct cv_policy *p, struct cv_signer *s, struct cv_jv list, enum cv_tool tool, int dirfd,
	  struct cv_err *e)
{
	for (struct cv_jv i = cv_jv_first(list); !i.absent; i = cv_jv_next(i)) {
		struct cv_tool_want *w = &s->tools[s->ntools];

		*w = (struct cv_tool_want){ .tool = tool, .principal = "", .ns = "" };
		if (tool == CV_TOOL_SSH ? read_ssh(p, w, i, dirfd, e) != 0
					: read_text(p, w, i, dirfd, e) != 0)
			return -1;
		for (size_t k = 0; k < s->ntools; k++)
			if (cv_tool_same(&s->tools[k], w))
				return cv_jv_fail(i, e, CV_R_CONFIG,
						  "found the same twice, want each once");
		s->ntools++;
	}
	return 0;
}

int
cv_policy_read_tools(struct cv_policy *p, struct cv_signer *s, struct cv_jv signer, int dirfd,
		     struct cv_err *e)
{
	static const struct {
		const char *key;
		enum cv_tool tool;
	} lists[] = { { "ssh", CV_TOOL_SSH },
		      { "minisign", CV_TOOL_MINISIGN },
		      { "signify", CV_TOOL_SIGNIFY } };
	size_t n = 0;

	for (size_t i = 0; i < CV_COUNT(lists); i++) {
		struct cv_jv v = cv_jv_get(signer, lists[i].key);

		if (!v.absent && cv_jv_want(v, CV_J_ARRAY, e) != 0)
			return -1;
		if (!v.absent && (cv_jv_len(v) == 0 || cv_jv_len(v) > CV_MAX_TOOLS))
			return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu, want 1 to %d",
					  cv_jv_len(v), CV_MAX_TOOLS);
		n += cv_jv_len(v);
	}
	if (n == 0)
		return 0;
	s->tools = cv_mem_get(&p->mem, n, sizeof(*s->tools), e);
	if (s->tools == NULL)
		return -1;
	for (size_t i = 0; i < CV_COUNT(lists); i++)
		if (read_list(p, s, cv_jv_get(signer, lists[i].key), lists[i].tool, dirfd, e) != 0)
			return -1;
	return 0;
}
