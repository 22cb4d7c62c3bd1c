/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_tar.c: the strict tar reader: what it refuses, what it accepts, and that
 * libarchive lists the same. */
#include "sbom/found/tar.h"
#include "tests/support/mktar.h"
#include "tests/support/t.h"

#include "trust/base/limits.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/banned.h"

/* ---- reading all of an archive ---- */

static int
list_fd(int fd, uint64_t len, enum cv_pack pack, struct cv_buf *out, struct cv_err *e)
{
	const struct cv_inflate_want want = { .pack = pack, .max = 4 * CV_GIB };
	cv_auto(cv_inflate_free) struct cv_inflate *z = NULL;
	cv_auto(cv_tar_free) struct cv_tar *t = NULL;
	struct cv_tar_entry x;
	int rc;

	if (cv_inflate_open(&z, (struct cv_blob){ .fd = fd, .len = len }, &want, e) < 0 ||
	    cv_tar_open(&t, z, e) < 0)
		return -1;
	while ((rc = cv_tar_next(t, &x, e)) == 1) {
		cv_buf_fmt(out, "%c %o %u %u %llu ", x.kind, x.mode, x.uid, x.gid,
			   (unsigned long long)x.size);
		cv_buf_add(out, x.name.p, x.name.n);
		cv_buf_str(out, " ");
		cv_buf_add(out, x.link.p, x.link.n);
		if (x.size > 0 && x.size < 100) {
			struct cv_span s;

			cv_buf_str(out, " ");
			do {
				if (cv_tar_data(t, &s, e) < 0)
					return -1;
				cv_buf_add(out, s.p, s.n);
			} while (s.n > 0);
		}
		cv_buf_str(out, "\n");
	}
	cv_tar_free(&t);
	return rc;
}

static int
list(const struct cv_buf *tar, struct cv_buf *out, struct cv_err *e)
{
	int fd = t_memfd(tar->p, tar->n);
	int rc = list_fd(fd, tar->n, CV_PACK_PLAIN, out, e);

	(void)close(fd);
	return rc;
}

static struct cv_buf
make(void)
{
	return CV_BUF(32 * CV_MIB);
}

/* refused: the archive is refused for that reason, saying so. */
static void
refused(struct cv_buf *tar, enum cv_reason reason, const char *text)
{
	struct cv_buf out = make();
	struct cv_err e = { 0 };

	T_NO(list(tar, &out, &e), e, reason);
	T_HAS(e.text, text);
	cv_buf_free(&out);
	cv_buf_free(tar);
}

static void
accepted(struct cv_buf *tar, const char *want)
{
	struct cv_buf out = make();
	struct cv_err e = { 0 };

	T_OK(list(tar, &out, &e), e);
	T_STR(cv_buf_text(&out), want);
	cv_buf_free(&out);
	cv_buf_free(tar);
}

/* broken: a file between a good first and a good last entry, its header changed. */
static struct cv_buf
around(const struct mk_header *h, const char *content)
{
	struct cv_buf b = make();

	mk_file(&b, "first", "1");
	mk_block(&b, h, content, strlen(content));
	mk_file(&b, "last", "2");
	mk_end(&b);
	return b;
}

/* ---- refusals: headers ---- */

static void
test_checksum(void)
{
	struct mk_header h = mk_header("a", '0', 1);

	h.b[0] = 'b';
	struct cv_buf b = around(&h, "x");
	refused(&b, CV_R_MALFORMED, "checksum");
	/* the sum of signed characters, as some old writers made it */
	h = mk_header("\303\244", '0', 1);
	mk_octal(&h, 148, 7, 0);
	b = around(&h, "x");
	refused(&b, CV_R_MALFORMED, "header at byte 1024: its checksum");
}

static void
test_magic(void)
{
	struct mk_header h = mk_header("a", '0', 1);

	memset(h.b + 257, 0, 8);
	mk_sum(&h);
	struct cv_buf b = around(&h, "x");
	refused(&b, CV_R_AMBIGUOUS, "magic");
	h = mk_header("a", '0', 1);
	h.b[263] = '1'; /* another version */
	mk_sum(&h);
	b = around(&h, "x");
	refused(&b, CV_R_AMBIGUOUS, "magic");
	h = mk_header("a", '0', 1); /* star: "tar" at the end */
	memcpy(h.b + 508, "tar", 4);
	mk_sum(&h);
	b = around(&h, "x");
	refused(&b, CV_R_AMBIGUOUS, "star");
	h = mk_header("a", '0', 1); /* GNU's times where POSIX has the prefix */
	mk_gnu(&h);
	mk_octal(&h, 345, 12, 1234567);
	mk_sum(&h);
	b = around(&h, "x");
	refused(&b, CV_R_AMBIGUOUS, "where others read a name");
}

