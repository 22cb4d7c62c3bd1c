/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_layer.c: what a layer may hold, what it may not, and that a changed byte is
 * never taken for the expected layer. */
#include "sbom/found/layer.h"
#include "sbom/found/table.h"
#include "sbom/found/tasks.h"
#include "tests/support/ask.h"
#include "tests/support/mktar.h"
#include "tests/support/t.h"

#include "trust/base/json.h"
#include "trust/base/oci.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "trust/base/banned.h"

#define TAR  CV_MT_OCI_LAYER
#define GZIP CV_MT_OCI_LAYER "+gzip"
#define ZSTD CV_MT_OCI_LAYER "+zstd"

struct seen {
	size_t n;
	struct cv_finding f[100];
};

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	T(s->n < CV_COUNT(s->f));
	s->f[s->n++] = *f;
	return 0;
}

/* How many findings of that id are no pass; all ids for NULL. */
static size_t
problems(const struct seen *s, const char *check)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->f[i].outcome != CV_PASS &&
		     (check == NULL || strcmp(s->f[i].check, check) == 0);
	return n;
}

static const struct cv_finding *
first(const struct seen *s, const char *check)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->f[i].check, check) == 0)
			return &s->f[i];
	t_fail(__FILE__, __LINE__, "no finding %s", check);
}

static struct cv_buf
make(void)
{
	return CV_BUF(64 * CV_MIB);
}

static struct cv_digest
digest_of(const struct cv_buf *b)
{
	struct cv_digest d;
	struct cv_err e = { 0 };

	T_OK(cv_digest_of(&d, CV_SHA256, cv_buf_span(b), &e), e);
	return d;
}

