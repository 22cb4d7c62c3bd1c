/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.c: see tar.h. Must never report the end of an archive while a byte that some
 * reader could take for an entry is unread.
 */
#include "sbom/found/tar.h"

#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define BLOCK 512

/* Fields of a header: offset and length. */
#define F_NAME   0, 100
#define F_MODE   100, 8
#define F_UID    108, 8
#define F_GID    116, 8
#define F_SIZE   124, 12
#define F_MTIME  136, 12
#define F_SUM    148, 8
#define F_KIND   156
#define F_LINK   157, 100
#define F_MAGIC  257, 8
#define F_MAJOR  329, 8
#define F_MINOR  337, 8
#define F_PREFIX 345, 155
#define F_REST   500, 12

struct cv_tar {
	struct cv_inflate *z;
	struct cv_span piece; /* of the stream, not yet used */
	uint64_t at;          /* bytes of the stream used */
	uint64_t left, pad;   /* of the present entry's content, and behind it */
	bool over;
	bool has_name, has_link; /* by 'L' and 'K' */
	bool has_pax;
	struct cv_pax pax;
	struct cv_buf text; /* of the pax header */
	char long_name[CV_MAX_PATH + 2], long_link[CV_MAX_PATH + 2];
	size_t long_name_n, long_link_n;
	char name[100 + 1 + 155];
	uint8_t block[BLOCK];
};

static int
complain(const struct cv_tar *t, enum cv_reason reason, const char *text, struct cv_err *e)
{
	uint64_t at = t->at >= BLOCK ? t->at - BLOCK : 0;

	return cv_fail(e, reason, "header at byte %llu: %s", (unsigned long long)at, text);
}

/* ---- the stream ---- */

static int
more(struct cv_tar *t, struct cv_err *e)
{
	if (t->piece.n > 0 || t->over)
		return 0;
	if (cv_inflate_read(t->z, &t->piece, e) < 0)
		return -1;
	t->over = t->piece.n == 0;
	return 0;
}

static struct cv_span
use(struct cv_tar *t, size_t n)
{
	if (n > t->piece.n)
		n = t->piece.n;
	t->at += n;
	return cv_span_take(&t->piece, n);
}

static int
cut_off(const struct cv_tar *t, const char *part, struct cv_err *e)
{
	return cv_fail(e, CV_R_MALFORMED, "the archive ends at byte %llu, in the middle of %s",
		       (unsigned long long)t->at, part);
}

/* next_block: *ret stays valid until the next call. */
static int
next_block(struct cv_tar *t, const uint8_t **ret, const char *part, struct cv_err *e)
{
	size_t n = 0;

	if (more(t, e) < 0)
		return -1;
	if (t->piece.n >= BLOCK) {
		*ret = use(t, BLOCK).p;
		return 0;
	}
	while (n < BLOCK) {
		if (more(t, e) < 0)
			return -1;
		struct cv_span s = use(t, BLOCK - n);
		if (s.n == 0)
			return cut_off(t, part, e);
		memcpy(t->block + n, s.p, s.n);
		n += s.n;
	}
	*ret = t->block;
	return 0;
}

static int
pass_over(struct cv_tar *t, uint64_t n, struct cv_err *e)
{
	while (n > 0) {
		if (more(t, e) < 0)
			return -1;
		struct cv_span s = use(t, n < SIZE_MAX ? (size_t)n : SIZE_MAX);
		if (s.n == 0)
			return cut_off(t, "an entry", e);
		n -= s.n;
	}
	return 0;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* After the first block of zeros: one more, then zeros to the end. */
static int
archive_end(struct cv_tar *t, struct cv_err *e)
{
	const uint8_t *b;
	uint64_t from;

	if (next_block(t, &b, "its end mark: want two blocks of zeros", e) < 0)
		return -1;
	if (!all_zero(b, BLOCK))
		return complain(t, CV_R_AMBIGUOUS,
				"an entry behind a single block of zeros, where some readers stop",
				e);
	for (;;) {
		if (more(t, e) < 0)
			return -1;
		from = t->at;
		struct cv_span s = use(t, t->piece.n);
		if (s.n == 0)
			return 0;
		if (!all_zero(s.p, s.n))
			return cv_fail(e, CV_R_MALFORMED,
				       "data behind the end of the archive, after byte %llu",
				       (unsigned long long)from);
	}
}

/* ---- fields ---- */

static bool
octal(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0'); /* 12 digits at most: 36 bits */
	for (; i < n; i++)
		if (p[i] != ' ' && p[i] != 0)
			return false;
	*ret = v;
	return true;
}

/* GNU's base-256: the first byte is the flag alone, so that the number that is left
 * is not negative and no reader sees a sign bit. */
static bool
number(const uint8_t *h, size_t off, size_t n, uint64_t max, uint64_t *ret)
{
	const uint8_t *p = h + off;
	uint64_t v = 0;

	if (p[0] < 0x80)
		return octal(p, n, ret) && *ret <= max;
	if (p[0] != 0x80)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (v >> 55 != 0)
			return false;
		v = v << 8 | p[i];
	}
	*ret = v;
	return v <= max;
}