static void
test_names_padded(void)
{
	static const size_t place[] = { 50, 157 + 50, 345 + 131 };
	struct cv_buf b;

	for (size_t i = 0; i < CV_COUNT(place); i++) {
		struct mk_header h = mk_header("a", '0', 1);

		h.b[place[i]] = 'x'; /* behind a NUL */
		mk_sum(&h);
		b = around(&h, "x");
		refused(&b, CV_R_AMBIGUOUS, "behind the end of a name");
	}
}

static void
test_numbers(void)
{
	static const struct {
		size_t off, n;
		const char *text;
		enum cv_reason reason;
	} bad[] = {
		{ 124, 12, "0000000000x", CV_R_MALFORMED },
		{ 124, 12, "00000 00001", CV_R_MALFORMED },
		{ 124, 12, "-0000000001", CV_R_MALFORMED },
		{ 124, 12, "00000000009", CV_R_MALFORMED },
		{ 124, 12, "0x000000001", CV_R_MALFORMED },
		{ 100, 8, "00006a4", CV_R_MALFORMED },
		{ 136, 12, "1.000000000", CV_R_MALFORMED },
		{ 108, 8, "\x80\0\0\0\x80\0\0\0", CV_R_MALFORMED }, /* 2^31 */
		{ 116, 8, "\xff\xff\xff\xff\xff\xff\xff\xff", CV_R_MALFORMED },
		{ 124, 12, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", CV_R_MALFORMED },
		{ 124, 12, "\xc0\0\0\0\0\0\0\0\0\0\0\1", CV_R_MALFORMED },
		{ 124, 12, "\x81\0\0\0\0\0\0\0\0\0\0\1", CV_R_MALFORMED },
		{ 124, 12, "\x80\0\0\1\0\0\0\0\0\0\0\1", CV_R_MALFORMED },   /* 2^64 and 1 */
		{ 124, 12, "\x80\0\0\0\x80\0\0\0\0\0\0\1", CV_R_MALFORMED }, /* 2^63 and 1 */
	};
	struct cv_buf b;

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		struct mk_header h = mk_header("a", '0', 1);

		memcpy(h.b + bad[i].off, bad[i].text, bad[i].n);
		mk_sum(&h);
		b = around(&h, "x");
		refused(&b, bad[i].reason, "header at byte 1024");
	}
}

static void
test_kinds(void)
{
	static const char other[] = "789ADEIMNOPSVXZ\x80\x01";
	struct cv_buf b;

	for (const char *k = other; *k != '\0'; k++) {
		struct mk_header h = mk_header("a", *k, 0);

		b = around(&h, "");
		refused(&b, CV_R_AMBIGUOUS, "entry type");
	}
	for (const char *k = "123456"; *k != '\0'; k++) { /* content where there is none */
		struct mk_header h = mk_header("a", *k, 1);

		if (*k == '1' || *k == '2')
			mk_link(&h, "first");
		b = around(&h, "x");
		refused(&b, CV_R_AMBIGUOUS, "content where only a regular file");
	}
}

static void
test_entry_sense(void)
{
	struct mk_header h = mk_header("", '0', 1);
	struct cv_buf b = around(&h, "x");

	refused(&b, CV_R_MALFORMED, "no name");
	h = mk_header("a/", '0', 1);
	b = around(&h, "x");
	refused(&b, CV_R_AMBIGUOUS, "ends in \"/\"");
	h = mk_header("a/", '\0', 0); /* v7's way to write a directory */
	b = around(&h, "");
	refused(&b, CV_R_AMBIGUOUS, "ends in \"/\"");
	h = mk_header("a", '2', 0);
	b = around(&h, "");
	refused(&b, CV_R_AMBIGUOUS, "without a target");
	h = mk_header("a", '1', 0);
	b = around(&h, "");
	refused(&b, CV_R_AMBIGUOUS, "without a target");
}

/* ---- refusals: the end ---- */

