/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_bundle_seal.c: a bundle is sealed of what passed, whole or not at all:
 * killed, at once, on a full disk, in a directory of others. */
#include "tests/launch/seal.h"
#include "verify/bundle_dir.h"
#include "verify/bundle_int.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- sealing ---- */

static void
not_what_passed(void)
{
	struct sealed s;

	seal_make(&s, "notpassed");
	s.run.res->decision.verdict = (cv_verdict){ 1 };
	T_NO(seal_try(&s), s.e, CV_R_RULE);
	run_verify(&s.run);
	s.run.res->audit = true;
	T_NO(seal_try(&s), s.e, CV_R_RULE);
	run_verify(&s.run);
	s.run.res->historical = true;
	T_NO(seal_try(&s), s.e, CV_R_RULE);
	run_verify(&s.run);
	s.run.res->partial = true;
	T_NO(seal_try(&s), s.e, CV_R_RULE);
	T(access(s.dir, F_OK) != 0);
	seal_free(&s);
}

/* Nothing but whole bundles has a name. */
static unsigned
named(const char *dir, unsigned *temporary)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	*temporary = 0;
	while (d != NULL && (entry = readdir(d)) != NULL) {
		n += strncmp(entry->d_name, "sha256-", 7) == 0;
		*temporary += strncmp(entry->d_name, ".seal-", 6) == 0;
	}
	if (d != NULL)
		closedir(d);
	return n;
}

static void
changed_after_the_verdict(void)
{
	static const char *const files[] = { "system.md", "model/model.safetensors" };
	struct sealed s;
	unsigned temporary;

	seal_make(&s, "late");
	for (size_t i = 0; i < CV_COUNT(files); i++) {
		small_flip(small_path(&s.small, files[i]), -2);
		T_NO(seal_try(&s), s.e, CV_R_DIGEST);
		T_INT(named(s.dir, &temporary), 0);
		T_INT(temporary, 0);
		small_flip(small_path(&s.small, files[i]), -2);
	}
	T_OK(seal_try(&s), s.e);
	seal_free(&s);
}

static void
twice_the_same(void)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	struct cv_digest first;
	struct sealed s;
	const char *check;
	unsigned temporary;
	int64_t until;

	seal_good(&s, "twice");
	first = s.digest;
	until = s.run.res->valid_until;
	s.run.rq.now += 5;
	run_verify(&s.run);
	T_OK(seal_try(&s), s.e);
	T(cv_digest_eq(&first, &s.digest));
	T_INT(named(s.dir, &temporary), 1);
	T_INT(temporary, 0);
	s.run.rq.now -= 5;
	{
		struct cv_bundle_trust trust = seal_trust(&s);

		trust.now += 6;
		T_OK(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e);
	}
	T_INT(b->vsa.not_after, until + 5); /* the verdict is the new one */

	/* one that is broken is replaced, one that somebody broke again too */
	T(chmod(seal_at(&s, "trees/sums/SKILL.md"), 0644) == 0);
	small_flip(seal_at(&s, "trees/sums/SKILL.md"), 3);
	run_verify(&s.run);
	T_OK(seal_try(&s), s.e);
	cv_bundle_close(&b);
	T_OK(seal_open(&s, &b, &check), s.e);
	T_INT(named(s.dir, &temporary), 1);
	T_INT(temporary, 0);
	seal_free(&s);
}

/* Killed at moments spread over the whole time: never a name for half of it. */
static void
killed(void)
{
	struct sealed s;
	unsigned temporary, i;

	seal_make(&s, "killed");
	for (i = 0; i < 40; i++) {
		pid_t pid = fork();
		int status;

		T(pid >= 0);
		if (pid == 0) {
			_exit(seal_try(&s) == 0 ? 0 : 1);
		}
		usleep(i * 400);
		kill(pid, SIGKILL);
		T(waitpid(pid, &status, 0) == pid);
		if (named(s.dir, &temporary) == 0)
			continue;
		/* it got its name: then it is whole */
		{
			cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
			DIR *d = opendir(s.dir);
			struct dirent *entry;
			const char *check;

			while ((entry = readdir(d)) != NULL)
				if (strncmp(entry->d_name, "sha256-", 7) == 0)
					cv_text_fmt(s.path, sizeof(s.path), "%s/%s", s.dir,
						    entry->d_name);
			closedir(d);
			T_OK(seal_open(&s, &b, &check), s.e);
		}
	}
	T_OK(seal_try(&s), s.e); /* and sweeps what the killed ones left */
	T_INT(named(s.dir, &temporary), 1);
	T_INT(temporary, 0);
	seal_free(&s);
}

