/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c: the keys of a task; see proven.h. */
#include "trust/proven.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static bool
holds(const struct cv_keyring *r, const char *name, const struct cv_pubkey *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->key[i].name, name) == 0 &&
		    cv_digest_eq(cv_pubkey_id(r->key[i].key), cv_pubkey_id(key)))
			return true;
	return false;
}

int
cv_keyring_add(struct cv_keyring *r, const char *name, struct cv_span pem, struct cv_err *e)
{
	cv_auto(cv_pubkey_free) struct cv_pubkey *key = NULL;
	char what[CV_TEXT_BRIEF + 8], brief[CV_TEXT_BRIEF];

	if (r->n == CV_MAX_KEYS)
		return cv_fail(e, CV_R_LIMIT, "found more than %d keys", CV_MAX_KEYS);
	cv_text_fmt(what, sizeof(what), "key of %s", cv_text_brief(brief, cv_span_str(name)));
	if (cv_pubkey_load(&key, what, pem, e) != 0)
		return -1;
	if (holds(r, name, key))
		return 0;
	r->key[r->n].name = strdup(name);
	if (r->key[r->n].name == NULL)
		return cv_fail_memory(e);
	r->key[r->n++].key = cv_steal(key);
	return 0;
}

void
cv_keyring_clear(struct cv_keyring *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->key[i].name);
		cv_pubkey_free(&r->key[i].key);
	}
	r->n = 0;
}

/* A signer with several keys is named once. */
static bool
named_before(const struct cv_keyring *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(r->key[k].name, r->key[i].name) == 0)
			return true;
	return false;
}

const char *
cv_keyring_words(const struct cv_keyring *r, char *out, size_t size)
{
	struct cv_buf b = CV_BUF(size - 1);
	char brief[CV_TEXT_BRIEF];
	size_t names = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (named_before(r, i) || names++ >= 3)
			continue;
		cv_buf_fmt(&b, "%s%s", b.n == 0 ? "" : ", ",
			   cv_text_brief(brief, cv_span_str(r->key[i].name)));
	}
	if (names > 3)
		cv_buf_fmt(&b, " and %zu more", names - 3);
	cv_text_fmt(out, size, "%s", r->n == 0 ? "somebody whom policy names" : cv_buf_text(&b));
	cv_buf_free(&b);
	return out;
}
