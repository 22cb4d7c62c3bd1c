/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_launchmem.c: allocations fail, each alone, while a bundle is sealed,
 * opened, asked about: never a bundle that is not whole, never an allow that is
 * not the one that is given with all memory.
 */
#include "tests/launch/seal.h"
#include "tests/support/nomem.h"
#include "verify/gate.h"

#include <dirent.h>

/* There are thousands: one of so many is enough for a check that runs often. */
#define STEP      4
#define STEP_SEAL 17

static void
need_allocator(void)
{
	if (!T_NOMEM)
		t_skip("a sanitizer's allocator");
}

static void
opening(void)
{
	struct sealed s;
	size_t k = 1, failed = 0;
	bool hit = true;

	need_allocator();
	seal_good(&s, "opening");
	for (; hit; k += STEP) {
		cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
		const char *check = NULL;
		int r;

		s.e.reason = CV_R_NONE;
		t_nomem(k);
		r = seal_open(&s, &b, &check);
		hit = t_nomem_hit();
		if (r == 0 ? b == NULL || !cv_digest_eq(&b->digest, &s.digest)
			   : cv_reason_exit(s.e.reason) == CV_EXIT_PASS || b != NULL)
			t_fail(__FILE__, __LINE__, "allocation %zu: %d %s", k, r, s.e.text);
		/* short of memory is not "changed" nor "untrusted" */
		if (r != 0 && cv_reason_exit(s.e.reason) == CV_EXIT_FAIL)
			t_fail(__FILE__, __LINE__, "allocation %zu: %s (%s)", k, s.e.text,
			       cv_reason_word(s.e.reason));
		failed += r != 0;
		T(hit || r == 0);
	}
	T(failed > k / STEP / 2);
	seal_free(&s);
}

static unsigned
left_over(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		n += strncmp(entry->d_name, ".seal-", 6) == 0;
	if (d != NULL)
		closedir(d);
	return n;
}

static void
sealing(void)
{
	struct sealed s;
	size_t k = 1, failed = 0;
	bool hit = true;

	need_allocator();
	seal_make(&s, "sealing");
	for (; hit; k += STEP_SEAL) {
		struct cv_err ignored;
		int r;

		s.e.reason = CV_R_NONE;
		t_nomem(k);
		r = seal_try(&s);
		hit = t_nomem_hit();
		if (r == 0) {
			cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
			const char *check;

			T_OK(seal_open(&s, &b, &check), s.e);
		} else if (cv_reason_exit(s.e.reason) == CV_EXIT_PASS ||
			   cv_reason_exit(s.e.reason) == CV_EXIT_FAIL) {
			t_fail(__FILE__, __LINE__, "allocation %zu: %s (%s)", k, s.e.text,
			       cv_reason_word(s.e.reason));
		}
		failed += r != 0;
		T(hit || r == 0);
		/* a new one each time; clearing up may have been what failed */
		if (access(s.dir, F_OK) == 0) {
			T(left_over(s.dir) <= 1);
			T_OK(cv_dir_remove(AT_FDCWD, s.dir, &ignored), ignored);
		}
	}
	T(failed > k / STEP_SEAL / 2);
	seal_free(&s);
}

static void
asking(void)
{
	cv_auto(cv_gatecfg_free) struct cv_gatecfg *gate = NULL;
	cv_auto(cv_buf_free) struct cv_buf request = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf set = CV_BUF(CV_MAX_JSON_DOM);
	char config[2048], digest[CV_DIGEST_TEXT];
	struct sealed s;
	struct cv_gate_in in;
	size_t k = 1, refused = 0;
	bool hit = true;

	need_allocator();
	seal_good(&s, "asking");
	cv_text_fmt(
		config, sizeof(config),
		"{ \"schema\": \"clawverify.gate-config/1\", \"bundle_keys\": [\"sealer.pub\"], "
		"\"policies\": [{ \"name\": \"own\", \"path\": \"%s\" }] }\n",
		small_path(&s.small, "policy.json"));
	t_write_file(small_path(&s.small, "gate.json"), config, strlen(config));
	T_OK(cv_gatecfg_load(&gate, small_path(&s.small, "gate.json"), &s.e), s.e);
	/* the sealed launch set is a request in all but its name */
	T_INT(cv_conf_read(&set, AT_FDCWD, seal_at(&s, "launch-set.json"), CV_MAX_JSON_DOM, &s.e),
	      1);
	{
		char *name = strstr((char *)set.p, "clawverify.launch-set/1");

		T(name != NULL);
		cv_buf_fmt(&request,
			   "{ \"schema\": \"clawverify.gate-request/1\", \"bundle\": \"%s\", "
			   "\"launch\": %.*sclawverify.launch-request/1%s }",
			   cv_digest_text(&s.digest, digest), (int)(name - (char *)set.p),
			   (char *)set.p, name + strlen("clawverify.launch-set/1"));
	}
	in = (struct cv_gate_in){ .request = cv_buf_span(&request),
				  .gate = gate,
				  .bundles = s.dir,
				  .now = (int64_t)time(NULL),
				  .role = { .dir = t_build(), .cancel_fd = -1 } };
	for (; hit; k += STEP) {
		cv_auto(cv_gate_answer_free) struct cv_gate_answer a = { 0 };

		t_nomem(k);
		cv_gate_ask(&a, &in);
		hit = t_nomem_hit();
		T(a.exit == CV_EXIT_PASS ? a.nreasons == 0 && a.bundle != NULL &&
						   cv_digest_eq(&a.bundle->digest, &s.digest)
					 : a.nreasons > 0);
		if (a.exit == CV_EXIT_FAIL) /* it was not found out, which is no denial */
			t_fail(__FILE__, __LINE__, "allocation %zu: %s", k, a.reasons[0].text);
		refused += a.exit != CV_EXIT_PASS;
		T(hit || a.exit == CV_EXIT_PASS);
	}
	T(refused > k / STEP / 2);
	seal_free(&s);
}

static const struct t_case cases[] = {
	{ "opening a bundle", opening },
	{ "sealing one", sealing },
	{ "asking the gate", asking },
};
T_MAIN(cases)