/* Many at once, the same bundle, over and over: one name, whole, and all of them
 * succeed. Who looks at it while another renews it must not take it for broken. */
static void
at_once(void)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	pid_t pids[6];
	struct sealed s;
	unsigned temporary;
	const char *check;
	int status;

	seal_make(&s, "atonce");
	for (size_t i = 0; i < CV_COUNT(pids); i++) {
		pids[i] = fork();
		T(pids[i] >= 0);
		if (pids[i] == 0) {
			int bad = 0;

			for (unsigned k = 0; k < 30 && bad == 0; k++)
				bad = seal_try(&s);
			_exit(bad == 0 ? 0 : 1);
		}
	}
	for (size_t i = 0; i < CV_COUNT(pids); i++) {
		T(waitpid(pids[i], &status, 0) == pids[i]);
		T(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	T_INT(named(s.dir, &temporary), 1);
	T_INT(temporary, 0);
	T_OK(seal_try(&s), s.e);
	T_OK(seal_open(&s, &b, &check), s.e);
	seal_free(&s);
}

static void
full_disk(void)
{
	struct sealed s;
	unsigned temporary, size;

	if (geteuid() != 0)
		t_skip("mounting a small file system needs root");
	seal_make(&s, "full");
	T(mkdir(s.dir, 0700) == 0);
	for (size = 4096; size <= 65536; size += 12288) {
		char opts[64];

		(void)snprintf(opts, sizeof(opts), "size=%u,mode=700", size);
		if (mount("none", s.dir, "tmpfs", 0, opts) != 0)
			t_skip("no tmpfs can be mounted here");
		T(seal_try(&s) == -1);
		T_INT(s.e.reason, CV_R_DISK);
		T_INT(named(s.dir, &temporary), 0);
		T_INT(temporary, 0);
		T(umount(s.dir) == 0);
	}
	T_OK(seal_try(&s), s.e);
	seal_free(&s);
}

static void
directory_of_others(void)
{
	struct sealed s;
	char resolved[4096];

	seal_make(&s, "others");
	T(mkdir(s.dir, 0777) == 0 && chmod(s.dir, 0777) == 0);
	T_NO(seal_try(&s), s.e, CV_R_CONFIG);
	T(chmod(s.dir, 0755) == 0);
	T_OK(seal_try(&s), s.e);
	T(realpath(s.path, resolved) != NULL);
	T_OK(cv_dir_guarded(resolved, &s.e), s.e);
	T(chmod(s.dir, 0775) == 0);
	T_NO(cv_dir_guarded(resolved, &s.e), s.e, CV_R_RULE);
	T(chmod(s.dir, 0755) == 0 && chmod(s.path, 0757) == 0);
	T_NO(cv_dir_guarded(resolved, &s.e), s.e, CV_R_RULE);
	seal_free(&s);
}

/* A member of another user: who owns it can make it writable after the last look. */
static void
foreign_owner(void)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	struct cv_bundle_trust trust;
	struct sealed s;
	const char *check;
	char path[4200];

	if (geteuid() != 0)
		t_skip("giving a file away needs root");
	seal_good(&s, "owner");
	trust = seal_trust(&s);
	cv_text_fmt(path, sizeof(path), "%s/trees", s.path);
	T(chown(path, 65534, 65534) == 0);
	T_NO(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e, CV_R_RULE);
	T_HAS(s.e.text, "belongs to user 65534");
	T(chown(path, 0, 0) == 0);
	T_OK(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e);
	seal_free(&s);
}

static const struct t_case cases[] = {
	{ "only what passed is sealed", not_what_passed },
	{ "changed between verdict and sealing", changed_after_the_verdict },
	{ "sealed twice: the same, with a new verdict; broken: replaced", twice_the_same },
	{ "killed while sealing", killed },
	{ "sealed by many at once", at_once },
	{ "a full disk", full_disk },
	{ "directories that others may write", directory_of_others },
	{ "a member of another user", foreign_owner },
};
T_MAIN(cases)
