/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_box.c: the members of zip, tar and gzip files, for pickle.c. This is
 * the opposite of a strict reader: whatever some loader would follow is followed,
 * and what is broken is stepped over. Must never end a search because of one
 * member, and never be used to decide what an archive contains.
 *
 * Source: PKWARE APPNOTE 4.3 (zip), POSIX.1-1988 ustar, RFC 1952 (gzip).
 */
#include "sbom/found/pickle_priv.h"
#include "trust/base/limits.h"

#include <string.h>

#include "trust/base/banned.h"

#define EOCD_SIZE    22
#define LOCAL_SIZE   30
#define CENTRAL_SIZE 46
#define TAR_BLOCK    512

/* ---- zip ---- */

struct zip_end {
	uint64_t eocd;    /* position of the end record */
	uint64_t central; /* of the directory, as Python's zipfile finds it: before eocd */
	uint64_t stated;  /* the same as the record says it, which miniz (torch) follows */
	uint64_t size;
	uint64_t shift; /* bytes in front of the archive */
	bool last;      /* the record and its comment end the file */
};

/* zip64: the record that replaces fields that do not fit */
static void
read_zip64(struct cv_window *w, struct zip_end *z, uint64_t *offset)
{
	uint64_t size, off, at = z->eocd;

	if (at < 20 + 56)
		return;
	cv_window_seek(w, at - 20);
	if (cv_window_u32le(w) != 0x07064b50)
		return;
	cv_window_seek(w, at - 20 - 56);
	if (cv_window_u32le(w) != 0x06064b50)
		return;
	cv_window_skip(w, 36);
	size = cv_window_u64le(w);
	off = cv_window_u64le(w);
	if (w->bad || size > at - 76)
		return;
	z->size = size;
	*offset = off;
	z->eocd = at - 76;
}

/* find_end: the last end record of the file */
static bool
find_end(struct cv_window *w, struct zip_end *z)
{
	uint64_t len = w->blob.len, from = len > 65535 + EOCD_SIZE ? len - 65535 - EOCD_SIZE : 0;
	uint64_t offset;
	uint16_t comment;

	if (len < EOCD_SIZE)
		return false;
	for (uint64_t at = len - EOCD_SIZE + 1; at-- > from;) {
		/* backwards a step at a time, forwards a window at a time: the
		 * window holds the whole tail after the first look */
		if (at < w->base || at + 4 > w->base + w->have) {
			uint64_t to = at + EOCD_SIZE;

			cv_window_seek(w, to > CV_WINDOW_BYTES ? to - CV_WINDOW_BYTES : 0);
			(void)cv_window_look(w, CV_WINDOW_BYTES);
			if (w->err.reason != CV_R_NONE)
				return false;
		}
		if (memcmp(w->buf + (at - w->base), "PK\5\6", 4) != 0)
			continue;
		cv_window_seek(w, at + 12);
		z->eocd = at;
		z->size = cv_window_u32le(w);
		offset = cv_window_u32le(w);
		comment = cv_window_u16le(w);
		if (w->bad)
			return false;
		z->last = at + EOCD_SIZE + comment == len;
		read_zip64(w, z, &offset);
		w->bad = false;
		if (z->size > z->eocd)
			return false;
		z->central = z->eocd - z->size;
		z->stated = offset;
		z->shift = z->central > offset ? z->central - offset : 0;
		return true;
	}
	return false;
}

bool
cv_pickle_is_zip(struct cv_window *w)
{
	struct zip_end z;

	return cv_span_has_prefix(cv_window_look(w, 4), "PK\3\4") || find_end(w, &z);
}

int
cv_zip_tail(bool *ret, struct cv_blob blob, struct cv_err *e)
{
	struct cv_window w;
	struct zip_end z;

	cv_window_open(&w, blob);
	*ret = false;
	if (find_end(&w, &z) && z.last) {
		cv_window_seek(&w, z.central);
		*ret = z.size == 0 || cv_span_has_prefix(cv_window_look(&w, 4), "PK\1\2");
	}
	if (w.err.reason != CV_R_NONE)
		return cv_window_ok(&w, "looking for a zip archive's end", "", e);
	return 0;
}

struct zip_member {
	uint16_t flags, method;
	uint64_t packed; /* bytes, as far as known */
	char name[256];
	size_t name_len;
};

/* local: the header at `at`; *data is where the member's bytes begin */
static bool
read_local(struct cv_window *w, uint64_t at, struct zip_member *m, uint64_t *data)
{
	uint16_t name, extra;
	struct cv_span s;

	cv_window_seek(w, at);
	if (cv_window_u32le(w) != 0x04034b50)
		return false;
	(void)cv_window_u16le(w);
	m->flags = cv_window_u16le(w);
	m->method = cv_window_u16le(w);
	cv_window_skip(w, 8);
	m->packed = cv_window_u32le(w);
	(void)cv_window_u32le(w);
	name = cv_window_u16le(w);
	extra = cv_window_u16le(w);
	s = cv_window_look(w, name);
	m->name_len = s.n < sizeof m->name ? s.n : sizeof m->name;
	if (m->name_len > 0)
		memcpy(m->name, s.p, m->name_len);
	*data = at + LOCAL_SIZE + name + extra;
	return !w->bad && *data <= w->blob.len;
}

