/* SPDX-License-Identifier: Apache-2.0 */
/* The store: right bytes under a name or nothing, whoever writes and dies. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "verify/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[200];
static unsigned made;

static const char *
fresh(void)
{
	snprintf(dir, sizeof(dir), "%s/store%u", t_tmpdir(), made++);
	return dir;
}

static struct cv_store *
open_store(unsigned flags)
{
	struct cv_store *s = NULL;
	struct cv_err e = { 0 };

	T_OK(cv_store_open(&s, dir, flags, &e), e);
	return s;
}

static unsigned
count(const char *sub)
{
	char path[300];
	struct dirent *entry;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	while (d != NULL && (entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

static struct cv_digest
sum(const void *p, size_t n)
{
	struct cv_digest d;
	struct cv_err e = { 0 };

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(p, n), &e), e);
	return d;
}

static void
blob_path(char out[400], const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT];

	snprintf(out, 400, "%s/blobs/sha256/%s", dir, strchr(cv_digest_text(d, text), ':') + 1);
}

static void
put(struct cv_store *s, const char *text, struct cv_digest *d)
{
	struct cv_blob b;
	struct cv_err e = { 0 };

	T_OK(cv_store_put(s, cv_span_str(text), d, &b, &e), e);
	T_INT(b.len, strlen(text));
	close(b.fd);
}

static void
put_and_find(unsigned flags)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(flags));
	struct cv_digest d, other = sum("y", 1);
	struct cv_blob b = CV_NO_BLOB;
	char path[400], text[3];
	struct cv_err e = { 0 };
	struct stat st;

	put(s, "abc", &d);
	T(cv_digest_eq(&d, &(struct cv_digest){ 0 }) == false);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 1);
	T(pread(b.fd, text, 3, 0) == 3 && memcmp(text, "abc", 3) == 0);
	T((fcntl(b.fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	close(b.fd);
	T_INT(cv_store_find(s, &other, CV_SIZE_ANY, &b, &e), 0);
	put(s, "abc", &d); /* again is fine */
	T_INT(count("blobs/sha256"), 1);
	T_INT(count("tmp"), 0);
	blob_path(path, &d);
	T(stat(path, &st) == 0 && (st.st_mode & 07777) == 0444);
}

static void
test_put_and_find(void)
{
	put_and_find(0);
	put_and_find(CV_STORE_NO_TMPFILE);
}

static void
test_empty_blob(void)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(0));
	struct cv_digest d;
	struct cv_blob b;
	struct cv_err e = { 0 };

	put(s, "", &d);
	T_INT(cv_store_find(s, &d, 0, &b, &e), 1);
	close(b.fd);
}

/* ---- what does not get a name ---- */

static int
put_as(struct cv_store *s, const char *text, uint64_t max, const struct cv_digest *want,
       uint64_t size, struct cv_err *e)
{
	struct cv_put *p = NULL;
	struct cv_blob b;
	int rc;

	T_OK(cv_put_open(&p, s, max, e), *e);
	rc = cv_put_add(p, text, strlen(text), e);
	if (rc == 0)
		rc = cv_put_end(&p, want, size, NULL, &b, e);
	if (rc == 0)
		close(b.fd);
	cv_put_drop(&p);
	return rc;
}

static void
refused(unsigned flags)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(flags));
	struct cv_digest want = sum("abc", 3), sha512;
	struct cv_err e = { 0 };

	T_NO(put_as(s, "abd", 10, &want, 3, &e), e, CV_R_DIGEST);
	T_NO(put_as(s, "ab", 10, &want, 3, &e), e, CV_R_CUTOFF);
	T_NO(put_as(s, "abc", 2, &want, 3, &e), e, CV_R_LIMIT);
	T_NO(put_as(s, "abc", 10, &want, 2, &e), e, CV_R_DIGEST);
	T_OK(cv_digest_of(&sha512, CV_SHA512, cv_span("abd", 3), &e), e);
	T_NO(put_as(s, "abc", 10, &sha512, 3, &e), e, CV_R_DIGEST);
	T_INT(count("blobs/sha256"), 0);
	T_INT(count("tmp"), 0);
	T_OK(put_as(s, "abd", 10, &sha512, 3, &e), e);
	T_OK(put_as(s, "abc", 3, &want, 3, &e), e);
	T_INT(count("blobs/sha256"), 2);
}

static void
test_refused(void)
{
	refused(0);
	refused(CV_STORE_NO_TMPFILE);
}

