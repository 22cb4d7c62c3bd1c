/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c: see sign.h. Must never write a private key where others could read
 * it, nor sign with one that they could have read. */
#include "verify/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/clock.h"
#include "trust/base/enc.h"
#include "trust/base/json.h"
#include "trust/base/limits.h"
#include "trust/base/banned.h"

#define OPEN_MS 60000 /* for the trust worker, where the caller names no end */

struct cv_signkey {
	EVP_PKEY *pkey;
	bool ecdsa;
	char *pem;
	struct cv_digest id;
};

static void
evp_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
	*p = NULL;
}

static void
bio_release(BIO **b)
{
	BIO_free(*b);
	*b = NULL;
}

static void
mdctx_release(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
	*c = NULL;
}

/* ---- keys ---- */

/* no_password: an encrypted key is refused, never asked about. */
static int
no_password(char *b, int n, int rw, void *u)
{
	(void)b;
	(void)n;
	(void)rw;
	(void)u;
	return -1;
}

/* id_of: SHA-256 of the SubjectPublicKeyInfo. */
static int
id_of(EVP_PKEY *pkey, struct cv_digest *ret, struct cv_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey, &der), r;

	if (n <= 0)
		return cv_fail(e, CV_R_MEMORY, "a public key could not be encoded");
	r = cv_digest_of(ret, CV_SHA256, cv_span(der, (size_t)n), e);
	OPENSSL_free(der);
	return r;
}

/* pem_of: the public or private half as text; the caller frees. */
static char *
pem_of(EVP_PKEY *pkey, bool private, struct cv_err *e)
{
	cv_auto(bio_release) BIO *b = BIO_new(BIO_s_secmem());
	char *p = NULL, *text;
	long n;

	if (b == NULL ||
	    (private ? PEM_write_bio_PKCS8PrivateKey(b, pkey, NULL, NULL, 0, NULL, NULL)
		     : PEM_write_bio_PUBKEY(b, pkey)) != 1 ||
	    (n = BIO_get_mem_data(b, &p)) <= 0) {
		cv_fail(e, CV_R_MEMORY, "a key could not be encoded");
		return NULL;
	}
	text = strndup(p, (size_t)n);
	if (text == NULL)
		cv_fail_memory(e);
	return text;
}

static int
wrap(struct cv_signkey **ret, EVP_PKEY *pkey, const char *name, struct cv_err *e)
{
	cv_auto(cv_signkey_free) struct cv_signkey *k = calloc(1, sizeof(*k));
	char group[32] = "";

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return cv_fail_memory(e);
	}
	k->pkey = pkey;
	k->ecdsa = EVP_PKEY_is_a(pkey, "EC") == 1;
	if (k->ecdsa && (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
			 strcmp(group, "prime256v1") != 0))
		return cv_fail(e, CV_R_CONFIG, "%s: an ECDSA key of curve %s, want P-256", name,
			       group[0] != '\0' ? group : "unknown");
	if (!k->ecdsa && EVP_PKEY_is_a(pkey, "ED25519") != 1)
		return cv_fail(e, CV_R_CONFIG, "%s: a key of another kind, want Ed25519 or P-256",
			       name);
	if (id_of(pkey, &k->id, e) != 0 || (k->pem = pem_of(pkey, false, e)) == NULL)
		return -1;
	*ret = cv_steal(k);
	return 0;
}

void
cv_signkey_free(struct cv_signkey **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_free((*k)->pkey);
	free((*k)->pem);
	free(*k);
	*k = NULL;
}

const struct cv_digest *
cv_signkey_id(const struct cv_signkey *k)
{
	return &k->id;
}

const char *
cv_signkey_pem(const struct cv_signkey *k)
{
	return k->pem;
}

