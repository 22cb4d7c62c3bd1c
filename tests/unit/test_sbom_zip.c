/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_zip.c: the strict zip reader: a table of lies, the public vectors, and that
 * libarchive lists the same. */
#include "sbom/found/zip.h"
#include "tests/support/mkzip.h"
#include "tests/support/t.h"

#include "trust/base/limits.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "trust/base/banned.h"

static int
list_fd(int fd, uint64_t len, unsigned flags, struct cv_buf *out, struct cv_err *e)
{
	cv_auto(cv_zip_free) struct cv_zip *z = NULL;
	struct cv_zip_entry x;
	struct cv_span s;
	int rc;

	if (cv_zip_open(&z, (struct cv_blob){ .fd = fd, .len = len }, flags, e) < 0)
		return -1;
	while ((rc = cv_zip_next(z, &x, e)) == 1) {
		cv_buf_fmt(out, "%d%s %llu ", x.kind, x.executable ? "x" : "",
			   (unsigned long long)x.size);
		cv_buf_add(out, x.name.p, x.name.n);
		cv_buf_str(out, " ");
		do {
			if (cv_zip_data(z, &s, e) < 0)
				return -1;
			if (x.size < 100)
				cv_buf_add(out, s.p, s.n);
		} while (s.n > 0);
		cv_buf_str(out, "\n");
	}
	return rc;
}

static int
list(const struct cv_buf *zip, unsigned flags, struct cv_buf *out, struct cv_err *e)
{
	int fd = t_memfd(zip->p, zip->n);
	int rc = list_fd(fd, zip->n, flags, out, e);

	(void)close(fd);
	return rc;
}

static struct cv_buf
make(void)
{
	return CV_BUF(16 * CV_MIB);
}

static void
refused(const struct mk_zip *z, unsigned flags, enum cv_reason reason, const char *text)
{
	struct cv_buf b = make(), out = make();
	struct cv_err e = { 0 };

	mk_zip_write(&b, z);
	T_NO(list(&b, flags, &out, &e), e, reason);
	T_HAS(e.text, text);
	cv_buf_free(&b);
	cv_buf_free(&out);
}

static void
accepted(const struct mk_zip *z, unsigned flags, const char *want)
{
	struct cv_buf b = make(), out = make();
	struct cv_err e = { 0 };

	mk_zip_write(&b, z);
	T_OK(list(&b, flags, &out, &e), e);
	T_STR(cv_buf_text(&out), want);
	cv_buf_free(&b);
	cv_buf_free(&out);
}

/* Two good files; the case changes one thing of the second. */
static struct mk_zip
two(void)
{
	struct mk_zip z = { 0 };

	(void)mk_zip_add(&z, "a.txt", "first");
	(void)mk_zip_add(&z, "b.txt", "second");
	return z;
}

#define WRONG(change, reason, text)                                                                \
	do {                                                                                       \
		struct mk_zip z = two();                                                           \
		struct mk_zip_entry *e = &z.e[1];                                                  \
		(void)e;                                                                           \
		change;                                                                            \
		refused(&z, CV_ZIP_DESCRIPTORS, reason, text);                                     \
	} while (0)

static void
test_local_differs(void)
{
	WRONG(e->local_name[0] = 'c', CV_R_AMBIGUOUS, "another name");
	WRONG(memcpy(e->local_name, "b.tx", 5), CV_R_AMBIGUOUS, "another name");
	WRONG(e->local_crc ^= 1, CV_R_AMBIGUOUS, "not the directory's");
	WRONG(e->local_size++, CV_R_AMBIGUOUS, "not the directory's");
	WRONG(e->local_packed--, CV_R_AMBIGUOUS, "not the directory's");
	WRONG(e->local_size = 0; e->local_packed = 0, CV_R_AMBIGUOUS, "not the directory's");
	WRONG(e->local_method = 8, CV_R_AMBIGUOUS, "not the directory's");
	WRONG(e->local_flags = 0x800, CV_R_AMBIGUOUS, "not the directory's");
	WRONG(e->flags = 0x800, CV_R_AMBIGUOUS, "not the directory's");
}

