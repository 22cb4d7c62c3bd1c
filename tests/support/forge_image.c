/* SPDX-License-Identifier: Apache-2.0 */
/* forge_image.c: what a registry would hold; see forge.h. */
#include "tests/support/forge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/oci.h"
#include "trust/base/ref.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define MT_BUNDLE "application/vnd.dev.sigstore.bundle.v0.3+json"
#define MT_SIMPLE "application/vnd.dev.cosign.simplesigning.v1+json"
#define MT_DSSE   "application/vnd.dsse.envelope.v1+json"
#define ROOM      (64 << 20)

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* ---- the store ---- */

struct f_entry *
f_get(struct f_store *s, enum f_kind kind, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->entry[i].kind == kind && strcmp(s->entry[i].key, key) == 0)
			return &s->entry[i];
	return NULL;
}

struct f_entry *
f_get_digest(struct f_store *s, const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT];

	return f_get(s, F_BLOB, cv_digest_text(d, text));
}

static struct f_entry *
add(struct f_store *s, enum f_kind kind, const char *key, const char *media)
{
	struct f_entry *e = f_get(s, kind, key);
	struct f_entry fresh = { .kind = kind, .bytes = CV_BUF(ROOM) };

	if (e != NULL)
		return e;
	cv_text_fmt(fresh.key, sizeof(fresh.key), "%s", key); /* may be of an entry */
	cv_text_fmt(fresh.media, sizeof(fresh.media), "%s", media);
	s->entry = realloc(s->entry, (s->n + 1) * sizeof(*s->entry));
	must(s->entry != NULL);
	e = &s->entry[s->n++];
	*e = fresh;
	return e;
}

struct cv_digest
f_put(struct f_store *s, const char *media, struct cv_span bytes)
{
	char text[CV_DIGEST_TEXT];
	struct cv_digest d;
	struct f_entry *e;

	must(cv_digest_of(&d, CV_SHA256, bytes, NULL) == 0);
	e = add(s, F_BLOB, cv_digest_text(&d, text), media);
	cv_buf_reset(&e->bytes);
	cv_buf_add(&e->bytes, bytes.p, bytes.n);
	return d;
}

void
f_put_tag(struct f_store *s, const char *tag, const char *media, struct cv_span bytes)
{
	struct f_entry *e = add(s, F_TAG, tag, media);

	cv_buf_reset(&e->bytes);
	cv_buf_add(&e->bytes, bytes.p, bytes.n);
}

void
f_store_free(struct f_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		cv_buf_free(&s->entry[i].bytes);
	free(s->entry);
	*s = (struct f_store){ .n = 0 };
}

void
f_descriptor(struct cv_buf *out, struct f_store *s, const struct cv_digest *d, const char *extra)
{
	const struct f_entry *e = f_get_digest(s, d);

	must(e != NULL);
	cv_buf_fmt(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}", e->media, e->key,
		   e->bytes.n, extra);
}

/* ---- tar ---- */

void
f_tar_file(struct cv_buf *tar, const char *name, struct cv_span content)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "%07o", 0644u);
	snprintf(h + 108, 8, "%07o", 0u);
	snprintf(h + 116, 8, "%07o", 0u);
	snprintf(h + 124, 12, "%011zo", content.n);
	snprintf(h + 136, 12, "%011o", 0u);
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (uint8_t)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	cv_buf_add(tar, h, sizeof(h));
	cv_buf_add(tar, content.p, content.n);
	while (tar->n % 512 != 0)
		cv_buf_byte(tar, 0);
}

void
f_tar_end(struct cv_buf *tar)
{
	for (size_t i = 0; i < 1024; i++)
		cv_buf_byte(tar, 0);
}

/* ---- images ---- */

struct cv_digest
f_image_with(struct f_store *s, const char *config, const struct cv_span *layer, size_t n)
{
	struct cv_buf m = CV_BUF(ROOM);
	struct cv_digest d = f_put(s, CV_MT_OCI_CONFIG, cv_span_str(config));

	cv_buf_str(&m, "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",\"config\":");
	f_descriptor(&m, s, &d, "");
	cv_buf_str(&m, ",\"layers\":[");
	for (size_t i = 0; i < n; i++) {
		d = f_put(s, CV_MT_OCI_LAYER, layer[i]);
		cv_buf_str(&m, i == 0 ? "" : ",");
		f_descriptor(&m, s, &d, "");
	}
	cv_buf_str(&m, "]}");
	d = f_put(s, CV_MT_OCI_MANIFEST, cv_buf_span(&m));
	cv_buf_free(&m);
	return d;
}

