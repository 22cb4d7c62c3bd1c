/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_sign.c: signing keys and envelopes; the trust worker opens them. */
#include "tests/support/t.h"
#include "trust/base/enc.h"
#include "trust/base/limits.h"
#include "trust/base/statement.h"
#include "verify/sign.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct cv_err e;

static const char *
at(const char *name)
{
	static char path[4][1024];
	static unsigned turn;
	char *out = path[turn++ % 4];

	(void)snprintf(out, 1024, "%s/%s", t_tmpdir(), name);
	return out;
}

static void
slurp(const char *path, struct cv_buf *out)
{
	T_INT(cv_conf_read(out, -100, path, CV_MAX_KEY_PEM, &e), 1);
}

static struct cv_signkey *
make(const char *base, enum cv_signalg alg)
{
	struct cv_signkey *k = NULL;
	struct cv_digest id;
	char path[1024];

	T_OK(cv_signkey_make(at(base), alg, &id, &e), e);
	(void)snprintf(path, sizeof(path), "%s.key", at(base));
	T_OK(cv_signkey_load(&k, path, &e), e);
	T(cv_digest_eq(&id, cv_signkey_id(k)));
	return k;
}

/* the example of protocol.md */
static void
pae(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1000);

	cv_dsse_pae(&b, "http://example.com/HelloWorld", cv_span_str("hello world"));
	T_STR(cv_buf_text(&b), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

static void
files_of_a_key(void)
{
	cv_auto(cv_signkey_free) struct cv_signkey *k = make("files", CV_SIGN_ED25519);
	cv_auto(cv_buf_free) struct cv_buf before = CV_BUF(CV_MAX_KEY_PEM);
	cv_auto(cv_buf_free) struct cv_buf after = CV_BUF(CV_MAX_KEY_PEM);
	cv_auto(cv_buf_free) struct cv_buf pub = CV_BUF(CV_MAX_KEY_PEM);
	struct cv_digest id;
	struct stat st;

	T(stat(at("files.key"), &st) == 0);
	T_INT(st.st_mode & 07777, 0600);
	T(stat(at("files.pub"), &st) == 0);
	T_INT(st.st_mode & 07777, 0644);
	slurp(at("files.key"), &before);
	T_HAS(cv_buf_text(&before), "-----BEGIN PRIVATE KEY-----");
	slurp(at("files.pub"), &pub);
	T_STR(cv_buf_text(&pub), cv_signkey_pem(k));
	T_HAS(cv_buf_text(&pub), "-----BEGIN PUBLIC KEY-----");

	T_NO(cv_signkey_make(at("files"), CV_SIGN_P256, &id, &e), e, CV_R_USAGE);
	T_HAS(e.text, "exists already");
	slurp(at("files.key"), &after);
	T(cv_span_eq(cv_buf_span(&before), cv_buf_span(&after)));

	/* only the public half is there: it is not overwritten, and no secret stays */
	T(unlink(at("files.key")) == 0);
	T_NO(cv_signkey_make(at("files"), CV_SIGN_P256, &id, &e), e, CV_R_USAGE);
	T(access(at("files.key"), F_OK) != 0);
}

static void
keys_that_are_refused(void)
{
	static const struct {
		const char *name, *text;
	} bad[] = {
		{ "empty", "" },
		{ "garbage", "not a key\n" },
		{ "public",
		  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqow"
		  "trbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n" },
	};
	cv_auto(cv_signkey_free) struct cv_signkey *k = make("refused", CV_SIGN_P256);
	struct cv_signkey *no = NULL;
	mode_t mode;

	T(k != NULL); /* as it is, it is fine */

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		t_write_file(at(bad[i].name), bad[i].text, strlen(bad[i].text));
		T(chmod(at(bad[i].name), 0600) == 0);
		T_NO(cv_signkey_load(&no, at(bad[i].name), &e), e, CV_R_CONFIG);
	}
	T_NO(cv_signkey_load(&no, at("missing"), &e), e, CV_R_CONFIG);
	T_NO(cv_signkey_load(&no, t_tmpdir(), &e), e, CV_R_CONFIG);
	for (mode = 1; mode < 0100; mode <<= 1) {
		T(chmod(at("refused.key"), 0600 | mode) == 0);
		T_NO(cv_signkey_load(&no, at("refused.key"), &e), e, CV_R_CONFIG);
		T_HAS(e.text, "others can get at this key");
	}
	T(no == NULL);
}

/* ---- envelopes, by the trust worker ---- */

static struct cv_role_opts
role(void)
{
	return (struct cv_role_opts){ .dir = t_build(), .cancel_fd = -1 };
}

static int
open_with(const struct cv_signkey *k, struct cv_span envelope, const char *type, struct cv_buf *out,
	  char id[CV_DIGEST_TEXT])
{
	struct cv_role_opts opts = role();
	struct cv_mem mem = { 0 };
	struct cv_key key = { .file = NULL };
	int r;

	T_OK(cv_key_parse(&mem, &key, cv_span_str(cv_signkey_pem(k)), "key", &e), e);
	T(cv_digest_eq(&key.id, cv_signkey_id(k)));
	r = cv_dsse_open(&opts, "thing", envelope, type, &key, 1, (int64_t)time(NULL), out, id, &e);
	cv_mem_free(&mem);
	return r;
}

static void
signed_and_opened(void)
{
	static const enum cv_signalg algs[] = { CV_SIGN_ED25519, CV_SIGN_P256 };
	cv_auto(cv_signkey_free) struct cv_signkey *stranger = make("stranger", CV_SIGN_ED25519);
	const char *const bases[] = { "open-ed", "open-p256" };
	struct cv_role_opts opts = role();

	for (size_t i = 0; i < CV_COUNT(algs); i++) {
		cv_auto(cv_signkey_free) struct cv_signkey *k = make(bases[i], algs[i]);
		cv_auto(cv_buf_free) struct cv_buf env = CV_BUF(65536);
		cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);
		char id[CV_DIGEST_TEXT] = "", want[CV_DIGEST_TEXT];
		const char *payload = "{\"a\": 1}";
		char *sig;

		T_OK(cv_dsse_sign(k, "text/x", cv_span_str(payload), &env, &e), e);
		T_NO(open_with(stranger, cv_buf_span(&env), "text/x", &out, id), e, CV_R_IDENTITY);
		T_NO(open_with(k, cv_buf_span(&env), "text/y", &out, id), e, CV_R_DIGEST);
		T_NO(cv_dsse_open(&opts, "thing", cv_buf_span(&env), "text/x", NULL, 0, 1, &out, id,
				  &e),
		     e, CV_R_IDENTITY);
		T_INT(out.n, 0);
		T_OK(open_with(k, cv_buf_span(&env), "text/x", &out, id), e);
		T_STR(cv_buf_text(&out), payload);
		T_STR(id, cv_digest_text(cv_signkey_id(k), want));

		cv_buf_reset(&out);
		sig = strstr((char *)env.p, "\"sig\":\"") + 20;
		*sig = *sig == 'A' ? 'B' : 'A';
		T_NO(open_with(k, cv_buf_span(&env), "text/x", &out, id), e, CV_R_SIGNATURE);
		T_INT(out.n, 0);
	}
}

static const struct t_case cases[] = {
	{ "PAE as the specification's example", pae },
	{ "a key's files, never overwritten", files_of_a_key },
	{ "keys that are refused", keys_that_are_refused },
	{ "signed and opened", signed_and_opened },
};
T_MAIN(cases)
