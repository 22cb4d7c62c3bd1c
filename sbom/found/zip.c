/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip.c: see zip.h. Must never accept a file in which a reader that goes by local
 * headers would find anything else than one that goes by the directory.
 */
#include "sbom/found/zip.h"
#include "sbom/found/window.h"

#include "trust/base/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trust/base/banned.h"

#define SIG_LOCAL      0x04034b50u
#define SIG_CENTRAL    0x02014b50u
#define SIG_END        0x06054b50u
#define SIG_END64      0x06064b50u
#define SIG_LOCATOR    0x07064b50u
#define SIG_DESCRIPTOR 0x08074b50u

#define END_SIZE     22
#define END64_SIZE   56
#define LOCATOR_SIZE 20
#define LOCAL_SIZE   30

#define FLAG_DEFLATE    0x0006
#define FLAG_DESCRIPTOR 0x0008
#define FLAG_UTF8       0x0800

#define EXTRA_ZIP64   0x0001
#define EXTRA_UNICODE 0x7075

/* What a header says of an entry; a local one and a central one are compared. */
struct header {
	uint16_t flags, method;
	uint32_t crc;
	uint64_t packed, size, offset;
	bool zip64;
	size_t name_len;
};

struct cv_zip {
	struct cv_blob blob;
	unsigned flags;
	uint64_t entries, seen;
	uint64_t central, central_end; /* positions */
	uint64_t expected;             /* where the next local header has to be */
	struct cv_inflate *z;          /* content of the present entry; NULL: done */
	struct header now;
	uint32_t crc;
	bool bomb;
	uint8_t name[CV_MAX_PATH], local_name[CV_MAX_PATH];
	struct cv_window w;     /* the directory */
	struct cv_window local; /* everything else */
};

/* ---- the end ---- */

struct end {
	uint64_t at; /* of the first end record */
	uint64_t entries, size, offset;
};

/* same: a field of the end record is what zip64 says, or all ones. */
static bool
same(uint64_t narrow, uint64_t ones, uint64_t wide)
{
	return narrow == wide || narrow == ones;
}

/* read_end64: `r` holds what the end record says, and then what zip64 says. */
static int
read_end64(struct cv_zip *z, struct end *r, struct cv_err *e)
{
	struct cv_window *w = &z->local;
	uint64_t at;

	if (r->at < LOCATOR_SIZE + END64_SIZE)
		return 0;
	cv_window_seek(w, r->at - LOCATOR_SIZE);
	if (cv_window_u32le(w) != SIG_LOCATOR)
		return 0;
	uint32_t disk = cv_window_u32le(w);
	at = cv_window_u64le(w);
	uint32_t disks = cv_window_u32le(w);
	if (disk != 0 || disks != 1 || at != r->at - LOCATOR_SIZE - END64_SIZE)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "the zip64 locator points to byte %llu, want %llu, right before it",
			       (unsigned long long)at,
			       (unsigned long long)(r->at - LOCATOR_SIZE - END64_SIZE));
	cv_window_seek(w, at);
	uint32_t sig = cv_window_u32le(w);
	uint64_t length = cv_window_u64le(w);
	cv_window_skip(w, 4); /* versions */
	uint32_t this_disk = cv_window_u32le(w), start_disk = cv_window_u32le(w);
	uint64_t here = cv_window_u64le(w), entries = cv_window_u64le(w);
	uint64_t size = cv_window_u64le(w), offset = cv_window_u64le(w);
	if (sig != SIG_END64 || length != END64_SIZE - 12 || this_disk != 0 || start_disk != 0 ||
	    here != entries || !same(r->entries, UINT16_MAX, entries) ||
	    !same(r->size, UINT32_MAX, size) || !same(r->offset, UINT32_MAX, offset))
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "the zip64 end record at byte %llu breaks its form or does not "
			       "agree with the end record",
			       (unsigned long long)at);
	*r = (struct end){ .at = at, .entries = entries, .size = size, .offset = offset };
	return 0;
}

/* The end record is the last place whose comment reaches the end of the file. A
 * second signature in or before its comment is one more end for some readers. */