static struct cv_layer
walk(struct seen *s, const struct cv_buf *blob, const char *media, const struct cv_digest *want)
{
	int fd = t_memfd(blob->p, blob->n), out = memfd_create("table", MFD_CLOEXEC);
	struct cv_layer_job job = {
		.blob = { .fd = fd, .len = blob->n }, .media = media, .pos = 3, .out = out
	};
	const struct cv_sink sink = { .finding = see, .ctx = s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_layer l;
	struct cv_err e = { 0 };

	if (want != NULL)
		job.diff_id = *want;
	s->n = 0;
	T_OK(cv_layer_walk(&l, &job, &a, &e), e);
	T_OK(cv_answers_end(&a, &e), e);
	(void)close(fd);
	(void)close(out);
	return l;
}

/* refused: exactly that problem, and no pass for it; `text` is in what was found. Frees
 * the archive. */
static void
refused(struct cv_buf *tar, const char *check, const char *text)
{
	struct seen s;
	const struct cv_finding *f;
	struct cv_layer l = walk(&s, tar, TAR, NULL);

	(void)l;
	T_INT(problems(&s, NULL), 1);
	T_INT(problems(&s, check), 1);
	f = first(&s, check);
	T(f->outcome == CV_FAIL);
	T_HAS(f->found, text);
	T_HAS(f->where, "layer 3");
	cv_buf_free(tar);
}

static void
accepted(struct cv_buf *tar, uint64_t entries)
{
	struct cv_digest d = digest_of(tar);
	struct seen s;
	struct cv_layer l = walk(&s, tar, TAR, &d);

	if (problems(&s, NULL) > 0)
		t_fail(__FILE__, __LINE__, "%s: %s", s.f[0].check, s.f[0].found);
	T(l.whole && cv_digest_eq(&l.diff_id, &d));
	T_INT(l.entries, entries);
	T_INT(l.unpacked, tar->n);
	T_INT(s.n, 8); /* a pass for each check that the task answers */
	cv_buf_free(tar);
}

static struct cv_buf
one(const char *name, char kind, const char *target)
{
	struct cv_buf b = make();
	struct mk_header h = mk_header(name, kind, 0);

	if (target != NULL)
		mk_link(&h, target);
	mk_file(&b, "usr/x", "good");
	mk_block(&b, &h, "", 0);
	mk_end(&b);
	return b;
}

/* ---- refusals ---- */

static void
test_traversal(void)
{
	static const char *const names[] = { "..",    "../x",   "a/../b",        "a/..",
					     "/../x", "./../x", "a/b/../../../c" };

	for (size_t i = 0; i < CV_COUNT(names); i++) {
		struct cv_buf b = one(names[i], '0', NULL);

		refused(&b, "image.traversal", "..");
		b = one(names[i], '5', NULL);
		refused(&b, "image.traversal", "..");
		b = one("h", '1', names[i]);
		refused(&b, "image.link-escape", "the target climbs out");
	}
	struct cv_buf b = one("h", '1', "/");
	refused(&b, "image.link-escape", "to the root");
	b = one("h", '1', ".wh.x");
	refused(&b, "image.link-escape", "whiteout");
}

static void
test_devices(void)
{
	struct cv_buf b = one("dev/null", '3', NULL);
	struct mk_header h = mk_header("gone", '3', 0);

	refused(&b, "image.device-node", "a character device 0/0"); /* overlayfs's whiteout */
	b = one("dev/sda", '4', NULL);
	refused(&b, "image.device-node", "a block device");
	mk_octal(&h, 329, 8, 1);
	mk_octal(&h, 337, 8, 3);
	mk_sum(&h);
	b = make();
	mk_block(&b, &h, "", 0);
	mk_end(&b);
	refused(&b, "image.device-node", "1/3");
}

static void
test_duplicates(void)
{
	static const char *const same[] = { "a/x", "./a/x", "a//x", "/a/x", "a/./x" };

	for (size_t i = 0; i < CV_COUNT(same); i++) {
		struct cv_buf b = make();

		mk_file(&b, "a/x", "1");
		mk_file(&b, "a/y", "1");
		mk_file(&b, same[i], "2");
		mk_end(&b);
		struct seen s;
		(void)walk(&s, &b, TAR, NULL);
		T_STR(first(&s, "image.duplicate-entry")->where, "layer 3, a/x");
		refused(&b, "image.duplicate-entry", "the same path twice");
	}
	struct cv_buf b = make(); /* a directory and a file */
	mk_dir(&b, "x/");
	mk_dir(&b, "x/");
	mk_file(&b, "x", "2");
	mk_end(&b);
	refused(&b, "image.duplicate-entry", "the same path twice");
	b = make();
	mk_symlink(&b, "l", "a");
	mk_symlink(&b, "l", "b");
	mk_end(&b);
	refused(&b, "image.duplicate-entry", "the same path twice");
}

static void
test_whiteouts(void)
{
	static const char *const names[] = {
		".wh.",         "a/.wh.",         ".wh..",         "a/.wh...",  ".wh..wh.x",
		".wh..wh.plnk", "a/.wh..wh.aufs", ".wh..wh..opqx", ".wh.dir/x", "a/.wh..wh..opq/x"
	};
	struct cv_buf b;

	for (size_t i = 0; i < CV_COUNT(names); i++) {
		b = one(names[i], '0', NULL);
		refused(&b, "image.whiteout-invalid", "");
	}
	for (const char *k = "1256"; *k != '\0'; k++) {
		b = one(".wh.x", *k, *k < '3' ? "usr/x" : NULL);
		refused(&b, "image.whiteout-invalid", "not an empty regular file");
		b = one("a/.wh..wh..opq", *k, *k < '3' ? "usr/x" : NULL);
		refused(&b, "image.whiteout-invalid", "not an empty regular file");
	}
	b = make();
	mk_file(&b, ".wh.x", "content");
	mk_end(&b);
	refused(&b, "image.whiteout-invalid", "not an empty regular file");
	b = make(); /* removed and named, either way round */
	mk_file(&b, "a/x", "1");
	mk_file(&b, "a/.wh.x", "");
	mk_end(&b);
	refused(&b, "image.whiteout-invalid", "removed and named again");
	b = make();
	mk_file(&b, "a/.wh.x", "");
	mk_dir(&b, "a/x/");
	mk_end(&b);
	refused(&b, "image.whiteout-invalid", "removed and named again");
}

static void
test_overlay_attributes(void)
{
	static const char *const keys[] = { "SCHILY.xattr.trusted.overlay.opaque",
					    "SCHILY.xattr.user.overlay.whiteout",
					    "LIBARCHIVE.xattr.trusted.overlay.redirect" };

	for (size_t i = 0; i < CV_COUNT(keys); i++) {
		struct cv_buf b = make(), r = make();

		mk_record(&r, keys[i], "y", 1);
		mk_pax(&b, 'x', r.p, r.n);
		mk_dir(&b, "d/");
		mk_end(&b);
		refused(&b, "image.whiteout-invalid", "overlayfs");
		cv_buf_free(&r);
	}
}

static void
test_malformed(void)
{
	struct cv_buf b = make();
	char name[300];

	mk_file(&b, "a", "x"); /* no end */
	refused(&b, "image.layer-malformed", "two blocks of zeros");
	b = make();
	mk_file(&b, "a", "x");
	mk_end(&b);
	mk_file(&b, "hidden", "x");
	refused(&b, "image.layer-malformed", "behind the end");
	b = one("./", '0', NULL);
	refused(&b, "image.layer-malformed", "ends in");
	b = one(".", '0', NULL);
	refused(&b, "image.layer-malformed", "the root itself");
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	b = make();
	mk_long(&b, 'L', name);
	mk_file(&b, "n", "x");
	mk_end(&b);
	refused(&b, "image.layer-malformed", "longer than 255");
}

/* An archive that is broken in a sound stream: its digest is still compared. */
static void
test_malformed_digest(void)
{
	struct cv_buf b = make();
	struct seen s;

	mk_file(&b, "a", "x");
	mk_zeros(&b, 1);
	mk_file(&b, "hidden", "x");
	mk_end(&b);
	struct cv_digest other = digest_of(&b), right = other;
	other.b[0] ^= 1;
	struct cv_layer l = walk(&s, &b, TAR, &other);
	T(!l.whole && cv_digest_eq(&l.diff_id, &right));
	T_INT(problems(&s, "image.diffid-mismatch"), 1);
	T_INT(problems(&s, "image.layer-malformed"), 1);
	l = walk(&s, &b, TAR, &right);
	T_INT(problems(&s, NULL), 1);
	T_INT(s.n, 1); /* nothing is passed */
	cv_buf_free(&b);
}

static void
test_diffid(void)
{
	struct cv_buf b = one("y", '0', NULL);
	struct cv_digest d = digest_of(&b);
	struct seen s;

	d.b[31] ^= 0x80;
	struct cv_layer l = walk(&s, &b, TAR, &d);
	T(l.whole);
	T_INT(problems(&s, NULL), 1);
	const struct cv_finding *f = first(&s, "image.diffid-mismatch");
	T(f->reason == CV_R_DIGEST && f->outcome == CV_FAIL);
	T_HAS(f->expected, "sha256:");
	T(strcmp(f->expected, f->found) != 0);
	cv_buf_free(&b);
}

static void
test_media(void)
{
	static const char *const no[] = { "application/octet-stream", "",
					  "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
					  "application/vnd.oci.image.layer.v1.tar+xz" };
	struct cv_buf b = one("y", '0', NULL), z = make();
	struct seen s;

	for (size_t i = 0; i < CV_COUNT(no); i++) {
		struct cv_layer l = walk(&s, &b, no[i], NULL);

		T(!l.whole);
		T_INT(s.n, 1);
		T(first(&s, "image.unsupported-layer")->outcome == CV_UNKNOWN);
	}
	mk_gzip(&z, cv_buf_span(&b));
	(void)walk(&s, &b, GZIP, NULL); /* said gzip, is plain */
	T_INT(problems(&s, "image.layer-malformed"), 1);
	(void)walk(&s, &b, ZSTD, NULL);
	T_INT(problems(&s, "image.layer-malformed"), 1);
	(void)walk(&s, &z, TAR, NULL); /* said plain, is gzip */
	T_INT(problems(&s, "image.layer-malformed"), 1);
	T_INT(s.n, 1);
	cv_buf_free(&b);
	cv_buf_free(&z);
}

static void
test_bomb(void)
{
	struct cv_buf b = make(), z = make();
	struct mk_header h = mk_header("zeros", '0', 500u << 20);
	struct seen s;
	z_stream d = { 0 };
	static uint8_t zero[1 << 20], out[1 << 20];

	T(deflateInit2(&d, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) == Z_OK);
	d.next_out = out;
	d.avail_out = sizeof(out);
	d.next_in = h.b;
	d.avail_in = sizeof(h.b);
	T(deflate(&d, Z_NO_FLUSH) == Z_OK);
	for (int i = 0; i < 500; i++) {
		d.next_in = zero;
		d.avail_in = sizeof(zero);
		T(deflate(&d, Z_NO_FLUSH) == Z_OK && d.avail_in == 0);
	}
	d.next_in = zero;
	d.avail_in = 1024;
	T(deflate(&d, Z_FINISH) == Z_STREAM_END);
	cv_buf_add(&z, out, sizeof(out) - d.avail_out);
	(void)deflateEnd(&d);
	struct cv_layer l = walk(&s, &z, GZIP, NULL);
	T(!l.whole);
	T_INT(s.n, 1);
	T_HAS(first(&s, "image.bomb")->found, "more than 200 times");
	cv_buf_free(&b);
	cv_buf_free(&z);
}

static void
test_many_findings(void)
{
	struct cv_buf b = make();
	char name[40];
	struct seen s;

	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "dev/%d", i);
		struct mk_header h = mk_header(name, '3', 0);
		mk_block(&b, &h, "", 0);
	}
	mk_end(&b);
	(void)walk(&s, &b, TAR, NULL);
	T_INT(problems(&s, "image.device-node"), CV_MAX_CHECK_FINDINGS);
	T_INT(problems(&s, NULL), CV_MAX_CHECK_FINDINGS);
	T_INT(s.n, CV_MAX_CHECK_FINDINGS + 7);
	cv_buf_free(&b);
}