/* A string that nothing but NULs follows in its field. */
static bool
string(const uint8_t *h, size_t off, size_t n, struct cv_span *ret)
{
	size_t len = strnlen((const char *)h + off, n);

	*ret = cv_span(h + off, len);
	return all_zero(h + off + len, n - len);
}

/* The prefix of a name. node-tar puts two times into its last 24 bytes when the prefix
 * leaves room for them and a NUL; every reader stops at that NUL, so that is one name. */
static bool
prefix(const uint8_t *h, struct cv_span *ret)
{
	const uint8_t *times = h + 476;
	uint64_t t;

	if (string(h, F_PREFIX, ret))
		return true;
	return string(h, 345, 131, ret) && ret->n < 131 && octal(times, 12, &t) &&
	       octal(times + 12, 12, &t);
}

static bool
sum_holds(const uint8_t *h)
{
	uint64_t sum = 8 * ' ', want;
	size_t i;

	for (i = 0; i < 148; i++)
		sum += h[i];
	for (i = 156; i < BLOCK; i++)
		sum += h[i];
	return number(h, F_SUM, UINT32_MAX, &want) && want == sum;
}

struct header {
	uint8_t kind;
	bool gnu;
	uint64_t mode, uid, gid, size, major, minor;
	struct cv_span name, link, prefix;
};

static int
read_magic(const struct cv_tar *t, const uint8_t *h, struct header *ret, struct cv_err *e)
{
	if (!sum_holds(h))
		return complain(t, CV_R_MALFORMED, "its checksum is wrong", e);
	ret->gnu = memcmp(h + 257, "ustar  \0", 8) == 0;
	if (!ret->gnu && memcmp(h + 257,
				"ustar\0"
				"00",
				8) != 0)
		return complain(t, CV_R_AMBIGUOUS,
				"neither POSIX nor GNU magic: readers differ about older forms", e);
	if (!all_zero(h + 500, 12) || (ret->gnu && !all_zero(h + 345, 155)))
		return complain(t, CV_R_AMBIGUOUS,
				"fields of GNU's or star's own where others read a name", e);
	return 0;
}

static int
read_fields(const struct cv_tar *t, const uint8_t *h, struct header *ret, struct cv_err *e)
{
	uint64_t time;
	bool past = h[136] == 0xff; /* before 1970 */

	if (read_magic(t, h, ret, e) < 0)
		return -1;
	if (!string(h, F_NAME, &ret->name) || !string(h, F_LINK, &ret->link) ||
	    !prefix(h, &ret->prefix))
		return complain(t, CV_R_AMBIGUOUS, "bytes behind the end of a name", e);
	if (!number(h, F_MODE, UINT32_MAX, &ret->mode) ||
	    !number(h, F_SIZE, INT64_MAX, &ret->size) ||
	    (!past && !number(h, F_MTIME, INT64_MAX, &time)) ||
	    !number(h, F_MAJOR, UINT32_MAX, &ret->major) ||
	    !number(h, F_MINOR, UINT32_MAX, &ret->minor))
		return complain(t, CV_R_MALFORMED, "a number that is not one, or out of range", e);
	if (!number(h, F_UID, INT32_MAX, &ret->uid) || !number(h, F_GID, INT32_MAX, &ret->gid))
		return complain(t, CV_R_MALFORMED, "an owner above 2147483647, or not a number", e);
	ret->kind = h[F_KIND] == 0 ? (uint8_t)CV_TAR_FILE : h[F_KIND];
	return 0;
}

/* ---- headers about the next entry ---- */

/* content: all of a header's own content, into p (`size` bytes). */
static int
content(struct cv_tar *t, uint8_t *p, size_t size, struct cv_err *e)
{
	size_t pad = (BLOCK - size % BLOCK) % BLOCK;

	while (size > 0) {
		if (more(t, e) < 0)
			return -1;
		struct cv_span s = use(t, size);
		if (s.n == 0)
			return cut_off(t, "an extended header", e);
		memcpy(p, s.p, s.n);
		p += s.n;
		size -= s.n;
	}
	return pass_over(t, pad, e);
}

