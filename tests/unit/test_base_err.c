/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, spans and buffers: they must never lose a failure. */
#include "tests/support/t.h"
#include "trust/base/err.h"
#include "trust/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void
every_reason_has_a_word_and_an_exit(void)
{
	static const int exits[] = { [CV_R_NONE] = 0,	      [CV_R_DIGEST] = 1,
				     [CV_R_REVOKED] = 1,      [CV_R_USAGE] = 2,
				     [CV_R_UNAUTHORISED] = 2, [CV_R_UNREACHABLE] = 3,
				     [CV_R_UNDECIDED] = 3,    [CV_R_MEMORY] = 4,
				     [CV_R_BUG] = 4 };
	int want = 0;

	for (int i = 0; i < CV_R_COUNT; i++) {
		enum cv_reason r = (enum cv_reason)i;
		const char *word = cv_reason_word(r);

		T(word != NULL && word[0] != '\0');
		T_INT(cv_reason_parse(word), r);
		/* the enumeration is in order of exits */
		if (i < (int)CV_COUNT(exits) && exits[i] > want)
			want = exits[i];
		T_INT(cv_reason_exit(r), want);
	}
	T_STR(cv_reason_word(CV_R_COUNT), "invalid-reason");
	T_STR(cv_reason_word((enum cv_reason)-1), "invalid-reason");
	T_INT(cv_reason_exit(CV_R_COUNT), CV_EXIT_INTERNAL);
	T_INT(cv_reason_parse("nonsense"), CV_R_COUNT);
	T_INT(cv_reason_parse("invalid-reason"), CV_R_COUNT);
	T_INT(cv_reason_parse(""), CV_R_COUNT);
	T_INT(cv_reason_parse(NULL), CV_R_COUNT);
}

static void
a_failure_always_has_a_reason(void)
{
	struct cv_err e;

	T_INT(cv_fail(&e, CV_R_NONE, "x"), -1);
	T_INT(e.reason, CV_R_BUG);
	T_INT(cv_fail(&e, (enum cv_reason)99, "x"), -1);
	T_INT(e.reason, CV_R_BUG);
	T_INT(cv_fail(NULL, CV_R_DIGEST, "%d", 1), -1);
	T_INT(cv_fail_within(NULL, "x"), -1);
	T_INT(cv_fail_memory(NULL), -1);
	T_INT(cv_fail_memory(&e), -1);
	T_INT(e.reason, CV_R_MEMORY);
}

static void
text_is_cut_and_may_be_its_own_argument(void)
{
	struct cv_err e;
	char big[3000];

	cv_fail(&e, CV_R_RULE, "inner");
	cv_fail_within(&e, "%s %d", "outer", 7);
	T_STR(e.text, "outer 7: inner");
	T_INT(e.reason, CV_R_RULE);
	cv_fail(&e, CV_R_LIMIT, "again: %s", e.text);
	T_STR(e.text, "again: outer 7: inner");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	cv_fail(&e, CV_R_LIMIT, "%s", big);
	T_INT(strlen(e.text), CV_ERR_TEXT - 1);
	T_STR(e.text + CV_ERR_TEXT - 4, "...");
	cv_fail_within(&e, "%s", big);
	T_INT(strlen(e.text), CV_ERR_TEXT - 1);
	errno = ENOENT;
	cv_fail_errno(&e, "%s", big);
	T_HAS(e.text, ": No such file");
}

static void
errno_becomes_a_reason(void)
{
	static const struct {
		int error;
		enum cv_reason want;
	} cases[] = { { ENOMEM, CV_R_MEMORY }, { ENOSPC, CV_R_DISK }, { EDQUOT, CV_R_DISK },
		      { EFBIG, CV_R_DISK },    { EROFS, CV_R_DISK },  { EACCES, CV_R_IO },
		      { 0, CV_R_IO },	       { 12345, CV_R_IO } };
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		errno = cases[i].error;
		T_INT(cv_fail_errno(&e, "open %s", "f"), -1);
		T_INT(e.reason, cases[i].want);
	}
	T_STR(e.text, "open f: error 12345");
}

/* ---- spans ---- */

static void
spans_take_in_order(void)
{
	static const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct cv_span s = cv_span(b, sizeof(b));

	T_INT(cv_span_u8(&s), 1);
	T_INT(cv_span_u16le(&s), 0x0302);
	T_INT(cv_span_u32be(&s), 0x04050607);
	T_INT(cv_span_u64le(&s), 0x0f0e0d0c0b0a0908);
	T(cv_span_done(&s));
	s = cv_span(b, sizeof(b));
	T_INT(cv_span_u16be(&s), 0x0102);
	T_INT(cv_span_u32le(&s), 0x06050403);
	T_INT(cv_span_u64be(&s), 0x0708090a0b0c0d0e);
	T(!cv_span_done(&s));
	T_INT(s.n, 1);
}

