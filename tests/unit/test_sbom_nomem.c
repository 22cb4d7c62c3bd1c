/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sbom_nomem.c: each allocation of the readers of archives fails in turn. The call
 * fails with CV_R_MEMORY then, or gives the same as ever (libraries do without some);
 * never a pass that would not have been one, never a finding against the artifact.
 */
#include <stdlib.h>

#include "sbom/found/config.h"
#include "sbom/found/layer.h"
#include "sbom/found/merge.h"
#include "sbom/found/package.h"
#include "tests/support/mktar.h"
#include "tests/support/mkzip.h"
#include "tests/support/nomem.h"
#include "tests/support/t.h"

#include "trust/base/limits.h"
#include "trust/base/oci.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "trust/base/banned.h"

static unsigned problems, passes;

static void
wanted(void)
{
	if (!T_NOMEM)
		t_skip("a sanitizer has the allocator");
}

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)ctx;
	(void)e;
	*(f->outcome == CV_PASS || f->outcome == CV_NOT_APPLICABLE ? &passes : &problems) += 1;
	return 0;
}

static const struct cv_sink sink = { .finding = see };

/* sweep: `act` with each allocation failing, until none is left to fail. */
static void
sweep(const char *what, int (*act)(void *ctx, struct cv_err *e), void *ctx)
{
	struct cv_err e = { 0 };
	unsigned failed = 0, want;
	size_t k;

	problems = passes = 0;
	T_OK(act(ctx, &e), e);
	T_INT(problems, 0);
	want = passes;
	T(want > 0);
	for (k = 1;; k++) {
		int rc;
		bool hit;

		problems = passes = 0;
		e = (struct cv_err){ 0 };
		t_nomem(k);
		rc = act(ctx, &e);
		hit = t_nomem_hit();
		if (!hit)
			break;
		T(k < 100000);
		T_INT(problems, 0);
		if (rc == 0) {
			T_INT(passes, want);
			continue;
		}
		failed++;
		if (e.reason != CV_R_MEMORY)
			t_fail(__FILE__, __LINE__, "%s, allocation %zu: %s: %s", what, k,
			       cv_reason_word(e.reason), e.text);
		T(passes == 0);
	}
	printf("# %s: %zu allocations, %u of them needed\n", what, k - 1, failed);
	T(failed > 0);
}

struct input {
	int fd, out;
	size_t n;
	const char *media;
};

static struct input
input(struct cv_buf *b, const char *media)
{
	struct input in = { .fd = t_memfd(b->p, b->n), .n = b->n, .media = media };

	in.out = memfd_create("table", MFD_CLOEXEC);
	cv_buf_free(b);
	return in;
}

static void
done(struct input *in)
{
	(void)close(in->fd);
	(void)close(in->out);
}

static struct cv_buf
small_tar(const char *folder)
{
	struct cv_buf b = CV_BUF(1 << 20);
	char name[100];

	(void)snprintf(name, sizeof(name), "%spackage.json", folder);
	mk_file(&b, name, "{\"name\":\"a\",\"version\":\"1.0.0\"}");
	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "%sdirectory%d/file%d", folder, i % 7, i);
		mk_file(&b, name, "x");
	}
	mk_pax(&b, 'x', "18 path=package/x\n", 18);
	mk_file(&b, "y", "z");
	mk_end(&b);
	return b;
}

static int
layer(void *ctx, struct cv_err *e)
{
	const struct input *in = ctx;
	struct cv_layer_job job = { .blob = { .fd = in->fd, .len = in->n },
				    .media = in->media,
				    .out = in->out };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_layer l;
	int rc = cv_layer_walk(&l, &job, &a, e);

	if (rc == 0)
		T(l.whole && l.entries == 202);
	return rc;
}

static void
test_layer(void)
{
	wanted();
	struct cv_buf t = small_tar(""), z = CV_BUF(1 << 20);
	struct input in;

	mk_gzip(&z, cv_buf_span(&t));
	in = input(&z, CV_MT_OCI_LAYER "+gzip");
	sweep("a gzip'd layer", layer, &in);
	done(&in);
	z = CV_BUF(1 << 20);
	uint8_t *p = cv_buf_extend(&z, ZSTD_compressBound(t.n));
	T(p != NULL);
	z.n = ZSTD_compress(p, z.n, t.p, t.n, 3);
	in = input(&z, CV_MT_OCI_LAYER "+zstd");
	sweep("a zstd layer", layer, &in);
	done(&in);
	in = input(&t, CV_MT_OCI_LAYER);
	sweep("a plain layer", layer, &in);
	done(&in);
}

static int
merge(void *ctx, struct cv_err *e)
{
	const struct input *in = ctx;
	struct cv_answers a = CV_ANSWERS(sink);
	cv_auto(cv_merge_free) struct cv_merge *m = NULL;
	struct cv_merge_counts c;
	struct stat st;

	T(fstat(in->out, &st) == 0);
	if (cv_merge_open(&m, &a, e) < 0)
		return -1;
	for (uint64_t k = 0; k < 12; k++)
		if (cv_merge_layer(m, k,
				   (struct cv_blob){ .fd = in->out, .len = (uint64_t)st.st_size },
				   e) < 0)
			return -1;
	return cv_merge_finish(m, &c, e);
}

static void
test_merge(void)
{
	wanted();
	struct cv_buf t = small_tar("");
	struct input in = input(&t, CV_MT_OCI_LAYER);
	struct cv_err e = { 0 };

	T_OK(layer(&in, &e), e);
	sweep("merged layers", merge, &in);
	done(&in);
}

static int
package(void *ctx, struct cv_err *e)
{
	const struct input *in = ctx;
	cv_auto(cv_closep) int scratch = t_memfd("", 0);
	const struct cv_member_use use = { .look = true, .scratch = scratch };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_package p;
	int rc = cv_package_walk(&p, (struct cv_blob){ .fd = in->fd, .len = in->n }, &use, &a, e);

	if (rc == 0)
		T(p.whole);
	return rc;
}

static void
test_package(void)
{
	wanted();
	struct cv_buf t = small_tar("package/"), z = CV_BUF(1 << 20);
	struct mk_zip m = { 0 };
	struct input in;

	mk_gzip(&z, cv_buf_span(&t));
	cv_buf_free(&t);
	in = input(&z, "");
	sweep("an npm package", package, &in);
	done(&in);
	(void)mk_zip_add(&m, "package.json", "{}");
	(void)mk_zip_add(&m, "d/b", "y");
	z = CV_BUF(1 << 20);
	mk_zip_write(&z, &m);
	in = input(&z, "");
	sweep("a zip package", package, &in);
	done(&in);
}

static int
config(void *ctx, struct cv_err *e)
{
	struct cv_answers a = CV_ANSWERS(sink);

	return cv_config_lint(cv_span_str(ctx), &a, NULL, e);
}

static void
test_config(void)
{
	wanted();
	static char text[] =
		"{\"os\":\"linux\",\"config\":{\"User\":\"a\",\"Env\":[\"A=b\"],\"Labels\":"
		"{\"a\":\"b\"},\"Volumes\":{\"/data\":{}}}}";

	sweep("a configuration", config, text);
}

static const struct t_case cases[] = {
	{ "layers", test_layer },
	{ "merged layers", test_merge },
	{ "packages", test_package },
	{ "configurations", test_config },
};
T_MAIN(cases)