static void
test_layout(void)
{
	WRONG(z.e[0].gap = 1, CV_R_AMBIGUOUS, "nothing may lie between");
	WRONG(e->gap = 4, CV_R_AMBIGUOUS, "nothing may lie between");
	WRONG(e->offset_off = -1, CV_R_AMBIGUOUS, "nothing may lie between");
	WRONG(e->offset_off = -40, CV_R_AMBIGUOUS, "belong to two"); /* overlap: the first again */
	WRONG(e->no_central = true, CV_R_AMBIGUOUS, "belong to no entry");
	WRONG(e->no_local = true, CV_R_MALFORMED, "it is not one");
	WRONG(e->data_len++, CV_R_AMBIGUOUS, "belong to no entry");
	WRONG(e->size = e->local_size = e->packed = e->local_packed = 4000, CV_R_MALFORMED,
	      "into the directory");
	WRONG(z.before_end = "x", CV_R_AMBIGUOUS, "want it to end at");
	WRONG(z.offset_off = -1; z.before_end = "x", CV_R_AMBIGUOUS, "want it to end at");
	WRONG(z.size_off = 1; z.before_end = "x", CV_R_AMBIGUOUS, "");
	WRONG(z.after_end = "x", CV_R_MALFORMED, "no end record");
	WRONG(z.entries_off = 1, CV_R_MALFORMED, "in the middle of its directory");
	WRONG(z.entries_off = 65535, CV_R_AMBIGUOUS, "");
	WRONG(z.disk = 1, CV_R_AMBIGUOUS, "several disks");
	WRONG(z.comment = "PK\5\6 and sixteen more bytes";
	      z.comment_len = 26, CV_R_AMBIGUOUS, "a second end record");
}

static void
test_content(void)
{
	WRONG(e->crc = e->local_crc = 5, CV_R_MALFORMED, "CRC");
	WRONG(e->size = e->local_size = 5, CV_R_AMBIGUOUS, "two different sizes");
	WRONG(e->size = e->local_size = 7, CV_R_AMBIGUOUS, "two different sizes");
	WRONG(e->method = e->local_method = 8, CV_R_MALFORMED, ""); /* not deflated */
}

static void
test_flags(void)
{
	WRONG(e->flags = e->local_flags = 1, CV_R_UNSUPPORTED, "encrypted");
	WRONG(e->flags = e->local_flags = 0x41, CV_R_UNSUPPORTED, "encrypted");
	WRONG(e->flags = e->local_flags = 0x20, CV_R_AMBIGUOUS, "unknown flags");
	WRONG(e->flags = e->local_flags = 0x2000, CV_R_AMBIGUOUS, "unknown flags");
	WRONG(e->flags = e->local_flags = 8, CV_R_AMBIGUOUS, "sizes that follow"); /* stored */
	for (uint16_t m = 1; m < 100; m++)
		if (m != 8)
			WRONG(e->method = e->local_method = m, CV_R_UNSUPPORTED, "a method");
}

static void
test_extras(void)
{
#define EXTRA(s)                                                                                   \
	e->extra = e->local_extra = s;                                                             \
	e->extra_len = e->local_extra_len = sizeof(s) - 1
	WRONG(EXTRA("\x75\x70\x09\0\1\0\0\0\0name"), CV_R_AMBIGUOUS, "a second name");
	WRONG(EXTRA("\xff\xff\5\0abc"), CV_R_AMBIGUOUS, "longer than its space");
	WRONG(EXTRA("abc"), CV_R_AMBIGUOUS, "no extra field");
	WRONG(EXTRA("\1\0\x08\0\6\0\0\0\0\0\0\0"), CV_R_AMBIGUOUS, "zip64");
	WRONG(EXTRA("\1\0\0\0"), CV_R_AMBIGUOUS, "zip64");
	WRONG(e->comment = "x", CV_R_AMBIGUOUS, "a comment");
	WRONG(e->disk = 1, CV_R_AMBIGUOUS, "another disk");
	WRONG(e->size = e->local_size = UINT32_MAX, CV_R_AMBIGUOUS, ""); /* and no zip64 */
	struct mk_zip z = two(); /* a harmless one, in one place only */
	z.e[1].local_extra = "UT\5\0\1abcd";
	z.e[1].local_extra_len = 9;
	accepted(&z, 0, "1 5 a.txt first\n1 6 b.txt second\n");
}