static int
read_pax(struct cv_tar *t, const struct header *h, struct cv_err *e)
{
	bool global = h->kind == 'g';
	uint8_t *p;

	if (h->size > CV_MAX_PAX)
		return complain(t, CV_R_LIMIT, "a pax header of more than 1 MiB", e);
	if (t->has_pax || t->has_name || t->has_link)
		return complain(t, CV_R_AMBIGUOUS, "two extended headers for one entry", e);
	uint64_t at = t->at - BLOCK;
	cv_buf_reset(&t->text);
	p = cv_buf_extend(&t->text, (size_t)h->size);
	if (p == NULL && h->size > 0)
		return cv_buf_ok(&t->text, "a pax header", e);
	if (content(t, p, (size_t)h->size, e) < 0)
		return -1;
	t->has_pax = !global;
	if ((global ? cv_pax_global(cv_buf_span(&t->text), e)
		    : cv_pax_parse(&t->pax, cv_buf_span(&t->text), e)) == 0)
		return 0;
	return cv_fail_within(e, "header at byte %llu", (unsigned long long)at);
}

/* GNU 'L' and 'K': the text, ended by one NUL at most. */
static int
read_long(struct cv_tar *t, const struct header *h, struct cv_err *e)
{
	bool link = h->kind == 'K';
	char *text = link ? t->long_link : t->long_name;
	size_t n;

	if (!h->gnu)
		return complain(t, CV_R_AMBIGUOUS, "a GNU long name under POSIX magic", e);
	if (t->has_pax || (link ? t->has_link : t->has_name))
		return complain(t, CV_R_AMBIGUOUS, "two extended headers for one entry", e);
	if (h->size < 1 || h->size > CV_MAX_PATH + 1)
		return complain(t, CV_R_LIMIT, "a long name of no or more than 4096 bytes", e);
	uint64_t at = t->at - BLOCK;
	if (content(t, (uint8_t *)text, (size_t)h->size, e) < 0)
		return -1;
	n = strnlen(text, (size_t)h->size);
	if (n == 0 || n > CV_MAX_PATH || n + 1 < h->size)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "header at byte %llu: a long name that is empty or holds a NUL byte",
			       (unsigned long long)at);
	*(link ? &t->has_link : &t->has_name) = true;
	*(link ? &t->long_link_n : &t->long_name_n) = n;
	return 0;
}

/* ---- entries ---- */

static struct cv_span
entry_name(struct cv_tar *t, const struct header *h)
{
	size_t n;

	if (t->has_pax && (t->pax.has & CV_PAX_PATH) != 0)
		return t->pax.path;
	if (t->has_name)
		return cv_span(t->long_name, t->long_name_n);
	memcpy(t->name, h->prefix.p, h->prefix.n);
	n = h->prefix.n;
	if (n > 0)
		t->name[n++] = '/';
	memcpy(t->name + n, h->name.p, h->name.n);
	return cv_span(t->name, n + h->name.n);
}

static struct cv_span
entry_link(struct cv_tar *t, const struct header *h)
{
	if (t->has_pax && (t->pax.has & CV_PAX_LINK) != 0)
		return t->pax.link;
	if (t->has_link)
		return cv_span(t->long_link, t->long_link_n);
	/* the block is gone with the next piece: keep it */
	memcpy(t->long_link, h->link.p, h->link.n);
	return cv_span(t->long_link, h->link.n);
}

/* size_agrees: a header that can hold the size says the same as pax does. One that
 * cannot holds 0 (Go, Python, libarchive). A reader without pax would otherwise take
 * content for headers, or the reverse. */
static int
entry_size(const struct cv_tar *t, const struct header *h, uint64_t *ret, struct cv_err *e)
{
	*ret = h->size;
	if (!t->has_pax || (t->pax.has & CV_PAX_SIZE) == 0)
		return 0;
	*ret = t->pax.size;
	if (h->size == t->pax.size || (h->size == 0 && t->pax.size >= 8 * CV_GIB))
		return 0;
	return cv_fail(e, CV_R_AMBIGUOUS,
		       "header at byte %llu: size %llu, but %llu in its pax header",
		       (unsigned long long)(t->at - BLOCK), (unsigned long long)h->size,
		       (unsigned long long)t->pax.size);
}