static void
test_end(void)
{
	struct cv_buf b = make();

	refused(&b, CV_R_MALFORMED, "two blocks of zeros"); /* nothing at all */
	b = make();
	mk_file(&b, "a", "x"); /* no end mark */
	refused(&b, CV_R_MALFORMED, "two blocks of zeros");
	b = make();
	mk_file(&b, "a", "x");
	mk_zeros(&b, 1); /* half of one */
	refused(&b, CV_R_MALFORMED, "two blocks of zeros");
	b = make();
	mk_file(&b, "a", "x");
	mk_zeros(&b, 1);
	mk_file(&b, "hidden", "x");
	mk_end(&b);
	refused(&b, CV_R_AMBIGUOUS, "single block of zeros");
	b = make();
	mk_file(&b, "a", "x");
	mk_end(&b);
	mk_file(&b, "hidden", "x");
	mk_end(&b);
	refused(&b, CV_R_MALFORMED, "behind the end");
	b = make();
	mk_file(&b, "a", "x");
	mk_zeros(&b, 2000);
	cv_buf_byte(&b, 'x'); /* far behind, and alone */
	refused(&b, CV_R_MALFORMED, "behind the end");
	b = make();
	mk_end(&b);
	cv_buf_str(&b, "#!"); /* not even a block */
	refused(&b, CV_R_MALFORMED, "behind the end");
}

static void
test_truncated(void)
{
	struct cv_buf whole = make();
	struct cv_err e = { 0 };

	mk_file(&whole, "a", "some content");
	mk_dir(&whole, "d/");
	mk_end(&whole);
	for (size_t n = 0; n < whole.n; n++) {
		struct cv_buf out = make(), part = make();

		cv_buf_add(&part, whole.p, n);
		T_NO(list(&part, &out, &e), e, CV_R_MALFORMED);
		cv_buf_free(&out);
		cv_buf_free(&part);
	}
	cv_buf_free(&whole);
}

/* ---- refusals: extended headers ---- */

static struct cv_buf
with_pax(const char *records, size_t n, char kind)
{
	struct cv_buf b = make();

	mk_pax(&b, kind, records, n);
	mk_file(&b, "a", "x");
	mk_end(&b);
	return b;
}

static void
test_pax_form(void)
{
	static const char *const form[] = {
		"x",        "5 a=b",    "05 a=b\n",       " 6 a=b\n",     "7 a=b\n", "5 a=b\n",
		"+6 a=b\n", "6 ab\n\n", "99999 path=b\n", "10 path=b\nx", "0 \n"
	};
	struct cv_buf b;

	for (size_t i = 0; i < CV_COUNT(form); i++) {
		b = with_pax(form[i], strlen(form[i]), 'x');
		refused(&b, CV_R_MALFORMED, "header at byte 0: a pax record");
	}
	b = with_pax("6 =bc\n", 6, 'x');
	refused(&b, CV_R_MALFORMED, "proper key");
}