/* ---- zip64 ---- */

/* What the three records at the end say; all of it agrees at first. */
struct end64 {
	uint32_t sig, disk, start, locator_sig, locator_disk, disks;
	uint64_t length, here, entries, size, offset, at, gap;
	uint16_t narrow_entries;
	uint32_t narrow_size, narrow_offset;
};

static struct end64
right64(const struct cv_buf *zip)
{
	struct cv_span end = cv_span(zip->p + zip->n - 22 + 12, 10);
	struct end64 r = { .sig = 0x06064b50, .locator_sig = 0x07064b50, .disks = 1, .length = 44 };

	r.size = cv_span_u32le(&end);
	r.offset = cv_span_u32le(&end);
	r.here = r.entries = 2;
	r.at = r.offset + r.size;
	r.narrow_entries = UINT16_MAX;
	r.narrow_size = r.narrow_offset = UINT32_MAX;
	return r;
}

static void
put64(struct cv_buf *b, const struct end64 *r)
{
	b->n -= 22;
	for (uint64_t i = 0; i < r->gap; i++)
		cv_buf_byte(b, 'g');
	cv_buf_u32le(b, r->sig);
	cv_buf_u64le(b, r->length);
	cv_buf_u32le(b, 45 << 16 | 45);
	cv_buf_u32le(b, r->disk);
	cv_buf_u32le(b, r->start);
	cv_buf_u64le(b, r->here);
	cv_buf_u64le(b, r->entries);
	cv_buf_u64le(b, r->size);
	cv_buf_u64le(b, r->offset);
	cv_buf_u32le(b, r->locator_sig);
	cv_buf_u32le(b, r->locator_disk);
	cv_buf_u64le(b, r->at);
	cv_buf_u32le(b, r->disks);
	cv_buf_u32le(b, 0x06054b50);
	cv_buf_u32le(b, 0);
	cv_buf_u16le(b, r->narrow_entries);
	cv_buf_u16le(b, r->narrow_entries);
	cv_buf_u32le(b, r->narrow_size);
	cv_buf_u32le(b, r->narrow_offset);
	cv_buf_u16le(b, 0);
}

