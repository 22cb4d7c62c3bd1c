/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_docs.c: the examples of docs/formats.md are what our readers
 * accept. An example is the fenced block after a line "<!-- example: KIND -->".
 */
#include "tests/support/t.h"
#include "trust/base/text.h"
#include "verify/gatecfg.h"
#include "verify/launchset.h"
#include "verify/lock.h"
#include "verify/registries.h"

#include <fcntl.h>
#include <sys/stat.h>

#define DOC "docs/formats.md"

static void
read_agent(struct cv_span in)
{
	struct cv_agent *a = NULL;
	struct cv_err e;

	T_OK(cv_agent_parse(&a, "agent.json", in, &e), e);
	T(a->has_launch);
	cv_agent_free(&a);
}

static void
read_policy(struct cv_span in)
{
	struct cv_policy *p = NULL;
	struct cv_err e;

	T_OK(cv_policy_parse(&p, "policy.json", in, -1, &e), e);
	cv_policy_free(&p);
}

static void
read_lock(struct cv_span in)
{
	struct cv_lock *l = NULL;
	struct cv_err e;

	T_OK(cv_lock_parse(&l, "clawverify.lock", in, &e), e);
	cv_lock_free(&l);
}

static void
read_gatecfg(struct cv_span in)
{
	struct cv_gatecfg *g = NULL;
	struct cv_err e;

	T_OK(cv_gatecfg_parse(&g, "gate.json", in, -1, &e), e);
	cv_gatecfg_free(&g);
}

static void
read_registries(struct cv_span in)
{
	struct cv_registries *r = NULL;
	char path[500];
	struct cv_err e;

	cv_text_fmt(path, sizeof(path), "%s/clawverify", t_tmpdir());
	T(mkdir(path, 0700) == 0);
	cv_text_fmt(path, sizeof(path), "%s/clawverify/registries.json", t_tmpdir());
	t_write_file(path, in.p, in.n);
	T_OK(cv_registries_open(&r, t_tmpdir(), NULL, &e), e);
	T_STR(cv_registries_file(r), path);
	T_INT(cv_registries_mirrors(r, "docker.io")->n, 2);
	cv_registries_free(&r);
}

static void
read_launchset(struct cv_span in)
{
	struct cv_buf text = CV_BUF(65536);
	struct cv_launchset *s = NULL;
	struct cv_jdoc *doc = NULL;
	struct cv_err e;

	/* shown with line breaks */
	T_OK(cv_json_parse(&doc, "launch set", in, 0, &e), e);
	T_OK(cv_json_canonical(&text, cv_jv_json(cv_json_root(doc)), &e), e);
	T_OK(cv_launchset_parse(&s, cv_buf_span(&text), &e), e);
	cv_launchset_free(&s);
	cv_json_free(&doc);
	cv_buf_free(&text);
}

static void
read_request(struct cv_span in)
{
	struct cv_launchset *s = NULL;
	struct cv_err e;

	T_OK(cv_launchreq_parse(&s, "request", in, &e), e);
	cv_launchset_free(&s);
}

static void
read_strict(struct cv_span in)
{
	struct cv_jdoc *doc = NULL;
	struct cv_err e;

	T_OK(cv_json_parse(&doc, "example", in, 0, &e), e);
	cv_json_free(&doc);
}

static const struct {
	const char *kind;
	void (*read)(struct cv_span in);
} readers[] = {
	{ "agent", read_agent },
	{ "policy", read_policy },
	{ "lock", read_lock },
	{ "gate-config", read_gatecfg },
	{ "registries", read_registries },
	{ "launch-set", read_launchset },
	{ "launch-request", read_request },
	{ "launch", read_strict },
	{ "gate-request", read_strict },
	{ "gate", read_strict },
	{ "result", read_strict },
};

static void
examples(void)
{
	const char *mark = "<!-- example: ";
	struct cv_buf text = CV_BUF(1 << 20);
	bool seen[sizeof(readers) / sizeof(readers[0])] = { false };
	const char *p;
	struct cv_err e;

	T_INT(cv_conf_read(&text, AT_FDCWD, DOC, 1 << 20, &e), 1);
	p = cv_buf_text(&text);
	while ((p = strstr(p, mark)) != NULL) {
		const char *kind = p + strlen(mark);
		const char *start = strstr(kind, "```json\n"), *end;
		size_t n = strcspn(kind, " "), i = 0;

		T(start != NULL && start - kind < 40);
		start += strlen("```json\n");
		end = strstr(start, "\n```");
		T(end != NULL);
		while (i < sizeof(readers) / sizeof(readers[0]) &&
		       (strlen(readers[i].kind) != n || strncmp(readers[i].kind, kind, n) != 0))
			i++;
		if (i == sizeof(readers) / sizeof(readers[0]))
			t_fail(__FILE__, __LINE__, "an example of \"%.*s\"", (int)n, kind);
		readers[i].read(cv_span(start, (size_t)(end + 1 - start)));
		seen[i] = true;
		p = end;
	}
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (!seen[i])
			t_fail(__FILE__, __LINE__, "no example of \"%s\"", readers[i].kind);
	cv_buf_free(&text);
}

static const struct t_case cases[] = {
	{ "every document has an example that is accepted", examples },
};
T_MAIN(cases)
