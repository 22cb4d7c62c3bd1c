/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_engine_sbom.c: a signed SBOM against an advisory index, in a whole
 * run. */
#include "tests/engine/run.h"
#include "verify/role.h"

#include <sys/mman.h>

/* begin: a locked agent of its own. */
static void
begin(struct small *s, struct run *r, const char *name)
{
	small_make(s, run_dir(name));
	run_open(r, s);
	run_lock(r);
}

static void
end(struct small *s, struct run *r)
{
	run_close(r);
	small_free(s);
}

static void
passes(struct run *r)
{
	if (r->res->decision.outcome != CV_PASS)
		run_show(r->res);
	T_INT(r->res->decision.outcome, CV_PASS);
	T(cv_allows(r->res->decision.verdict));
}

static const struct cv_r_artifact *
artifact(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->res->nartifacts; i++)
		if (strcmp(r->res->artifacts[i].name, name) == 0)
			return &r->res->artifacts[i];
	t_fail(__FILE__, __LINE__, "no artifact %s", name);
}

/* index_of: one advisory, compiled by the contents worker as \"db import\" does. */
static struct cv_blob
index_of(const struct run *r, const char *advisory)
{
	const struct cv_role_opts o = { .dir = r->workers, .cancel_fd = -1 };
	const struct cv_role_on on = { .pipe_fd = -1 };
	cv_auto(cv_role_end) struct cv_role *role = NULL;
	struct cv_blob in = { .fd = t_memfd(advisory, strlen(advisory)), .len = strlen(advisory) };
	struct cv_blob out = { .fd = memfd_create("db", MFD_CLOEXEC) };
	const char *check;
	struct cv_out *f;
	struct cv_err e;
	off_t n;

	T_OK(cv_role_start(&role, CV_ROLE_IMPORT, &o, &e), e);
	f = cv_role_frame(role, CV_K_TASK);
	cv_out_u64(f, CV_TAG_TASK, CV_T_DBIMPORT);
	cv_out_fd(f, CV_TAG_OUT, out.fd);
	cv_out_u64(f, CV_TAG_NOW, (uint64_t)r->rq.now);
	cv_out_str(f, CV_TAG_NAME, "test");
	T_OK(cv_role_send(role, &e), e);
	f = cv_role_frame(role, CV_K_ITEM);
	cv_out_u64(f, CV_TAG_ROLE, CV_ROLE_ADVISORIES);
	cv_out_str(f, CV_TAG_NAME, "a.json");
	cv_out_blob(f, CV_TAG_BLOB, in);
	T_OK(cv_role_send(role, &e), e);
	T_OK(cv_role_run(role, &on, &check, &e), e);
	close(in.fd);
	n = lseek(out.fd, 0, SEEK_END);
	T(n > 0);
	out.len = (uint64_t)n;
	return out;
}

static const char advisory[] =
	"{\"id\":\"GHSA-0000-0000-0001\",\"modified\":\"2024-01-01T00:00:00Z\","
	"\"summary\":\"a bad one\",\"database_specific\":{\"severity\":\"LOW\"},"
	"\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"left\"},"
	"\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},"
	"{\"fixed\":\"1.2.0\"}]}]}]}\n";

static void
attach_sbom(struct small *s, const char *version)
{
	char text[512], dir[1024];

	cv_text_fmt(text, sizeof(text),
		    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,"
		    "\"components\":[{\"type\":\"library\",\"name\":\"left\","
		    "\"version\":\"%s\",\"purl\":\"pkg:npm/left@%s\"}]}",
		    version, version);
	f_attest_image(&s->store, s->key, s->image, "https://cyclonedx.org/bom", text, F_BUNDLE);
	cv_text_fmt(dir, sizeof(dir), "%s", small_path(s, "image"));
	f_layout_write(&s->store, dir, s->image, "v1");
}

static void
sbom_policy(struct run *r, const char *more)
{
	char rule[512];

	cv_text_fmt(rule, sizeof(rule),
		    "\"basis\": [\"signed\"], \"signed_by\": [\"acme\"],\n"
		    "\"sbom\": { \"required\": true, \"max_index_age\": \"5d\" }%s",
		    more);
	small_policy(r->s, rule, "", "");
	run_policy(r);
}

static void
vulnerable(void)
{
	struct small s;
	struct run r;

	begin(&s, &r, "vuln");
	attach_sbom(&s, "1.1.9");
	sbom_policy(&r, "");
	run_verify(&r);
	run_says_no(&r, CV_UNKNOWN, "runtime", "vuln.index-absent");

	r.rq.db = index_of(&r, advisory);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "vuln.known");
	T_INT(artifact(&r, "runtime")->nvulns, 1);
	T_STR(artifact(&r, "runtime")->vulns[0].id, "GHSA-0000-0000-0001");
	T(r.res->have_db);

	/* lesser than the rule minds, or only listed: told, and no reason */
	sbom_policy(&r, ", \"min_severity\": \"high\"");
	run_verify(&r);
	passes(&r);
	T_INT(artifact(&r, "runtime")->nvulns, 1);
	sbom_policy(&r, ", \"vulnerabilities\": \"list\"");
	run_verify(&r);
	passes(&r);

	sbom_policy(&r, "");
	r.rq.now += 6 * 86400; /* the index grows old */
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "vuln.known");
	T(run_said(r.res, "runtime", "vuln.index-stale") != NULL);
	r.rq.now -= 6 * 86400;
	close(r.rq.db.fd);
	end(&s, &r);

	begin(&s, &r, "patched");
	attach_sbom(&s, "1.2.0");
	sbom_policy(&r, "");
	r.rq.db = index_of(&r, advisory);
	run_verify(&r);
	passes(&r);
	T_STR(artifact(&r, "runtime")->sbom_format, "CycloneDX 1.5");
	T_INT(artifact(&r, "runtime")->components, 1);
	close(r.rq.db.fd);
	end(&s, &r);
}

static const struct t_case cases[] = {
	{ "a vulnerable component", vulnerable },
};
T_MAIN(cases)
