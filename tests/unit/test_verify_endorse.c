/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_endorse.c: what may be endorsed, what an endorsement says, and that
 * the engine takes it for what it is. */
#include "tests/launch/seal.h"
#include "verify/endorse.h"

#include <sys/wait.h>

/* The small agent with a policy that wants everything but the image endorsed, by
 * the sealer's key. */
static void
endorsable(struct sealed *s, const char *name)
{
	cv_auto(cv_buf_free) struct cv_buf pem = CV_BUF(65536);
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(65536);
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);
	const char *p;

	seal_make(s, name);
	small_policy(&s->small, "", "\"basis\": [\"endorsed\"]", "\"endorsers\": [\"team\"],\n");
	for (p = s->trusted.pem; *p != '\0'; p++)
		if (*p == '\n')
			cv_buf_str(&pem, "\\n");
		else
			cv_buf_byte(&pem, (uint8_t)*p);
	T_INT(cv_conf_read(&text, AT_FDCWD, small_path(&s->small, "policy.json"), 65536, &s->e), 1);
	p = strstr(cv_buf_text(&text), "\"acme\":");
	T(p != NULL);
	cv_buf_add(&out, text.p, (size_t)((const uint8_t *)p - text.p));
	cv_buf_fmt(&out, "\"team\": { \"keys\": [\"%s\"] }, ", cv_buf_text(&pem));
	cv_buf_str(&out, p);
	t_write_file(small_path(&s->small, "policy.json"), out.p, out.n);
	run_policy(&s->run);
	run_mode(&s->run, CV_MODE_VERIFY);
}

static const struct cv_r_artifact *
artifact(const struct sealed *s, const char *name)
{
	for (size_t i = 0; i < s->run.res->nartifacts; i++)
		if (strcmp(s->run.res->artifacts[i].name, name) == 0)
			return &s->run.res->artifacts[i];
	t_fail(__FILE__, __LINE__, "no artifact %s", name);
}

static void
put(struct sealed *s, const char *name, int64_t expires, const struct cv_signkey *k)
{
	cv_auto(cv_buf_free) struct cv_buf env = CV_BUF(CV_MAX_ENVELOPE);
	const struct cv_endorse in = { .artifact = artifact(s, name), .expires = expires };
	char file[200];

	T_OK(cv_endorse_clean(in.artifact, &s->e), s->e);
	T_OK(cv_endorse_make(&in, k, &env, &s->e), s->e);
	(void)mkdir(small_path(&s->small, CV_ENDORSE_DIR), 0755);
	cv_text_fmt(file, sizeof(file), CV_ENDORSE_DIR "/%s.dsse.json", name);
	t_write_file(small_path(&s->small, file), env.p, env.n);
}

static void
all_but_sums(struct sealed *s)
{
	put(s, "llm", s->run.rq.now + 1000, s->key);
	put(s, "prompt", s->run.rq.now + 1000, s->key);
}

static void
counts(void)
{
	cv_auto(cv_signkey_free) struct cv_signkey *k = NULL;
	cv_auto(cv_mem_free) struct cv_mem mem = { 0 };
	struct cv_endorse_last last;
	struct cv_key other;
	struct sealed s;
	const char *file = CV_ENDORSE_DIR "/sums.dsse.json";

	endorsable(&s, "counts");
	seal_key(&k, &other, &mem, small_path(&s.small, "stranger"));
	T_INT(s.run.res->decision.outcome, CV_FAIL);
	all_but_sums(&s);
	run_verify(&s.run);
	run_says_no(&s.run, CV_FAIL, "sums", "basis.insufficient");
	put(&s, "sums", s.run.rq.now + 1000, k); /* not an endorser's key */
	run_verify(&s.run);
	T(s.run.res->decision.outcome == CV_FAIL);
	put(&s, "sums", s.run.rq.now - 1, s.key); /* ended */
	run_verify(&s.run);
	T(s.run.res->decision.outcome == CV_FAIL);
	/* that of another artifact under this name */
	{
		cv_auto(cv_buf_free) struct cv_buf env = CV_BUF(CV_MAX_ENVELOPE);

		T_INT(cv_conf_read(&env, AT_FDCWD,
				   small_path(&s.small, CV_ENDORSE_DIR "/llm.dsse.json"), 65536,
				   &s.e),
		      1);
		t_write_file(small_path(&s.small, file), env.p, env.n);
		run_verify(&s.run);
		T(s.run.res->decision.outcome == CV_FAIL);
	}
	put(&s, "sums", s.run.rq.now + 1000, s.key);
	run_verify(&s.run);
	if (s.run.res->decision.outcome != CV_PASS)
		run_show(s.run.res);
	T_INT(s.run.res->decision.outcome, CV_PASS);
	T_INT(artifact(&s, "sums")->basis, CV_BASIS_ENDORSED);
	T_INT(cv_endorse_read(&last, small_path(&s.small, file), &s.e), 1);
	T(cv_digest_eq(&last.subject, &artifact(&s, "sums")->digest));
	seal_free(&s);
}