static void
spans_fail_for_good(void)
{
	struct cv_span s = cv_span_str("abc"), part;

	T_INT(cv_span_u32le(&s), 0);
	T(s.bad && s.n == 0);
	T_INT(cv_span_u8(&s), 0);
	part = cv_span_take(&s, 0);
	T(part.n == 0 && part.bad);
	T(!cv_span_done(&s));
	T(!cv_span_done(&part));
	/* what is bad equals nothing */
	T(!cv_span_eq(part, cv_span_str("")));
	T(!cv_span_eq_str(part, ""));
	T(!cv_span_has_prefix(part, ""));
	T(!cv_span_has_suffix(part, ""));

	s = cv_span_str("abc");
	part = cv_span_take(&s, SIZE_MAX);
	T(part.bad && s.bad);
	s = cv_span(NULL, 0);
	T(cv_span_done(&s));
	T_INT(cv_span_take(&s, 0).n, 0);
	T(cv_span_done(&s));
	cv_span_u8(&s);
	T(s.bad);
}

static void
spans_compare_and_split(void)
{
	struct cv_span s = cv_span_str("key: value"), key = cv_span_until(&s, ':');

	T(cv_span_eq_str(key, "key"));
	T(cv_span_eq_str(s, " value"));
	T(cv_span_has_prefix(s, " val") && cv_span_has_suffix(s, "ue"));
	T(!cv_span_has_prefix(s, " value!") && !cv_span_has_suffix(s, "x value"));
	T(cv_span_has_prefix(s, "") && cv_span_has_suffix(s, ""));
	T(cv_span_until(&s, ':').bad);
	T(s.bad);
	T(cv_span_eq(cv_span_str(NULL), cv_span(NULL, 0)));
	s = cv_span_str(":");
	T_INT(cv_span_until(&s, ':').n, 0);
	T(cv_span_done(&s));
}

/* ---- buffers ---- */

static void
buffers_grow_up_to_their_maximum(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(10);
	struct cv_err e;

	T_STR(cv_buf_text(&b), "");
	cv_buf_str(&b, "0123456789");
	T_OK(cv_buf_ok(&b, "b", &e), e);
	T_STR(cv_buf_text(&b), "0123456789");
	cv_buf_add(&b, "", 0);
	T_OK(cv_buf_ok(&b, "b", &e), e);
	cv_buf_byte(&b, 'x');
	T_NO(cv_buf_ok(&b, "the b", &e), e, CV_R_LIMIT);
	T_HAS(e.text, "the b: longer than 10 bytes");
	T_STR(cv_buf_text(&b), "0123456789");
	cv_buf_add(&b, "", 0); /* the failure stays */
	T_NO(cv_buf_ok(&b, "b", &e), e, CV_R_LIMIT);
	T(cv_buf_steal(&b) == NULL);
	cv_buf_reset(&b);
	T_OK(cv_buf_ok(&b, "b", &e), e);
	cv_buf_fmt(&b, "%s-%d", "abc", 42);
	T_STR(cv_buf_text(&b), "abc-42");
	cv_buf_fmt(&b, "%s", "12345");
	T_NO(cv_buf_ok(&b, "b", &e), e, CV_R_LIMIT);
	T_STR(cv_buf_text(&b), "abc-42");
}

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif

static void
a_zero_buffer_holds_nothing(void)
{
	struct cv_buf b = { 0 };
	struct cv_err e;

	cv_buf_byte(&b, 1);
	T_NO(cv_buf_ok(&b, "b", &e), e, CV_R_LIMIT);
	T(b.p == NULL);
	b = CV_BUF(SIZE_MAX); /* no room for the NUL: not a maximum */
	cv_buf_byte(&b, 1);
	T_NO(cv_buf_ok(&b, "b", &e), e, CV_R_LIMIT);
	cv_buf_free(&b);
}

static void
out_of_memory_is_said(void)
{
	struct cv_buf b = CV_BUF(SIZE_MAX - 1);
	struct cv_err e;

#ifdef ASAN
	t_skip("AddressSanitizer ends the process on an absurd size");
#endif
	T(cv_buf_extend(&b, SIZE_MAX / 2) == NULL);
	T_NO(cv_buf_ok(&b, "b", &e), e, CV_R_MEMORY);
	cv_buf_free(&b);
}

static void
buffers_write_integers_and_give_away(void)
{
	struct cv_buf b = CV_BUF(64);
	struct cv_span s;
	char *p;

	cv_buf_u16le(&b, 0x1234);
	cv_buf_u32le(&b, 0x89abcdef);
	cv_buf_u64le(&b, 0x0102030405060708);
	s = cv_buf_span(&b);
	T_INT(cv_span_u16le(&s), 0x1234);
	T_INT(cv_span_u32le(&s), 0x89abcdef);
	T_INT(cv_span_u64le(&s), 0x0102030405060708);
	T(cv_span_done(&s));
	p = cv_buf_steal(&b);
	T(p != NULL && b.p == NULL && b.n == 0);
	T_INT(b.max, 64);
	free(p);
	T(cv_buf_steal(&b) == NULL);
	cv_buf_free(&b);
	cv_buf_free(&b);
}