static void
test_pax_meaning(void)
{
	static const struct {
		const char *key, *value;
		size_t n;
		unsigned times;
		enum cv_reason reason;
		const char *text;
	} bad[] = {
#define BAD(k, v, times, r, t) { k, v, sizeof(v) - 1, times, CV_R_##r, t }
		BAD("path", "b", 2, AMBIGUOUS, "twice"),
		BAD("size", "1", 2, AMBIGUOUS, "twice"),
		BAD("path", "", 1, AMBIGUOUS, "empty"),
		BAD("linkpath", "", 1, AMBIGUOUS, "empty"),
		BAD("size", "", 1, AMBIGUOUS, "empty"),
		BAD("uid", "", 1, AMBIGUOUS, "empty"),
		BAD("path", "b\0c", 1, AMBIGUOUS, "NUL"),
		BAD("linkpath", "b\0", 1, AMBIGUOUS, "NUL"),
		BAD("size", "2", 1, AMBIGUOUS, "size 1, but 2"),
		BAD("size", "0", 1, AMBIGUOUS, "size 1, but 0"),
		BAD("size", "8589934592", 1, AMBIGUOUS, "size 1, but 8589934592"),
		BAD("size", "01", 1, MALFORMED, "plain decimal"),
		BAD("size", "-1", 1, MALFORMED, "plain decimal"),
		BAD("size", "18446744073709551617", 1, MALFORMED, "plain decimal"),
		BAD("uid", "2147483648", 1, MALFORMED, "in range"),
		BAD("gid", "4294967296", 1, MALFORMED, "in range"),
		BAD("GNU.sparse.major", "1", 1, AMBIGUOUS, "changes what the entry is"),
		BAD("GNU.sparse.map", "0,1", 1, AMBIGUOUS, "changes what the entry is"),
		BAD("GNU.sparse.name", "x", 1, AMBIGUOUS, "changes what the entry is"),
		BAD("SCHILY.realsize", "9", 1, AMBIGUOUS, "changes what the entry is"),
		BAD("SCHILY.filetype", "9", 1, AMBIGUOUS, "changes what the entry is"),
		BAD("SUN.holesdata", " 0 1", 1, AMBIGUOUS, "changes what the entry is"),
		BAD("something", "1", 1, AMBIGUOUS, "not a key that POSIX knows"),
		BAD("PATH", "b", 1, AMBIGUOUS, "not a key that POSIX knows"),
		BAD("hdrcharset", "KOI8-R", 1, AMBIGUOUS, "character set"),
	};

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		struct cv_buf r = make(), b;

		for (unsigned k = 0; k < bad[i].times; k++)
			mk_record(&r, bad[i].key, bad[i].value, bad[i].n);
		b = with_pax((const char *)r.p, r.n, 'x');
		refused(&b, bad[i].reason, bad[i].text);
		cv_buf_free(&r);
	}
	struct cv_buf r = make(), b;
	char *name = calloc(1, CV_MAX_PATH + 2);
	T(name != NULL);
	memset(name, 'n', CV_MAX_PATH + 1);
	mk_record(&r, "path", name, CV_MAX_PATH + 1);
	b = with_pax((const char *)r.p, r.n, 'x');
	refused(&b, CV_R_LIMIT, "4096");
	free(name);
	cv_buf_free(&r);
	b = with_pax("10 path=b\n", 10, 'g');
	refused(&b, CV_R_AMBIGUOUS, "global header");
}

static void
test_extended_order(void)
{
	struct cv_buf b = make();

	mk_pax(&b, 'x', "10 path=b\n", 10);
	mk_pax(&b, 'x', "10 path=c\n", 10);
	mk_file(&b, "a", "x");
	mk_end(&b);
	refused(&b, CV_R_AMBIGUOUS, "two extended headers");
	b = make();
	mk_long(&b, 'L', "b");
	mk_long(&b, 'L', "c");
	mk_file(&b, "a", "x");
	mk_end(&b);
	refused(&b, CV_R_AMBIGUOUS, "two extended headers");
	b = make();
	mk_long(&b, 'L', "b");
	mk_pax(&b, 'x', "10 path=c\n", 10);
	mk_file(&b, "a", "x");
	mk_end(&b);
	refused(&b, CV_R_AMBIGUOUS, "two extended headers");
	b = make();
	mk_pax(&b, 'x', "10 path=c\n", 10);
	mk_end(&b);
	refused(&b, CV_R_MALFORMED, "about a next entry");
	b = make();
	mk_long(&b, 'L', "c");
	mk_end(&b);
	refused(&b, CV_R_MALFORMED, "about a next entry");
}

static void
test_long_names(void)
{
	struct mk_header h = mk_header("././@LongLink", 'L', 4);
	struct cv_buf b = make();

	mk_block(&b, &h, "abc", 4); /* POSIX magic */
	mk_file(&b, "a", "x");
	mk_end(&b);
	refused(&b, CV_R_AMBIGUOUS, "POSIX magic");
	mk_gnu(&h);
	b = make();
	mk_block(&b, &h, "a\0c", 4);
	mk_file(&b, "a", "x");
	mk_end(&b);
	refused(&b, CV_R_AMBIGUOUS, "NUL byte");
	h = mk_header("././@LongLink", 'L', 5000);
	mk_gnu(&h);
	b = make();
	mk_block(&b, &h, "x", 1);
	mk_zeros(&b, 20);
	refused(&b, CV_R_LIMIT, "4096");
	h = mk_header("x", 'x', 2 * 1024 * 1024);
	b = make();
	mk_block(&b, &h, "x", 1);
	mk_zeros(&b, 5000);
	refused(&b, CV_R_LIMIT, "1 MiB");
}

/* ---- acceptance ---- */