/* Nothing that a check is against is endorsed, whatever else is fine. */
static void
not_clean(void)
{
	static const enum cv_outcome bad[] = { CV_FAIL, CV_UNKNOWN };
	struct sealed s;

	endorsable(&s, "clean");
	for (size_t i = 0; i < s.run.res->nartifacts; i++) {
		struct cv_r_artifact *a = &s.run.res->artifacts[i];

		if (strcmp(a->name, "sums") != 0)
			continue;
		T_OK(cv_endorse_clean(a, &s.e), s.e);
		for (size_t k = 0; k < a->nfindings; k++) {
			struct cv_answer was = a->findings[k].a;

			if (!was.required || strcmp(was.f.check, "basis.insufficient") == 0)
				continue;
			for (size_t b = 0; b < CV_COUNT(bad); b++) {
				a->findings[k].a.f.outcome = bad[b];
				a->findings[k].a.f.reason =
					bad[b] == CV_FAIL ? CV_R_RULE : CV_R_WORKER;
				T(cv_endorse_clean(a, &s.e) == -1);
			}
			a->findings[k].a = was;
		}
		T(a->nfindings > 3);
		a->nfindings = 1; /* planned checks without an answer */
		T(cv_endorse_clean(a, &s.e) == -1);
	}
	small_flip(small_path(&s.small, "skill/SKILL.md"), 3);
	run_verify(&s.run); /* not what was locked */
	T(cv_endorse_clean(artifact(&s, "sums"), &s.e) == -1);
	seal_free(&s);
}

static void
whole_command(void)
{
	struct cv_endorse_last last;
	struct sealed s;
	char cmd[4000], path[1100];
	const char *file = CV_ENDORSE_DIR "/sums.dsse.json";
	struct stat st;

	cv_text_fmt(path, sizeof(path), "%s/clawverify", t_build());
	if (access(path, X_OK) != 0)
		t_skip("%s is not built", path);
	endorsable(&s, "command");
	t_write_file(small_path(&s.small, "clawverify.lock"), s.lock_text.p, s.lock_text.n);
	cv_text_fmt(
		cmd, sizeof(cmd),
		"HOME=%s XDG_STATE_HOME=%s XDG_CACHE_HOME=%s %s endorse sums %s --offline --key "
		"%s/sealer.key </dev/null >/dev/null 2>&1",
		s.small.dir, s.small.dir, s.small.dir, path, s.small.dir, s.small.dir);
	T_INT(WEXITSTATUS(system(cmd)), 2); /* nobody agreed */
	T(stat(small_path(&s.small, file), &st) != 0);
	cv_text_fmt(cmd + strlen(cmd) - strlen("</dev/null >/dev/null 2>&1"), 100,
		    "--yes --expires 5d </dev/null >/dev/null 2>&1");
	T_INT(WEXITSTATUS(system(cmd)), 0);
	T_INT(cv_endorse_read(&last, small_path(&s.small, file), &s.e), 1);
	T(cv_digest_eq(&last.subject, &artifact(&s, "sums")->digest));
	small_flip(small_path(&s.small, "skill/SKILL.md"), 3);
	T_INT(WEXITSTATUS(system(cmd)), 1); /* not what was locked */
	seal_free(&s);
}

static const struct t_case cases[] = {
	{ "an endorsement counts, and what is none does not", counts },
	{ "only what is clean", not_clean },
	{ "the whole command", whole_command },
};
T_MAIN(cases)
