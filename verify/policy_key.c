/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_key.c: public keys in our own files. Must never take a key that the
 * trust worker would refuse: both ask trust/base/pubkey.h.
 */
#include "verify/policy.h"

#include <string.h>

#include "trust/base/limits.h"
#include "trust/base/pubkey.h"

#include "trust/base/banned.h"

int
cv_key_parse(struct cv_mem *m, struct cv_key *ret, struct cv_span pem, const char *what,
	     struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(2 * CV_MAX_KEY_PEM);
	cv_auto(cv_pubkey_free) struct cv_pubkey *key = NULL;

	if (cv_pubkey_load(&key, what, pem, e) != 0) {
		if (cv_reason_exit(e->reason) != CV_EXIT_INTERNAL)
			e->reason = CV_R_CONFIG; /* whatever is wrong with it */
		return -1;
	}
	/* written anew: white space in a file does not change a policy's digest */
	if (cv_pubkey_pem(&text, key, e) != 0)
		return -1;
	ret->id = *cv_pubkey_id(key);
	ret->pem = cv_mem_bytes(m, cv_buf_span(&text), e);
	return ret->pem == NULL ? -1 : 0;
}

/* read_key: one element: PEM, or the name of a file that holds it. */
static int
read_key(struct cv_mem *m, struct cv_key *key, struct cv_jv v, int dirfd, bool *external,
	 struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_KEY_PEM);
	const char *value;
	struct cv_err why;
	int got;

	if (cv_jv_str(v, &value, e) != 0)
		return -1;
	key->pos = cv_jv_pos(v);
	if (strncmp(value, "-----BEGIN", 10) == 0) {
		if (cv_key_parse(m, key, cv_span_str(value), "this key", &why) != 0)
			return why.reason != CV_R_CONFIG
				       ? cv_fail(e, why.reason, "%s", why.text)
				       : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
		return 0;
	}
	if (dirfd == -1)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found \"%s\", want the key itself (\"-----BEGIN PUBLIC "
				  "KEY-----...\"): files beside this one are not to be had",
				  value);
	if (cv_conf_relative(v, &key->file, e) != 0)
		return -1;
	got = cv_conf_read(&text, dirfd, key->file, CV_MAX_KEY_PEM, &why);
	if (got == 0)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", but there is no such file",
				  value);
	if (got < 0 || cv_key_parse(m, key, cv_buf_span(&text), key->file, &why) != 0)
		return why.reason != CV_R_CONFIG ? cv_fail(e, why.reason, "%s", why.text)
						 : cv_jv_fail(v, e, CV_R_CONFIG, "%s", why.text);
	*external = true;
	return 0;
}

int
cv_keys_read(struct cv_mem *m, struct cv_jv v, int dirfd, struct cv_key **ret, size_t *n,
	     bool *external, struct cv_err *e)
{
	struct cv_key *keys;
	size_t have = 0;

	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) == 0 || cv_jv_len(v) > CV_MAX_KEYS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu keys, want 1 to %d", cv_jv_len(v),
				  CV_MAX_KEYS);
	keys = cv_mem_get(m, cv_jv_len(v), sizeof(*keys), e);
	if (keys == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i), have++) {
		if (read_key(m, &keys[have], i, dirfd, external, e) != 0)
			return -1;
		for (size_t k = 0; k < have; k++)
			if (cv_digest_eq(&keys[k].id, &keys[have].id))
				return cv_jv_fail(i, e, CV_R_CONFIG,
						  "found the same key twice, want each once");
	}
	*ret = keys;
	*n = have;
	return 0;
}
