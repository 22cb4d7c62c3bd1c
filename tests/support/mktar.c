/* SPDX-License-Identifier: Apache-2.0 */
/* mktar.c: see mktar.h. */
#include "tests/support/mktar.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/banned.h"

void
mk_octal(struct mk_header *h, size_t off, size_t n, uint64_t v)
{
	for (size_t i = n - 1; i-- > 0; v >>= 3)
		h->b[off + i] = (uint8_t)('0' + (v & 7));
	h->b[off + n - 1] = 0;
}

void
mk_sum(struct mk_header *h)
{
	uint64_t sum = 0;

	memset(h->b + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h->b); i++)
		sum += h->b[i];
	mk_octal(h, 148, 7, sum);
}

struct mk_header
mk_header(const char *name, char kind, uint64_t size)
{
	struct mk_header h = { 0 };
	size_t n = strlen(name);

	memcpy(h.b, name, n < 100 ? n : 100);
	mk_octal(&h, 100, 8, kind == '5' ? 0755 : 0644);
	mk_octal(&h, 108, 8, 0);
	mk_octal(&h, 116, 8, 0);
	mk_octal(&h, 124, 12, size);
	mk_octal(&h, 136, 12, 0);
	h.b[156] = (uint8_t)kind;
	memcpy(h.b + 257,
	       "ustar\0"
	       "00",
	       8);
	mk_octal(&h, 329, 8, 0);
	mk_octal(&h, 337, 8, 0);
	mk_sum(&h);
	return h;
}

void
mk_gnu(struct mk_header *h)
{
	memcpy(h->b + 257, "ustar  \0", 8);
	mk_sum(h);
}

void
mk_link(struct mk_header *h, const char *target)
{
	size_t n = strlen(target);

	memcpy(h->b + 157, target, n < 100 ? n : 100);
	mk_sum(h);
}

void
mk_block(struct cv_buf *b, const struct mk_header *h, const void *content, size_t n)
{
	cv_buf_add(b, h->b, sizeof(h->b));
	cv_buf_add(b, content, n);
	while (b->n % 512 != 0)
		cv_buf_byte(b, 0);
}

void
mk_file(struct cv_buf *b, const char *name, const char *content)
{
	struct mk_header h = mk_header(name, '0', strlen(content));

	mk_block(b, &h, content, strlen(content));
}

void
mk_dir(struct cv_buf *b, const char *name)
{
	struct mk_header h = mk_header(name, '5', 0);

	mk_block(b, &h, "", 0);
}

static void
link_entry(struct cv_buf *b, char kind, const char *name, const char *target)
{
	struct mk_header h = mk_header(name, kind, 0);

	mk_link(&h, target);
	mk_block(b, &h, "", 0);
}

void
mk_symlink(struct cv_buf *b, const char *name, const char *target)
{
	link_entry(b, '2', name, target);
}

void
mk_hardlink(struct cv_buf *b, const char *name, const char *target)
{
	link_entry(b, '1', name, target);
}

void
mk_pax(struct cv_buf *b, char kind, const void *records, size_t n)
{
	struct mk_header h = mk_header("PaxHeaders/x", kind, n);

	mk_block(b, &h, records, n);
}

void
mk_record(struct cv_buf *b, const char *key, const void *value, size_t n)
{
	size_t body = 1 + strlen(key) + 1 + n + 1, len = body + 1;
	char digits[16];

	while (len != body + (size_t)snprintf(digits, sizeof(digits), "%zu", len))
		len++;
	cv_buf_fmt(b, "%zu %s=", len, key);
	cv_buf_add(b, value, n);
	cv_buf_byte(b, '\n');
}

void
mk_long(struct cv_buf *b, char kind, const char *text)
{
	struct mk_header h = mk_header("././@LongLink", kind, strlen(text) + 1);

	mk_gnu(&h);
	mk_block(b, &h, text, strlen(text) + 1);
}

void
mk_zeros(struct cv_buf *b, size_t blocks)
{
	for (size_t i = 0; i < blocks * 512; i++)
		cv_buf_byte(b, 0);
}

void
mk_end(struct cv_buf *b)
{
	mk_zeros(b, 2);
}

uint32_t
mk_crc(struct cv_span in)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < in.n; i++) {
		crc ^= in.p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

void
mk_gzip(struct cv_buf *out, struct cv_span in)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	uint32_t crc = mk_crc(in), n = (uint32_t)in.n;

	cv_buf_add(out, head, sizeof(head));
	do {
		size_t k = in.n < 65535 ? in.n : 65535;
		struct cv_span s = cv_span_take(&in, k);

		cv_buf_byte(out, in.n == 0);
		cv_buf_u16le(out, (uint16_t)k);
		cv_buf_u16le(out, (uint16_t)~k);
		cv_buf_add(out, s.p, s.n);
	} while (in.n > 0);
	cv_buf_u32le(out, crc);
	cv_buf_u32le(out, n);
}
