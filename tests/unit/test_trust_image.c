/* SPDX-License-Identifier: Apache-2.0 */
/* CV_T_IMAGE over images that cosign signed (tests/fixtures/cosign), both
 * generations. Forged ones are in test_trust_forged.c and test_trust_graph.c. */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "tests/support/world.h"
#include "trust/base/oci.h"
#include "trust/base/ref.h"
#include "trust/base/sandbox.h"
#include "trust/base/text.h"
#include "trust/base/worker.h"
#include "trust/key.h"
#include "trust/tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "trust/base/banned.h"

#define BOTH (CV_IMG_SIGNATURES | CV_IMG_ATTESTATIONS)
#define ALL  (BOTH | CV_IMG_BUNDLES | CV_IMG_LEGACY)

/* Recorded with cosign; CV_COSIGN_FIXTURES names another recording (make.sh). */
static const char *
fixtures(void)
{
	const char *dir = getenv("CV_COSIGN_FIXTURES");

	return dir != NULL ? dir : "tests/fixtures/cosign";
}

static struct cv_buf
read_file(const char *name)
{
	char path[512];
	cv_auto(cv_closep) int fd = -1;
	struct cv_buf b = CV_BUF(1 << 20);
	struct cv_err e = { 0 };

	cv_text_fmt(path, sizeof(path), "%s/%s", fixtures(), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		t_fail(__FILE__, __LINE__, "cannot open %s", path);
	T_OK(cv_buf_read_fd(&b, fd, path, &e), e);
	return b;
}

/* ---- recorded ---- */

#define INDEX    "sha256:455ea64c0ef9d93b96ff799625947c7b9be1a5c282565b0253e085ce3db1cdcd"
#define MANIFEST "sha256:ce54d443dcc3cc9f874be0b2b6a0dceebae8fedc34d8dd8f5e4a22a0e9cfc125"

static const char *
media_of(const struct cv_buf *b)
{
	if (memmem(b->p, b->n, "image.index.v1", 14) != NULL && b->p[1] == '"' &&
	    memmem(b->p, b->n, "\"manifests\"", 11) != NULL)
		return CV_MT_OCI_INDEX;
	return memmem(b->p, b->n, "\"layers\":[{\"mediaType\"", 22) != NULL ? CV_MT_OCI_MANIFEST
									    : "";
}

/* The tags file says what was recorded under tags; those without a suffix are
 * referrers in their fallback form. */
static void
load(struct f_store *s, const char *dir)
{
	char path[512], line[512], tag[256], digest[256];
	struct dirent *d;
	DIR *list;
	FILE *tags;

	cv_text_fmt(path, sizeof(path), "%s/%s", fixtures(), dir);
	list = opendir(path);
	T(list != NULL);
	while ((d = readdir(list)) != NULL) {
		struct cv_buf b;

		if (strncmp(d->d_name, "sha256-", 7) != 0)
			continue;
		cv_text_fmt(path, sizeof(path), "%s/%s", dir, d->d_name);
		b = read_file(path);
		f_put(s, media_of(&b), cv_buf_span(&b));
		cv_buf_free(&b);
	}
	closedir(list);
	cv_text_fmt(path, sizeof(path), "%s/%s/tags", fixtures(), dir);
	tags = fopen(path, "re");
	T(tags != NULL);
	while (fgets(line, sizeof(line), tags) != NULL) {
		char *space = strchr(line, ' ');
		struct f_entry *e;

		T(space != NULL);
		cv_text_fmt(tag, sizeof(tag), "%.*s", (int)(space - line), line);
		cv_text_fmt(digest, sizeof(digest), "%.71s", space + 1);
		e = f_get(s, F_BLOB, digest);
		T(e != NULL);
		f_put_tag(s, tag, e->media, cv_span(e->bytes.p, e->bytes.n));
	}
	fclose(tags);
}

/* What a registry without the referrers API, or a client for it, makes of the tag. */
static void
referrers_from_tags(struct f_store *s)
{
	static const char *const subjects[] = { INDEX, MANIFEST };

	for (size_t i = 0; i < CV_COUNT(subjects); i++) {
		char tag[CV_DIGEST_TAG];
		struct cv_digest d;
		struct f_entry *e;
		const char *from;

		T(cv_digest_parse(&d, cv_span_str(subjects[i]), NULL) == 0);
		e = f_get(s, F_TAG, cv_digest_tag(&d, "", tag));
		T(e != NULL);
		from = strstr(cv_buf_text(&e->bytes), "\"manifests\":[") + 13;
		s->entry = realloc(s->entry, (s->n + 1) * sizeof(*s->entry));
		T(s->entry != NULL);
		s->entry[s->n] = (struct f_entry){ .kind = F_REFERRERS, .bytes = CV_BUF(1 << 20) };
		e = &s->entry[s->n++];
		cv_text_fmt(e->key, sizeof(e->key), "%s", subjects[i]);
		cv_text_fmt(e->media, sizeof(e->media), "%s", CV_MT_OCI_INDEX);
		cv_buf_add(&e->bytes, from, strlen(from) - 2);
	}
}

static struct d_answer
run_recorded(const char *dir, const char *key, unsigned flags)
{
	struct f_store s = { 0 };
	struct cv_buf pem = read_file(key);
	struct cv_digest root;
	struct d_answer a;

	load(&s, dir);
	if (strcmp(dir, "image-bundle") == 0)
		referrers_from_tags(&s);
	T(cv_digest_parse(&root, cv_span_str(INDEX), NULL) == 0);
	a = d_image(&s, root, CV_MT_OCI_INDEX, cv_buf_text(&pem), flags);
	cv_buf_free(&pem);
	f_store_free(&s);
	return a;
}

static void
check_recorded(const char *dir, enum cv_signed form)
{
	struct d_answer a = run_recorded(dir, "cosign.pub", ALL);
	const struct d_fact *f;
	char text[CV_DIGEST_TEXT];

	if (!a.done || d_facts(&a, CV_F_SIGNER) != 2)
		d_print(&a);
	T(a.done);
	T_INT(d_facts(&a, CV_F_NODE), 4);
	T_INT(d_fact(&a, CV_F_NODE, 0)->role, CV_NODE_INDEX);
	T_INT(d_fact(&a, CV_F_NODE, 1)->role, CV_NODE_MANIFEST);
	T_STR(d_fact(&a, CV_F_NODE, 1)->platform, "linux/amd64");
	T_INT(d_fact(&a, CV_F_NODE, 2)->role, CV_NODE_CONFIG);
	T_INT(d_fact(&a, CV_F_NODE, 3)->role, CV_NODE_LAYER);
	T_STR(cv_digest_text(&d_fact(&a, CV_F_NODE, 3)->diffid, text),
	      "sha256:978c80575dccc8925810e6ba9cae1b9ca4974d70b37148b6b9b5b9083a2d5e54");
	T_INT(d_facts(&a, CV_F_SIGNER), 2);
	f = d_fact(&a, CV_F_SIGNER, 0);
	T_INT(f->kind, form);
	T_STR(f->name, "maker");
	T_STR(cv_digest_text(&f->digest, text), INDEX);
	T_INT(d_facts(&a, CV_F_STATEMENT), 1);
	f = d_fact(&a, CV_F_STATEMENT, 0);
	T_STR(f->media, "https://cyclonedx.org/bom");
	T_STR(cv_digest_text(&f->digest, text), MANIFEST);
	T(cv_span_has_prefix(cv_buf_span(&f->blob), "{\"bomFormat\":\"CycloneDX\""));
	T(cv_span_has_suffix(cv_buf_span(&f->blob), "}"));
	T_INT(d_reason(&a, "oci.edge-mismatch"), CV_R_NONE);
	T_INT(d_reason(&a, "sig.absent"), CV_R_NONE);
	d_answer_free(&a);
}

static void
cosign_legacy(void)
{
	check_recorded("image-legacy", CV_SIGNED_SIMPLE);
}

static void
cosign_bundle(void)
{
	check_recorded("image-bundle", CV_SIGNED_BUNDLE);
}

static void
other_key_counts_for_nothing(void)
{
	struct d_answer a = run_recorded("image-legacy", "p384.pub", ALL);

	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_facts(&a, CV_F_STATEMENT), 0);
	T_INT(d_reason(&a, "sig.invalid"), CV_R_SIGNATURE);
	T_INT(d_reason(&a, "sig.absent"), CV_R_COUNT);
	d_answer_free(&a);
	a = run_recorded("image-bundle", "p384.pub", ALL);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_facts(&a, CV_F_STATEMENT), 0);
	T_INT(d_reason(&a, "sig.untrusted-key"), CV_R_IDENTITY); /* the hint names it */
	d_answer_free(&a);
}

