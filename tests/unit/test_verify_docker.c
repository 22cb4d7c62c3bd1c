/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_docker.c: how a command is printed, and what a path of the host is when it is
 * bound. */
#include "tests/support/t.h"
#include "verify/docker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

/* in: a path below the test's own directory, in one of a few places used in turn. */
static const char *
in(const char *name)
{
	static char path[4][500];
	static unsigned at;

	at = (at + 1) % 4;
	cv_text_fmt(path[at], sizeof(path[at]), "%s/%s", t_tmpdir(), name);
	return path[at];
}

static void
quoting(void)
{
	cv_auto(cv_args_free) struct cv_args a = { 0 };
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(1000);

	cv_args_add(&a, "%s", "plain-1.0/x=y:z");
	cv_args_add(&a, "%s", "");
	cv_args_add(&a, "%s", "it's $HOME `x`");
	cv_args_add(&a, "%s", "~");
	cv_args_add(&a, "%s", "h\xc3\xa9 \\");
	cv_args_quoted(&a, &out);
	T_STR(cv_buf_text(&out), "plain-1.0/x=y:z '' 'it'\\''s $HOME `x`' '~' 'h\xc3\xa9 \\'");
}

/* What a terminal would act on, or hide, is bytes; a shell makes them of it again. */
static void
quoting_hidden(void)
{
	static const char *const hidden[] = {
		"a\nb",
		"\033[2K\rrm",
		"x\xe2\x80\xaey",
		"x\xe2\x80\x8by",
		"\xff\xfe",
		("\xc2\x9b"
		 "1m"),
		"\033'$(x)\\\n",
		"\x7f",
		"h\xc3\xa9\n",
		"\0019",
	};

	for (size_t i = 0; i < CV_COUNT(hidden); i++) {
		cv_auto(cv_args_free) struct cv_args a = { 0 };
		cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(1000);
		char cmd[1200], back[200] = "";
		FILE *f;

		cv_args_add(&a, "%s", hidden[i]);
		cv_args_quoted(&a, &out);
		for (size_t k = 0; k < out.n; k++)
			T(out.p[k] >= ' ' && out.p[k] <= '~');
		T_INT(strncmp(cv_buf_text(&out), "$'", 2), 0);
		cv_text_fmt(cmd, sizeof(cmd), "exec printf %%s %s", cv_buf_text(&out));
		T(setenv("CV_TEST_WORDS", cmd, 1) == 0);
		f = popen("exec bash -c \"$CV_TEST_WORDS\"", "r");
		T(f != NULL);
		back[fread(back, 1, sizeof(back) - 1, f)] = '\0';
		T_INT(pclose(f), 0);
		T_STR(back, hidden[i]);
	}
}

/* A path of the host is judged by what it is when it is bound. */
static void
bound_paths(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct cv_err e;
	char host[600], path[500];
	const char *check = NULL, *env[2] = { host, NULL };
	struct cv_docker d = { .environ = env };
	struct cv_hostbind b = { .target = "/x", .readonly = true };
	struct cv_launchset l = { .binds = &b, .nbinds = 1 };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	const struct {
		const char *source;
		enum cv_reason reason; /* CV_R_NONE: passes */
	} cases[] = {
		{ "data", CV_R_NONE },          { "file", CV_R_NONE },
		{ "link-data", CV_R_NONE },     { "deep/engine.sock", CV_R_RULE },
		{ "deep", CV_R_RULE },          { "link-deep", CV_R_RULE },
		{ "link-sock", CV_R_RULE },     { ".", CV_R_RULE },
		{ "link-run", CV_R_RULE },      { "link-root", CV_R_RULE },
		{ "link-link-run", CV_R_RULE }, { "nothing", CV_R_USAGE },
		{ "other.sock", CV_R_RULE },
	};

	T(mkdir(in("data"), 0755) == 0 && mkdir(in("deep"), 0755) == 0);
	T(close(open(in("file"), O_WRONLY | O_CREAT | O_EXCL, 0644)) == 0);
	cv_text_fmt(path, sizeof(path), "%s", in("deep/engine.sock"));
	T(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path) + 1);
	T(bind(sock, (struct sockaddr *)&at, sizeof(at)) == 0);
	cv_text_fmt(host, sizeof(host), "DOCKER_HOST=unix://%s", path);
	T(link(path, in("other.sock")) == 0);
	T(symlink("data", in("link-data")) == 0);
	T(symlink("deep", in("link-deep")) == 0);
	T(symlink("deep/engine.sock", in("link-sock")) == 0);
	T(symlink("/run", in("link-run")) == 0);
	T(symlink("link-run", in("link-link-run")) == 0);
	T(symlink("/", in("link-root")) == 0);
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		char source[500];
		int r;

		cv_text_fmt(source, sizeof(source), "%s", in(cases[i].source));
		b.source = source;
		for (int way = 0; way < 2; way++) { /* by DOCKER_HOST, and by --host */
			d.host = way == 1 ? host + strlen("DOCKER_HOST=") : NULL;
			env[0] = way == 1 ? "DOCKER_HOST=unix:///nowhere" : host;
			r = cv_docker_binds(&d, &l, &check, &e);
			if ((r == 0) != (cases[i].reason == CV_R_NONE))
				t_fail(__FILE__, __LINE__, "%s: %d", cases[i].source, r);
			if (r != 0)
				T_INT(e.reason, cases[i].reason);
			T_STR(check != NULL ? check : "none",
			      cases[i].reason == CV_R_RULE ? "launch.docker-socket" : "none");
			check = NULL;
		}
	}
	/* what policy saw and allowed by its name; an engine elsewhere has its own files */
	b.source = "/run/docker.sock";
	T_OK(cv_docker_binds(&d, &l, &check, &e), e);
	cv_text_fmt(path, sizeof(path), "%s", in("deep"));
	b.source = path;
	d.host = "ssh://elsewhere";
	T_OK(cv_docker_binds(&d, &l, &check, &e), e);
	d.host = NULL; /* the CLI's own default is on this host */
	env[0] = NULL;
	b.source = in("link-run");
	T_NO(cv_docker_binds(&d, &l, &check, &e), e, CV_R_RULE);
	(void)close(sock);
}

static const struct t_case cases[] = { { "quoting for a shell", quoting },
				       { "quoting what hides", quoting_hidden },
				       { "what is bound", bound_paths } };

T_MAIN(cases)