static void
test_find_in_time(void)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(0));
	struct cv_digest d;
	struct cv_blob b = CV_NO_BLOB;
	struct cv_err e = { 0 };
	int p[2];

	put(s, "abc", &d);
	T(pipe2(p, O_CLOEXEC) == 0);
	T_INT(cv_store_find_until(s, &d, 3, cv_mono_ms() + 60000, p[0], &b, &e), 1);
	cv_closep(&b.fd);
	T_NO(cv_store_find_until(s, &d, 3, 1, -1, &b, &e), e, CV_R_DEADLINE);
	close(p[1]);
	T_NO(cv_store_find_until(s, &d, 3, 0, p[0], &b, &e), e, CV_R_CANCELLED);
	T_INT(b.fd, -1);
	close(p[0]);
	T_INT(count("blobs/sha256"), 1); /* it is not the blob's fault */
}

/* ---- bytes that rot, names that lie ---- */

static void
test_corrupted(void)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(0));
	struct cv_digest d;
	struct cv_blob b;
	char path[400];
	struct cv_err e = { 0 };

	put(s, "abc", &d);
	blob_path(path, &d);
	T(chmod(path, 0644) == 0);
	t_write_file(path, "abd", 3);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 0);
	T_INT(access(path, F_OK), -1); /* it is gone, and can be fetched again */
	put(s, "abc", &d);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 1);
	close(b.fd);
	T(truncate(path, 2) == 0 || chmod(path, 0644) == 0);
	T(truncate(path, 2) == 0);
	T_INT(cv_store_find(s, &d, CV_SIZE_ANY, &b, &e), 0);
	put(s, "abc", &d);
	T_INT(cv_store_find(s, &d, 4, &b, &e), 0); /* another size than agreed */
}

static void
test_not_a_blob(void)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(0));
	struct cv_digest d = sum("abc", 3);
	char path[400], outside[300];
	struct cv_blob b;
	struct cv_err e = { 0 };

	blob_path(path, &d);
	snprintf(outside, sizeof(outside), "%s/outside%u", t_tmpdir(), made);
	t_write_file(outside, "abc", 3);
	T(symlink(outside, path) == 0);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 0); /* never through a link */
	T(access(path, F_OK) == -1 && mkfifo(path, 0600) == 0);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 0); /* and without waiting for a writer */
	T(access(outside, F_OK) == 0);
}

/* A blob that is there but wrong does not stop the right one. */
static void
test_put_over_corrupted(void)
{
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(0));
	struct cv_digest d = sum("abc", 3);
	char path[400], text[3];
	struct cv_blob b;
	struct cv_err e = { 0 };

	blob_path(path, &d);
	t_write_file(path, "xyz", 3);
	T_OK(cv_store_put(s, cv_span_str("abc"), &d, &b, &e), e);
	T(pread(b.fd, text, 3, 0) == 3 && memcmp(text, "abc", 3) == 0);
	close(b.fd);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 0);
	put(s, "abc", &d);
	T_INT(cv_store_find(s, &d, 3, &b, &e), 1);
	close(b.fd);
}

/* ---- whose directory it is ---- */

static void
test_directory(void)
{
	struct cv_store *s = NULL;
	struct cv_err e = { 0 };
	char path[300];

	fresh();
	T(mkdir(dir, 0700) == 0 && chmod(dir, 0777) == 0);
	T_NO(cv_store_open(&s, dir, 0, &e), e, CV_R_CONFIG);
	T(chmod(dir, 0770) == 0);
	T_NO(cv_store_open(&s, dir, 0, &e), e, CV_R_CONFIG);
	T(chmod(dir, 0755) == 0);
	s = open_store(0);
	cv_store_close(&s);
	if (geteuid() == 0) {
		T(chown(dir, 12345, 12345) == 0);
		T_NO(cv_store_open(&s, dir, 0, &e), e, CV_R_CONFIG);
	}
	fresh();
	t_write_file(dir, "x", 1);
	T(cv_store_open(&s, dir, 0, &e) == -1);
	fresh();
	T(mkdir(dir, 0700) == 0);
	snprintf(path, sizeof(path), "%s/blobs", dir);
	T(symlink("/tmp", path) == 0);
	T(cv_store_open(&s, dir, 0, &e) == -1);
}

/* A directory of the store that others may write to is as bad as the top. */
static void
test_inner_directory(void)
{
	struct cv_store *s = (fresh(), open_store(0));
	struct cv_err e = { 0 };
	char path[300];

	cv_store_close(&s);
	snprintf(path, sizeof(path), "%s/blobs/sha256", dir);
	T(chmod(path, 0777) == 0);
	T_NO(cv_store_open(&s, dir, 0, &e), e, CV_R_CONFIG);
}

