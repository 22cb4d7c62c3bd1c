/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public conformance suite's bundles (CV_SHARED/data/sigstore-conformance), by
 * key: those with a key of their own verify with it, or not, as their name says; every
 * other one was made with a certificate, and whatever it is, no key vouches for it.
 * Logs are not judged here, so that a case that fails by its log alone would pass; the
 * suite has none with a key.
 */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "trust/base/text.h"
#include "trust/base/worker.h"
#include "trust/key.h"
#include "trust/tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "trust/base/banned.h"

static int
serve_many(void)
{
	const struct cv_task_def tasks[] = { cv_task_blob, { .task = 0 } };
	const struct cv_worker_def def = {
		.name = "trust", .seal = 1, .many = true, .warm = cv_key_warm, .tasks = tasks
	};

	return cv_worker_main(&def, 0, NULL);
}

static const char *
suite(void)
{
	static char path[512];
	const char *shared = getenv("CV_SHARED");

	cv_text_fmt(path, sizeof(path), "%s/data/sigstore-conformance",
		    shared != NULL ? shared : "../shared");
	if (access(path, R_OK) != 0)
		t_skip("%s is not there", path);
	return path;
}

/* False when there is none. */
static bool
read_one(struct cv_buf *b, const char *dir, const char *name)
{
	char path[1024];
	cv_auto(cv_closep) int fd = -1;
	struct cv_err e;

	*b = CV_BUF(16 << 20);
	cv_text_fmt(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	T_OK(cv_buf_read_fd(b, fd, path, &e), e);
	return true;
}

static struct d_answer
run(struct d_worker *w, struct cv_span artifact, const char *pem, struct cv_span bundle)
{
	struct f_store none = { .n = 0 };
	struct cv_out *o = d_task(w, CV_T_BLOB);
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_of(&d, CV_SHA256, artifact, &e), e);
	cv_out_digest(o, CV_TAG_DIGEST, &d);
	cv_out_str(o, CV_TAG_NAME, "artifact");
	cv_out_u64(o, CV_TAG_NOW, 1800000000);
	d_blob(w, artifact);
	d_send(w);
	o = d_item(w, CV_ROLE_EVIDENCE);
	cv_out_str(o, CV_TAG_NAME, "bundle");
	cv_out_u64(o, CV_TAG_KIND, CV_EV_BUNDLE);
	d_blob(w, bundle);
	d_send(w);
	d_key(w, "key", pem);
	return d_run(w, &none);
}

/* 1 if it was made with a key, 0 if not. */
static size_t
one_case(struct d_worker *w, const char *root, const char *name, const char *other)
{
	struct cv_buf bundle, artifact, key;
	char dir[1024];
	bool keyed, good = strstr(name, "_fail") == NULL;
	struct d_answer a;

	cv_text_fmt(dir, sizeof(dir), "%s/bundle-verify/%s", root, name);
	T(read_one(&bundle, dir, "bundle.sigstore.json"));
	if (!read_one(&artifact, dir, "artifact"))
		T(read_one(&artifact, root, "a.txt"));
	keyed = read_one(&key, dir, "key.pub");
	a = run(w, cv_buf_span(&artifact), keyed ? cv_buf_text(&key) : other, cv_buf_span(&bundle));
	/* the wrong key of the suite is no well-formed PEM block either */
	if ((!a.done && (good || a.error.reason != CV_R_MALFORMED)) ||
	    d_facts(&a, CV_F_SIGNER) != (keyed && good ? 1u : 0u)) {
		d_print(&a);
		t_fail(__FILE__, __LINE__, "%s", name);
	}
	if (!keyed && good) /* nothing is wrong with it: nobody here is trusted by name */
		T_INT(d_reason(&a, "sig.identity-mismatch"), CV_R_IDENTITY);
	if (!keyed)
		T_INT(d_reason(&a, "sig.invalid"), CV_R_COUNT);
	d_answer_free(&a);
	cv_buf_free(&bundle);
	cv_buf_free(&artifact);
	cv_buf_free(&key);
	return keyed;
}

static void
conformance_bundles(void)
{
	const char *root = suite();
	struct f_key *other = f_key_new(F_P256);
	struct d_worker w = { 0 };
	size_t n = 0, keyed = 0;
	struct dirent *d;
	char path[600];
	DIR *list;

	cv_text_fmt(path, sizeof(path), "%s/bundle-verify", root);
	list = opendir(path);
	T(list != NULL);
	d_fork(&w, serve_many);
	while ((d = readdir(list)) != NULL) {
		if (d->d_name[0] == '.' || strchr(d->d_name, '.') == d->d_name + 1 ||
		    strcmp(d->d_name, "README.md") == 0 || strcmp(d->d_name, "a.txt") == 0)
			continue;
		keyed += one_case(&w, root, d->d_name, f_key_pem(other));
		n++;
	}
	closedir(list);
	d_close(&w);
	f_key_free(&other);
	printf("# %zu bundles, %zu by key\n", n, keyed);
	T(n >= 60 && keyed >= 3);
}

static const struct t_case cases[] = {
	{ "the conformance suite's bundles, by key", conformance_bundles },
};

T_MAIN(cases)