static int
zip_member(struct cv_pickle_search *s, const struct cv_pickle_job *in, const struct zip_member *m,
	   uint64_t data, struct cv_err *e)
{
	enum cv_pickle_method method = m->method == 0   ? CV_PACKED_STORED
				       : m->method == 8 ? CV_PACKED_DEFLATE
							: CV_PACKED_UNKNOWN;
	uint64_t left = in->blob.len - data, n = m->packed;
	struct cv_pickle_job alone = *in;
	struct cv_blob part;

	if (++s->members > CV_MAX_MEMBERS) {
		s->unseen++;
		return 0;
	}
	/* Encryption flags are not believed: torch's reader ignores them. Sizes
	 * that cannot be true are taken as "to the end". */
	if ((m->flags & 1) != 0)
		s->unseen++;
	if (n == 0 || n > left)
		n = left;
	/* An empty member has no archive in it: what comes next is the next header. */
	if (m->packed == 0)
		alone.depth = CV_PICKLE_DEPTH;
	if (cv_blob_part(&part, in->blob, data, n, e) != 0)
		return -1;
	return cv_pickle_member(s, &alone, cv_span(m->name, m->name_len), part, method, e);
}

/* place: what identifies a member in `seen` */
static struct cv_span
place(uint64_t *buf, const struct cv_pickle_job *in, uint64_t data)
{
	*buf = in->blob.off + data;
	return cv_span(buf, sizeof *buf);
}

/* zip64_extra: values that did not fit, in their fixed order (APPNOTE 4.5.3) */
static void
zip64_extra(struct cv_window *w, uint16_t extra, bool unpacked, uint64_t *packed, uint64_t *offset)
{
	uint64_t end = cv_window_pos(w) + extra;

	while (!w->bad && cv_window_pos(w) + 4 <= end) {
		uint16_t id = cv_window_u16le(w), n = cv_window_u16le(w);

		if (id != 1) {
			cv_window_skip(w, n);
			continue;
		}
		if (unpacked)
			(void)cv_window_u64le(w);
		if (*packed == UINT32_MAX)
			*packed = cv_window_u64le(w);
		if (*offset == UINT32_MAX)
			*offset = cv_window_u64le(w);
		return;
	}
}

/* read_central: the entry at *at, which moves behind it */
static bool
read_central(struct cv_window *w, uint64_t *at, struct zip_member *m, uint64_t *offset)
{
	uint16_t name, extra, comment;
	struct cv_span n;
	bool unpacked;

	cv_window_seek(w, *at);
	if (cv_window_u32le(w) != 0x02014b50)
		return false;
	cv_window_skip(w, 4);
	m->flags = cv_window_u16le(w);
	m->method = cv_window_u16le(w);
	cv_window_skip(w, 8);
	m->packed = cv_window_u32le(w);
	unpacked = cv_window_u32le(w) == UINT32_MAX;
	name = cv_window_u16le(w);
	extra = cv_window_u16le(w);
	comment = cv_window_u16le(w);
	cv_window_skip(w, 8);
	*offset = cv_window_u32le(w);
	n = cv_window_look(w, name);
	m->name_len = n.n < sizeof m->name ? n.n : sizeof m->name;
	if (m->name_len > 0)
		memcpy(m->name, n.p, m->name_len);
	cv_window_skip(w, name);
	zip64_extra(w, extra, unpacked, &m->packed, offset);
	*at += CENTRAL_SIZE + (uint64_t)name + extra + comment;
	return !w->bad;
}

/* by the directory: what most loaders follow */
static int
zip_by_central(struct cv_pickle_search *s, const struct cv_pickle_job *in, const struct zip_end *z,
	       uint64_t at, struct cv_err *e)
{
	while (at < z->eocd && s->members < CV_MAX_MEMBERS) {
		struct zip_member m, local;
		uint64_t offset, data, buf;

		cv_window_open(&s->w, in->blob);
		if (!read_central(&s->w, &at, &m, &offset))
			break;
		cv_window_open(&s->w, in->blob);
		if (offset > in->blob.len - z->shift ||
		    !read_local(&s->w, offset + z->shift, &local, &data)) {
			s->unseen++;
			s->members++;
			continue;
		}
		if (cv_names_add(&s->seen, place(&buf, in, data), data, e) != 0 ||
		    zip_member(s, in, &m, data, e) != 0)
			return -1;
	}
	return 0;
}

/* by local headers from the front: what streaming readers follow, and what shows
 * members that the directory does not name */