/* guarded: the file is this user's and nobody else's. */
static int
guarded(int fd, const char *path, struct cv_err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return cv_fail_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return cv_fail(e, CV_R_CONFIG, "%s: not a regular file", path);
	if (st.st_uid != geteuid())
		return cv_fail(e, CV_R_CONFIG, "%s: belongs to user %u, want your own (%u)", path,
			       (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 077) != 0)
		return cv_fail(
			e, CV_R_CONFIG,
			"%s: others can get at this key (mode %04o), want 0600: chmod 600 it, or "
			"make a new one if it was not you alone who could read it",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

int
cv_signkey_load(struct cv_signkey **ret, const char *path, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t text[16 * 1024];
	cv_auto(bio_release) BIO *b = NULL;
	EVP_PKEY *pkey = NULL;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return cv_fail(e, CV_R_CONFIG,
			       "%s: there is no such key; clawverify trust keygen makes one", path);
	if (fd < 0)
		return cv_conf_errno(e, "%s", path);
	if (guarded(fd, path, e) != 0)
		return -1;
	n = pread(fd, text, sizeof(text), 0);
	if (n < 0)
		return cv_fail_errno(e, "%s", path);
	if (n > 0 && n < (ssize_t)sizeof(text) && (b = BIO_new_mem_buf(text, (int)n)) != NULL)
		pkey = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
	OPENSSL_cleanse(text, sizeof(text));
	if (pkey == NULL)
		return cv_fail(e, CV_R_CONFIG,
			       "%s: not a key that can be read, want PEM \"PRIVATE KEY\" without a "
			       "password",
			       path);
	return wrap(ret, pkey, path, e);
}

/* write_new: a new file with these bytes, on the disk. */
static int
write_new(const char *path, mode_t mode, const char *text, struct cv_err *e)
{
	cv_auto(cv_closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	struct cv_err why = { 0 };

	if (fd < 0 && errno == EEXIST)
		return cv_fail(e, CV_R_USAGE, "%s: exists already; a key is never overwritten",
			       path);
	if (fd < 0)
		return cv_conf_errno(e, "%s", path);
	if (fchmod(fd, mode) == 0 && cv_write_all(fd, text, strlen(text), path, &why) == 0 &&
	    fsync(fd) == 0)
		return 0;
	if (why.reason == CV_R_NONE)
		cv_fail_errno(&why, "%s", path);
	unlink(path);
	*e = why;
	return -1;
}

static void
secret_free(char **text)
{
	if (*text != NULL)
		OPENSSL_cleanse(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

int
cv_signkey_make(const char *base, enum cv_signalg alg, struct cv_digest *id, struct cv_err *e)
{
	cv_auto(evp_free) EVP_PKEY *pkey = alg == CV_SIGN_P256
						   ? EVP_EC_gen("P-256")
						   : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	cv_auto(secret_free) char *secret = NULL;
	cv_auto(cv_freep) char *public = NULL;
	char path[4096], pub[4096];

	if (pkey == NULL)
		return cv_fail(e, CV_R_MEMORY, "a key could not be made");
	if (snprintf(path, sizeof(path), "%s.key", base) >= (int)sizeof(path) ||
	    snprintf(pub, sizeof(pub), "%s.pub", base) >= (int)sizeof(pub))
		return cv_fail(e, CV_R_USAGE, "the name of the key is too long");
	if ((secret = pem_of(pkey, true, e)) == NULL || (public = pem_of(pkey, false, e)) == NULL ||
	    id_of(pkey, id, e) != 0)
		return -1;
	if (write_new(path, 0600, secret, e) != 0)
		return -1;
	if (write_new(pub, 0644, public, e) != 0) {
		unlink(path); /* nobody has seen it yet */
		return -1;
	}
	return 0;
}

/* ---- DSSE ---- */

/* protocol.md: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body */
void
cv_dsse_pae(struct cv_buf *out, const char *type, struct cv_span payload)
{
	cv_buf_fmt(out, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.n);
	cv_buf_add(out, payload.p, payload.n);
}

static int
raw_sign(const struct cv_signkey *k, struct cv_span in, uint8_t *sig, size_t *n, struct cv_err *e)
{
	cv_auto(mdctx_release) EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (c == NULL ||
	    EVP_DigestSignInit(c, NULL, k->ecdsa ? EVP_sha256() : NULL, NULL, k->pkey) != 1 ||
	    EVP_DigestSign(c, sig, n, in.p, in.n) != 1)
		return cv_fail(e, CV_R_BUG, "signing failed");
	return 0;
}

/* The type and the key's id are ours: nothing in them needs escaping. */
static void
write_envelope(struct cv_buf *out, const char *type, struct cv_span payload, const char *id,
	       struct cv_span sig)
{
	cv_buf_str(out, "{\"payload\":\"");
	cv_base64_encode(out, payload);
	cv_buf_fmt(out, "\",\"payloadType\":\"%s\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"",
		   type, id);
	cv_base64_encode(out, sig);
	cv_buf_str(out, "\"}]}\n");
}

int
cv_dsse_sign(const struct cv_signkey *k, const char *type, struct cv_span payload,
	     struct cv_buf *out, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf pae = CV_BUF(CV_MAX_ENVELOPE);
	char id[CV_DIGEST_TEXT];
	uint8_t sig[256];
	size_t n = sizeof(sig);

	cv_dsse_pae(&pae, type, payload);
	if (cv_buf_ok(&pae, "what is signed", e) != 0 ||
	    raw_sign(k, cv_buf_span(&pae), sig, &n, e) != 0)
		return -1;
	write_envelope(out, type, payload, cv_digest_text(&k->id, id), cv_span(sig, n));
	return cv_buf_ok(out, "an envelope", e);
}

int
cv_dsse_as_written(struct cv_span envelope, const char *type, struct cv_span payload,
		   const char *keyid, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(CV_MAX_SIGNATURE);
	cv_auto(cv_buf_free) struct cv_buf again = CV_BUF(CV_MAX_JSON_DOM);
	const char *text;

	if (cv_json_parse(&doc, "the envelope", envelope, 0, e) != 0 ||
	    cv_jv_str(cv_jv_get(cv_jv_first(cv_jv_get(cv_json_root(doc), "signatures")), "sig"),
		      &text, e) != 0 ||
	    cv_base64_decode(&sig, cv_span_str(text), e) != 0)
		return -1;
	write_envelope(&again, type, payload, keyid, cv_buf_span(&sig));
	if (cv_buf_ok(&again, "an envelope", e) != 0)
		return -1;
	if (!cv_span_eq(cv_buf_span(&again), envelope))
		return cv_fail(e, CV_R_DIGEST,
			       "found another envelope around the signed bytes than "
			       "was written");
	return 0;
}

/* ---- opening, by the trust worker ---- */

struct opening {
	struct cv_buf *out;
	char *keyid;
	unsigned statements;
	struct cv_err against; /* the first finding that is not a pass */
};

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct opening *o = ctx;
	struct cv_blob b;
	const char *signer;
	int r;

	if (cv_frame_u64(f, CV_TAG_FACT, 255) != CV_F_STATEMENT)
		return cv_frame_done(f, "a fact", e);
	signer = cv_frame_str(f, CV_TAG_NAME, CV_DIGEST_TEXT - 1);
	b = cv_frame_blob(f, CV_TAG_BLOB, CV_MAX_JSON_DOM);
	if (cv_frame_done(f, "the payload", e) != 0) {
		cv_closep(&b.fd);
		return -1;
	}
	if (o->keyid != NULL)
		(void)snprintf(o->keyid, CV_DIGEST_TEXT, "%s", signer);
	if (o->statements++ > 0)
		r = cv_fail(e, CV_R_WORKER, "the trust worker opened one envelope twice");
	else
		r = cv_buf_pread(o->out, b.fd, b.off, b.len, "the payload", e);
	close(b.fd);
	return r;
}

static int
on_finding(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct opening *o = ctx;

	(void)e;
	if (f->outcome != CV_PASS && o->against.reason == CV_R_NONE)
		cv_fail(&o->against, f->reason, "%s%s%s%s%s", f->check,
			f->found[0] ? ": found " : "", f->found, f->expected[0] ? ", want " : "",
			f->expected);
	return 0;
}

/* send_task: the envelope, then each key. */
static int
send_task(struct cv_role *r, const char *name, struct cv_blob text, const char *type,
	  const struct cv_key *keys, size_t nkeys, int64_t now, struct cv_err *e)
{
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);
	size_t i;

	cv_out_u64(o, CV_TAG_TASK, CV_T_ENVELOPE);
	cv_out_blob(o, CV_TAG_BLOB, text);
	cv_out_str(o, CV_TAG_MEDIA, type);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_NOW, (uint64_t)now);
	if (cv_role_send(r, e) != 0)
		return -1;
	for (i = 0; i < nkeys; i++) {
		char id[CV_DIGEST_TEXT];
		struct cv_blob pem = CV_NO_BLOB;
		int rc;

		if (cv_role_bytes(&pem, cv_span_str(keys[i].pem), e) != 0)
			return -1;
		o = cv_role_frame(r, CV_K_ITEM);
		cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_KEY);
		cv_out_str(o, CV_TAG_NAME, cv_digest_text(&keys[i].id, id));
		cv_out_blob(o, CV_TAG_BLOB, pem);
		rc = cv_role_send(r, e);
		cv_closep(&pem.fd);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
ask(struct cv_role *r, struct opening *o, const char *name, struct cv_err *e)
{
	struct cv_role_on on = { .ctx = o, .fact = on_fact, .finding = on_finding, .pipe_fd = -1 };
	const char *check = NULL;

	if (cv_role_run(r, &on, &check, e) != 0)
		return cv_fail_within(e, "%s", name);
	if (o->against.reason != CV_R_NONE) {
		*e = o->against;
		return cv_fail_within(e, "%s", name);
	}
	if (o->statements != 1)
		return cv_fail(e, CV_R_SIGNATURE, "%s: no signature of a trusted key was found",
			       name);
	return 0;
}

int
cv_dsse_open(const struct cv_role_opts *role, const char *name, struct cv_span envelope,
	     const char *type, const struct cv_key *keys, size_t nkeys, int64_t now,
	     struct cv_buf *out, char *keyid, struct cv_err *e)
{
	cv_auto(cv_role_end) struct cv_role *r = NULL;
	struct cv_blob text = CV_NO_BLOB;
	struct opening o = { .out = out, .keyid = keyid };
	struct cv_role_opts opts = *role;
	int rc;

	if (nkeys == 0)
		return cv_fail(e, CV_R_IDENTITY, "%s: there is no key that this host trusts for it",
			       name);
	if (nkeys > CV_MAX_KEYS)
		return cv_fail(e, CV_R_LIMIT, "found %zu keys, want at most %d", nkeys,
			       CV_MAX_KEYS);
	if (opts.deadline == 0)
		opts.deadline = cv_mono_ms() + OPEN_MS;
	if (cv_role_bytes(&text, envelope, e) != 0)
		return cv_fail_within(e, "%s", name);
	rc = cv_role_start(&r, CV_ROLE_TRUST, &opts, e);
	if (rc == 0)
		rc = send_task(r, name, text, type, keys, nkeys, now, e);
	cv_closep(&text.fd);
	return rc == 0 ? ask(r, &o, name, e) : -1;
}