#define END64(change, good)                                                                        \
	do {                                                                                       \
		struct mk_zip z = two();                                                           \
		struct cv_buf b = make(), out = make();                                            \
		struct cv_err e = { 0 };                                                           \
		mk_zip_write(&b, &z);                                                              \
		struct end64 r = right64(&b);                                                      \
		change;                                                                            \
		put64(&b, &r);                                                                     \
		if ((list(&b, 0, &out, &e) == 0) != (good))                                        \
			t_fail(__FILE__, __LINE__, "%s: %s", #change, e.text);                     \
		cv_buf_free(&b);                                                                   \
		cv_buf_free(&out);                                                                 \
	} while (0)

static void
test_end64(void)
{
	END64((void)0, true);
	END64(r.narrow_entries = 2, true);
	END64(r.narrow_size = (uint32_t)r.size; r.narrow_offset = (uint32_t)r.offset, true);
	END64(r.narrow_entries = 1, false);
	END64(r.narrow_size = (uint32_t)r.size - 1, false);
	END64(r.narrow_offset = 0, false);
	END64(r.sig++, false);
	END64(r.length++, false);
	END64(r.disk = 1, false);
	END64(r.start = 1, false);
	END64(r.here = 1, false);
	END64(r.here = r.entries = 1, false);
	END64(r.here = r.entries = 3, false);
	END64(r.here = r.entries = 1000000, false);
	END64(r.size--, false);
	END64(r.offset++, false);
	END64(r.at--, false);
	END64(r.gap = 1, false);
	END64(r.gap = 1; r.at++, false); /* bytes between the directory and its end */
	END64(r.locator_sig++, false);
	END64(r.locator_disk = 1, false);
	END64(r.disks = 2, false);
}

static void
test_extra64(void)
{
#define ONES UINT32_MAX
#define SIX  "\6\0\0\0\0\0\0\0"
#define LOCAL64(s)                                                                                 \
	e->local_extra = s;                                                                        \
	e->local_extra_len = sizeof(s) - 1;                                                        \
	e->local_size = e->local_packed = ONES
#define CENTRAL64(s)                                                                               \
	e->extra = s;                                                                              \
	e->extra_len = sizeof(s) - 1
	struct mk_zip z = two();
	struct mk_zip_entry *e = &z.e[1];

	LOCAL64("\1\0\x10\0" SIX SIX); /* as Python writes it: only in front */
	accepted(&z, 0, "1 5 a.txt first\n1 6 b.txt second\n");
	CENTRAL64("\1\0\x10\0" SIX SIX);
	e->size = e->packed = ONES;
	accepted(&z, 0, "1 5 a.txt first\n1 6 b.txt second\n");
	e->packed = 6; /* only what is missing */
	CENTRAL64("\1\0\x08\0" SIX);
	accepted(&z, 0, "1 5 a.txt first\n1 6 b.txt second\n");
	/* an offset may stand there too */
	z = two();
	e = &z.e[1];
	CENTRAL64("\1\0\x08\0\x28\0\0\0\0\0\0\0");
	e->offset_off = (int64_t)ONES - 40;
	accepted(&z, 0, "1 5 a.txt first\n1 6 b.txt second\n");
	CENTRAL64("\1\0\x08\0\x29\0\0\0\0\0\0\0");
	refused(&z, 0, CV_R_AMBIGUOUS, "nothing may lie between");
}

static void
test_extra64_wrong(void)
{
	WRONG(LOCAL64("\1\0\x10\0" SIX "\7\0\0\0\0\0\0\0"), CV_R_AMBIGUOUS, "not the directory's");
	WRONG(LOCAL64("\1\0\x10\0\6\0\0\0\1\0\0\0" SIX), CV_R_AMBIGUOUS, "not the directory's");
	WRONG(LOCAL64("\1\0\x08\0" SIX), CV_R_AMBIGUOUS, "zip64");
	WRONG(LOCAL64("\1\0\x08\0" SIX); e->local_packed = 6, CV_R_AMBIGUOUS, "zip64");
	WRONG(LOCAL64("\1\0\x18\0" SIX SIX SIX), CV_R_AMBIGUOUS, "zip64");
	WRONG(LOCAL64("\1\0\x10\0" SIX SIX "\1\0\x10\0" SIX SIX), CV_R_AMBIGUOUS,
	      "two zip64 fields");
	WRONG(CENTRAL64("\1\0\x10\0" SIX SIX); e->size = ONES, CV_R_AMBIGUOUS, "zip64");
	WRONG(CENTRAL64("\1\0\x18\0" SIX SIX SIX);
	      e->size = e->packed = ONES, CV_R_AMBIGUOUS, "zip64");
	WRONG(CENTRAL64("\1\0\x08\0" SIX); e->size = e->packed = ONES, CV_R_AMBIGUOUS, "");
}

static void
test_kinds(void)
{
	WRONG(e->attributes = 040755u << 16, CV_R_AMBIGUOUS, "a directory by its attributes");
	struct mk_zip z = two();
	(void)mk_zip_add(&z, "d/", "content");
	refused(&z, 0, CV_R_AMBIGUOUS, "a directory with content");
	z = two();
	mk_zip_add(&z, "d/", "")->attributes = 0100644u << 16;
	refused(&z, 0, CV_R_AMBIGUOUS, "a file by its attributes");
	z = two();
	(void)mk_zip_add(&z, "d/", "");
	z.e[0].attributes = 0120777u << 16;
	z.e[1].attributes = 0100755u << 16;
	mk_zip_add(&z, "dev", "")->attributes = 020644u << 16;
	mk_zip_add(&z, "dos", "")->made_by = 20;
	z.e[4].attributes = 0120777u << 16; /* no Unix kind for DOS */
	accepted(&z, 0, "3x 5 a.txt first\n1x 6 b.txt second\n2x 0 d/ \n4 0 dev \n1 0 dos \n");
}

static void
test_names(void)
{
	WRONG(e->name[0] = e->local_name[0] = '\x84', CV_R_AMBIGUOUS, "not ASCII");
	struct mk_zip z = two();
	memcpy(z.e[1].name, "\303\244", 3);
	memcpy(z.e[1].local_name, "\303\244", 3);
	refused(&z, 0, CV_R_AMBIGUOUS, "not ASCII");
	z.e[1].flags = z.e[1].local_flags = 0x800;
	accepted(&z, 0, "1 5 a.txt first\n1 6 \303\244 second\n");
	z = two();
	z.e[1].name[0] = z.e[1].local_name[0] = '\0';
	refused(&z, 0, CV_R_LIMIT, "a name of no");
}

/* ---- deflate and descriptors ---- */

static uint8_t packed[1024];

static struct mk_zip
with_deflated(const char *content)
{
	struct mk_zip z = two();
	z_stream d = { 0 };

	T(deflateInit2(&d, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	struct mk_zip_entry *e = mk_zip_add(&z, "c", content);
	d.next_in = (z_const Bytef *)(uintptr_t)content;
	d.avail_in = (uInt)strlen(content);
	d.next_out = packed;
	d.avail_out = sizeof(packed);
	T(deflate(&d, Z_FINISH) == Z_STREAM_END);
	e->data = packed;
	e->data_len = e->packed = e->local_packed = (uint32_t)(sizeof(packed) - d.avail_out);
	e->method = e->local_method = 8;
	(void)deflateEnd(&d);
	return z;
}

static void
test_deflated(void)
{
	static const char text[] = "so much so much so much so much so much so much so much";
	struct mk_zip z = with_deflated(text);
	struct mk_zip_entry *e = &z.e[2];
	char want[200];

	(void)snprintf(want, sizeof(want), "1 5 a.txt first\n1 6 b.txt second\n1 %zu c %s\n",
		       strlen(text), text);
	accepted(&z, 0, want);
	e->size = e->local_size = 10; /* unpacks to more than it says */
	refused(&z, 0, CV_R_LIMIT, "more than 10 bytes");
	e->size = e->local_size = 100;
	refused(&z, 0, CV_R_MALFORMED, "want 100");
	z = with_deflated(text);
	e = &z.e[2];
	packed[e->data_len] = 0; /* a byte behind the deflate stream, said to be of it */
	e->data_len = ++e->packed;
	e->local_packed = e->packed;
	refused(&z, 0, CV_R_MALFORMED, "behind the end of compressed data");
}

static void
test_descriptors(void)
{
	struct cv_buf d = make();
	struct mk_zip z = with_deflated("described described described");
	struct mk_zip_entry *e = &z.e[2];

	cv_buf_u32le(&d, 0x08074b50);
	cv_buf_u32le(&d, e->crc);
	cv_buf_u32le(&d, e->packed);
	cv_buf_u32le(&d, e->size);
	e->descriptor = d.p;
	e->descriptor_len = d.n;
	e->flags = e->local_flags = 8;
	e->local_crc = e->local_packed = e->local_size = 0;
	refused(&z, 0, CV_R_AMBIGUOUS, "sizes that follow");
	accepted(&z, CV_ZIP_DESCRIPTORS,
		 "1 5 a.txt first\n1 6 b.txt second\n1 29 c described described described\n");
	for (size_t i = 0; i < d.n; i++) {
		d.p[i] ^= 1;
		refused(&z, CV_ZIP_DESCRIPTORS, CV_R_AMBIGUOUS, "the data descriptor");
		d.p[i] ^= 1;
	}
	e->descriptor = d.p + 4; /* without its signature: APPNOTE allows it, and so it is
				    a guess where it ends */
	e->descriptor_len = d.n - 4;
	refused(&z, CV_ZIP_DESCRIPTORS, CV_R_AMBIGUOUS, "the data descriptor");
	e->descriptor_len = 0;
	refused(&z, CV_ZIP_DESCRIPTORS, CV_R_AMBIGUOUS, "the data descriptor");
	cv_buf_free(&d);
}

/* ---- all of a small archive ---- */

static void
test_good(void)
{
	struct mk_zip z = { 0 };

	accepted(&z, 0, "");
	z.comment = "made by hand";
	z.comment_len = 12;
	accepted(&z, 0, "");
	z = two();
	z.comment = "made by hand";
	z.comment_len = 12;
	accepted(&z, 0, "1 5 a.txt first\n1 6 b.txt second\n");
}

static void
test_truncated(void)
{
	struct mk_zip z = two();
	struct cv_buf whole = make();
	struct cv_err e = { 0 };

	mk_zip_write(&whole, &z);
	for (size_t n = 0; n < whole.n; n++) {
		struct cv_buf part = make(), out = make();

		cv_buf_add(&part, whole.p, n);
		T(list(&part, 0, &out, &e) == -1);
		cv_buf_free(&part);
		cv_buf_free(&out);
	}
	cv_buf_free(&whole);
}

/* A flipped bit is refused, or changes nothing that was listed. */
static void
test_sweep(void)
{
	struct mk_zip z = with_deflated("described described described");
	struct cv_buf b = make(), want = make();
	struct cv_err e = { 0 };
	unsigned same = 0;

	mk_zip_write(&b, &z);
	T_OK(list(&b, 0, &want, &e), e);
	for (size_t i = 0; i < b.n * 8; i++) {
		struct cv_buf out = make();

		b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
		if (list(&b, 0, &out, &e) == 0) {
			same++;
			/* kind and execution bits come from the directory alone */
			if (strcmp(cv_buf_text(&out), cv_buf_text(&want)) != 0)
				for (const char *x = cv_buf_text(&out), *y = cv_buf_text(&want);
				     *x != '\0'; x = strchr(x, '\n') + 1, y = strchr(y, '\n') + 1)
					T(strncmp(strchr(x, ' '), strchr(y, ' '),
						  strcspn(strchr(y, ' '), "\n")) == 0);
		}
		b.p[i / 8] ^= (uint8_t)(1u << (i % 8));
		cv_buf_free(&out);
	}
	printf("# %zu bits flipped, %u of them in times, versions and attributes\n", b.n * 8, same);
	T(same < b.n * 8 / 3);
	cv_buf_free(&b);
	cv_buf_free(&want);
}

/* ---- other people's ---- */

/* The public vectors (pypi/warehouse). Its reader does not unpack: two of the archives
 * that it accepts say a wrong size, which a reader of contents has to refuse. */
static void
vectors(const char *dir, bool good, unsigned *right, unsigned *total)
{
	static const char *const lie[] = { "short_usize.zip", "short_usize_zip64.zip" };
	DIR *d = opendir(dir);
	struct dirent *x;

	if (d == NULL)
		t_skip("%s is not there (set CV_SHARED)", dir);
	while ((x = readdir(d)) != NULL) {
		struct cv_buf out = make();
		struct cv_err e = { 0 };
		struct stat st;
		bool want = good;
		int fd;

		if (x->d_name[0] == '.')
			continue;
		for (size_t i = 0; i < CV_COUNT(lie); i++)
			want = want && strcmp(x->d_name, lie[i]) != 0;
		fd = openat(dirfd(d), x->d_name, O_RDONLY | O_CLOEXEC);
		T(fd >= 0 && fstat(fd, &st) == 0);
		int rc = list_fd(fd, (uint64_t)st.st_size, 0, &out, &e);
		/* a name twice is the caller's to see */
		if (rc == 0 && !want && strcmp(x->d_name, "wheel-1.0-py3-none-any.whl") == 0)
			rc = -1;
		++*total;
		if ((rc == 0) == want)
			++*right;
		else
			printf("# %s: %s\n", x->d_name, rc == 0 ? "accepted" : e.text);
		(void)close(fd);
		cv_buf_free(&out);
	}
	(void)closedir(d);
}

static void
test_vectors(void)
{
	const char *shared = getenv("CV_SHARED");
	unsigned right = 0, total = 0;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/data/zip/accept",
		       shared != NULL ? shared : "../shared");
	vectors(path, true, &right, &total);
	(void)snprintf(path, sizeof(path), "%s/data/zip/reject",
		       shared != NULL ? shared : "../shared");
	vectors(path, false, &right, &total);
	printf("# %u of %u public zip vectors as wanted\n", right, total);
	T_INT(right, total);
	T(total >= 40);
}

static void
same_as_libarchive(const char *path)
{
	struct cv_buf ours = make(), theirs = make();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct archive *a = archive_read_new();
	struct archive_entry *x;
	struct cv_zip *z = NULL;
	struct cv_zip_entry y;
	struct cv_err e = { 0 };
	struct stat st;
	int rc;

	T(fd >= 0 && fstat(fd, &st) == 0 && a != NULL);
	T_OK(cv_zip_open(&z, (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size },
			 CV_ZIP_DESCRIPTORS, &e),
	     e);
	while ((rc = cv_zip_next(z, &y, &e)) == 1)
		cv_buf_fmt(&ours, "%.*s %llu\n", (int)y.name.n, (const char *)y.name.p,
			   (unsigned long long)y.size);
	T_OK(rc, e);
	(void)archive_read_support_format_zip_seekable(a);
	T(archive_read_open_fd(a, fd, 65536) == ARCHIVE_OK);
	while ((rc = archive_read_next_header(a, &x)) == ARCHIVE_OK)
		cv_buf_fmt(&theirs, "%s %lld\n", archive_entry_pathname(x),
			   (long long)archive_entry_size(x));
	T_INT(rc, ARCHIVE_EOF);
	T(ours.n > 0);
	T_STR(cv_buf_text(&ours), cv_buf_text(&theirs));
	(void)archive_read_free(a);
	cv_zip_free(&z);
	(void)close(fd);
	cv_buf_free(&ours);
	cv_buf_free(&theirs);
}

static void
test_python(void)
{
	const char *dir = t_tmpdir();
	char cmd[4096], path[4096];

	if (system("python3 -c 'import zipfile' 2>/dev/null") != 0)
		t_skip("no python3");
	(void)snprintf(
		cmd, sizeof(cmd),
		"cd %s && python3 -c '\nimport zipfile,io,sys\n"
		"z=zipfile.ZipFile(\"p.zip\",\"w\",zipfile.ZIP_DEFLATED)\n"
		"z.writestr(\"a\",\"x\"*100000)\nz.writestr(\"d/\",\"\")\nz.writestr(\"d/"
		"b\",\"y\")\n"
		/* Python before 3.11.4 wrote zip64 fields beside sizes that do not point
		 * to them (CPython issue 103861): not a valid archive */
		"with z.open(\"big\",\"w\",force_zip64=sys.version_info>=(3,11,4)) as f: "
		"f.write(b\"z\"*70000)\n"
		"z.close()\n"
		"class S(io.RawIOBase):\n"
		" def __init__(s): s.f=open(\"q.zip\",\"wb\")\n"
		" def writable(s): return True\n"
		" def write(s,b): return s.f.write(b)\n"
		" def flush(s): s.f.flush()\n"
		"z=zipfile.ZipFile(S(),\"w\",zipfile.ZIP_DEFLATED)\n" /* streamed: descriptors */
		"z.writestr(\"a\",\"x\"*100000)\nz.writestr(\"d/b\",\"y\"*9)\nz.close()\n'",
		dir);
	T_INT(system(cmd), 0);
	(void)snprintf(path, sizeof(path), "%s/p.zip", dir);
	same_as_libarchive(path);
	(void)snprintf(path, sizeof(path), "%s/q.zip", dir);
	same_as_libarchive(path);
	printf("# 2 archives of Python's zipfile listed as libarchive lists them\n");
}

static const struct t_case cases[] = {
	{ "local header and directory disagree", test_local_differs },
	{ "gaps, overlaps, ends", test_layout },
	{ "content", test_content },
	{ "flags and methods", test_flags },
	{ "extra fields and comments", test_extras },
	{ "zip64: end records", test_end64 },
	{ "zip64: extra fields", test_extra64 },
	{ "zip64: wrong extra fields", test_extra64_wrong },
	{ "kinds", test_kinds },
	{ "names", test_names },
	{ "deflated content", test_deflated },
	{ "data descriptors", test_descriptors },
	{ "good archives", test_good },
	{ "every truncation", test_truncated },
	{ "every flipped bit", test_sweep },
	{ "public vectors", test_vectors },
	{ "Python's archives", test_python },
};
T_MAIN(cases)
