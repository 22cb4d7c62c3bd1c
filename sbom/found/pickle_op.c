/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_op.c: follow pickle opcodes (pickletools.py, protocols 0 to 5) without
 * doing what they say. Must never import, call or build anything, and never
 * give up on a stream that an unpickler would still obey.
 */
#include "sbom/found/pickle_priv.h"
#include "trust/base/text.h"

#include <string.h>

#include "trust/base/banned.h"

enum arg {
	A_BAD, /* no opcode */
	A_NONE,
	A_1, /* so many bytes */
	A_2,
	A_4,
	A_8,
	A_LEN1, /* a length of so many bytes, then that many */
	A_LEN4,
	A_LEN8,
	A_LINE,   /* up to a newline */
	A_INT,    /* the same, looking like a number */
	A_QUOTED, /* the same, within quotes */
	A_LINES2  /* two lines: module and name */
};

enum act {
	X_STACK, /* needs, then pops and pushes */
	X_MARK,
	X_POP,
	X_TO_MARK, /* pops to the mark, which has to be there */
	X_STOP,
	X_PROTO
};

enum { GLOBAL = 1, CALL = 2, STRING = 4 }; /* flags */

struct op {
	uint8_t arg, act;
	uint8_t need;  /* items above the last mark, or below it for X_TO_MARK */
	uint8_t inner; /* X_TO_MARK: items wanted above the mark */
	int8_t delta;  /* after that */
	uint8_t flags;
};

static const struct op ops[256] = {
	['('] = { A_NONE, X_MARK, 0, 0, 0, 0 },
	['.'] = { A_NONE, X_STOP, 1, 0, 0, 0 },
	['0'] = { A_NONE, X_POP, 0, 0, 0, 0 },
	['1'] = { A_NONE, X_TO_MARK, 0, 0, 0, 0 },
	['2'] = { A_NONE, X_STACK, 1, 0, 1, 0 },
	['F'] = { A_INT, X_STACK, 0, 0, 1, 0 },
	['I'] = { A_INT, X_STACK, 0, 0, 1, 0 },
	['J'] = { A_4, X_STACK, 0, 0, 1, 0 },
	['K'] = { A_1, X_STACK, 0, 0, 1, 0 },
	['L'] = { A_INT, X_STACK, 0, 0, 1, 0 },
	['M'] = { A_2, X_STACK, 0, 0, 1, 0 },
	['N'] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	['P'] = { A_LINE, X_STACK, 0, 0, 1, 0 },
	['Q'] = { A_NONE, X_STACK, 1, 0, 0, 0 },
	['R'] = { A_NONE, X_STACK, 2, 0, -1, CALL },
	['S'] = { A_QUOTED, X_STACK, 0, 0, 1, STRING },
	['T'] = { A_LEN4, X_STACK, 0, 0, 1, STRING },
	['U'] = { A_LEN1, X_STACK, 0, 0, 1, STRING },
	['V'] = { A_LINE, X_STACK, 0, 0, 1, STRING },
	['X'] = { A_LEN4, X_STACK, 0, 0, 1, STRING },
	['B'] = { A_LEN4, X_STACK, 0, 0, 1, 0 },
	['C'] = { A_LEN1, X_STACK, 0, 0, 1, 0 },
	['G'] = { A_8, X_STACK, 0, 0, 1, 0 },
	['a'] = { A_NONE, X_STACK, 2, 0, -1, 0 },
	['b'] = { A_NONE, X_STACK, 2, 0, -1, CALL },
	['c'] = { A_LINES2, X_STACK, 0, 0, 1, GLOBAL },
	['d'] = { A_NONE, X_TO_MARK, 0, 0, 1, 0 },
	['e'] = { A_NONE, X_TO_MARK, 1, 0, 0, 0 },
	['g'] = { A_INT, X_STACK, 0, 0, 1, 0 },
	['h'] = { A_1, X_STACK, 0, 0, 1, 0 },
	['i'] = { A_LINES2, X_TO_MARK, 0, 0, 1, GLOBAL | CALL },
	['j'] = { A_4, X_STACK, 0, 0, 1, 0 },
	['l'] = { A_NONE, X_TO_MARK, 0, 0, 1, 0 },
	['o'] = { A_NONE, X_TO_MARK, 0, 1, 1, CALL },
	['p'] = { A_INT, X_STACK, 1, 0, 0, 0 },
	['q'] = { A_1, X_STACK, 1, 0, 0, 0 },
	['r'] = { A_4, X_STACK, 1, 0, 0, 0 },
	['s'] = { A_NONE, X_STACK, 3, 0, -2, 0 },
	['t'] = { A_NONE, X_TO_MARK, 0, 0, 1, 0 },
	['u'] = { A_NONE, X_TO_MARK, 1, 0, 0, 0 },
	[')'] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	[']'] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	['}'] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	[0x80] = { A_1, X_PROTO, 0, 0, 0, 0 },
	[0x81] = { A_NONE, X_STACK, 2, 0, -1, CALL },
	[0x82] = { A_1, X_STACK, 0, 0, 1, GLOBAL },
	[0x83] = { A_2, X_STACK, 0, 0, 1, GLOBAL },
	[0x84] = { A_4, X_STACK, 0, 0, 1, GLOBAL },
	[0x85] = { A_NONE, X_STACK, 1, 0, 0, 0 },
	[0x86] = { A_NONE, X_STACK, 2, 0, -1, 0 },
	[0x87] = { A_NONE, X_STACK, 3, 0, -2, 0 },
	[0x88] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	[0x89] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	[0x8a] = { A_LEN1, X_STACK, 0, 0, 1, 0 },
	[0x8b] = { A_LEN4, X_STACK, 0, 0, 1, 0 },
	[0x8c] = { A_LEN1, X_STACK, 0, 0, 1, STRING },
	[0x8d] = { A_LEN8, X_STACK, 0, 0, 1, STRING },
	[0x8e] = { A_LEN8, X_STACK, 0, 0, 1, 0 },
	[0x8f] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	[0x90] = { A_NONE, X_TO_MARK, 1, 0, 0, 0 },
	[0x91] = { A_NONE, X_TO_MARK, 0, 0, 1, 0 },
	[0x92] = { A_NONE, X_STACK, 3, 0, -2, CALL },
	[0x93] = { A_NONE, X_STACK, 2, 0, -1, GLOBAL },
	[0x94] = { A_NONE, X_STACK, 1, 0, 0, 0 },
	[0x95] = { A_8, X_STACK, 0, 0, 0, 0 },
	[0x96] = { A_LEN8, X_STACK, 0, 0, 1, 0 },
	[0x97] = { A_NONE, X_STACK, 0, 0, 1, 0 },
	[0x98] = { A_NONE, X_STACK, 1, 0, 0, 0 },
};

