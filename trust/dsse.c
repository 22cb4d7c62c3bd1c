/* SPDX-License-Identifier: Apache-2.0 */
/* dsse.c: see dsse.h. Must never look into a payload. */
#include "trust/dsse.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/enc.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *const top_keys[] = { "payload", "payloadType", "signatures", NULL };
static const char *const sig_keys[] = { "sig", "keyid", NULL };

void
cv_envelope_free(struct cv_envelope **env)
{
	if (*env == NULL)
		return;
	for (size_t i = 0; i < (*env)->n; i++)
		cv_buf_free(&(*env)->sig[i].bytes);
	free((*env)->sig);
	cv_buf_free(&(*env)->payload);
	free((*env)->type);
	free(*env);
	*env = NULL;
}

static int
decode(struct cv_buf *out, struct cv_jv v, const struct cv_jslim *slim, bool strict,
       struct cv_err *e)
{
	struct cv_span text;
	int r;

	if (cv_jslim_text(slim, v, &text, e) != 0)
		return -1;
	r = strict ? cv_base64_decode(out, text, e) : cv_base64_decode_dsse(out, text, e);
	if (r != 0)
		return cv_fail_within(e, "%s:%u: \"%s\"", cv_json_name(v.doc), cv_jv_pos(v).line,
				      cv_jv_key(v));
	return 0;
}

static int
read_signature(struct cv_raw_signature *s, struct cv_jv v, const struct cv_jslim *slim, bool strict,
	       struct cv_err *e)
{
	const char *keyid;

	s->bytes = CV_BUF(CV_MAX_SIGNATURE);
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, sig_keys, e) != 0 ||
	    cv_jread_opt(v, "keyid", &keyid, e) != 0 ||
	    decode(&s->bytes, cv_jv_get(v, "sig"), slim, strict, e) != 0)
		return -1;
	if (s->bytes.n == 0)
		return cv_jv_fail(v, e, CV_R_MALFORMED, "found an empty signature");
	/* a hint too long to be one of ours names a foreign key all the same */
	cv_text_fmt(s->keyid, sizeof(s->keyid), "%s", keyid);
	return 0;
}

static int
read_signatures(struct cv_envelope *env, struct cv_jv list, const struct cv_jslim *slim,
		bool bundle, struct cv_err *e)
{
	size_t n = cv_jv_len(list);

	if (cv_jv_want(list, CV_J_ARRAY, e) != 0)
		return -1;
	if (n == 0 || (bundle && n != 1))
		return cv_jv_fail(list, e, CV_R_MALFORMED, "found %zu signatures, want %s", n,
				  bundle ? "exactly one" : "at least one");
	if (n > CV_MAX_SIGNATURES)
		return cv_jv_fail(list, e, CV_R_LIMIT, "found %zu signatures, want at most %d", n,
				  CV_MAX_SIGNATURES);
	env->sig = calloc(n, sizeof(*env->sig));
	if (env->sig == NULL)
		return cv_fail_memory(e);
	for (struct cv_jv v = cv_jv_first(list); !v.absent; v = cv_jv_next(v))
		if (read_signature(&env->sig[env->n++], v, slim, bundle, e) != 0)
			return -1;
	return 0;
}

int
cv_envelope_read(struct cv_envelope **ret, struct cv_jv v, const struct cv_jslim *slim, bool bundle,
		 struct cv_err *e)
{
	cv_auto(cv_envelope_free) struct cv_envelope *env = calloc(1, sizeof(*env));
	const char *type;

	if (env == NULL)
		return cv_fail_memory(e);
	env->payload = CV_BUF(CV_MAX_ENVELOPE);
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, top_keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(v, "payloadType"), &type, e) != 0 ||
	    read_signatures(env, cv_jv_get(v, "signatures"), slim, bundle, e) != 0 ||
	    decode(&env->payload, cv_jv_get(v, "payload"), slim, bundle, e) != 0)
		return -1;
	env->type = strdup(type);
	if (env->type == NULL)
		return cv_fail_memory(e);
	*ret = cv_steal(env);
	return 0;
}

int
cv_envelope_parse(struct cv_envelope **ret, const char *name, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_freep) struct cv_jslim *slim = calloc(1, sizeof(*slim));
	int r;

	if (slim == NULL)
		return cv_fail_memory(e);
	if (text.n > CV_MAX_ENVELOPE)
		return cv_fail(e, CV_R_LIMIT, "%s: found %zu bytes, want at most %llu", name,
			       text.n, CV_MAX_ENVELOPE);
	r = cv_jslim_strings(slim, text, e);
	if (r != 0)
		cv_fail_within(e, "%s", name);
	else
		r = cv_json_parse(&doc, name, cv_buf_span(&slim->text), CV_JSON_REALS, e);
	if (r == 0)
		r = cv_envelope_read(ret, cv_json_root(doc), slim, false, e);
	cv_jslim_free(slim);
	return r;
}
