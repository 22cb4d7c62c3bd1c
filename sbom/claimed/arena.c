/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c: hands out memory from chunks. Never gives a part back before the whole.
 */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define CHUNK (64 * 1024)
#define ALIGN 16

struct cv_chunk {
	struct cv_chunk *next;
	size_t used, size;
	_Alignas(ALIGN) char bytes[];
};

static char *
room(struct cv_arena *a, size_t n, size_t align)
{
	struct cv_chunk *c = a->chunks;
	size_t at = c == NULL ? 0 : (c->used + align - 1) & ~(align - 1);

	if (c == NULL || at > c->size || c->size - at < n) {
		size_t size = n > CHUNK ? n : CHUNK;
		c = malloc(sizeof(*c) + size);
		if (c == NULL)
			return NULL;
		*c = (struct cv_chunk){ .next = a->chunks, .size = size };
		a->chunks = c;
		at = 0;
	}
	c->used = at + n;
	return c->bytes + at;
}

const char *
cv_arena_keep(struct cv_arena *a, struct cv_span text)
{
	if (text.n == 0)
		return "";
	char *at = room(a, text.n + 1, 1);
	if (at == NULL)
		return NULL;
	memcpy(at, text.p, text.n);
	at[text.n] = '\0';
	return at;
}

const char *
cv_arena_text(struct cv_arena *a, struct cv_js *js, size_t max)
{
	struct cv_buf b = CV_BUF(max);
	const char *kept = "";

	cv_js_string(js, &b);
	if (!cv_js_failed(js))
		kept = cv_arena_keep(a, cv_buf_span(&b));
	cv_buf_free(&b);
	if (kept != NULL)
		return kept;
	cv_js_fail(js, CV_R_MEMORY, "out of memory");
	return "";
}

void *
cv_arena_bytes(struct cv_arena *a, size_t n)
{
	return room(a, n > 0 ? n : 1, ALIGN);
}

void
cv_arena_free(struct cv_arena *a)
{
	for (struct cv_chunk *c = a->chunks, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	a->chunks = NULL;
}