static void
test_created_with_parents(void)
{
	struct cv_store *s = NULL;
	struct cv_err e = { 0 };
	struct stat st;

	fresh();
	snprintf(dir + strlen(dir), sizeof(dir) - strlen(dir), "/a/b/c");
	T_OK(cv_store_open(&s, dir, 0, &e), e);
	T(stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	cv_store_close(&s);
}

/* ---- many at once, and some that die ---- */

#define BIG (4 << 20)

static uint8_t *
big(unsigned seed)
{
	uint8_t *p = malloc(BIG);

	T(p != NULL);
	for (size_t i = 0; i < BIG; i++)
		p[i] = (uint8_t)(i * 31 + seed + (i >> 12));
	return p;
}

static int
put_pieces(struct cv_store *s, const uint8_t *p, struct cv_err *e)
{
	cv_auto(cv_put_drop) struct cv_put *put_ = NULL;
	struct cv_blob b;

	if (cv_put_open(&put_, s, BIG, e) != 0)
		return -1;
	for (size_t at = 0; at < BIG; at += 65536)
		if (cv_put_add(put_, p + at, 65536, e) != 0)
			return -1;
	if (cv_put_end(&put_, NULL, BIG, NULL, &b, e) != 0)
		return -1;
	close(b.fd);
	return 0;
}

static void
many_processes(unsigned flags)
{
	cv_auto(cv_freep) uint8_t *p = big(1);
	struct cv_digest d = sum(p, BIG);
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(flags));
	struct cv_blob b;
	struct cv_err e = { 0 };
	int status;

	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			struct cv_store *own = NULL;
			int rc = cv_store_open(&own, dir, flags, &e) != 0 ||
				 put_pieces(own, p, &e) != 0;

			_exit(rc);
		}
	for (int i = 0; i < 8; i++) {
		T(wait(&status) > 0);
		T_INT(status, 0);
	}
	T_INT(count("blobs/sha256"), 1);
	T_INT(count("tmp"), 0);
	T_INT(cv_store_find(s, &d, BIG, &b, &e), 1);
	close(b.fd);
}

static void
test_many_processes(void)
{
	many_processes(0);
	many_processes(CV_STORE_NO_TMPFILE);
}

struct job {
	struct cv_store *s;
	uint8_t *p;
};

static void *
in_thread(void *arg)
{
	struct job *j = arg;
	struct cv_err e = { 0 };

	for (int i = 0; i < 3; i++)
		if (put_pieces(j->s, j->p, &e) != 0)
			return strdup(e.text);
	return NULL;
}

static void
test_many_threads(void)
{
	cv_auto(cv_freep) uint8_t *p = big(2);
	cv_auto(cv_store_close) struct cv_store *s = (fresh(), open_store(0));
	struct job j = { s, p };
	pthread_t t[8];
	void *wrong;

	for (size_t i = 0; i < CV_COUNT(t); i++)
		T(pthread_create(&t[i], NULL, in_thread, &j) == 0);
	for (size_t i = 0; i < CV_COUNT(t); i++) {
		T(pthread_join(t[i], &wrong) == 0);
		T(wrong == NULL);
	}
	T_INT(count("blobs/sha256"), 1);
}