#define MARKS    1024 /* open marks */
#define LINE     512
#define REPORTED 200000 /* opcodes followed for the names to show */

struct walk {
	struct cv_window *w;
	struct cv_pickle *ret;
	unsigned sure;
	uint64_t count; /* opcodes so far */
	uint64_t depth; /* items on the stack */
	uint64_t mark[MARKS];
	size_t marks;
	bool imported, called;
	/* the last two strings: what STACK_GLOBAL would most likely take */
	char string[2][80];
	unsigned names; /* put into ret->imports */
};

static uint64_t
fence(const struct walk *k)
{
	return k->marks > 0 ? k->mark[k->marks - 1] : 0;
}

/* ---- operands ---- */

/* line: bytes up to the newline, which is consumed too; false if it is not
 * there within LINE bytes (no name of anything importable is longer) */
static bool
take_line(struct walk *k, struct cv_span *ret)
{
	struct cv_span look = cv_window_look(k->w, LINE);
	const uint8_t *nl = look.n > 0 ? memchr(look.p, '\n', look.n) : NULL;

	if (nl == NULL)
		return false;
	*ret = cv_window_take(k->w, (size_t)(nl - look.p) + 1);
	ret->n--;
	return true;
}

/* Files of many gigabytes can begin with the letter of such an opcode and have no
 * newline: their search has to end. */
static bool
skip_line(struct walk *k)
{
	uint64_t n = 0;
	int c;

	while ((c = cv_window_next(k->w)) >= 0) {
		if (c == '\n')
			return true;
		if (++n > CV_PICKLE_LINE) {
			k->ret->lost = true;
			return false;
		}
	}
	return false;
}

