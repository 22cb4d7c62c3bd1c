/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_guarded.c: what others could exchange decides nothing: the file, its
 * directories, and each link on the way. */
#include "tests/support/t.h"
#include "verify/gatecfg.h"
#include "verify/guarded.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/text.h"

#include "trust/base/banned.h"

static const char *
in(const char *name)
{
	static char path[4][600];
	static unsigned at;

	at = (at + 1) % 4;
	cv_text_fmt(path[at], sizeof(path[at]), "%s/%s", t_tmpdir(), name);
	return path[at];
}

static void
make(const char *dir, mode_t mode, const char *file, mode_t file_mode)
{
	T(mkdir(in(dir), 0700) == 0);
	t_write_file(in(file), "x", 1);
	T(chmod(in(file), file_mode) == 0);
	T(chmod(in(dir), mode) == 0);
}

static void
yes(const char *path)
{
	struct cv_err e;

	T_OK(cv_guarded(AT_FDCWD, path, &e), e);
}

static void
no(const char *path, const char *text)
{
	struct cv_err e;

	T_NO(cv_guarded(AT_FDCWD, path, &e), e, CV_R_CONFIG);
	T_HAS(e.text, text);
	T_HAS(e.text, path);
}

static void
modes(void)
{
	make("good", 0755, "good/f", 0644);
	yes(in("good/f"));
	make("private", 0700, "private/f", 0600);
	yes(in("private/f"));
	make("sticky", 01777, "sticky/f", 0644);
	yes(in("sticky/f"));
	make("group", 0775, "group/f", 0644);
	no(in("group/f"), "others can write group (mode 0775)");
	make("all", 0777, "all/f", 0644);
	no(in("all/f"), "mode 0777");
	make("filegroup", 0755, "filegroup/f", 0664);
	no(in("filegroup/f"), "others can write it (mode 0664)");
	make("fileall", 0755, "fileall/f", 0646);
	no(in("fileall/f"), "mode 0646");
	/* a directory above */
	T(mkdir(in("all/below"), 0755) == 0);
	t_write_file(in("all/below/f"), "x", 1);
	T(chmod(in("all/below/f"), 0644) == 0);
	no(in("all/below/f"), "others can write all");
	no(in("good/nothing"), "no such file");
	no(in("good/f/x"), "good/f/x");
}

static void
links(void)
{
	T(symlink("good/f", in("to-good")) == 0);
	yes(in("to-good"));
	T(symlink("good", in("dir-good")) == 0);
	yes(in("dir-good/f"));
	T(symlink("../good/f", in("good/up")) == 0);
	yes(in("good/up"));
	T(symlink("all/f", in("to-all")) == 0);
	no(in("to-all"), "others can write all");
	/* a link that others can exchange, to a file that they cannot */
	T(symlink(in("good/f"), in("all/link")) == 0);
	no(in("all/link"), "others can write all");
	T(symlink("all/link", in("two")) == 0);
	no(in("two"), "others can write all");
	T(symlink("loop", in("loop")) == 0);
	no(in("loop"), "links");
}

static void
below_a_directory(void)
{
	struct cv_err e;
	int good = open(in("good"), O_RDONLY | O_DIRECTORY),
	    all = open(in("all"), O_RDONLY | O_DIRECTORY);

	T(good >= 0 && all >= 0);
	T_OK(cv_guarded(good, "f", &e), e);
	T_NO(cv_guarded(all, "f", &e), e, CV_R_CONFIG);
	T_NO(cv_guarded(good, "../all/f", &e), e, CV_R_CONFIG);
	(void)close(good);
	(void)close(all);
}

static void
owners(void)
{
	if (geteuid() != 0) {
		t_skip("needs root");
		return;
	}
	make("theirs", 0755, "theirs/f", 0644);
	T(chown(in("theirs/f"), 65534, 65534) == 0);
	no(in("theirs/f"), "f belongs to user 65534");
	T(chown(in("theirs/f"), 0, 0) == 0 && chown(in("theirs"), 65534, 65534) == 0);
	no(in("theirs/f"), "theirs belongs to user 65534");
	/* their link in a sticky directory */
	T(symlink("../good/f", in("sticky/link")) == 0);
	yes(in("sticky/link"));
	T(lchown(in("sticky/link"), 65534, 65534) == 0);
	no(in("sticky/link"), "link belongs to user 65534");
}

/* gate.json, and the keys that it names */
static void
gates(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
				  "-----END PUBLIC KEY-----\n";
	static const char text[] = "{ \"schema\": \"clawverify.gate-config/1\",\n"
				   "\"policies\": [{ \"name\": \"p\", \"path\": \"/p\" }],\n"
				   "\"bundle_keys\": [\"host.pub\"] }\n";
	struct cv_gatecfg *g = NULL;
	struct cv_err e;

	T(mkdir(in("gate"), 0755) == 0);
	t_write_file(in("gate/gate.json"), text, sizeof(text) - 1);
	t_write_file(in("gate/host.pub"), pem, sizeof(pem) - 1);
	T(chmod(in("gate/gate.json"), 0644) == 0 && chmod(in("gate/host.pub"), 0644) == 0);
	T_OK(cv_gatecfg_load(&g, in("gate/gate.json"), &e), e);
	cv_gatecfg_free(&g);
	T(chmod(in("gate/host.pub"), 0666) == 0);
	T_NO(cv_gatecfg_load(&g, in("gate/gate.json"), &e), e, CV_R_CONFIG);
	T_HAS(e.text, "host.pub");
	T(chmod(in("gate/host.pub"), 0644) == 0 && chmod(in("gate"), 0777) == 0);
	T_NO(cv_gatecfg_load(&g, in("gate/gate.json"), &e), e, CV_R_CONFIG);
	T_HAS(e.text, "others can write gate");
}

static const struct t_case cases[] = { { "modes", modes },
				       { "links", links },
				       { "below a directory", below_a_directory },
				       { "owners", owners },
				       { "gate.json and its keys", gates } };

T_MAIN(cases)