/* Every name has its bytes, whenever the writers are killed. */
static void
check_all_names(void)
{
	char sub[300], name[71 + 1] = "sha256:";
	struct cv_store *s = open_store(0);
	struct dirent *entry;
	struct cv_digest d;
	struct cv_blob b;
	struct cv_err e = { 0 };
	DIR *all;

	snprintf(sub, sizeof(sub), "%s/blobs/sha256", dir);
	all = opendir(sub);
	T(all != NULL);
	while ((entry = readdir(all)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		T_INT(strlen(entry->d_name), 64);
		memcpy(name + 7, entry->d_name, 65);
		T_OK(cv_digest_parse(&d, cv_span_str(name), &e), e);
		T_INT(cv_store_find(s, &d, BIG, &b, &e), 1);
		close(b.fd);
	}
	closedir(all);
	cv_store_close(&s);
}

static void
kill_writers(unsigned flags)
{
	cv_auto(cv_freep) uint8_t *p = NULL;
	struct cv_store *s = (fresh(), open_store(flags));
	struct cv_err e = { 0 };
	unsigned named = 0;

	for (unsigned i = 0; i < 25; i++) {
		pid_t pid;

		free(p);
		p = big(100 + i);
		pid = fork();
		if (pid == 0) {
			(void)!put_pieces(s, p, &e);
			for (;;)
				pause();
		}
		usleep(i * 700);
		T(kill(pid, SIGKILL) == 0);
		T(waitpid(pid, NULL, 0) == pid);
	}
	cv_store_close(&s);
	check_all_names();
	named = count("blobs/sha256");
	if (flags == 0)
		T_INT(count("tmp"), 0);
	else
		T(named + count("tmp") <= 25);
}

static void
test_killed(void)
{
	kill_writers(0);
	kill_writers(CV_STORE_NO_TMPFILE);
}

/* What a killed writer left in tmp/ goes when it is old; a living one's stays. */
static void
test_left_over(void)
{
	struct cv_store *s = (fresh(), open_store(CV_STORE_NO_TMPFILE));
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct cv_store *second;
	struct cv_put *p = NULL;
	struct cv_err e = { 0 };
	struct dirent *entry;
	char path[600], tmp[300];
	DIR *d;

	snprintf(tmp, sizeof(tmp), "%s/tmp", dir);
	snprintf(path, sizeof(path), "%s/dead", tmp);
	t_write_file(path, "x", 1);
	T(utimensat(AT_FDCWD, path, old, 0) == 0);
	snprintf(path, sizeof(path), "%s/young", tmp);
	t_write_file(path, "x", 1);
	T_OK(cv_put_open(&p, s, 10, &e), e);
	d = opendir(tmp);
	while ((entry = readdir(d)) != NULL)
		if (strlen(entry->d_name) == 32) {
			snprintf(path, sizeof(path), "%s/%s", tmp, entry->d_name);
			T(utimensat(AT_FDCWD, path, old, 0) == 0);
		}
	closedir(d);
	T_INT(count("tmp"), 3);
	second = open_store(0);
	T_INT(count("tmp"), 2);
	cv_store_close(&second);
	cv_put_drop(&p);
	T_INT(count("tmp"), 1);
	cv_store_close(&s);
}

/* ---- no room ---- */

static void
put_without_room(const char *what)
{
	cv_auto(cv_freep) uint8_t *p = big(7);
	cv_auto(cv_store_close) struct cv_store *s = open_store(0);
	struct cv_digest d;
	struct cv_err e = { 0 };

	if (put_pieces(s, p, &e) == 0)
		t_fail(__FILE__, __LINE__, "%s: 4 MiB found room", what);
	T_INT(e.reason, CV_R_DISK);
	T_INT(count("blobs/sha256"), 0);
	T_INT(count("tmp"), 0);
	put(s, "small", &d); /* and it goes on */
}

/* RLIMIT_FSIZE is a full disk that needs no root. */
static void
test_file_too_large(void)
{
	int status;
	pid_t pid;

	fresh();
	pid = fork();
	if (pid == 0) {
		struct rlimit r = { BIG / 2, BIG / 2 };

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &r) != 0)
			_exit(1);
		put_without_room("RLIMIT_FSIZE");
		_exit(0);
	}
	T(waitpid(pid, &status, 0) == pid);
	T_INT(status, 0);
}

static void
test_full_disk(void)
{
	fresh();
	T(mkdir(dir, 0700) == 0);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700") != 0)
		t_skip("mounting a small file system needs root");
	put_without_room("a tmpfs of 2 MiB");
	T(umount2(dir, MNT_DETACH) == 0);
}

/* Notes: the last answer is found, nothing else is, and a note that somebody
 * changed is none. */
static void
test_notes(void)
{
	struct cv_store *s;
	struct cv_digest d = sum("a", 1), other = sum("b", 1), got;
	struct cv_err e = { 0 };
	char media[256], path[600];
	struct dirent *entry;
	DIR *notes;

	fresh();
	s = open_store(0);
	T(!cv_store_noted(s, "tag h/p sha256-x", &got, media));
	T_OK(cv_store_note(s, "tag h/p sha256-x", &d, "application/json", &e), e);
	T_OK(cv_store_note(s, "tag h/p sha256-x", &other, "text/plain", &e), e);
	T(cv_store_noted(s, "tag h/p sha256-x", &got, media));
	T(cv_digest_eq(&got, &other));
	T_STR(media, "text/plain");
	T(!cv_store_noted(s, "tag h/p sha256-y", &got, media));
	T(count("notes") == 1 && count("tmp") == 0);

	snprintf(path, sizeof(path), "%s/notes", dir);
	notes = opendir(path);
	T(notes != NULL);
	while ((entry = readdir(notes)) != NULL && entry->d_name[0] == '.')
		;
	T(entry != NULL);
	snprintf(path, sizeof(path), "%s/notes/%s", dir, entry->d_name);
	closedir(notes);
	T(unlink(path) == 0 && symlink("sha256:zz x", path) == 0);
	T(!cv_store_noted(s, "tag h/p sha256-x", &got, media));
	cv_store_close(&s);
}

static const struct t_case cases[] = {
	{ "put and find", test_put_and_find },
	{ "empty blob", test_empty_blob },
	{ "refused", test_refused },
	{ "find in time", test_find_in_time },
	{ "corrupted", test_corrupted },
	{ "not a blob", test_not_a_blob },
	{ "put over corrupted", test_put_over_corrupted },
	{ "directory", test_directory },
	{ "inner directory", test_inner_directory },
	{ "created with parents", test_created_with_parents },
	{ "many processes", test_many_processes },
	{ "many threads", test_many_threads },
	{ "killed", test_killed },
	{ "left over", test_left_over },
	{ "file too large", test_file_too_large },
	{ "full disk", test_full_disk },
	{ "notes", test_notes },
};

T_MAIN(cases)
