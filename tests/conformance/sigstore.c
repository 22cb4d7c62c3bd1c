/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigstore verify-bundle ...: the client protocol of sigstore-conformance
 * (docs/cli_protocol.md there) over the trust engine. Exit 0: verified.
 *
 *     verify-bundle --bundle F { --certificate-identity ID
 *         --certificate-oidc-issuer URL | --key PEM } [--trusted-root F] WHAT
 *
 * WHAT is a file, or "sha256:" and 64 digits where no file of that name is. Without
 * --trusted-root it is the public instance's. Signing is not ours, and --staging
 * wants a root that is not here: both are refused.
 */
#include "trust/base/oci.h"
#include "trust/base/text.h"
#include "trust/sigstore.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/banned.h"

__asm__(".section .rodata\n"
	".globl public_root\n"
	"public_root:\n"
	".incbin \"trustroots/sigstore/trusted_root.json\"\n"
	".globl public_root_end\n"
	"public_root_end:\n"
	".byte 0\n"
	".previous\n");
extern const char public_root[], public_root_end[];

struct options {
	const char *bundle, *subject, *issuer, *key, *root, *what;
};

static int
options(struct options *o, int argc, char **argv, struct cv_err *e)
{
	const struct {
		const char *name, **value;
	} known[] = {
		{ "--bundle", &o->bundle },     { "--certificate-identity", &o->subject },
		{ "--key", &o->key },           { "--certificate-oidc-issuer", &o->issuer },
		{ "--trusted-root", &o->root },
	};

	if (argc < 2 || strcmp(argv[1], "verify-bundle") != 0)
		return cv_fail(e, CV_R_USAGE, "want verify-bundle");
	for (int i = 2; i < argc; i++) {
		size_t k = 0;

		while (k < CV_COUNT(known) && strcmp(argv[i], known[k].name) != 0)
			k++;
		if (k < CV_COUNT(known) && i + 1 < argc)
			*known[k].value = argv[++i];
		else if (i == argc - 1 && argv[i][0] != '-')
			o->what = argv[i];
		else
			return cv_fail(e, CV_R_USAGE, "found \"%s\"", argv[i]);
	}
	if (o->bundle == NULL || o->what == NULL || (o->subject == NULL) != (o->issuer == NULL) ||
	    (o->key == NULL) == (o->subject == NULL))
		return cv_fail(e, CV_R_USAGE, "want a bundle, a subject, and a key or an identity");
	return 0;
}

static int
read_file(struct cv_buf *out, const char *path, struct cv_err *e)
{
	cv_auto(cv_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return cv_fail_errno(e, "%s", path);
	return cv_buf_read_fd(out, fd, path, e);
}

/* The artifact: its bytes, or its digest alone. */
static int
artifact(struct cv_message *m, const char *what, struct cv_err *e)
{
	struct cv_digest d;
	struct stat st;
	int fd = open(what, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*m = cv_message_blob((struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size });
		return 0;
	}
	cv_closep(&fd);
	if (cv_digest_parse(&d, cv_span_str(what), e) != 0)
		return -1;
	*m = cv_message_known(&d);
	return 0;
}

static int
is_subject(struct cv_message *m, const struct cv_statement *s, struct cv_err *e)
{
	const enum cv_alg algs[] = { CV_SHA256, CV_SHA384, CV_SHA512 };

	for (size_t i = 0; i < CV_COUNT(algs); i++) {
		struct cv_digest d;

		if (m->known && m->digest[algs[i] - CV_SHA256].alg == CV_ALG_NONE)
			continue;
		if (cv_message_digest(m, algs[i], &d, e) != 0)
			return -1;
		if (cv_statement_about(s, &d) != NULL)
			return 0;
	}
	return cv_fail(e, CV_R_DIGEST, "the statement is about something else");
}

static int
verify(struct cv_bundle *b, struct cv_message *m, const struct cv_keyring *ring,
       const struct cv_sigstore *want, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	cv_auto(cv_verified_free) struct cv_verified *v = NULL;
	bool statement = b->envelope != NULL;

	if (cv_prove_bundle(&p, b, m, ring, want, e) != 0)
		return -1;
	if (!statement)
		return 0;
	if (cv_verify_statement(&v, &p, "the statement", e) != 0)
		return -1;
	return is_subject(m, cv_verified_statement(v), e);
}

static int
load_root(struct cv_root **ret, const char *path, struct cv_err *e)
{
	struct cv_buf text = CV_BUF(1 << 22);
	int r = 0;

	if (path == NULL)
		cv_buf_add(&text, public_root, (size_t)(public_root_end - public_root));
	else
		r = read_file(&text, path, e);
	if (r == 0)
		r = cv_root_parse(ret, "the trust root", cv_buf_span(&text), e);
	cv_buf_free(&text);
	return r;
}

static int
load_key(struct cv_keyring *ring, const char *path, struct cv_err *e)
{
	struct cv_buf pem = CV_BUF(1 << 16);
	int r = path == NULL ? 0 : read_file(&pem, path, e);

	if (r == 0 && path != NULL)
		r = cv_keyring_add(ring, "key", NULL, cv_buf_span(&pem), e);
	cv_buf_free(&pem);
	return r;
}

static int
run(const struct options *o, struct cv_err *e)
{
	cv_auto(cv_freep) struct cv_keyring *ring = calloc(1, sizeof(*ring));
	cv_auto(cv_root_free) struct cv_root *root = NULL;
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	struct cv_expected expect = { .subject = o->subject, .issuer = o->issuer };
	struct cv_sigstore want = { .expect = o->key == NULL ? &expect : NULL };
	struct cv_buf text = CV_BUF(CV_MAX_BUNDLE);
	struct cv_message m = { .blob = CV_NO_BLOB, .absent = true };
	int r = ring == NULL ? cv_fail_memory(e) : load_root(&root, o->root, e);

	want.root = root;
	if (r == 0)
		r = load_key(ring, o->key, e);
	if (r == 0)
		r = read_file(&text, o->bundle, e);
	if (r == 0)
		r = cv_bundle_parse_whole(&b, "the bundle", cv_buf_span(&text), e);
	if (r == 0)
		r = artifact(&m, o->what, e);
	if (r == 0)
		r = verify(b, &m, ring, &want, e);
	cv_closep(&m.blob.fd);
	cv_message_free(&m);
	cv_buf_free(&text);
	if (ring != NULL)
		cv_keyring_clear(ring);
	return r;
}

int
main(int argc, char **argv)
{
	struct options o = { .bundle = NULL };
	struct cv_err e;

	if (options(&o, argc, argv, &e) == 0 && run(&o, &e) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", cv_reason_word(e.reason), e.text);
	return (int)cv_reason_exit(e.reason);
}