static int
zip_by_local(struct cv_pickle_search *s, const struct cv_pickle_job *in, struct cv_err *e)
{
	uint64_t at = 0, data, buf, steps = 0;

	cv_names_sort(&s->seen);
	while (at < in->blob.len && steps++ < CV_MAX_MEMBERS) {
		struct zip_member m;

		cv_window_open(&s->w, in->blob);
		if (!read_local(&s->w, at, &m, &data))
			break;
		if (!cv_names_has(&s->seen, cv_names_hash(place(&buf, in, data))) &&
		    zip_member(s, in, &m, data, e) != 0)
			return -1;
		/* bit 3: the sizes follow the data, nobody knows where */
		if ((m.flags & 8) != 0 && m.packed == 0)
			break;
		if (m.packed == UINT32_MAX || m.packed > in->blob.len - data)
			break;
		at = data + m.packed;
	}
	return 0;
}

int
cv_pickle_zip(struct cv_pickle_search *s, const struct cv_pickle_job *in, struct cv_err *e)
{
	struct zip_end z;
	bool central;

	s->seen.n = 0;
	cv_window_open(&s->w, in->blob);
	central = find_end(&s->w, &z);
	if (central && zip_by_central(s, in, &z, z.central, e) != 0)
		return -1;
	if (central && z.stated != z.central && zip_by_central(s, in, &z, z.stated, e) != 0)
		return -1;
	if (zip_by_local(s, in, e) != 0)
		return -1;
	if (s->w.err.reason != CV_R_NONE)
		return cv_window_ok(&s->w, "looking for pickles", "", e);
	return 0;
}

/* ---- tar ---- */

static bool
octal(struct cv_span s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < s.n && s.p[i] == ' ')
		i++;
	if (i == s.n || s.p[i] < '0' || s.p[i] > '7')
		return false;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(s.p[i] - '0');
	*ret = v;
	return true;
}

/* tar_header: the checksum says that this block is one (also without "ustar") */
static bool
tar_header(struct cv_span block, uint64_t *size)
{
	uint64_t sum = 0, want;

	if (block.n < TAR_BLOCK || block.p[0] == '\0')
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : block.p[i];
	return octal(cv_span(block.p + 148, 8), &want) && want == sum &&
	       octal(cv_span(block.p + 124, 12), size);
}

bool
cv_pickle_is_tar(struct cv_window *w)
{
	uint64_t size;

	return tar_header(cv_window_look(w, TAR_BLOCK), &size);
}

int
cv_pickle_tar(struct cv_pickle_search *s, const struct cv_pickle_job *in, struct cv_err *e)
{
	uint64_t at = 0, size;

	for (;;) {
		struct cv_span block;
		struct cv_blob part;
		uint8_t name[100];
		size_t n;

		cv_window_open(&s->w, in->blob);
		cv_window_seek(&s->w, at);
		block = cv_window_look(&s->w, TAR_BLOCK);
		if (!tar_header(block, &size) || ++s->members > CV_MAX_MEMBERS)
			break;
		n = strnlen((const char *)block.p, sizeof name);
		memcpy(name, block.p, n);
		at += TAR_BLOCK;
		if (size > in->blob.len - at)
			size = in->blob.len - at;
		if (cv_blob_part(&part, in->blob, at, size, e) != 0 ||
		    cv_pickle_member(s, in, cv_span(name, n), part, CV_PACKED_STORED, e) != 0)
			return -1;
		at += size + (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
	}
	if (s->w.err.reason != CV_R_NONE)
		return cv_window_ok(&s->w, "looking for pickles", "", e);
	return 0;
}

/* ---- gzip ---- */

int
cv_pickle_gzip(struct cv_pickle_search *s, const struct cv_pickle_job *in, struct cv_err *e)
{
	struct cv_blob part;
	uint8_t flags;
	uint64_t at;

	cv_window_open(&s->w, in->blob);
	cv_window_skip(&s->w, 3);
	flags = cv_window_u8(&s->w);
	cv_window_skip(&s->w, 6);
	if ((flags & 4) != 0)
		cv_window_skip(&s->w, cv_window_u16le(&s->w));
	for (unsigned bit = 8; bit <= 16; bit <<= 1) /* name, comment */
		while ((flags & bit) != 0 && !s->w.bad && cv_window_u8(&s->w) != 0)
			;
	if ((flags & 2) != 0)
		cv_window_skip(&s->w, 2);
	if (s->w.err.reason != CV_R_NONE)
		return cv_window_ok(&s->w, "looking for pickles", "", e);
	if (s->w.bad)
		return 0;
	at = cv_window_pos(&s->w);
	if (cv_blob_part(&part, in->blob, at, in->blob.len - at, e) != 0)
		return -1;
	return cv_pickle_member(s, in, cv_span_str("(gzip)"), part, CV_PACKED_DEFLATE, e);
}
