/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh.h: an SSH signer for tests: keys of every kind (FIDO ones without the device),
 * certificates, SSHSIG blobs; validly signed, whatever else is asked for.
 */
#ifndef CV_TEST_SSH_H
#define CV_TEST_SSH_H

#include "tests/support/t.h"
#include "trust/ssh_wire.h"

struct s_key;

struct s_key *s_key_new(enum cv_ssh_kind kind);
struct s_key *s_key_weak_rsa(unsigned bits);
void s_key_free(struct s_key **k);

void s_string(struct cv_buf *out, const void *p, size_t n);
void s_text(struct cv_buf *out, const char *text);
void s_u32(struct cv_buf *out, uint32_t v);
void s_u64(struct cv_buf *out, uint64_t v);

/* The public key in wire form; "NAME base64" as in a .pub file. */
void s_public(struct cv_buf *out, const struct s_key *k);
void s_public_line(struct cv_buf *out, const struct s_key *k);

/* A wire signature over m. `alg` NULL: the usual one. flags: of a FIDO key. */
void s_sign(struct cv_buf *out, const struct s_key *k, const char *alg, uint8_t flags,
	    struct cv_span m);

/* What a certificate says; zero is a user's, for ever, for nobody in particular. */
struct s_cert {
	uint32_t type; /* 0: user */
	const char *principals[4];
	uint64_t after, before; /* before 0: for ever */
	const char *critical, *extension, *critical2, *extension2, *reserved;
	bool broken; /* signed over other bytes */
};
void s_certificate(struct cv_buf *out, const struct s_key *k, const struct s_key *ca,
		   const struct s_cert *c);

/* A whole SSHSIG; zero is: version 1, namespace "file", sha512, the key itself. */
struct s_sig {
	const char *ns, *hash, *reserved, *alg;
	uint32_t version;
	uint8_t flags; /* 0: present; FIDO without any: set none */
	bool none;
	struct cv_span cert; /* instead of the key */
};
void s_sshsig(struct cv_buf *blob, const struct s_key *k, struct cv_span m, const struct s_sig *s);
void s_armor(struct cv_buf *out, struct cv_span blob);

#endif