/* number: the line of an INT, FLOAT, LONG, GET or PUT, of any length. Without a
 * header it has to consist of what Python's int() and float() could accept. */
static bool
skip_number(struct walk *k)
{
	static const char accepted[] = "0123456789+-._ \t\v\f\rxXoOlLabcdefABCDEFinftyINFTY";
	uint64_t n = 0;
	int c;

	while ((c = cv_window_next(k->w)) >= 0) {
		if (c == '\n')
			return n > 0;
		if (k->ret->rule == NULL && (c == 0 || strchr(accepted, c) == NULL))
			return false;
		if (++n > CV_PICKLE_LINE) {
			k->ret->lost = true;
			return false;
		}
	}
	return false;
}

/* is_name: a dotted identifier; also letters beyond ASCII, which Python allows */
static bool
is_name(struct cv_span s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (!letter && c != '_' && c < 0x80 &&
		    (i == 0 || !((c >= '0' && c <= '9') || c == '.')))
			return false;
	}
	return s.n > 0;
}

static void
note_import(struct walk *k, struct cv_span module, struct cv_span name)
{
	size_t used = strlen(k->ret->imports);

	k->imported = true;
	if (k->names >= 3)
		return;
	k->names++;
	cv_text_fmt(k->ret->imports + used, sizeof k->ret->imports - used, "%s%.*s.%.*s",
		    used > 0 ? ", " : "", (int)(module.n < 40 ? module.n : 40),
		    (const char *)module.p, (int)(name.n < 40 ? name.n : 40), (const char *)name.p);
}

/* lines2: operands of GLOBAL and INST. After a PROTO header anything goes;
 * without one the names have to look like names. */
static bool
take_lines2(struct walk *k)
{
	char module[LINE];
	struct cv_span line;
	size_t n;

	if (!take_line(k, &line) || (k->ret->rule == NULL && !is_name(line)))
		return false;
	n = line.n;
	memcpy(module, line.p, n);
	if (!take_line(k, &line) || (k->ret->rule == NULL && !is_name(line)))
		return false;
	note_import(k, cv_span(module, n), line);
	return true;
}

static void
note_string(struct walk *k, struct cv_span s)
{
	size_t n = s.n < sizeof k->string[1] - 1 ? s.n : sizeof k->string[1] - 1;

	memcpy(k->string[0], k->string[1], sizeof k->string[0]);
	if (n > 0)
		memcpy(k->string[1], s.p, n);
	k->string[1][n] = '\0';
}

/* skip: n bytes; only those strings that could be names are looked at */
static bool
take_bytes(struct walk *k, uint64_t n, bool string)
{
	if (n > cv_window_left(k->w))
		return false;
	if (string && n < sizeof k->string[0])
		note_string(k, cv_window_look(k->w, (size_t)n));
	cv_window_skip(k->w, n);
	return true;
}

static bool
take_arg(struct walk *k, const struct op *op)
{
	bool string = (op->flags & STRING) != 0;
	uint64_t n = 0;

	switch (op->arg) {
	case A_NONE:
		return true;
	case A_1:
	case A_2:
	case A_4:
	case A_8:
		return take_bytes(k, 1ull << (op->arg - A_1), false);
	case A_LEN1:
		n = cv_window_u8(k->w);
		break;
	case A_LEN4:
		n = cv_window_u32le(k->w);
		break;
	case A_LEN8:
		n = cv_window_u64le(k->w);
		break;
	case A_LINE:
		return skip_line(k);
	case A_INT:
		return skip_number(k);
	case A_QUOTED: {
		int c = cv_window_peek(k->w);

		return (c == '\'' || c == '"') && skip_line(k);
	}
	case A_LINES2:
		return take_lines2(k);
	default:
		return false;
	}
	return !k->w->bad && take_bytes(k, n, string);
}

/* ---- the stack ---- */

static void
match(struct walk *k, const char *rule)
{
	if (k->ret->rule == NULL)
		k->ret->rule = rule;
}

