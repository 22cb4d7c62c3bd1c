/* SPDX-License-Identifier: Apache-2.0 */
/* mktable.h: the entry table of a layer (sbom/found/table.h), from words. Here and not in
 * an object of its own, because it needs the room of the contents. */
#ifndef CV_TEST_MKTABLE_H
#define CV_TEST_MKTABLE_H

#include "sbom/found/layer.h"
#include "tests/support/mktar.h"
#include "tests/support/t.h"

#include "trust/base/oci.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
mk_none(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)ctx;
	(void)e;
	T_INT(f->outcome, CV_PASS);
	return 0;
}

/* A layer in words: "d usr", "f usr/a", "f usr/a=content", "s bin>usr/bin", "h b>a",
 * "w usr/x" (removes), "o usr" (empties), one after another with "; " between. */
static int
mk_table(const char *words)
{
	struct cv_buf b = CV_BUF(1 << 20);
	char copy[4096], *save = NULL;
	const struct cv_sink sink = { .finding = mk_none };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_layer l;
	struct cv_err e = { 0 };
	int out = memfd_create("table", MFD_CLOEXEC);

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, ";", &save); w != NULL; w = strtok_r(NULL, ";", &save)) {
		w += strspn(w, " ");
		char *name = w + 2, *more = strpbrk(name, ">="), path[300];

		if (more != NULL)
			*more++ = '\0';
		char *slash = strrchr(name, '/');
		int dir = slash != NULL ? (int)(slash - name) + 1 : 0;
		switch (w[0]) {
		case 'd':
			mk_dir(&b, name);
			break;
		case 'f':
			mk_file(&b, name, more != NULL ? more : "x");
			break;
		case 's':
			mk_symlink(&b, name, more);
			break;
		case 'h':
			mk_hardlink(&b, name, more);
			break;
		case 'w':
			(void)snprintf(path, sizeof(path), "%.*s.wh.%s", dir, name, name + dir);
			mk_file(&b, path, "");
			break;
		case 'o':
			(void)snprintf(path, sizeof(path), "%s%s.wh..wh..opq", name,
				       name[0] != '\0' ? "/" : "");
			mk_file(&b, path, "");
			break;
		default:
			t_fail(__FILE__, __LINE__, "\"%s\"", w);
		}
	}
	mk_end(&b);
	int fd = t_memfd(b.p, b.n);
	struct cv_layer_job job = { .blob = { .fd = fd, .len = b.n },
				    .media = CV_MT_OCI_LAYER,
				    .out = out };
	T_OK(cv_layer_walk(&l, &job, &a, &e), e);
	T(l.whole && cv_answers_failed(&a, NULL) == 0);
	(void)close(fd);
	cv_buf_free(&b);
	return out;
}

#endif