static int
find_end(struct cv_zip *z, struct end *r, struct cv_err *e)
{
	uint64_t len = z->blob.len, tail = len < END_SIZE + 65535 ? len : END_SIZE + 65535;
	struct cv_buf b = CV_BUF(END_SIZE + 65535);
	int64_t found = -1;
	int rc = cv_buf_pread(&b, z->blob.fd, z->blob.off + len - tail, tail, "a zip's end", e);

	if (rc == 0) {
		for (size_t i = 0; i + END_SIZE <= b.n; i++) {
			if (memcmp(b.p + i, "PK\5\6", 4) != 0)
				continue;
			size_t comment = (size_t)(b.p[i + 20] | b.p[i + 21] << 8);
			if (found < 0 && i + END_SIZE + comment != b.n)
				continue; /* bytes of a file's content, perhaps */
			if (found >= 0)
				rc = cv_fail(e, CV_R_AMBIGUOUS,
					     "a second end record at byte %llu, behind the one at "
					     "byte %llu",
					     (unsigned long long)(len - tail + i),
					     (unsigned long long)(len - tail + (uint64_t)found));
			found = (int64_t)i;
		}
		if (found < 0)
			rc = cv_fail(e, CV_R_MALFORMED, "no end record that ends the file");
	}
	cv_buf_free(&b);
	if (rc < 0)
		return -1;
	r->at = len - tail + (uint64_t)found;
	return 0;
}

static int
read_end(struct cv_zip *z, struct cv_err *e)
{
	struct cv_window *w = &z->local;
	struct end r = { 0 };

	if (find_end(z, &r, e) < 0)
		return -1;
	cv_window_seek(w, r.at + 4);
	uint16_t disk = cv_window_u16le(w), start = cv_window_u16le(w);
	uint16_t here = cv_window_u16le(w);
	r.entries = cv_window_u16le(w);
	r.size = cv_window_u32le(w);
	r.offset = cv_window_u32le(w);
	if (disk != 0 || start != 0 || here != r.entries)
		return cv_fail(e, CV_R_AMBIGUOUS, "an archive of several disks");
	if (read_end64(z, &r, e) < 0 || cv_window_ok(w, "zip", "its end", e) < 0)
		return -1;
	if (r.size > r.at || r.offset != r.at - r.size)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "a directory of %llu bytes at byte %llu, want it to end at byte "
			       "%llu, where its end record is",
			       (unsigned long long)r.size, (unsigned long long)r.offset,
			       (unsigned long long)r.at);
	if (r.entries > CV_MAX_PACKAGE_ENTRIES)
		return cv_fail(e, CV_R_LIMIT, "%llu entries, want at most %d",
			       (unsigned long long)r.entries, CV_MAX_PACKAGE_ENTRIES);
	z->entries = r.entries;
	z->central = r.offset;
	z->central_end = r.at;
	cv_window_seek(&z->w, z->central);
	return 0;
}

/* ---- headers ---- */

static int
bad(const char *which, uint64_t at, const char *what, enum cv_reason reason, struct cv_err *e)
{
	return cv_fail(e, reason, "%s header at byte %llu: %s", which, (unsigned long long)at,
		       what);
}

/* zip64: the values of the fields that are all ones, in their order (APPNOTE 4.5.3). */
static bool
zip64(struct cv_window *w, uint16_t n, struct header *h, bool local)
{
	uint16_t want = 0;

	/* a local header has both sizes there, or none */
	if (local && (h->size == UINT32_MAX) != (h->packed == UINT32_MAX))
		return false;
	if (h->size == UINT32_MAX) {
		h->size = cv_window_u64le(w);
		want += 8;
	}
	if (h->packed == UINT32_MAX) {
		h->packed = cv_window_u64le(w);
		want += 8;
	}
	if (!local && h->offset == UINT32_MAX) {
		h->offset = cv_window_u64le(w);
		want += 8;
	}
	h->zip64 = true;
	return want == n && want > 0;
}