static void
test_plain(void)
{
	struct cv_buf b = make();
	struct mk_header h;

	mk_dir(&b, "d/");
	mk_file(&b, "d/a", "abc");
	mk_symlink(&b, "d/s", "../../up");
	mk_hardlink(&b, "d/h", "d/a");
	h = mk_header("fifo", '6', 0);
	mk_block(&b, &h, "", 0);
	h = mk_header("old", '\0', 1); /* the old way to write '0' */
	mk_block(&b, &h, "y", 1);
	h = mk_header("name", '0', 0);
	memcpy(h.b + 345, "pre/fix", 7);
	mk_sum(&h);
	mk_block(&b, &h, "", 0);
	h = mk_header("d/.wh.l", '0', 0); /* as Docker writes the whiteout of a link */
	mk_link(&h, "../d/x");
	mk_block(&b, &h, "", 0);
	mk_zeros(&b, 20);
	accepted(&b, "5 755 0 0 0 d/ \n0 644 0 0 3 d/a  abc\n2 644 0 0 0 d/s ../../up\n"
		     "1 644 0 0 0 d/h d/a\n6 644 0 0 0 fifo \n0 644 0 0 1 old  y\n"
		     "0 644 0 0 0 pre/fix/name \n0 644 0 0 0 d/.wh.l \n");
}