static void
only_what_was_asked_for(void)
{
	struct d_answer a = run_recorded("image-legacy", "cosign.pub", BOTH | CV_IMG_BUNDLES);

	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "sig.absent"), CV_R_ABSENT);
	T_INT(d_facts(&a, CV_F_NODE), 4);
	d_answer_free(&a);
	a = run_recorded("image-legacy", "cosign.pub", 0);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "sig.absent"), CV_R_COUNT);
	T_INT(d_reason(&a, "oci.malformed"), CV_R_NONE);
	T_INT(a.needs, 2);
	d_answer_free(&a);
	/* an attestation is no signature */
	a = run_recorded("image-bundle", "cosign.pub", CV_IMG_ATTESTATIONS | CV_IMG_BUNDLES);
	T_INT(d_facts(&a, CV_F_STATEMENT), 1);
	T_INT(d_reason(&a, "sig.absent"), CV_R_COUNT);
	d_answer_free(&a);
}

static void
the_worker_is_sealed(void)
{
	struct d_worker w = { 0 };

	d_open(&w, "clawverify-trust");
	if (!(w.sandbox & CV_SBX_SANITIZER))
		T_INT(w.sandbox & CV_SBX_SECCOMP, CV_SBX_SECCOMP);
	d_close(&w);
}

static const struct t_case cases[] = {
	{ "cosign's first generation, as recorded", cosign_legacy },
	{ "cosign's bundles, as recorded", cosign_bundle },
	{ "another key counts for nothing", other_key_counts_for_nothing },
	{ "only what was asked for is looked at", only_what_was_asked_for },
	{ "the worker is sealed", the_worker_is_sealed },
};

T_MAIN(cases)