static const char *
extra_fields(struct cv_window *w, uint16_t total, struct header *h, bool local)
{
	while (total > 0) {
		if (total < 4)
			return "bytes that are no extra field";
		uint16_t id = cv_window_u16le(w), n = cv_window_u16le(w);
		if (n > total - 4)
			return "an extra field longer than its space";
		total = (uint16_t)(total - 4 - n);
		if (id == EXTRA_UNICODE)
			return "a second name, which some readers prefer";
		if (id == EXTRA_ZIP64 && h->zip64)
			return "two zip64 fields";
		if (id != EXTRA_ZIP64)
			cv_window_skip(w, n);
		else if (!zip64(w, n, h, local))
			return "a zip64 field that does not stand for what is missing";
	}
	return NULL;
}

/* take_name: the next n bytes of the window into `to`. */
static void
take_name(struct cv_window *w, size_t n, uint8_t *to)
{
	struct cv_span s = cv_window_take(w, n);

	if (s.n > 0)
		memcpy(to, s.p, s.n);
}

static const char *
check_flags(const struct cv_zip *z, const struct header *h, enum cv_reason *reason)
{
	uint16_t allowed = FLAG_DEFLATE | FLAG_UTF8;

	*reason = CV_R_UNSUPPORTED;
	if ((h->flags & 1) != 0)
		return "encrypted";
	if (h->method != 0 && h->method != 8)
		return "a method other than stored and deflated";
	*reason = CV_R_AMBIGUOUS;
	if ((z->flags & CV_ZIP_DESCRIPTORS) != 0 && h->method == 8)
		allowed |= FLAG_DESCRIPTOR;
	if ((h->flags & FLAG_DESCRIPTOR & ~allowed) != 0)
		return "sizes that follow the data, where not every reader looks";
	if ((h->flags & ~allowed) != 0)
		return "unknown flags";
	if (h->method == 0 && h->packed != h->size)
		return "stored, but with two different sizes";
	for (size_t i = 0; (h->flags & FLAG_UTF8) == 0 && i < h->name_len; i++)
		if (z->name[i] >= 0x80)
			return "a name that is not ASCII and not said to be UTF-8";
	return NULL;
}

static const char *
kind_of(struct cv_zip_entry *r, uint16_t made_by, uint32_t attributes)
{
	uint8_t host = (uint8_t)(made_by >> 8);
	bool unix_host = host == 3 || host == 19; /* 19: OS X */
	uint32_t mode = unix_host ? attributes >> 16 : 0;
	bool slash = r->name.n > 0 && r->name.p[r->name.n - 1] == '/';

	r->executable = (mode & 0111) != 0;
	r->kind = slash ? CV_ZIP_DIR : CV_ZIP_FILE;
	switch (mode & S_IFMT) {
	case 0:
		break;
	case S_IFREG:
		if (slash)
			return "a directory by its name, a file by its attributes";
		break;
	case S_IFDIR:
		if (!slash)
			return "a file by its name, a directory by its attributes";
		break;
	case S_IFLNK:
		r->kind = CV_ZIP_LINK;
		break;
	default:
		r->kind = CV_ZIP_OTHER;
	}
	return r->kind == CV_ZIP_DIR && r->size > 0 ? "a directory with content" : NULL;
}