static void
files_are_read_whole_or_not(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(300000);
	cv_auto(cv_closep) int fd = -1;
	static char big[300001];
	struct cv_err e;

	memset(big, 'y', sizeof(big));
	fd = t_memfd(big, 300000);
	T_OK(cv_buf_read_fd(&b, fd, "file", &e), e);
	T_INT(b.n, 300000);
	T_INT(b.cap, 300001); /* no second copy just to see the end */
	cv_buf_reset(&b);
	T_OK(cv_buf_read_fd(&b, fd, "file", &e), e); /* at its end */
	T_INT(b.n, 0);
	T_OK(cv_buf_pread(&b, fd, 299990, 10, "file", &e), e);
	T_STR(cv_buf_text(&b), "yyyyyyyyyy");
	T_NO(cv_buf_pread(&b, fd, 299991, 10, "file", &e), e, CV_R_CUTOFF);
	T_HAS(e.text, "ends after 300000 bytes, want 300001");
	T_INT(b.n, 10);
	T_NO(cv_buf_pread(&b, fd, UINT64_MAX, 10, "file", &e), e, CV_R_CUTOFF);
	T_NO(cv_buf_pread(&b, fd, INT64_MAX, 10, "file", &e), e, CV_R_CUTOFF);
	T_NO(cv_buf_pread(&b, fd, 0, 299991, "file", &e), e, CV_R_LIMIT);
	cv_closep(&fd);
	T_INT(fd, -1);
	cv_buf_reset(&b);
	T_NO(cv_buf_read_fd(&b, -1, "file", &e), e, CV_R_IO);
	T_NO(cv_buf_pread(&b, -1, 0, 1, "file", &e), e, CV_R_IO);

	fd = t_memfd(big, 300001);
	cv_buf_reset(&b);
	T_NO(cv_buf_read_fd(&b, fd, "file", &e), e, CV_R_LIMIT);
}

static void *
feed(void *arg)
{
	const int *fd = arg;
	struct cv_err e;
	static char bytes[200000];

	memset(bytes, 'z', sizeof(bytes));
	if (cv_write_all(*fd, bytes, sizeof(bytes), "pipe", &e) != 0)
		abort();
	close(*fd);
	return NULL;
}

static void
pipes_are_read_to_their_end(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(200000);
	struct cv_err e;
	int fd[2], rc;
	pthread_t writer;

	/* a writer that does not block is waited for, too */
	T(pipe2(fd, O_CLOEXEC) == 0 && fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
	T(pthread_create(&writer, NULL, feed, &fd[1]) == 0);
	rc = cv_buf_read_fd(&b, fd[0], "pipe", &e);
	pthread_join(writer, NULL);
	close(fd[0]);
	T_INT(rc, 0);
	T_INT(b.n, 200000);
	T_NO(cv_write_all(-1, "x", 1, "nowhere", &e), e, CV_R_IO);
	T_OK(cv_write_all(-1, "", 0, "nothing", &e), e);
	fd[0] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (fd[0] >= 0) {
		T_NO(cv_write_all(fd[0], "x", 1, "full", &e), e, CV_R_DISK);
		close(fd[0]);
	}
}

static void
cleanup_functions_take_nothing(void)
{
	void *p = NULL;
	int fd = -1;

	errno = 77;
	cv_freep(&p);
	cv_closep(&fd);
	fd = 1000000; /* not open: close fails, errno stays */
	cv_closep(&fd);
	T_INT(errno, 77);
	p = malloc(4);
	cv_freep(&p);
	T(p == NULL);
	p = &fd;
	T(cv_steal(p) == &fd && p == NULL);
}

static const struct t_case cases[] = {
	{ "every reason has a word and an exit", every_reason_has_a_word_and_an_exit },
	{ "a failure always has a reason", a_failure_always_has_a_reason },
	{ "text is cut, and may be its own argument", text_is_cut_and_may_be_its_own_argument },
	{ "errno becomes a reason", errno_becomes_a_reason },
	{ "spans take in order", spans_take_in_order },
	{ "spans fail for good", spans_fail_for_good },
	{ "spans compare and split", spans_compare_and_split },
	{ "buffers grow up to their maximum", buffers_grow_up_to_their_maximum },
	{ "a zero buffer holds nothing", a_zero_buffer_holds_nothing },
	{ "out of memory is said", out_of_memory_is_said },
	{ "buffers write integers and give away", buffers_write_integers_and_give_away },
	{ "files are read whole or not", files_are_read_whole_or_not },
	{ "pipes are read to their end", pipes_are_read_to_their_end },
	{ "cleanup functions take nothing", cleanup_functions_take_nothing },
};
T_MAIN(cases)