struct cv_digest
f_image(struct f_store *s, const char *platform, const struct cv_span *layer, size_t n)
{
	struct cv_buf c = CV_BUF(ROOM);
	char text[CV_DIGEST_TEXT];
	struct cv_platform p;
	struct cv_digest d;

	must(cv_platform_parse(&p, cv_span_str(platform), NULL) == 0);
	cv_buf_fmt(&c,
		   "{\"architecture\":\"%s\",\"os\":\"%s\",\"config\":{\"Cmd\":[\"/hello\"]},"
		   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
		   p.arch, p.os);
	for (size_t i = 0; i < n; i++) {
		must(cv_digest_of(&d, CV_SHA256, layer[i], NULL) == 0);
		cv_buf_fmt(&c, "%s\"%s\"", i == 0 ? "" : ",", cv_digest_text(&d, text));
	}
	cv_buf_str(&c, "]}}");
	d = f_image_with(s, cv_buf_text(&c), layer, n);
	cv_buf_free(&c);
	return d;
}

struct cv_digest
f_index(struct f_store *s, const struct cv_digest *manifest, const char *const *platform, size_t n)
{
	struct cv_buf m = CV_BUF(ROOM);
	struct cv_digest d;

	cv_buf_str(&m,
		   "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_INDEX "\",\"manifests\":[");
	for (size_t i = 0; i < n; i++) {
		char extra[200];
		struct cv_platform p;

		must(cv_platform_parse(&p, cv_span_str(platform[i]), NULL) == 0);
		cv_text_fmt(extra, sizeof(extra),
			    ",\"platform\":{\"architecture\":\"%s\",\"os\":\"%s\"}", p.arch, p.os);
		cv_buf_str(&m, i == 0 ? "" : ",");
		f_descriptor(&m, s, &manifest[i], extra);
	}
	cv_buf_str(&m, "]}");
	d = f_put(s, CV_MT_OCI_INDEX, cv_buf_span(&m));
	cv_buf_free(&m);
	return d;
}

/* ---- signatures ---- */

struct cv_digest
f_refer(struct f_store *s, const struct cv_digest *subject, struct cv_span bundle)
{
	struct cv_buf m = CV_BUF(ROOM);
	char text[CV_DIGEST_TEXT];
	struct cv_digest empty = f_put(s, CV_MT_OCI_EMPTY, cv_span_str("{}")), d;
	struct cv_digest layer = f_put(s, MT_BUNDLE, bundle);
	struct f_entry *list;

	cv_buf_str(&m, "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_MANIFEST
		       "\",\"artifactType\":\"" MT_BUNDLE "\",\"config\":");
	f_descriptor(&m, s, &empty, "");
	cv_buf_str(&m, ",\"layers\":[");
	f_descriptor(&m, s, &layer, "");
	cv_buf_str(&m, "],\"subject\":");
	f_descriptor(&m, s, subject, "");
	cv_buf_str(&m, "}");
	d = f_put(s, CV_MT_OCI_MANIFEST, cv_buf_span(&m));
	cv_buf_free(&m);
	list = add(s, F_REFERRERS, cv_digest_text(subject, text), CV_MT_OCI_INDEX);
	if (list->bytes.n > 0)
		cv_buf_byte(&list->bytes, ',');
	m = CV_BUF(ROOM);
	f_descriptor(&m, s, &d, ",\"artifactType\":\"" MT_BUNDLE "\"");
	cv_buf_add(&list->bytes, m.p, m.n);
	cv_buf_free(&m);
	return d;
}

bool
f_referrers(struct cv_buf *out, const struct f_store *s, const struct cv_digest *subject)
{
	char text[CV_DIGEST_TEXT];

	cv_digest_text(subject, text);
	for (size_t i = 0; i < s->n; i++) {
		if (s->entry[i].kind != F_REFERRERS || strcmp(s->entry[i].key, text) != 0)
			continue;
		cv_buf_str(out, "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_INDEX
				"\",\"manifests\":[");
		cv_buf_add(out, s->entry[i].bytes.p, s->entry[i].bytes.n);
		cv_buf_str(out, "]}");
		return true;
	}
	return false;
}

void
f_under_tag(struct f_store *s, const struct cv_digest *subject, const char *suffix,
	    const char *media, struct cv_span bytes, const char *signature)
{
	struct cv_digest layer = f_put(s, media, bytes);
	struct cv_digest config = f_put(s, CV_MT_OCI_CONFIG, cv_span_str("{}"));
	struct cv_buf m = CV_BUF(ROOM), layers = CV_BUF(ROOM), annotation = CV_BUF(ROOM);
	char tag[CV_DIGEST_TAG];
	struct f_entry *old = f_get(s, F_TAG, cv_digest_tag(subject, suffix, tag));

	cv_buf_fmt(&annotation, ",\"annotations\":{\"dev.cosignproject.cosign/signature\":\"%s\"}",
		   signature);
	if (old != NULL) { /* the layers that are there stay: "...layers":[ OLD ]} */
		const char *from = strstr(cv_buf_text(&old->bytes), "\"layers\":[");

		must(from != NULL);
		from += strlen("\"layers\":[");
		cv_buf_add(&layers, from, strlen(from) - 2);
		cv_buf_byte(&layers, ',');
	}
	f_descriptor(&layers, s, &layer, cv_buf_text(&annotation));
	cv_buf_str(&m, "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",\"config\":");
	f_descriptor(&m, s, &config, "");
	cv_buf_fmt(&m, ",\"layers\":[");
	cv_buf_add(&m, layers.p, layers.n);
	cv_buf_str(&m, "]}");
	f_put(s, CV_MT_OCI_MANIFEST, cv_buf_span(&m));
	f_put_tag(s, tag, CV_MT_OCI_MANIFEST, cv_buf_span(&m));
	cv_buf_free(&m);
	cv_buf_free(&layers);
	cv_buf_free(&annotation);
}