/* read_central: the next header of the directory. */
static int
read_central(struct cv_zip *z, struct header *h, struct cv_zip_entry *r, struct cv_err *e)
{
	struct cv_window *w = &z->w;
	uint64_t at = cv_window_pos(w);
	enum cv_reason reason = CV_R_AMBIGUOUS;
	const char *wrong = NULL;

	*h = (struct header){ 0 };
	uint32_t sig = cv_window_u32le(w);
	uint16_t made_by = cv_window_u16le(w);
	cv_window_skip(w, 2);
	h->flags = cv_window_u16le(w);
	h->method = cv_window_u16le(w);
	cv_window_skip(w, 4); /* time */
	h->crc = cv_window_u32le(w);
	h->packed = cv_window_u32le(w);
	h->size = cv_window_u32le(w);
	uint16_t name = cv_window_u16le(w), extra = cv_window_u16le(w),
		 comment = cv_window_u16le(w), disk = cv_window_u16le(w);
	cv_window_skip(w, 2); /* "text" */
	uint32_t attributes = cv_window_u32le(w);
	h->offset = cv_window_u32le(w);
	if (cv_window_ok(w, "zip", "its directory", e) < 0)
		return -1;
	if (sig != SIG_CENTRAL)
		return bad("directory", at, "it is not one", CV_R_MALFORMED, e);
	if (name == 0 || name > CV_MAX_PATH)
		return bad("directory", at, "a name of no or more than 4096 bytes", CV_R_LIMIT, e);
	h->name_len = name;
	take_name(w, name, z->name);
	wrong = extra_fields(w, extra, h, false);
	if (wrong == NULL && comment > 0)
		wrong = "a comment";
	if (wrong == NULL && disk != 0)
		wrong = "on another disk";
	if (wrong == NULL)
		wrong = check_flags(z, h, &reason);
	r->name = cv_span(z->name, name);
	r->size = h->size;
	r->at = h->offset;
	if (wrong == NULL)
		wrong = kind_of(r, made_by, attributes);
	if (wrong != NULL)
		return bad("directory", at, wrong, reason, e);
	return cv_window_ok(w, "zip", "its directory", e);
}

/* agrees: 0 sizes and CRC are as good as right when a descriptor has them. */
static bool
agrees(const struct header *c, const struct header *l)
{
	bool later = (c->flags & FLAG_DESCRIPTOR) != 0;

	return l->flags == c->flags && l->method == c->method && l->name_len == c->name_len &&
	       (l->crc == c->crc || (later && l->crc == 0)) &&
	       (l->size == c->size || (later && l->size == 0)) &&
	       (l->packed == c->packed || (later && l->packed == 0));
}

/* read_local: *data is where the content begins. */
static int
read_local(struct cv_zip *z, const struct header *c, uint64_t *data, bool *wide, struct cv_err *e)
{
	struct cv_window *w = &z->local;
	struct header l = { 0 };
	const char *wrong;

	cv_window_seek(w, c->offset);
	uint32_t sig = cv_window_u32le(w);
	cv_window_skip(w, 2);
	l.flags = cv_window_u16le(w);
	l.method = cv_window_u16le(w);
	cv_window_skip(w, 4);
	l.crc = cv_window_u32le(w);
	l.packed = cv_window_u32le(w);
	l.size = cv_window_u32le(w);
	uint16_t name = cv_window_u16le(w), extra = cv_window_u16le(w);
	if (cv_window_ok(w, "zip", "a local header", e) < 0)
		return -1;
	if (sig != SIG_LOCAL)
		return bad("local", c->offset, "it is not one", CV_R_MALFORMED, e);
	l.name_len = name;
	if (name != c->name_len)
		return bad("local", c->offset, "another name than in the directory", CV_R_AMBIGUOUS,
			   e);
	take_name(w, name, z->local_name);
	wrong = extra_fields(w, extra, &l, true);
	if (wrong == NULL && memcmp(z->local_name, z->name, name) != 0)
		wrong = "another name than in the directory";
	if (wrong == NULL && !agrees(c, &l))
		wrong = "flags, method, sizes or CRC are not the directory's";
	if (wrong != NULL)
		return bad("local", c->offset, wrong, CV_R_AMBIGUOUS, e);
	*data = c->offset + LOCAL_SIZE + name + extra;
	*wide = l.zip64;
	return cv_window_ok(w, "zip", "a local header", e);
}

static int
read_descriptor(struct cv_zip *z, const struct header *c, uint64_t at, bool wide, struct cv_err *e)
{
	struct cv_window *w = &z->local;

	cv_window_seek(w, at);
	uint32_t sig = cv_window_u32le(w), crc = cv_window_u32le(w);
	uint64_t packed = wide ? cv_window_u64le(w) : cv_window_u32le(w);
	uint64_t size = wide ? cv_window_u64le(w) : cv_window_u32le(w);
	if (cv_window_ok(w, "zip", "a data descriptor", e) < 0)
		return -1;
	if (sig != SIG_DESCRIPTOR || crc != c->crc || packed != c->packed || size != c->size)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "the data descriptor at byte %llu does not say what the directory "
			       "says",
			       (unsigned long long)at);
	z->expected = at + (wide ? 24 : 16);
	return 0;
}

