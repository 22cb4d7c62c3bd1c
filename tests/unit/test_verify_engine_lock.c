/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_engine_lock.c: whole runs over a small agent with the real workers: what
 * the lock, the policy and endorsements have to do with the verdict.
 */
#include "tests/engine/run.h"

#include <sys/stat.h>

/* ---- the lock ---- */

static void
lock_missing(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "nolock");
	cv_lock_free(&r.lock);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "lock.absent");
	T(run_said(r.res, "", "agent.changed") != NULL);
	run_end(&s, &r);
}

/* observed: what the lock only remembers of the line at `at`: evidence (its role
 * is on the next line), key ids of signers, the policy. */
static bool
observed(const char *line)
{
	const char *next = strchr(line, '\n');
	size_t n = strcspn(line, "\n");

	return memmem(line, n, "\"keyid\"", 7) != NULL ||
	       memmem(line, n, "\"policy\"", 8) != NULL ||
	       (next != NULL && memmem(next + 1, strcspn(next + 1, "\n"), "\"role\"", 6) != NULL);
}

/* Every digest in the lock, its first digit changed. The reader refuses those
 * that contradict others; those that it takes must not pass. */
static void
lock_flipped(void)
{
	cv_auto(cv_lock_free) struct cv_lock *built = NULL;
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(CV_MAX_LOCK_FILE);
	struct small s;
	struct run r;
	size_t refused = 0, failed = 0;

	run_begin(&s, &r, "flip");
	T_OK(cv_engine_lock(&built, r.res, &r.rq, &r.e), r.e);
	T_OK(cv_lock_emit(built, &b, &r.e), r.e);
	for (char *at = (char *)b.p; (at = strstr(at, "sha256:")) != NULL; at += 7) {
		char was = at[7];
		const char *line = at;

		while (line > (const char *)b.p && line[-1] != '\n')
			line--;
		at[7] = was == '0' ? '1' : '0';
		cv_lock_free(&r.lock);
		if (cv_lock_parse(&r.lock, "l", cv_buf_span(&b), &r.e) != 0) {
			refused++;
		} else {
			run_verify(&r);
			if ((r.res->decision.outcome == CV_PASS) != observed(line))
				t_fail(__FILE__, __LINE__, "%s: %.*s",
				       cv_outcome_word(r.res->decision.outcome),
				       (int)strcspn(line, "\n"), line);
			failed += r.res->decision.outcome == CV_FAIL;
		}
		at[7] = was;
	}
	printf("# %zu refused by the reader, %zu failed\n", refused, failed);
	T(failed >= 7);
	run_end(&s, &r);
}

static void
agent_changed(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "agent");
	((struct cv_lock *)r.lock)->agent.b[0] ^= 1;
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "", "agent.changed");
	run_end(&s, &r);
}

static void
tag_moved(void)
{
	struct cv_digest other;
	struct cv_buf tar = CV_BUF(1 << 20);
	struct cv_span layer;
	struct small s;
	struct run r;
	char dir[1024];

	run_begin(&s, &r, "tag");
	f_tar_file(&tar, "b", cv_span_str("b"));
	f_tar_end(&tar);
	layer = cv_buf_span(&tar);
	other = f_image(&s.store, "linux/amd64", &layer, 1);
	cv_buf_free(&tar);
	f_sign_image(&s.store, s.key, other, F_LEGACY);
	cv_text_fmt(dir, sizeof(dir), "%s", small_path(&s, "image"));
	f_layout_write(&s.store, dir, other, "v1");
	run_verify(&r);
	run_passes(&r); /* offline: not asked */
	r.rq.offline = false;
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "lock.tag-moved");
	T(cv_digest_eq(&run_artifact(&r, "runtime")->digest, &s.image));
	run_end(&s, &r);
}

/* ---- policy ---- */

static void
policy_says(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "policy");
	r.rq.now = 2000000000;
	small_policy(&s, "", "", "\"expires\": \"2030-01-01\",");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "", "policy.expired");

	r.rq.now = 1800000000;
	run_verify(&r);
	run_passes(&r);

	small_policy(&s, "",
		     "\"match\": { \"type\": [\"skill\", \"model\"] }, \"basis\": [\"pinned\"]",
		     "");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "prompt", "policy.no-rule");

	small_policy(&s, "", "", "\"mode\": \"audit\",");
	run_policy(&r);
	run_verify(&r);
	T_INT(r.res->decision.outcome, CV_PASS);
	T(!cv_allows(r.res->decision.verdict));
	run_end(&s, &r);
}