/* ---- acceptance ---- */

static void
test_good(void)
{
	struct cv_buf b = make();

	mk_dir(&b, "./");
	mk_dir(&b, "usr/");
	mk_dir(&b, "usr/");
	mk_file(&b, "usr/a", "1");
	mk_hardlink(&b, "usr/b", "/usr/a"); /* as some writers have it */
	mk_symlink(&b, "usr/up", "../../../../etc/passwd");
	mk_file(&b, "/ko-app/x", "ko writes absolute names");
	mk_file(&b, "bin/.wh.sh", "");
	mk_dir(&b, "opt/");
	mk_file(&b, "opt/.wh..wh..opq", ""); /* empties "opt", does not remove it */
	mk_file(&b, "opt/new", "n");
	mk_file(&b, "odd/.wh..x", "");      /* removes ".x" */
	mk_file(&b, "odd/a.wh.b", "1");     /* no whiteout */
	mk_file(&b, "odd/\xff\x01\n", "1"); /* any byte */
	mk_file(&b, "odd/A", "1");
	mk_file(&b, "odd/a", "1"); /* Linux tells them apart */
	struct mk_header h = mk_header("fifo", '6', 0);
	mk_block(&b, &h, "", 0);
	mk_end(&b);
	accepted(&b, 17);
	b = make(); /* the empty layer of many builders */
	mk_end(&b);
	accepted(&b, 0);
}

