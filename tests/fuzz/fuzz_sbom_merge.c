/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of entries merged to a tree (sbom/found/merge.h, table.h): two layers, parted at
 * the first byte's share of the input. The header of each is made to fit.
 */
#include "sbom/found/merge.h"
#include "sbom/found/table.h"
#include "tests/fuzz/blob.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	(void)ctx;
	(void)f;
	(void)e;
	return 0;
}

static int
each(void *ctx, const char *path, uint8_t kind, uint64_t size, struct cv_err *e)
{
	(void)ctx;
	(void)size;
	(void)e;
	/* no path of the tree climbs, is absolute or empty, and removals are not in it */
	if (path[0] == '\0' || path[0] == '/' || strcmp(path, "..") == 0 ||
	    strncmp(path, "../", 3) == 0 || strstr(path, "/../") != NULL ||
	    kind == CV_ROW_WHITEOUT || kind == CV_ROW_OPAQUE || kind == CV_ROW_HARDLINK)
		__builtin_trap();
	return 0;
}

static void
put(uint8_t *p, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* As many whole records as there are, so that most inputs come past the header. */
static int
layer(struct cv_merge *m, uint64_t pos, const uint8_t *p, size_t n, struct cv_err *e)
{
	uint64_t rows = 0, removals = 0;
	size_t at = 0;

	while (n - at >= CV_TABLE_ROW) {
		size_t len = CV_TABLE_ROW + (size_t)(p[at + 4] | p[at + 5] << 8) +
			     (size_t)(p[at + 6] | p[at + 7] << 8);

		if (len > n - at)
			break;
		removals += p[at] == CV_ROW_WHITEOUT || p[at] == CV_ROW_OPAQUE;
		rows++;
		at += len;
	}
	uint8_t *t = malloc(CV_TABLE_HEADER + at + 1);
	if (t == NULL)
		return 0;
	memcpy(t, CV_TABLE_MAGIC, 8);
	put(t + 8, rows);
	put(t + 16, removals);
	put(t + 24, 0);
	put(t + 32, at);
	if (at > 0)
		memcpy(t + CV_TABLE_HEADER, p, at);
	int rc = cv_merge_layer(m, pos, fuzz_blob(t, CV_TABLE_HEADER + at), e);
	free(t);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cv_sink sink = { .finding = see };
	struct cv_answers a = CV_ANSWERS(sink);
	cv_auto(cv_merge_free) struct cv_merge *m = NULL;
	struct cv_merge_counts c;
	struct cv_err e = { 0 };

	if (size == 0)
		return 0;
	size_t cut = (size - 1) * data[0] / 256;
	if (cv_merge_open(&m, &a, &e) < 0)
		return 0;
	if (layer(m, 0, data + 1, cut, &e) < 0 ||
	    layer(m, 1, data + 1 + cut, size - 1 - cut, &e) < 0) {
		if (e.reason == CV_R_NONE || e.reason == CV_R_BUG)
			__builtin_trap();
		return 0;
	}
	if (cv_merge_finish(m, &c, &e) < 0)
		__builtin_trap();
	if (cv_merge_each(m, each, NULL, &e) < 0 && e.reason != CV_R_BUG)
		__builtin_trap();
	return 0;
}
