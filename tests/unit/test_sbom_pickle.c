/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_pickle.c: pickles under any name and in any box; and what is none. */
#include "sbom/found/deflate.h"
#include "sbom/found/pickle.h"
#include "tests/support/t.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define CALL "cos\nsystem\n(S'id'\ntR."
#define P2   "\x80\2cos\nsystem\nq\0."

struct hits {
	unsigned n;
	struct cv_pickle first;
};

static int
on_hit(void *ctx, const struct cv_pickle *p, struct cv_err *e)
{
	struct hits *h = ctx;

	(void)e;
	if (h->n++ == 0)
		h->first = *p;
	return 0;
}

static struct hits
find(struct cv_span file, uint64_t *unseen)
{
	struct hits h = { 0 };
	struct cv_err e = { 0 };
	uint64_t hidden = 0;
	int fd = t_memfd(file.p, file.n);

	T_OK(cv_pickle_find((struct cv_blob){ .fd = fd, .len = file.n }, on_hit, &h, &hidden, &e),
	     e);
	(void)close(fd);
	if (unseen != NULL)
		*unseen = hidden;
	return h;
}

#define S(text) text, sizeof text - 1

static void
streams(void)
{
	static const struct {
		const char *what, *p;
		size_t n;
		bool yes;
	} t[] = {
		{ "protocol 2", S(P2), true },
		{ "protocol 0", S(CALL), true },
		{ "protocol 0, a number", S("I1\n."), true },
		{ "protocol 4 with a frame", S("\x80\4\x95\x05\0\0\0\0\0\0\0\x8c\1a\x94."), true },
		{ "protocol 5", S("\x80\5N."), true },
		{ "header late", S("N0\x80\2N."), true },
		{ "header alone", S("\x80\2"), false },
		{ "protocol 6", S("\x80\6N."), false },
		{ "cut off behind the call", S("\x80\2cos\nsystem\n(S'id'\ntR"), true },
		{ "INST", S("(S'id'\nios\nsystem\n."), true },
		{ "torch's first format",
		  S("\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), true },
		{ "text", S("Hello, world.\nThis is a text.\n"), false },
		{ "a stop", S("."), false },
		{ "nothing", S(""), false },
		{ "Python", S("import os\nos.system('id')\n"), false },
		{ "C", S("int main(void)\n{\n\treturn 0;\n}\n"), false },
		{ "JSON", S("{\"a\": [1, 2, 3]}\n"), false },
		{ "digits", S("0123456789\n"), false },
		{ "Markdown", S("# Title\n\n- one\n- two\n"), false },
		{ "CSV", S("a,b,c\n1,2,3\n"), false },
		{ "parentheses", S("((((((((())))))))"), false },
		{ "Ns", S("NNNNNNNNNNNNNNNN"), false },
		{ "zeros", S("\0\0\0\0\0\0\0\0"), false },
		{ "ELF", S("\177ELF\2\1\1\0\0\0\0\0"), false },
		{ "PNG", S("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), false },
		{ "npy of floats",
		  S("\x93NUMPY\1\0\x44\0{'descr': '<f8', 'fortran_order': False, 'shape': (1,), "
		    "}          \n\0\0\0\0\0\0\0\0"),
		  false },
		{ "npy of objects",
		  S("\x93NUMPY\1\0\x44\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), "
		    "}           \n" P2),
		  true },
		{ "npy with a header of its own", S("\x93NUMPY\1\0\x04\0{x:}"), true },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct hits h = find(cv_span(t[i].p, t[i].n), NULL);

		if ((h.n > 0) != t[i].yes)
			t_fail(__FILE__, __LINE__, "%s: %u hits (%s)", t[i].what, h.n,
			       h.n > 0 ? h.first.rule : "");
	}
}

static void
tells_what(void)
{
	struct hits h = find(cv_span(S("\x80\2cos\nsystem\n(S'id'\ntR.")), NULL);

	T_INT(h.n, 1);
	T_INT(h.first.protocol, 2);
	T_STR(h.first.imports, "os.system");
	T_STR(h.first.member, "");
	T_INT(h.first.offset, 0);
}

/* ---- boxes ---- */

struct zip {
	struct cv_buf b, central;
	unsigned n;
	size_t prefix; /* bytes in front of the archive */
};

/* member: stored or deflated; hidden ones are not named by the directory */
static void
member(struct zip *z, const char *name, struct cv_span bytes, uint16_t method, bool hidden,
       uint16_t flags)
{
	uint8_t packed[4096];
	uint32_t offset = (uint32_t)(z->b.n - z->prefix), size = (uint32_t)bytes.n;

	if (method == 8) {
		z_stream s = { .next_in = (Bytef *)(uintptr_t)bytes.p,
			       .avail_in = (uInt)bytes.n,
			       .next_out = packed,
			       .avail_out = sizeof packed };

		T(deflateInit2(&s, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
		T(deflate(&s, Z_FINISH) == Z_STREAM_END);
		size = (uint32_t)s.total_out;
		(void)deflateEnd(&s);
		bytes.p = packed;
	}
	for (unsigned pass = 0; pass < (hidden ? 1u : 2u); pass++) {
		struct cv_buf *b = pass == 0 ? &z->b : &z->central;

		cv_buf_str(b, pass == 0 ? "PK\3\4" : "PK\1\2");
		if (pass == 1)
			cv_buf_u16le(b, 20);
		cv_buf_u16le(b, 20);
		cv_buf_u16le(b, flags);
		cv_buf_u16le(b, method);
		cv_buf_u32le(b, 0);
		cv_buf_u32le(b, 0);
		cv_buf_u32le(b, size);
		cv_buf_u32le(b, size);
		cv_buf_u16le(b, (uint16_t)strlen(name));
		cv_buf_u16le(b, 0);
		if (pass == 1) {
			cv_buf_u16le(b, 0);
			cv_buf_u16le(b, 0);
			cv_buf_u16le(b, 0);
			cv_buf_u32le(b, 0);
			cv_buf_u32le(b, offset);
		}
		cv_buf_str(b, name);
		if (pass == 0)
			cv_buf_add(b, bytes.p, size);
	}
	z->n += !hidden;
}

static struct zip
zip(const char *prefix)
{
	struct zip z = { .b = CV_BUF(1 << 20), .central = CV_BUF(1 << 20) };

	cv_buf_str(&z.b, prefix);
	z.prefix = z.b.n;
	return z;
}

static struct cv_span
close_zip(struct zip *z)
{
	uint32_t at = (uint32_t)(z->b.n - z->prefix);

	cv_buf_add(&z->b, z->central.p, z->central.n);
	cv_buf_str(&z->b, "PK\5\6");
	cv_buf_u32le(&z->b, 0);
	cv_buf_u16le(&z->b, (uint16_t)z->n);
	cv_buf_u16le(&z->b, (uint16_t)z->n);
	cv_buf_u32le(&z->b, (uint32_t)z->central.n);
	cv_buf_u32le(&z->b, at);
	cv_buf_u16le(&z->b, 0);
	return cv_buf_span(&z->b);
}

static void
free_zip(struct zip *z)
{
	cv_buf_free(&z->b);
	cv_buf_free(&z->central);
}

static void
zips(void)
{
	struct cv_span p = cv_span(S(P2)), text = cv_span_str("plain text, nothing else");
	struct zip z = zip(""), outer = zip("");
	struct hits h;
	uint64_t unseen;

	member(&z, "a/version", text, 0, false, 0);
	member(&z, "a/data.pkl", p, 0, false, 0);
	h = find(close_zip(&z), NULL);
	T_INT(h.n, 1);
	T_STR(h.first.member, "a/data.pkl");
	/* in a zip in a zip */
	member(&outer, "inner.zip", cv_buf_span(&z.b), 0, false, 0);
	h = find(close_zip(&outer), NULL);
	T(h.n >= 1);
	T_STR(h.first.member, "inner.zip!a/data.pkl");
	free_zip(&z);
	free_zip(&outer);
	/* the same, packed: said to be unseen */
	z = zip("");
	outer = zip("");
	member(&z, "a", p, 0, false, 0);
	(void)close_zip(&z);
	member(&outer, "inner.zip", cv_buf_span(&z.b), 8, false, 0);
	h = find(close_zip(&outer), &unseen);
	T(h.n > 0 || unseen > 0);
	free_zip(&z);
	free_zip(&outer);
	z = zip("");
	member(&z, "x", p, 8, false, 0);
	h = find(close_zip(&z), NULL);
	T_INT(h.n, 1);
	free_zip(&z);
	/* a member that only streaming readers see */
	z = zip("");
	member(&z, "seen", text, 0, false, 0);
	member(&z, "hidden", p, 0, true, 0);
	h = find(close_zip(&z), NULL);
	T_INT(h.n, 1);
	T_STR(h.first.member, "hidden");
	free_zip(&z);
	/* something in front */
	z = zip("GIF89a: not only an image");
	member(&z, "x", p, 0, false, 0);
	h = find(close_zip(&z), NULL);
	T_INT(h.n, 1);
	free_zip(&z);
	/* called encrypted, which torch's reader does not look at */
	z = zip("");
	member(&z, "x", p, 0, false, 1);
	h = find(close_zip(&z), NULL);
	T_INT(h.n, 1);
	free_zip(&z);
	z = zip("");
	member(&z, "a/data.pkl", text, 99, false, 0);
	h = find(close_zip(&z), &unseen);
	T_INT(h.n, 1);
	T_INT(unseen, 1);
	free_zip(&z);
	z = zip("");
	member(&z, "dir/", cv_span("", 0), 0, false, 0);
	member(&z, "dir/a", text, 0, false, 0);
	member(&z, "b", text, 8, false, 0);
	h = find(close_zip(&z), &unseen);
	T_INT(h.n, 0);
	T_INT(unseen, 0);
	free_zip(&z);
}

static void
packed(void)
{
	uint8_t out[4096];
	uLongf n = sizeof out;
	struct hits h;

	T(compress(out, &n, (const Bytef *)P2, sizeof P2 - 1) == Z_OK);
	h = find(cv_span(out, n), NULL);
	T_INT(h.n, 1);
	T_STR(h.first.member, "(zlib)");
	z_stream s = { .next_in = (Bytef *)(uintptr_t)P2,
		       .avail_in = sizeof P2 - 1,
		       .next_out = out,
		       .avail_out = sizeof out };
	T(deflateInit2(&s, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	T(deflate(&s, Z_FINISH) == Z_STREAM_END);
	h = find(cv_span(out, s.total_out), NULL);
	(void)deflateEnd(&s);
	T_INT(h.n, 1);
	T_STR(h.first.member, "(gzip)");
}

/* A line without an end is given up, and said to be unseen. */
static void
endless_line(void)
{
	struct hits h = { 0 };
	struct cv_err e = { 0 };
	uint64_t unseen = 0;
	int fd = t_memfd("V", 1);

	T(ftruncate(fd, 1ll << 33) == 0);
	T_OK(cv_pickle_find((struct cv_blob){ .fd = fd, .len = 1ull << 33 }, on_hit, &h, &unseen,
			    &e),
	     e);
	T_INT(h.n, 0);
	T_INT(unseen, 1);
	(void)close(fd);
}

static void
zip_tail(void)
{
	static const struct {
		const char *p;
		size_t n;
		bool yes;
	} t[] = {
		{ S(""), false },
		{ S("plain"), false },
		{ S("PK\5\6"), false },
		{ S("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), true },
		{ S("x PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0c"), true },
		{ S("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0 and more"), false },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++) {
		struct cv_err e = { 0 };
		int fd = t_memfd(t[i].p, t[i].n);
		bool yes;

		T_OK(cv_zip_tail(&yes, (struct cv_blob){ .fd = fd, .len = t[i].n }, &e), e);
		if (yes != t[i].yes)
			t_fail(__FILE__, __LINE__, "row %zu", i);
		(void)close(fd);
	}
}

/* Anything may be cut or flipped anywhere: no crash, no endless search. */
static void
sweep(void)
{
	struct zip z = zip("");
	struct cv_span s;

	member(&z, "a", cv_span(S(P2)), 0, false, 0);
	member(&z, "b", cv_span(S(CALL)), 8, false, 8);
	s = close_zip(&z);
	for (size_t n = 0; n < s.n; n++)
		(void)find(cv_span(s.p, n), NULL);
	for (size_t i = 0; i < s.n * 8; i++) {
		z.b.p[i / 8] ^= (uint8_t)(1u << i % 8);
		(void)find(cv_buf_span(&z.b), NULL);
		z.b.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	free_zip(&z);
}

static const struct t_case cases[] = {
	{ "streams", streams }, { "tells_what", tells_what },
	{ "zips", zips },       { "endless_line", endless_line },
	{ "packed", packed },   { "zip_tail", zip_tail },
	{ "sweep", sweep },
};

T_MAIN(cases)