static int
check_kind(const struct cv_tar *t, const struct cv_tar_entry *r, struct cv_err *e)
{
	bool link = r->kind == CV_TAR_HARDLINK || r->kind == CV_TAR_SYMLINK;

	if (r->size > 0 && r->kind != CV_TAR_FILE)
		return complain(t, CV_R_AMBIGUOUS,
				"content where only a regular file has some: readers differ", e);
	if (r->name.n == 0)
		return complain(t, CV_R_MALFORMED, "no name", e);
	if (r->name.p[r->name.n - 1] == '/' && r->kind != CV_TAR_DIR)
		return complain(t, CV_R_AMBIGUOUS,
				"a name that ends in \"/\" but is no directory's", e);
	if (link && r->link.n == 0)
		return complain(t, CV_R_AMBIGUOUS, "a link without a target", e);
	return 0;
}

static int
entry(struct cv_tar *t, const struct header *h, struct cv_tar_entry *ret, struct cv_err *e)
{
	if (h->kind < CV_TAR_FILE || h->kind > CV_TAR_FIFO)
		return cv_fail(e, CV_R_AMBIGUOUS,
			       "header at byte %llu: entry type 0x%02x, which readers treat "
			       "differently",
			       (unsigned long long)(t->at - BLOCK), h->kind);
	ret->kind = h->kind;
	ret->mode = (uint32_t)(h->mode & 07777);
	ret->uid = (uint32_t)h->uid;
	ret->gid = (uint32_t)h->gid;
	ret->major = (uint32_t)h->major;
	ret->minor = (uint32_t)h->minor;
	ret->attributes = 0;
	if (t->has_pax) {
		if ((t->pax.has & CV_PAX_UID) != 0)
			ret->uid = t->pax.uid;
		if ((t->pax.has & CV_PAX_GID) != 0)
			ret->gid = t->pax.gid;
		ret->attributes = t->pax.has & (CV_PAX_CAPABILITY | CV_PAX_OVERLAY);
	}
	ret->name = entry_name(t, h);
	/* Docker leaves the target of a link that it whites out in the whiteout's header,
	 * which is a file's; every reader passes over it. */
	ret->link = ret->kind == CV_TAR_HARDLINK || ret->kind == CV_TAR_SYMLINK ? entry_link(t, h)
										: cv_span(NULL, 0);
	if (entry_size(t, h, &ret->size, e) < 0 || check_kind(t, ret, e) < 0)
		return -1;
	t->left = ret->size;
	t->pad = (BLOCK - ret->size % BLOCK) % BLOCK;
	return 1;
}

int
cv_tar_next(struct cv_tar *t, struct cv_tar_entry *ret, struct cv_err *e)
{
	const uint8_t *b;
	bool first = true;

	if (pass_over(t, t->left, e) < 0 || pass_over(t, t->pad, e) < 0)
		return -1;
	t->left = t->pad = 0;
	t->has_pax = t->has_name = t->has_link = false;
	for (;;) {
		struct header h = { 0 };

		if (next_block(t, &b, "a header: want two blocks of zeros as its end", e) < 0)
			return -1;
		if (first)
			ret->at = t->at - BLOCK;
		first = false;
		if (all_zero(b, BLOCK)) {
			if (t->has_pax || t->has_name || t->has_link)
				return complain(t, CV_R_MALFORMED,
						"the end, behind a header about a next entry", e);
			return archive_end(t, e);
		}
		if (read_fields(t, b, &h, e) < 0)
			return -1;
		if (h.kind != 'x' && h.kind != 'g' && h.kind != 'L' && h.kind != 'K')
			return entry(t, &h, ret, e);
		if ((h.kind == 'x' || h.kind == 'g' ? read_pax(t, &h, e) : read_long(t, &h, e)) < 0)
			return -1;
	}
}

int
cv_tar_data(struct cv_tar *t, struct cv_span *ret, struct cv_err *e)
{
	*ret = cv_span(NULL, 0);
	if (t->left == 0)
		return 0;
	if (more(t, e) < 0)
		return -1;
	*ret = use(t, t->left < SIZE_MAX ? (size_t)t->left : SIZE_MAX);
	if (ret->n == 0)
		return cut_off(t, "an entry", e);
	t->left -= ret->n;
	return 0;
}

int
cv_tar_open(struct cv_tar **ret, struct cv_inflate *z, struct cv_err *e)
{
	struct cv_tar *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return cv_fail_memory(e);
	t->z = z;
	t->text = CV_BUF(CV_MAX_PAX);
	*ret = t;
	return 0;
}

void
cv_tar_free(struct cv_tar **t)
{
	if (*t == NULL)
		return;
	cv_buf_free(&(*t)->text);
	free(*t);
	*t = NULL;
}