static void
test_table(void)
{
	struct cv_buf b = make(), p = make();
	int fd, out = memfd_create("table", MFD_CLOEXEC);
	static struct cv_table_in in;
	const struct cv_sink sink = { .finding = see, .ctx = &(struct seen){ 0 } };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_layer l;
	struct cv_row r;
	struct cv_err e = { 0 };
	struct stat st;

	mk_record(&p, "SCHILY.xattr.security.capability", "\1\0\0\2", 4);
	mk_pax(&b, 'x', p.p, p.n);
	mk_file(&b, "./d//x", "abc");
	mk_hardlink(&b, "d/h", "./d/x");
	mk_file(&b, "d/.wh.y", "");
	mk_file(&b, ".wh..wh..opq", "");
	mk_end(&b);
	fd = t_memfd(b.p, b.n);
	struct cv_layer_job job = { .blob = { .fd = fd, .len = b.n }, .media = TAR, .out = out };
	T_OK(cv_layer_walk(&l, &job, &a, &e), e);
	T(fstat(out, &st) == 0);
	T_OK(cv_table_open(&in, (struct cv_blob){ .fd = out, .len = (uint64_t)st.st_size }, &e), e);
	T(in.rows == 4 && in.removals == 2 && in.unpacked == b.n);
	T(cv_table_next(&in, &r, &e) == 1 && r.kind == CV_ROW_FILE && r.size == 3 &&
	  r.mode == 0644);
	T(cv_span_eq_str(r.name, "d/x") && r.flags == CV_ROW_CAPABILITY && r.at == 0);
	T(cv_table_next(&in, &r, &e) == 1 && r.kind == CV_ROW_HARDLINK && r.at == 2048 &&
	  r.flags == 0);
	T(cv_span_eq_str(r.link, "d/x"));
	T(cv_table_next(&in, &r, &e) == 1 && r.kind == CV_ROW_WHITEOUT);
	T(cv_span_eq_str(r.name, "d/y"));
	T(cv_table_next(&in, &r, &e) == 1 && r.kind == CV_ROW_OPAQUE && r.name.n == 0);
	T(cv_table_next(&in, &r, &e) == 0);
	/* every truncation, and a byte more */
	for (uint64_t n = 0; n <= (uint64_t)st.st_size + 1; n++) {
		int rc;

		if (n == (uint64_t)st.st_size)
			continue;
		T(ftruncate(out, st.st_size) == 0 && ftruncate(out, st.st_size + 1) == 0);
		rc = cv_table_open(&in, (struct cv_blob){ .fd = out, .len = n }, &e);
		while (rc == 0 && (rc = cv_table_next(&in, &r, &e)) == 1)
			rc = 0;
		T(rc == -1);
	}
	(void)close(fd);
	(void)close(out);
	cv_buf_free(&p);
	cv_buf_free(&b);
}