void
f_attest_image(struct f_store *s, const struct f_key *k, struct cv_digest image,
	       const char *predicate_type, const char *predicate, enum f_form form)
{
	struct cv_buf st = CV_BUF(ROOM), out = CV_BUF(ROOM);

	f_statement(&st, &image, predicate_type, predicate);
	if (form == F_BUNDLE) {
		f_bundle(&out, k, F_INTOTO, cv_buf_span(&st));
		f_refer(s, &image, cv_buf_span(&out));
	} else {
		f_dsse(&out, k, F_INTOTO, cv_buf_span(&st));
		f_under_tag(s, &image, ".att", MT_DSSE, cv_buf_span(&out), "");
	}
	cv_buf_free(&st);
	cv_buf_free(&out);
}

void
f_sign_image(struct f_store *s, const struct f_key *k, struct cv_digest image, enum f_form form)
{
	struct cv_buf payload = CV_BUF(ROOM), sig = CV_BUF(4096), text = CV_BUF(8192);

	if (form == F_BUNDLE) {
		f_attest_image(s, k, image, F_SIGN_PREDICATE, "{}", F_BUNDLE);
		return;
	}
	f_simple(&payload, &image, "registry.example/agent");
	f_sign(&sig, k, cv_buf_span(&payload));
	f_base64(&text, cv_buf_span(&sig));
	f_under_tag(s, &image, ".sig", MT_SIMPLE, cv_buf_span(&payload), cv_buf_text(&text));
	cv_buf_free(&payload);
	cv_buf_free(&sig);
	cv_buf_free(&text);
}

/* ---- layout ---- */

static void
write_file(const char *dir, const char *name, struct cv_span bytes)
{
	char path[1024];
	int fd;

	cv_text_fmt(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0 && cv_write_all(fd, bytes.p, bytes.n, path, NULL) == 0 && close(fd) == 0);
}

static void
entry(struct cv_buf *out, const char *media, struct cv_span bytes, const char *ref)
{
	char text[CV_DIGEST_TEXT];
	struct cv_digest d;

	must(cv_digest_of(&d, CV_SHA256, bytes, NULL) == 0);
	cv_buf_fmt(out, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu",
		   out->n == 0 ? "" : ",", media, cv_digest_text(&d, text), bytes.n);
	if (ref != NULL)
		cv_buf_fmt(out, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}",
			   ref);
	cv_buf_str(out, "}");
}

void
f_layout_write(const struct f_store *s, const char *dir, struct cv_digest root, const char *tag)
{
	struct cv_buf list = CV_BUF(ROOM), index = CV_BUF(ROOM);
	char path[1024], text[CV_DIGEST_TEXT];

	cv_text_fmt(path, sizeof(path), "%s/blobs", dir);
	(void)mkdir(path, 0755);
	cv_text_fmt(path, sizeof(path), "%s/blobs/sha256", dir);
	(void)mkdir(path, 0755);
	cv_digest_text(&root, text);
	for (size_t i = 0; i < s->n; i++) {
		const struct f_entry *e = &s->entry[i];

		if (e->kind == F_BLOB) {
			cv_text_fmt(path, sizeof(path), "blobs/sha256/%s", e->key + 7);
			write_file(dir, path, cv_buf_span(&e->bytes));
			if (strcmp(e->key, text) == 0)
				entry(&list, e->media, cv_buf_span(&e->bytes), tag);
		} else if (e->kind == F_TAG) {
			entry(&list, e->media, cv_buf_span(&e->bytes), e->key);
		} else {
			if (list.n > 0)
				cv_buf_byte(&list, ',');
			cv_buf_add(&list, e->bytes.p, e->bytes.n);
		}
	}
	cv_buf_str(&index,
		   "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_INDEX "\",\"manifests\":[");
	cv_buf_add(&index, list.p, list.n);
	cv_buf_str(&index, "]}");
	write_file(dir, "index.json", cv_buf_span(&index));
	write_file(dir, "oci-layout", cv_span_str("{\"imageLayoutVersion\":\"1.0.0\"}"));
	cv_buf_free(&list);
	cv_buf_free(&index);
}
