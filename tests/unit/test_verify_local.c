/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_local.c: files and trees below one directory: what is refused, what
 * is left out, what is noticed when it changes. */
#include "tests/support/t.h"
#include "trust/base/clock.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/local.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *
at(const char *name)
{
	static char path[2][8192];
	static unsigned turn;
	char *out = path[turn++ % 2];

	cv_text_fmt(out, sizeof(path[0]), "%s/%s", t_tmpdir(), name);
	return out;
}

static void
put(const char *name, const char *text)
{
	t_write_file(at(name), text, strlen(text));
}

static struct cv_local_opts
opts(const char *path)
{
	static int base = -1;

	if (base < 0)
		base = open(t_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (struct cv_local_opts){
		.base_fd = base, .path = path, .threads = 3, .cancel_fd = -1
	};
}

static void
refused(const char *path, const char *check, enum cv_reason reason)
{
	struct cv_local_opts o = opts(path);
	struct cv_local *l = NULL;
	const char *said = NULL;
	struct cv_err e;

	T_NO(cv_local_open(&l, &o, &said, &e), e, reason);
	T(said != NULL);
	T_STR(said, check);
	T(l == NULL);
}

static struct cv_local *
taken(const struct cv_local_opts *o)
{
	struct cv_local *l = NULL;
	const char *check;
	struct cv_err e;

	T_OK(cv_local_open(&l, o, &check, &e), e);
	return l;
}

static void
kinds(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	T(mkdir(at("k"), 0755) == 0 && mkfifo(at("k/fifo"), 0644) == 0);
	refused("k/fifo", "file.unsafe", CV_R_RULE);
	refused("k", "file.unsafe", CV_R_RULE);
	T(unlink(at("k/fifo")) == 0);
	refused("k", "file.unsafe", CV_R_ABSENT); /* empty */
	cv_text_fmt(a.sun_path, sizeof(a.sun_path), "%s", at("k/s"));
	T(bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	refused("k/s", "file.unsafe", CV_R_RULE);
	refused("k", "file.unsafe", CV_R_RULE);
	close(s);
	if (mknod(at("k/dev"), S_IFCHR | 0644, 0x0103) == 0) {
		T(unlink(at("k/s")) == 0);
		refused("k/dev", "file.unsafe", CV_R_RULE);
		refused("k", "file.unsafe", CV_R_RULE);
	}
	refused("nothing", "fetch.absent", CV_R_ABSENT);
	refused("k/nothing/more", "fetch.absent", CV_R_ABSENT);
}

static void
ways_out(void)
{
	T(mkdir(at("w"), 0755) == 0 && mkdir(at("w/in"), 0755) == 0);
	put("w/in/file", "x");
	put("outside", "secret");
	T(symlink("in/file", at("w/link")) == 0 && symlink("in", at("w/dir")) == 0);
	refused("w/link", "file.unsafe", CV_R_RULE);
	refused("w/dir", "file.unsafe", CV_R_RULE);
	refused("w/dir/file", "file.unsafe", CV_R_RULE);
	refused("../outside", "file.unsafe", CV_R_RULE);
	refused("/etc/passwd", "file.unsafe", CV_R_RULE);
	T(symlink("../outside", at("w/up")) == 0);
	refused("w", "file.unsafe", CV_R_MALFORMED); /* a link that leads out of the tree */
	T(unlink(at("w/up")) == 0 && symlink("/etc/passwd", at("w/abs")) == 0);
	refused("w", "file.unsafe", CV_R_MALFORMED);
}

static void
a_tree(void)
{
	struct cv_local_opts o = opts("t");
	struct cv_local *l;
	struct cv_tree *t, *again;
	struct cv_digest d;

	T(mkdir(at("t"), 0755) == 0 && mkdir(at("t/sub"), 0755) == 0 &&
	  mkdir(at("t/empty"), 0700) == 0);
	put("t/b", "bb");
	put("t/sub/a", "a");
	put("t/run", "#!/bin/sh\n");
	T(chmod(at("t/run"), 0711) == 0 && symlink("sub/a", at("t/l")) == 0);
	l = taken(&o);
	T(!cv_local_single(l));
	T_INT(cv_local_count(l), 3);
	T_STR(cv_local_name(l, 0), "b");
	T_STR(cv_local_name(l, 2), "sub/a");
	T_INT(cv_local_bytes(l), 13);
	t = cv_local_tree(l);
	again = cv_local_tree(l);
	T(t != NULL && again == NULL);
	T_INT(cv_tree_count(t), 5);
	T_INT(cv_tree_find(t, "run")->kind, CV_TREE_EXEC);
	T_INT(cv_tree_find(t, "b")->kind, CV_TREE_FILE);
	T_INT(cv_tree_find(t, "empty")->kind, CV_TREE_DIR);
	T_STR(cv_tree_find(t, "l")->target, "sub/a");
	T(cv_digest_eq(cv_tree_digest(t), cv_local_digest(l)));
	d = *cv_local_digest(l);
	cv_tree_free(&t);
	cv_local_free(&l);
	/* the same from another place in it, and in one thread */
	T(chmod(at("t/b"), 0600) == 0);
	o.threads = 1;
	l = taken(&o);
	T(cv_digest_eq(&d, cv_local_digest(l)));
	cv_local_free(&l);
	T(rmdir(at("t/empty")) == 0);
	l = taken(&o);
	T(!cv_digest_eq(&d, cv_local_digest(l)));
	cv_local_free(&l);
}

static void
one_file(void)
{
	struct cv_local_opts o = opts("one.txt");
	struct cv_digest want;
	struct cv_local *l;
	struct cv_tree *t;

	put("one.txt", "hello");
	l = taken(&o);
	T(cv_digest_of(&want, CV_SHA256, cv_span_str("hello"), NULL) == 0);
	T(cv_local_single(l));
	T_STR(cv_local_name(l, 0), "one.txt");
	T(cv_digest_eq(cv_local_digest(l), &want) && cv_digest_eq(cv_local_hash(l, 0), &want));
	t = cv_local_tree(l);
	T(t == NULL);
	cv_local_free(&l);
}

static void
globs(void)
{
	struct cv_item v[] = { { .text = "*.safetensors" }, { .text = "sub/**" } };
	struct cv_items items = { .v = v, .n = 2 };
	struct cv_local_opts o = opts("g");
	struct cv_local *l;
	const char *check;
	struct cv_err e;

	T(mkdir(at("g"), 0755) == 0 && mkdir(at("g/sub"), 0755) == 0 &&
	  mkdir(at("g/none"), 0755) == 0 && mkfifo(at("g/pipe"), 0644) == 0);
	put("g/a.safetensors", "1");
	put("g/readme", "2");
	put("g/sub/x", "3");
	o.globs = &items;
	l = taken(&o); /* a fifo that does not belong to it is nobody's concern */
	T_INT(cv_local_count(l), 2);
	T_STR(cv_local_name(l, 0), "a.safetensors");
	T_STR(cv_local_name(l, 1), "sub/x");
	cv_local_free(&l);
	v[0].text = "*.gguf";
	v[1].text = "nothing";
	T_NO(cv_local_open(&l, &o, &check, &e), e, CV_R_ABSENT);
	T_HAS(e.text, "files");
	v[0].text = "pipe";
	T_NO(cv_local_open(&l, &o, &check, &e), e, CV_R_RULE);
	T_STR(check, "file.unsafe");
}

/* change: each way in which a file can be another one between hashing and
 * handing it on. */
static void
changed(void)
{
	struct cv_local_opts o = opts("c");
	struct cv_local *l;
	struct cv_blob b;
	const char *check;
	struct cv_err e;

	T(mkdir(at("c"), 0755) == 0);
	for (int way = 0; way < 5; way++) {
		(void)unlink(at("c/f"));
		put("c/f", "hello");
		l = taken(&o);
		T_OK(cv_local_same(l, &check, &e), e);
		T_OK(cv_local_blob(l, 0, &b, &check, &e), e);
		T_INT(b.len, 5);
		close(b.fd);
		usleep(20000); /* longer than a tick of the file system's clock */
		if (way == 0)
			put("c/f", "hullo");
		else if (way == 1)
			put("c/f", "hello, more");
		else if (way == 2)
			T(unlink(at("c/f")) == 0);
		else if (way == 3)
			T(unlink(at("c/f")) == 0 && symlink("/etc/passwd", at("c/f")) == 0);
		else
			T(chmod(at("c/f"), 0755) == 0);
		T(cv_local_same(l, &check, &e) == -1);
		T_STR(check, "file.changed");
		T(cv_local_blob(l, 0, &b, &check, &e) == -1);
		cv_local_free(&l);
	}
}

/* Each way in which a directory can become another one while it is looked at,
 * besides the change of a file that was listed. */
static void
another_tree(void)
{
	static const struct {
		const char *what, *path; /* the path that the message has to name */
	} ways[] = {
		{ "a file added", "y/added" },
		{ "a file added further down", "y/sub/added" },
		{ "a file added and taken away", "y" },
		{ "an empty directory added", "y/none" },
		{ "a link added", "y/more" },
		{ "a link changed", "y/link" },
		{ "a file renamed", "y/f: went away" },
		{ "an empty directory gone", "y/empty" },
		{ "a fifo added", "y/fifo" },
		{ "all of it gone", "y" },
	};
	struct cv_local_opts o = opts("y");

	for (size_t way = 0; way < CV_COUNT(ways); way++) {
		struct cv_local *l;
		const char *check;
		struct cv_err e = { 0 };

		T(mkdir(at("y"), 0755) == 0 && mkdir(at("y/sub"), 0755) == 0 &&
		  mkdir(at("y/empty"), 0755) == 0 && symlink("f", at("y/link")) == 0);
		put("y/f", "hello");
		put("y/sub/f", "hello");
		l = taken(&o);
		T_OK(cv_local_same(l, &check, &e), e);
		T_OK(cv_local_same(l, &check, &e), e); /* looking changes nothing */
		usleep(20000);
		switch (way) {
		case 0:
		case 2:
			put("y/added", "");
			T(way == 0 || unlink(at("y/added")) == 0);
			break;
		case 1:
			put("y/sub/added", "");
			break;
		case 3:
			T(mkdir(at("y/none"), 0755) == 0);
			break;
		case 4:
			T(symlink("f", at("y/more")) == 0);
			break;
		case 5:
			T(unlink(at("y/link")) == 0 && symlink("sub/f", at("y/link")) == 0);
			break;
		case 6:
			T(rename(at("y/f"), at("y/g")) == 0);
			break;
		case 7:
			T(rmdir(at("y/empty")) == 0);
			break;
		case 8:
			T(mkfifo(at("y/fifo"), 0644) == 0);
			break;
		default:
			T(rename(at("y"), at("y-away")) == 0);
			break;
		}
		T_NO(cv_local_same(l, &check, &e), e, way == 8 ? CV_R_RULE : CV_R_DIGEST);
		T_STR(check, way == 8 ? "file.unsafe" : "file.changed");
		T_HAS(e.text, ways[way].path);
		cv_local_free(&l);
		T(rename(at(way == 9 ? "y-away" : "y"), at(ways[way].what)) == 0);
	}
}

/* With globs, what does not belong to the artifact may change as it likes. */
static void
beside_the_globs(void)
{
	struct cv_item v[] = { { .text = "**.bin" } };
	struct cv_items items = { .v = v, .n = 1 };
	struct cv_local_opts o = opts("z");
	struct cv_local *l;
	const char *check;
	struct cv_err e = { 0 };

	T(mkdir(at("z"), 0755) == 0 && mkdir(at("z/sub"), 0755) == 0);
	put("z/a.bin", "1");
	o.globs = &items;
	l = taken(&o);
	usleep(20000);
	put("z/notes", "2");
	T(mkdir(at("z/more"), 0755) == 0);
	T_OK(cv_local_same(l, &check, &e), e);
	put("z/sub/b.bin", "3");
	T_NO(cv_local_same(l, &check, &e), e, CV_R_DIGEST);
	T_STR(check, "file.changed");
	T_HAS(e.text, "z/sub/b.bin");
	cv_local_free(&l);
}

static void
stopped(void)
{
	struct cv_local_opts o = opts("s");
	struct cv_local *l = NULL;
	const char *check;
	uint64_t one = 1;
	struct cv_err e;

	T(mkdir(at("s"), 0755) == 0);
	put("s/f", "x");
	o.deadline = cv_mono_ms() - 1;
	T_NO(cv_local_open(&l, &o, &check, &e), e, CV_R_DEADLINE);
	o.deadline = 0;
	o.cancel_fd = eventfd(0, EFD_CLOEXEC);
	T(write(o.cancel_fd, &one, sizeof(one)) == sizeof(one));
	T_NO(cv_local_open(&l, &o, &check, &e), e, CV_R_CANCELLED);
	close(o.cancel_fd);
}

static void
deep_and_named_badly(void)
{
	char path[4096] = "deep";
	size_t i;

	T(mkdir(at("deep"), 0755) == 0);
	for (i = 0; i < CV_MAX_PATH_DEPTH + 2; i++) {
		cv_text_fmt(path + strlen(path), sizeof(path) - strlen(path), "/d");
		T(mkdir(at(path), 0755) == 0);
	}
	{
		struct cv_local_opts o = opts("deep");
		struct cv_local *l = NULL;
		const char *check;
		struct cv_err e;

		T_NO(cv_local_open(&l, &o, &check, &e), e, CV_R_LIMIT);
	}
	T(mkdir(at("n"), 0755) == 0);
	put("n/a\nb", "x");
	refused("n", "file.unsafe", CV_R_MALFORMED);
	T(unlink(at("n/a\nb")) == 0);
	put("n/File", "x");
	put("n/file", "y");
	refused("n", "file.unsafe", CV_R_AMBIGUOUS);
}

static void
small_files(void)
{
	struct cv_blob b = CV_NO_BLOB;
	const char *check;
	struct cv_err e = { 0 };
	int base = opts(".").base_fd;

	put("ev", "12345");
	T_INT(cv_local_file(base, "ev", 5, &b, &check, &e), 1);
	T_INT(b.len, 5);
	close(b.fd);
	T_NO(cv_local_file(base, "ev", 4, &b, &check, &e), e, CV_R_LIMIT);
	T_INT(cv_local_file(base, "no-ev", 4, &b, &check, &e), 0);
	T(mkdir(at("evdir"), 0755) == 0);
	T_NO(cv_local_file(base, "evdir", 4, &b, &check, &e), e, CV_R_RULE);
	T_NO(cv_local_file(base, "../x", 4, &b, &check, &e), e, CV_R_RULE);
}

static const struct t_case cases[] = {
	{ "fifos, sockets, devices, nothing", kinds },
	{ "links and ways out", ways_out },
	{ "too deep, bad names", deep_and_named_badly },
	{ "changed between hashing and use", changed },
	{ "another tree than was hashed", another_tree },
	{ "changes beside the globs", beside_the_globs },
	{ "out of time, taken back", stopped },
	{ "only what the globs say", globs },
	{ "one file", one_file },
	{ "a tree", a_tree },
	{ "small files", small_files },
};
T_MAIN(cases)