static int
open_content(struct cv_zip *z, uint64_t data, struct cv_err *e)
{
	struct cv_inflate_want want = { .pack = z->now.method == 8 ? CV_PACK_RAW : CV_PACK_PLAIN,
					.max = z->now.size };
	struct cv_blob part;

	if (cv_blob_part(&part, z->blob, data, z->now.packed, e) < 0)
		return -1;
	z->crc = 0;
	return cv_inflate_open(&z->z, part, &want, e);
}

static int
entry(struct cv_zip *z, struct cv_zip_entry *ret, struct cv_err *e)
{
	struct header *h = &z->now;
	uint64_t data = 0;
	bool wide = false;

	if (read_central(z, h, ret, e) < 0)
		return -1;
	if (h->offset != z->expected)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "a local header at byte %llu, want it at byte %llu: nothing may lie "
			       "between or in front of entries, or belong to two",
			       (unsigned long long)h->offset, (unsigned long long)z->expected);
	if (read_local(z, h, &data, &wide, e) < 0)
		return -1;
	if (data > z->central || h->packed > z->central - data)
		return bad("local", h->offset, "content that reaches into the directory",
			   CV_R_MALFORMED, e);
	z->expected = data + h->packed;
	if ((h->flags & FLAG_DESCRIPTOR) != 0 && read_descriptor(z, h, z->expected, wide, e) < 0)
		return -1;
	z->seen++;
	return open_content(z, data, e) < 0 ? -1 : 1;
}

int
cv_zip_next(struct cv_zip *z, struct cv_zip_entry *ret, struct cv_err *e)
{
	struct cv_span piece;

	do {
		if (cv_zip_data(z, &piece, e) < 0)
			return -1;
	} while (piece.n > 0);
	if (z->seen < z->entries)
		return entry(z, ret, e);
	if (z->expected != z->central)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "%llu bytes in front of the directory that belong to no entry",
			       (unsigned long long)(z->central - z->expected));
	if (cv_window_pos(&z->w) != z->central_end)
		return cv_fail(e, CV_R_AMBIGUOUS, "bytes between the directory and its end record");
	return 0;
}

int
cv_zip_data(struct cv_zip *z, struct cv_span *ret, struct cv_err *e)
{
	*ret = cv_span(NULL, 0);
	if (z->z == NULL)
		return 0;
	if (cv_inflate_read(z->z, ret, e) < 0) {
		z->bomb = cv_inflate_bomb(z->z);
		return cv_fail_within(e, "entry at byte %llu", (unsigned long long)z->now.offset);
	}
	if (ret->n > 0) {
		z->crc = cv_deflate_crc(z->crc, ret->p, ret->n);
		return 0;
	}
	uint64_t made = cv_inflate_made(z->z);
	cv_inflate_free(&z->z);
	if (made != z->now.size || z->crc != z->now.crc)
		return cv_fail(e, CV_R_MALFORMED,
			       "entry at byte %llu: %llu bytes with CRC %08x, want %llu with %08x",
			       (unsigned long long)z->now.offset, (unsigned long long)made, z->crc,
			       (unsigned long long)z->now.size, z->now.crc);
	return 0;
}

uint64_t
cv_zip_entries(const struct cv_zip *z)
{
	return z->entries;
}

bool
cv_zip_bomb(const struct cv_zip *z)
{
	return z->bomb;
}

int
cv_zip_open(struct cv_zip **ret, struct cv_blob blob, unsigned flags, struct cv_err *e)
{
	cv_auto(cv_zip_free) struct cv_zip *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return cv_fail_memory(e);
	z->blob = blob;
	z->flags = flags;
	cv_window_open(&z->w, blob);
	cv_window_open(&z->local, blob);
	if (read_end(z, e) < 0)
		return -1;
	*ret = cv_steal(z);
	return 0;
}

void
cv_zip_free(struct cv_zip **z)
{
	if (*z == NULL)
		return;
	cv_inflate_free(&(*z)->z);
	free(*z);
	*z = NULL;
}