/* ---- compressed ---- */

static void
zstd_of(struct cv_buf *out, const struct cv_buf *in)
{
	size_t cap = ZSTD_compressBound(in->n);
	uint8_t *p = malloc(cap);

	T(p != NULL);
	size_t n = ZSTD_compress(p, cap, in->p, in->n, 3);
	T(!ZSTD_isError(n));
	cv_buf_add(out, p, n);
	free(p);
}

static void
deflated(struct cv_buf *out, struct cv_span in)
{
	static uint8_t p[1 << 20];
	z_stream d = { 0 };

	T(deflateInit2(&d, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	d.next_in = (z_const Bytef *)(uintptr_t)in.p;
	d.avail_in = (uInt)in.n;
	d.next_out = p;
	d.avail_out = sizeof(p);
	T(deflate(&d, Z_FINISH) == Z_STREAM_END);
	cv_buf_add(out, p, sizeof(p) - d.avail_out);
	(void)deflateEnd(&d);
}

static struct cv_buf
small_layer(void)
{
	struct cv_buf b = make();

	mk_dir(&b, "usr/");
	mk_file(&b, "usr/a",
		"The quick brown fox jumps over the lazy dog, and again: "
		"the quick brown fox jumps over the lazy dog.");
	mk_hardlink(&b, "usr/b", "usr/a");
	mk_symlink(&b, "c", "usr/a");
	mk_end(&b);
	return b;
}

static void
test_compressed(void)
{
	struct cv_buf tar = small_layer(), z = make();
	struct cv_digest d = digest_of(&tar);
	struct seen s;
	struct cv_layer l;

	mk_gzip(&z, cv_span(tar.p, 700)); /* two members, cut anywhere */
	deflated(&z, cv_span(tar.p + 700, tar.n - 700));
	l = walk(&s, &z, GZIP, &d);
	T(l.whole && problems(&s, NULL) == 0);
	l = walk(&s, &z, "application/vnd.docker.image.rootfs.diff.tar.gzip", &d);
	T(l.whole && problems(&s, NULL) == 0);
	l = walk(&s, &tar, "application/vnd.docker.image.rootfs.diff.tar.gzip", &d);
	T(l.whole && problems(&s, NULL) == 0); /* skopeo's plain ones */
	cv_buf_reset(&z);
	zstd_of(&z, &tar);
	cv_buf_add(&z, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11); /* a skippable frame */
	l = walk(&s, &z, ZSTD, &d);
	T(l.whole && problems(&s, NULL) == 0);
	cv_buf_free(&tar);
	cv_buf_free(&z);
}

/* A flipped bit never leaves a whole layer with the expected digest without a finding,
 * but where the format has bits that say nothing about the content. */
static void
sweep(const struct cv_buf *blob, const char *media, const struct cv_digest *d,
      bool (*idle)(size_t byte, size_t bit, size_t n), const char *what)
{
	struct cv_buf b = make();
	unsigned idles = 0, bits = 0;
	struct seen s;

	cv_buf_add(&b, blob->p, blob->n);
	for (size_t i = 0; i < b.n * 8; i++, bits++) {
		b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
		struct cv_layer l = walk(&s, &b, media, d);
		bool same = l.whole && cv_digest_eq(&l.diff_id, d);

		if (same && idle != NULL && idle(i / 8, i % 8, b.n))
			idles++;
		else if (same)
			t_fail(__FILE__, __LINE__,
			       "%s: bit %zu of byte %zu of %zu makes no difference", what, i % 8,
			       i / 8, b.n);
		else
			T(problems(&s, NULL) > 0);
		b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
	}
	printf("# %s: %u bits flipped, %u of them without a meaning\n", what, bits, idles);
	cv_buf_free(&b);
}

/* RFC 1952: the hint "text", time, extra flags and operating system do not touch the
 * content. In the compressed data a flipped bit can mean the same content in other words (a
 * run of zeros copied from another distance), and the bits that fill its last byte mean
 * nothing; the digest is of the content. The rest of the header and the trailer have to
 * be right. */
static bool
gzip_idle(size_t byte, size_t bit, size_t n)
{
	return (byte == 3 && bit == 0) || (byte >= 4 && byte < n - 8);
}

static void
test_sweep(void)
{
	struct cv_buf tar = small_layer(), z = make();
	struct cv_digest d = digest_of(&tar);

	sweep(&tar, TAR, &d, NULL, "plain");
	deflated(&z, cv_buf_span(&tar));
	sweep(&z, GZIP, &d, gzip_idle, "gzip");
	cv_buf_free(&tar);
	cv_buf_free(&z);
}

static void
test_truncation(void)
{
	struct cv_buf tar = small_layer(), z[2] = { make(), make() };
	struct cv_digest d = digest_of(&tar);
	struct seen s;

	deflated(&z[0], cv_buf_span(&tar));
	zstd_of(&z[1], &tar);
	for (size_t k = 0; k < 2; k++)
		for (size_t n = 0; n < z[k].n; n++) {
			struct cv_buf part = make();

			cv_buf_add(&part, z[k].p, n);
			struct cv_layer l = walk(&s, &part, k == 0 ? GZIP : ZSTD, &d);
			T(!l.whole);
			T_INT(problems(&s, "image.layer-malformed"), 1);
			cv_buf_free(&part);
		}
	cv_buf_free(&tar);
	cv_buf_free(&z[0]);
	cv_buf_free(&z[1]);
}

/* A file that became shorter than was said is our trouble, no finding about the layer. */
static void
test_short_file(void)
{
	struct cv_buf b = one("y", '0', NULL);
	struct seen s = { 0 };
	const struct cv_sink sink = { .finding = see, .ctx = &s };
	struct cv_answers a = CV_ANSWERS(sink);
	int fd = t_memfd(b.p, b.n);
	struct cv_layer_job job = { .blob = { .fd = fd, .len = b.n + 512 },
				    .media = TAR,
				    .out = -1 };
	struct cv_layer l;
	struct cv_err e = { 0 };

	T_NO(cv_layer_walk(&l, &job, &a, &e), e, CV_R_CUTOFF);
	T_INT(s.n, 0);
	T(!l.whole);
	(void)close(fd);
	cv_buf_free(&b);
}

/* ---- the task, in its sealed process ---- */

static void
test_task(void)
{
	struct cv_buf tar = small_layer();
	struct cv_digest d = digest_of(&tar);
	int fd = t_memfd(tar.p, tar.n), table = memfd_create("table", MFD_CLOEXEC);
	struct ask *k = ask_open(&cv_task_layer, cv_json_warm);
	struct cv_out *o = ask_frame(k, CV_K_TASK);
	struct stat st;

	cv_out_u64(o, CV_TAG_TASK, CV_T_LAYER);
	cv_out_blob(o, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .len = tar.n });
	cv_out_str(o, CV_TAG_MEDIA, TAR);
	cv_out_digest(o, CV_TAG_DIFFID, &d);
	cv_out_u64(o, CV_TAG_POS, 0);
	cv_out_fd(o, CV_TAG_OUT, table);
	ask_send(k);
	ask_run(k);
	if (!k->done)
		t_fail(__FILE__, __LINE__, "%s", k->e.text);
	T_INT(k->nfindings, 8);
	T(ask_passed(k, "image.diffid-mismatch") && ask_passed(k, "image.layer-malformed"));
	T(k->nfacts == 1 && k->fact[0].fact == CV_F_LAYER && k->fact[0].count == 4);
	T(k->fact[0].size == tar.n);
	ask_close(&k);

	k = ask_open(&cv_task_merge, cv_json_warm);
	o = ask_frame(k, CV_K_TASK);
	cv_out_u64(o, CV_TAG_TASK, CV_T_MERGE);
	cv_out_u64(o, CV_TAG_COUNT, 1);
	cv_out_u64(o, CV_TAG_FLAGS, 0);
	ask_send(k);
	T(fstat(table, &st) == 0);
	o = ask_frame(k, CV_K_ITEM);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_LAYER);
	cv_out_u64(o, CV_TAG_POS, 0);
	cv_out_blob(o, CV_TAG_BLOB, (struct cv_blob){ .fd = table, .len = (uint64_t)st.st_size });
	ask_send(k);
	ask_run(k);
	if (!k->done)
		t_fail(__FILE__, __LINE__, "%s", k->e.text);
	T(ask_passed(k, "image.link-escape") && ask_passed(k, "image.place-unsafe"));
	T_INT(ask_count(k, "files"), 1);
	T_INT(ask_count(k, "hardlinks"), 1);
	T_INT(ask_count(k, "symlinks"), 1);
	T_INT(ask_count(k, "directories"), 1);
	T_INT(ask_count(k, "bytes"), 100);
	ask_close(&k);
	(void)close(fd);
	(void)close(table);
	cv_buf_free(&tar);
}

static const struct t_case cases[] = {
	{ "names that climb out", test_traversal },
	{ "devices", test_devices },
	{ "one path twice", test_duplicates },
	{ "whiteouts that are none", test_whiteouts },
	{ "overlayfs's attributes", test_overlay_attributes },
	{ "broken archives", test_malformed },
	{ "broken archives: the digest", test_malformed_digest },
	{ "another diffID", test_diffid },
	{ "media types", test_media },
	{ "bombs", test_bomb },
	{ "many findings of one kind", test_many_findings },
	{ "good layers", test_good },
	{ "the table of entries", test_table },
	{ "compressed layers", test_compressed },
	{ "every flipped bit", test_sweep },
	{ "every truncation", test_truncation },
	{ "a file that became shorter", test_short_file },
	{ "the tasks", test_task },
};
T_MAIN(cases)
