/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_npy.c: does a numpy array file hold objects, which numpy keeps as a
 * pickle? Must never take a header that it does not fully understand for a plain
 * one: numpy evaluates it as a Python literal, which can be written in many ways.
 *
 * Format: numpy/lib/format.py. "\x93NUMPY", version 1 to 3, u16 or u32 length,
 * a dict literal as numpy writes it: {'descr': D, 'fortran_order': B, 'shape': S}.
 */
#include "sbom/found/pickle_priv.h"

#include <string.h>

#include "trust/base/banned.h"

#define HEADER_MAX 16384 /* of those that are read; a longer one is unclear */

static bool
take_prefix(struct cv_span *s, const char *prefix)
{
	if (!cv_span_has_prefix(*s, prefix))
		return false;
	(void)cv_span_take(s, strlen(prefix));
	return true;
}

static bool
take_digits(struct cv_span *s)
{
	bool any = false;

	for (; s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9'; any = true)
		(void)cv_span_take(s, 1);
	return any;
}

/* dtype: [<>|=]? one letter of a type without references, size, unit */
static bool
plain_dtype(struct cv_span s)
{
	if (s.n > 0 && memchr("<>|=", s.p[0], 4) != NULL)
		(void)cv_span_take(&s, 1);
	if (s.n == 0 || memchr("biufcSUVmMa?", s.p[0], 12) == NULL)
		return false;
	(void)cv_span_take(&s, 1);
	(void)take_digits(&s);
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') { /* datetime units */
		for (size_t i = 1; i + 1 < s.n; i++)
			if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			      (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == 'M' || s.p[i] == 'Y' ||
			      s.p[i] == 'D' || s.p[i] == 'W'))
				return false;
		return true;
	}
	return s.n == 0;
}

static bool
take_quoted(struct cv_span *s, struct cv_span *ret)
{
	if (!take_prefix(s, "'"))
		return false;
	*ret = cv_span_until(s, '\'');
	return !s->bad && memchr(ret->p, '\\', ret->n) == NULL;
}

/* (1, 2), (1,) or () */
static bool
take_shape(struct cv_span *s)
{
	if (!take_prefix(s, "("))
		return false;
	while (take_digits(s)) {
		if (take_prefix(s, ", ") || take_prefix(s, ","))
			continue;
		break;
	}
	return take_prefix(s, ")");
}

/* [('name', 'dtype'), ('name', 'dtype', (2, 3))]: fields that are plain themselves */
static bool
take_fields(struct cv_span *s)
{
	struct cv_span name, dtype;

	if (!take_prefix(s, "["))
		return false;
	while (take_prefix(s, "(")) {
		if (!take_quoted(s, &name) || !take_prefix(s, ", ") || !take_quoted(s, &dtype) ||
		    !plain_dtype(dtype))
			return false;
		if (take_prefix(s, ", ") && !take_shape(s))
			return false;
		if (!take_prefix(s, ")"))
			return false;
		(void)take_prefix(s, ", ");
	}
	return take_prefix(s, "]");
}

static bool
plain_header(struct cv_span s)
{
	struct cv_span dtype;

	if (!take_prefix(&s, "{'descr': "))
		return false;
	if (take_quoted(&s, &dtype)) {
		if (!plain_dtype(dtype))
			return false;
	} else if (s.bad || !take_fields(&s)) {
		return false;
	}
	if (!take_prefix(&s, ", 'fortran_order': ") ||
	    !(take_prefix(&s, "False") || take_prefix(&s, "True")) ||
	    !take_prefix(&s, ", 'shape': ") || !take_shape(&s))
		return false;
	(void)take_prefix(&s, ",");
	(void)take_prefix(&s, " ");
	if (!take_prefix(&s, "}"))
		return false;
	while (take_prefix(&s, " "))
		;
	return take_prefix(&s, "\n") && s.n == 0;
}

void
cv_pickle_npy(struct cv_pickle *ret, struct cv_window *w)
{
	struct cv_span magic = cv_window_look(w, 12), head;
	uint64_t start = cv_window_pos(w), n;
	uint8_t major;

	*ret = (struct cv_pickle){ .protocol = -1, .offset = start };
	if (magic.n < 10 || !cv_span_has_prefix(magic, "\x93NUMPY"))
		return;
	cv_window_skip(w, 6);
	major = cv_window_u8(w);
	(void)cv_window_u8(w);
	n = major == 1 ? cv_window_u16le(w) : cv_window_u32le(w);
	ret->rule = "a numpy array whose header is not in numpy's own form";
	if (major < 1 || major > 3 || n > HEADER_MAX || n > cv_window_left(w))
		return;
	head = cv_window_take(w, (size_t)n);
	ret->offset = cv_window_pos(w);
	if (plain_header(head))
		ret->rule = NULL;
	else if (memmem(head.p, head.n, "'|O'", 4) != NULL)
		ret->rule = "a numpy array of objects";
}