static void
one_alone(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "only");
	r.rq.only = "llm";
	run_verify(&r);
	T_INT(r.res->nartifacts, 1);
	T_INT(r.res->artifacts[0].outcome, CV_PASS);
	T(!cv_allows(r.res->decision.verdict));
	r.rq.only = "nobody";
	cv_result_free(&r.res);
	T_NO(cv_engine_run(&r.res, &r.rq, &r.e), r.e, CV_R_USAGE);
	run_end(&s, &r);
}

/* ---- endorsements ---- */

static void
endorse(const struct small *s, const struct f_key *k, const char *name,
	const struct cv_digest *about, const char *predicate)
{
	struct cv_buf payload = CV_BUF(1 << 20), env = CV_BUF(1 << 20);
	char file[256];

	(void)mkdir(small_path(s, "endorsements"), 0755);
	f_statement(&payload, about, CV_ENDORSE_PREDICATE, predicate);
	f_dsse(&env, k, F_INTOTO, cv_buf_span(&payload));
	cv_text_fmt(file, sizeof(file), "endorsements/%s.dsse.json", name);
	t_write_file(small_path(s, file), env.p, env.n);
	cv_buf_free(&payload);
	cv_buf_free(&env);
}

static void
endorsed(void)
{
	static const struct {
		const char *predicate, *check;
		bool other_digest, other_key;
	} bad[] = {
		{ "{\"name\":\"llm\",\"type\":\"model\",\"expires\":\"2020-01-01T00:00:00Z\"}",
		  "endorse.expired", false, false },
		{ "{\"name\":\"prompt\",\"type\":\"model\",\"expires\":\"2099-01-01T00:00:00Z\"}",
		  "endorse.invalid", false, false },
		{ "{\"name\":\"llm\",\"type\":\"skill\",\"expires\":\"2099-01-01T00:00:00Z\"}",
		  "endorse.invalid", false, false },
		{ "{\"name\":\"llm\",\"type\":\"model\"}", "endorse.invalid", false, false },
		{ "{\"name\":\"llm\",\"type\":\"model\",\"expires\":\"2099-01-01T00:00:00Z\"}",
		  "endorse.invalid", true, false },
		{ "{\"name\":\"llm\",\"type\":\"model\",\"expires\":\"2099-01-01T00:00:00Z\"}",
		  "endorse.invalid", false, true },
	};
	struct cv_digest about, wrong;
	struct f_key *other = f_key_new(F_P256);
	struct small s;
	struct run r;

	run_begin(&s, &r, "endorsed");
	about = wrong = run_artifact(&r, "llm")->digest;
	wrong.b[0] ^= 1;
	small_policy(&s, "",
		     "\"basis\": [\"pinned\"] }, { \"name\": \"models\", \"match\": "
		     "{ \"type\": \"model\" }, \"basis\": [\"endorsed\"]",
		     "\"endorsers\": [\"acme\"],");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "llm", "basis.insufficient");
	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		endorse(&s, bad[i].other_key ? other : s.key, "llm",
			bad[i].other_digest ? &wrong : &about, bad[i].predicate);
		run_verify(&r);
		run_says_no(&r, CV_FAIL, "llm", bad[i].check);
		T(run_said(r.res, "llm", "basis.insufficient") != NULL);
	}
	endorse(&s, s.key, "llm", &about,
		"{\"name\":\"llm\",\"type\":\"model\",\"expires\":\"2099-01-01T00:00:00Z\"}");
	run_verify(&r);
	run_passes(&r);
	T_INT(run_artifact(&r, "llm")->basis, CV_BASIS_ENDORSED);
	f_key_free(&other);
	run_end(&s, &r);
}

static const struct t_case cases[] = {
	{ "no lock", lock_missing },
	{ "every digest of the lock", lock_flipped },
	{ "another agent than was locked", agent_changed },
	{ "a tag that moved", tag_moved },
	{ "expired, without rule, audit", policy_says },
	{ "one artifact alone", one_alone },
	{ "endorsements", endorsed },
};
T_MAIN(cases)