static bool
to_mark(struct walk *k, const struct op *op)
{
	uint64_t bottom;

	if (k->marks == 0)
		return false;
	if (k->depth - fence(k) < op->inner)
		return false;
	k->depth = k->mark[--k->marks];
	bottom = fence(k);
	if (k->depth - bottom < op->need)
		return false;
	k->depth += (uint64_t)op->delta;
	return true;
}

static bool
move_stack(struct walk *k, const struct op *op)
{
	if (op->act == X_TO_MARK)
		return to_mark(k, op);
	if (op->act == X_MARK) {
		if (k->marks == MARKS) {
			match(k, "a long run of pickle opcodes");
			return false;
		}
		k->mark[k->marks++] = k->depth;
		return true;
	}
	if (op->act == X_POP) { /* an item, or else the mark itself */
		if (k->depth > fence(k))
			k->depth--;
		else if (k->marks > 0)
			k->marks--;
		else
			return false;
		return true;
	}
	if (k->depth - fence(k) < op->need)
		return false;
	k->depth += (uint64_t)(int64_t)op->delta;
	return true;
}

/* ---- the walk ---- */

/* torch/serialization.py: MAGIC_NUMBER, pickled with protocol 2 */
static const uint8_t torch_magic[] = { 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
				       0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };

/* proto: 0x80 and a version; one more opcode makes it a stream. Python refuses
 * versions that it does not know, so they are none. It takes 0 and 1, which no pickler
 * writes but Type 1 fonts begin with: there, what follows has to prove it. */
static bool
see_proto(struct walk *k)
{
	int version = cv_window_next(k->w), next;

	if (version < 0 || version > 5)
		return false;
	next = cv_window_peek(k->w);
	if (next < 0 || ops[next].arg == A_BAD)
		return false;
	k->ret->protocol = version;
	if (version < 2)
		return true;
	match(k,
	      k->count == 1 ? "a pickle header (PROTO)" : "a pickle header behind other opcodes");
	return true;
}

/* stop: the end of a stream; at the end of the file it proves one. What comes
 * behind may be the next stream, which loaders of some formats read too. */
static bool
see_stop(struct walk *k)
{
	struct cv_span rest;

	if (k->depth - fence(k) < 1)
		return false;
	rest = cv_window_look(k->w, 3);
	if (rest.n == 0 && k->count >= 2)
		match(k, "opcodes that end the file with STOP");
	else if (k->count >= 3 && (cv_span_eq_str(rest, "\n") || cv_span_eq_str(rest, "\r\n")))
		match(k, "opcodes that end the file with STOP");
	k->depth = 0;
	k->marks = 0;
	return rest.n > 0;
}

/* step: one opcode; false when no unpickler would go on */
static bool
step(struct walk *k)
{
	int c = cv_window_next(k->w);
	const struct op *op;

	if (c < 0 || ops[c].arg == A_BAD)
		return false;
	op = &ops[c];
	k->count++;
	if (op->act == X_PROTO)
		return see_proto(k);
	if (op->act == X_STOP)
		return see_stop(k);
	if (!take_arg(k, op) || !move_stack(k, op))
		return false;
	if (c == 0x93)
		note_import(k, cv_span_str(k->string[0]), cv_span_str(k->string[1]));
	else if ((op->flags & GLOBAL) != 0)
		k->imported = true;
	if ((op->flags & CALL) != 0 && k->imported) {
		k->called = true;
		match(k, "opcodes that import something and call it");
	}
	if (k->count >= k->sure)
		match(k, "a long run of pickle opcodes");
	return true;
}

void
cv_pickle_ops(struct cv_pickle *ret, struct cv_window *w, unsigned sure)
{
	struct walk k = { .w = w, .ret = ret, .sure = sure };
	struct cv_span head = cv_window_look(w, sizeof torch_magic);

	*ret = (struct cv_pickle){ .protocol = -1, .offset = cv_window_pos(w) };
	if (cv_span_eq(head, cv_span(torch_magic, sizeof torch_magic)))
		ret->rule = "the magic number of torch's first format";
	while (step(&k)) {
		/* once sure, go on only for the names to show */
		if (ret->rule != NULL && (k.names >= 3 || k.count > REPORTED))
			break;
	}
}