static void
test_numbers_good(void)
{
	struct mk_header h = mk_header("a", '0', 1);
	struct cv_buf b = make();

	memcpy(h.b + 100, "   644 \0", 8); /* blanks in front, as old writers do */
	memcpy(h.b + 124, "\x80\0\0\0\0\0\0\0\0\0\0\1", 12);
	memcpy(h.b + 108, "\x80\0\0\0\x7f\xff\xff\xff", 8);
	memcpy(h.b + 136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0", 12);
	memset(h.b + 329, 0, 16);
	mk_sum(&h);
	mk_block(&b, &h, "x", 1);
	mk_end(&b);
	accepted(&b, "0 644 2147483647 0 1 a  x\n");
}

/* node-tar's times behind a short prefix: how the packages of @types are packed. */
static void
test_node_tar(void)
{
	struct mk_header h = mk_header("name", '0', 1);
	struct cv_buf b = make();

	memcpy(h.b + 345, "pre", 3);
	memcpy(h.b + 476, "15270440050 15270440050 ", 24);
	mk_sum(&h);
	mk_block(&b, &h, "x", 1);
	mk_end(&b);
	accepted(&b, "0 644 0 0 1 pre/name  x\n");
	memcpy(h.b + 476, "/name/again", 12); /* no times */
	mk_sum(&h);
	b = around(&h, "x");
	refused(&b, CV_R_AMBIGUOUS, "behind the end of a name");
}

static void
test_extended_good(void)
{
	struct cv_buf b = make(), r = make();

	mk_record(&r, "path", "p/\303\244", 4);
	mk_record(&r, "mtime", "1.5", 3);
	mk_record(&r, "size", "1", 1);
	mk_record(&r, "uid", "7", 1);
	mk_record(&r, "SCHILY.xattr.user.x", "a\0=b\n", 5);
	mk_pax(&b, 'g', "20 comment=sometext\n", 20);
	mk_pax(&b, 'x', r.p, r.n);
	mk_file(&b, "short", "x");
	mk_long(&b, 'K', "a/long/target");
	mk_long(&b, 'L', "a/long/name");
	struct mk_header h = mk_header("a/lo", '2', 0);
	mk_link(&h, "a/lo");
	mk_gnu(&h);
	mk_block(&b, &h, "", 0);
	mk_file(&b, "after", "y"); /* nothing of it is left */
	mk_end(&b);
	accepted(&b, "0 644 7 0 1 p/\303\244  x\n2 644 0 0 0 a/long/name a/long/target\n"
		     "0 644 0 0 1 after  y\n");
	cv_buf_free(&r);
}

/* ---- the second opinion ---- */

static void
libarchive_list(int fd, struct cv_buf *out)
{
	struct archive *a = archive_read_new();
	struct archive_entry *x;
	int rc;

	/* it converts names to the locale's characters */
	T(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
	T(a != NULL);
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_format_tar(a);
	T(lseek(fd, 0, SEEK_SET) == 0);
	T(archive_read_open_fd(a, fd, 65536) == ARCHIVE_OK);
	while ((rc = archive_read_next_header(a, &x)) == ARCHIVE_OK) {
		const char *hard = archive_entry_hardlink(x), *sym = archive_entry_symlink(x);

		cv_buf_fmt(out, "%c %o %lld %s %s\n",
			   hard != NULL                            ? '1'
			   : archive_entry_filetype(x) == AE_IFLNK ? '2'
			   : archive_entry_filetype(x) == AE_IFDIR ? '5'
			   : archive_entry_filetype(x) == AE_IFIFO ? '6'
								   : '0',
			   archive_entry_mode(x) & 07777,
			   hard != NULL ? 0LL : (long long)archive_entry_size(x),
			   archive_entry_pathname(x),
			   hard != NULL  ? hard
			   : sym != NULL ? sym
					 : "");
	}
	T_INT(rc, ARCHIVE_EOF);
	(void)archive_read_free(a);
}

static void
own_list(int fd, uint64_t len, enum cv_pack pack, struct cv_buf *out)
{
	const struct cv_inflate_want want = { .pack = pack, .max = 4 * CV_GIB };
	struct cv_inflate *z = NULL;
	struct cv_tar *t = NULL;
	struct cv_tar_entry x;
	struct cv_err e = { 0 };
	int rc;

	T_OK(cv_inflate_open(&z, (struct cv_blob){ .fd = fd, .len = len }, &want, &e), e);
	T_OK(cv_tar_open(&t, z, &e), e);
	while ((rc = cv_tar_next(t, &x, &e)) == 1)
		cv_buf_fmt(out, "%c %o %llu %.*s %.*s\n", x.kind, x.mode,
			   (unsigned long long)x.size, (int)x.name.n, (const char *)x.name.p,
			   (int)x.link.n, (const char *)x.link.p);
	T_OK(rc, e);
	cv_tar_free(&t);
	cv_inflate_free(&z);
}

static unsigned compared; /* archives of the case that runs */

static void
same_as_libarchive(const char *path, enum cv_pack pack)
{
	struct cv_buf ours = make(), theirs = make();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	T(fd >= 0 && fstat(fd, &st) == 0);
	own_list(fd, (uint64_t)st.st_size, pack, &ours);
	libarchive_list(fd, &theirs);
	T(ours.n > 0);
	T_STR(cv_buf_text(&ours), cv_buf_text(&theirs));
	(void)close(fd);
	cv_buf_free(&ours);
	cv_buf_free(&theirs);
	compared++;
}

static void
make_tree(const char *dir)
{
	char cmd[2048];

	(void)snprintf(
		cmd, sizeof(cmd),
		"set -e; cd %s; rm -rf t; mkdir -p t/d/e; printf hello > t/a; printf x > t/d/b; "
		"ln -s ../a t/d/s; ln t/a t/d/h; chmod 4755 t/d/b; mkfifo t/f;"
		"n=$(printf '%%0120d' 7); printf deep > t/d/e/$n; ln -s $n$n t/d/e/l;"
		"printf u > 't/\303\244\303\266'; touch -d 1960-01-01 t/old;"
		"dd if=/dev/urandom of=t/big bs=1024 count=300 status=none",
		dir);
	T_INT(system(cmd), 0);
}

static void
test_gnu_tar(void)
{
	static const struct {
		const char *how;
		enum cv_pack pack;
	} forms[] = {
		{ "tar --format=gnu -cf", CV_PACK_PLAIN },
		{ "tar --format=ustar --exclude=l --exclude=*0007 -cf", CV_PACK_PLAIN },
		{ "tar --format=pax -cf", CV_PACK_PLAIN },
		{ "tar --format=posix -czf", CV_PACK_GZIP },
		{ "tar --numeric-owner -b1 -cf", CV_PACK_PLAIN },
	};
	const char *dir = t_tmpdir();
	char cmd[4096], path[2048];

	if (system("tar --version 2>/dev/null | grep -q GNU") != 0)
		t_skip("no GNU tar");
	make_tree(dir);
	for (size_t i = 0; i < CV_COUNT(forms); i++) {
		(void)snprintf(path, sizeof(path), "%s/g%zu", dir, i);
		(void)snprintf(cmd, sizeof(cmd), "cd %s && %s g%zu %s t", dir, forms[i].how, i,
			       strstr(forms[i].how, "ustar") != NULL ? "--exclude=old" : "");
		T_INT(system(cmd), 0);
		same_as_libarchive(path, forms[i].pack);
	}
	printf("# %zu archives of GNU tar listed as libarchive lists them\n", CV_COUNT(forms));
}

static void
test_python(void)
{
	const char *dir = t_tmpdir();
	char cmd[4096], path[2048];

	if (system("python3 -c 'import tarfile' 2>/dev/null") != 0)
		t_skip("no python3");
	make_tree(dir);
	for (int form = 0; form < 3; form++) {
		(void)snprintf(path, sizeof(path), "%s/p%d", dir, form);
		(void)snprintf(cmd, sizeof(cmd),
			       "cd %s && python3 -c '\nimport tarfile\n"
			       "t=tarfile.open(\"p%d\",\"w\",format=%d)\n"
			       "t.add(\"t\",filter=lambda x: None if %d==0 and "
			       "(x.name.endswith(\"/l\") or x.name.endswith(\"0007\") or "
			       "x.name.endswith(\"old\")) else x)\n"
			       "t.close()'",
			       dir, form, form, form);
		T_INT(system(cmd), 0);
		same_as_libarchive(path, CV_PACK_PLAIN);
	}
	printf("# 3 archives of Python's tarfile listed as libarchive lists them\n");
}

static void
libarchive_write(const char *dir, const char *path, int (*format)(struct archive *))
{
	struct archive *a = archive_write_new(), *disk = archive_read_disk_new();
	struct archive_entry *x = archive_entry_new();
	char cwd[4096];

	T(a != NULL && disk != NULL && x != NULL && getcwd(cwd, sizeof(cwd)) != NULL);
	T(format(a) == ARCHIVE_OK && archive_write_open_filename(a, path) == ARCHIVE_OK);
	T(chdir(dir) == 0);
	T(archive_read_disk_open(disk, "t") == ARCHIVE_OK);
	while (archive_read_next_header2(disk, x) == ARCHIVE_OK) {
		static char big[1 << 20];
		int fd = -1;

		archive_entry_set_hardlink(x, NULL);
		if (archive_entry_filetype(x) == AE_IFREG)
			fd = open(archive_entry_sourcepath(x), O_RDONLY | O_CLOEXEC);
		T(archive_write_header(a, x) >= ARCHIVE_WARN);
		if (fd >= 0) {
			ssize_t n = read(fd, big, sizeof(big));

			T(n >= 0 && archive_write_data(a, big, (size_t)n) == n);
			(void)close(fd);
		}
		(void)archive_read_disk_descend(disk);
	}
	T(archive_write_close(a) == ARCHIVE_OK);
	T(chdir(cwd) == 0);
	archive_entry_free(x);
	(void)archive_write_free(a);
	(void)archive_read_free(disk);
}

/* What bsdtar writes: it is libarchive's. */
static void
test_bsdtar(void)
{
	const char *dir = t_tmpdir();
	char path[2048];

	make_tree(dir);
	(void)snprintf(path, sizeof(path), "%s/b1", dir);
	libarchive_write(dir, path, archive_write_set_format_pax_restricted);
	same_as_libarchive(path, CV_PACK_PLAIN);
	libarchive_write(dir, path, archive_write_set_format_gnutar);
	same_as_libarchive(path, CV_PACK_PLAIN);
	libarchive_write(dir, path, archive_write_set_format_pax);
	same_as_libarchive(path, CV_PACK_PLAIN);
	printf("# 3 archives of libarchive itself listed as it lists them\n");
}

static const struct t_case cases[] = {
	{ "header checksum", test_checksum },
	{ "header magic", test_magic },
	{ "bytes behind names", test_names_padded },
	{ "numbers that are none", test_numbers },
	{ "entry types", test_kinds },
	{ "entries that make no sense", test_entry_sense },
	{ "the end of an archive", test_end },
	{ "every truncation", test_truncated },
	{ "pax records: form", test_pax_form },
	{ "pax records: meaning", test_pax_meaning },
	{ "extended headers: order", test_extended_order },
	{ "GNU long names, limits", test_long_names },
	{ "plain entries", test_plain },
	{ "numbers", test_numbers_good },
	{ "node-tar's headers", test_node_tar },
	{ "extended headers", test_extended_good },
	{ "GNU tar's archives", test_gnu_tar },
	{ "Python's archives", test_python },
	{ "bsdtar's archives", test_bsdtar },
};
T_MAIN(cases)
