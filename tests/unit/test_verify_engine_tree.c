/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_engine_tree.c: packages, and what a bundle takes from a verified
 * agent: every file's bytes again, the launch set.
 */
#include "tests/engine/run.h"
#include "tests/support/mktar.h"
#include "tests/support/mkzip.h"

#include <sys/stat.h>

static const char manifest[] = "{\"name\": \"fs-tools\", \"version\": \"1.2.0\"}\n";

/* put_tgz: an npm package of these files at DIR/tools.tgz. */
static void
put_tgz(const struct small *s, const char *package_json, const char *index_js)
{
	struct cv_buf tar = CV_BUF(1 << 20), gz = CV_BUF(1 << 20);

	mk_file(&tar, "package/package.json", package_json);
	mk_file(&tar, "package/index.js", index_js);
	mk_file(&tar, "package/empty", "");
	mk_file(&tar, "package/lib/deep.js", "// deep\n");
	mk_end(&tar);
	mk_gzip(&gz, cv_buf_span(&tar));
	t_write_file(small_path(s, "tools.tgz"), gz.p, gz.n);
	cv_buf_free(&tar);
	cv_buf_free(&gz);
}

static void
add_artifact(const struct small *s, const char *line)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(64 * 1024), out = CV_BUF(64 * 1024);
	int fd = open(small_path(s, "agent.json"), O_RDONLY | O_CLOEXEC);
	const char *at;
	struct cv_err e;

	T(fd >= 0);
	T_OK(cv_buf_read_fd(&b, fd, "agent.json", &e), e);
	close(fd);
	at = strstr((const char *)b.p, "  \"llm\"");
	T(at != NULL);
	cv_buf_add(&out, b.p, (size_t)(at - (const char *)b.p));
	cv_buf_fmt(&out, "  %s,\n%s", line, at);
	t_write_file(small_path(s, "agent.json"), out.p, out.n);
}

static void
begin(struct small *s, struct run *r, const char *name)
{
	small_make(s, run_dir(name));
	put_tgz(s, manifest, "module.exports = 1;\n");
	add_artifact(s, "\"tools\": { \"type\": \"mcp\", \"path\": \"tools.tgz\" }");
	run_open(r, s);
	run_lock(r);
	run_verify(r);
	if (r->res->decision.outcome != CV_PASS)
		run_show(r->res);
	T_INT(r->res->decision.outcome, CV_PASS);
}

static void
end(struct small *s, struct run *r)
{
	run_close(r);
	small_free(s);
}

static const struct cv_r_artifact *
artifact(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->res->nartifacts; i++)
		if (strcmp(r->res->artifacts[i].name, name) == 0)
			return &r->res->artifacts[i];
	t_fail(__FILE__, __LINE__, "no artifact %s", name);
}

/* ---- a sink that keeps what it is given as "path=bytes;" ---- */

struct kept {
	struct cv_buf text;
	unsigned open, fail_after; /* 0: never */
};

static int
on_file(void *ctx, const struct cv_tree_entry *x, struct cv_err *e)
{
	struct kept *k = ctx;

	T_INT(k->open, 0);
	k->open = 1;
	cv_buf_fmt(&k->text, "%s=", x->path);
	if (k->fail_after != 0 && --k->fail_after == 0)
		return cv_fail(e, CV_R_DISK, "no room");
	return 0;
}

static int
on_data(void *ctx, const void *p, size_t n, struct cv_err *e)
{
	struct kept *k = ctx;

	(void)e;
	T_INT(k->open, 1);
	cv_buf_add(&k->text, p, n);
	return 0;
}

static int
on_end(void *ctx, struct cv_err *e)
{
	struct kept *k = ctx;

	(void)e;
	T_INT(k->open, 1);
	k->open = 0;
	cv_buf_str(&k->text, ";");
	return 0;
}

static struct cv_tree_sink
sink(struct kept *k)
{
	*k = (struct kept){ .text = CV_BUF(1 << 20) };
	return (struct cv_tree_sink){ .ctx = k, .file = on_file, .data = on_data, .end = on_end };
}

static void
bytes_again(void)
{
	struct small s;
	struct run r;
	struct kept k;
	struct cv_tree_sink to = sink(&k);
	const struct cv_r_artifact *a;

	begin(&s, &r, "again");
	T_OK(cv_engine_tree(&r.rq, artifact(&r, "tools"), &to, &r.e), r.e);
	T_HAS(cv_buf_text(&k.text), "index.js=module.exports = 1;\n;");
	T_HAS(cv_buf_text(&k.text), "empty=;");
	T_HAS(cv_buf_text(&k.text), "lib/deep.js=// deep\n;");
	T_INT(k.open, 0);
	cv_buf_reset(&k.text);
	T_OK(cv_engine_tree(&r.rq, artifact(&r, "sums"), &to, &r.e), r.e);
	T_HAS(cv_buf_text(&k.text), "SKILL.md=---\n");
	T_HAS(cv_buf_text(&k.text), "scripts/run.sh=#!/bin/sh\n");
	cv_buf_reset(&k.text);
	T_OK(cv_engine_tree(&r.rq, artifact(&r, "prompt"), &to, &r.e), r.e);
	T_STR(cv_buf_text(&k.text), "system.md=You are careful.\n;");
	a = artifact(&r, "tools");
	T_STR(a->package, "fs-tools");
	T_STR(a->version, "1.2.0");
	T(a->archive.alg == CV_SHA256 && !cv_digest_eq(&a->archive, &a->digest));
	T_INT(cv_tree_files(a->tree), 4);
	T_NO(cv_engine_tree(&r.rq, artifact(&r, "runtime"), &to, &r.e), r.e, CV_R_BUG);
	cv_buf_free(&k.text);
	end(&s, &r);
}

/* What changed after it was verified is noticed on the way into the bundle. */
static void
bytes_changed(void)
{
	struct small s;
	struct run r;
	struct kept k;
	struct cv_tree_sink to = sink(&k);

	begin(&s, &r, "changed");
	small_flip(small_path(&s, "model/model.safetensors"), -1);
	T_NO(cv_engine_tree(&r.rq, artifact(&r, "llm"), &to, &r.e), r.e, CV_R_DIGEST);
	k.open = 0;
	t_write_file(small_path(&s, "system.md"), "You", 3);
	T_NO(cv_engine_tree(&r.rq, artifact(&r, "prompt"), &to, &r.e), r.e, CV_R_DIGEST);
	k.open = 0;
	T(unlink(small_path(&s, "skill/SKILL.md")) == 0);
	T_NO(cv_engine_tree(&r.rq, artifact(&r, "sums"), &to, &r.e), r.e, CV_R_DIGEST);
	k.open = 0;
	/* the very file that was verified is open; another one under its name is
	 * nobody's concern, the same one with other bytes is */
	put_tgz(&s, manifest, "module.exports = 2;\n");
	T_NO(cv_engine_tree(&r.rq, artifact(&r, "tools"), &to, &r.e), r.e, CV_R_DIGEST);
	k.open = 0;
	t_write_file(small_path(&s, "tools.tgz"), "no", 2);
	T(cv_engine_tree(&r.rq, artifact(&r, "tools"), &to, &r.e) == -1);
	T(r.e.reason != CV_R_NONE);
	cv_buf_free(&k.text);
	end(&s, &r);
}

/* ---- what changes while a run goes on ---- */

struct meddler {
	const struct small *s;
	unsigned told;
	bool holds_back;
};

/* meddle: a file more in the skill, once that was looked at and its thread is done. */
static void
meddle(void *ctx, const struct cv_r_artifact *a)
{
	struct meddler *m = ctx;

	m->told++;
	T_INT(a->outcome, CV_PASS);
	if (strcmp(a->name, "sums") == 0 && !m->holds_back)
		t_write_file(small_path(m->s, "skill/scripts/more.sh"), "rm\n", 3);
}

static void
added_meanwhile(void)
{
	static const enum cv_mode modes[] = { CV_MODE_VERIFY, CV_MODE_LOCK };
	struct small s;
	struct run r;

	begin(&s, &r, "meanwhile");
	for (size_t i = 0; i < CV_COUNT(modes); i++) {
		struct meddler m = { .s = &s, .holds_back = true };

		r.rq.watch = (struct cv_watch){ .ctx = &m, .finished = meddle };
		run_mode(&r, modes[i]);
		T_INT(r.res->decision.outcome, CV_PASS);
		T_INT(m.told, r.res->nartifacts);
		usleep(20000); /* longer than a tick of the file system's clock */
		m = (struct meddler){ .s = &s };
		run_mode(&r, modes[i]);
		run_says_no(&r, CV_FAIL, "sums", "file.changed");
		T_HAS(run_said(r.res, "sums", "file.changed")->found, "skill/scripts/more.sh");
		T(unlink(small_path(&s, "skill/scripts/more.sh")) == 0);
	}
	end(&s, &r);
}

static void
sink_fails(void)
{
	struct small s;
	struct run r;
	struct kept k;
	struct cv_tree_sink to = sink(&k);

	begin(&s, &r, "sink");
	for (unsigned n = 1; n <= 3; n++) {
		k.open = 0;
		k.fail_after = n;
		T_NO(cv_engine_tree(&r.rq, artifact(&r, "tools"), &to, &r.e), r.e, CV_R_DISK);
	}
	r.rq.workers = "/nowhere";
	T_NO(cv_engine_tree(&r.rq, artifact(&r, "tools"), &to, &r.e), r.e, CV_R_WORKER);
	cv_buf_free(&k.text);
	end(&s, &r);
}

/* ---- packages that are not right ---- */

static void
bad_packages(void)
{
	struct small s;
	struct run r;

	begin(&s, &r, "bad");
	put_tgz(&s, manifest, "module.exports = 2;\n");
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "tools", "lock.digest-mismatch");
	T_HAS(run_said(r.res, "tools", "lock.digest-mismatch")->note, "index.js");

	put_tgz(&s,
		"{\"name\":\"fs-tools\",\"version\":\"1.2.0\","
		"\"scripts\":{\"postinstall\":\"node x.js\"}}",
		"module.exports = 1;\n");
	run_mode(&r, CV_MODE_LOCK);
	run_says_no(&r, CV_FAIL, "tools", "tool.lifecycle-script");
	small_policy(&s, "", "\"basis\": [\"pinned\"], \"scripts\": \"allow\"", "");
	run_policy(&r);
	run_mode(&r, CV_MODE_LOCK);
	if (r.res->decision.outcome != CV_PASS)
		run_show(r.res);
	T_INT(r.res->decision.outcome, CV_PASS);

	put_tgz(&s, "not JSON", "");
	run_mode(&r, CV_MODE_LOCK);
	run_says_no(&r, CV_FAIL, "tools", "tool.manifest-invalid");

	t_write_file(small_path(&s, "tools.tgz"), "\x1f\x8b no", 5);
	run_mode(&r, CV_MODE_LOCK);
	T(r.res->decision.outcome != CV_PASS);
	T_INT(artifact(&r, "tools")->digest.alg, CV_ALG_NONE);

	T(unlink(small_path(&s, "tools.tgz")) == 0);
	T(mkdir(small_path(&s, "tools.tgz"), 0755) == 0);
	t_write_file(small_path(&s, "tools.tgz/package.json"), manifest, sizeof(manifest) - 1);
	run_mode(&r, CV_MODE_LOCK);
	run_says_no(&r, CV_UNKNOWN, "tools", "tool.manifest-invalid");
	end(&s, &r);
}

static void
a_zip(void)
{
	struct cv_buf b = CV_BUF(1 << 20);
	struct mk_zip z = { 0 };
	struct small s;
	struct run r;
	struct kept k;
	struct cv_tree_sink to = sink(&k);

	mk_zip_add(&z, "server.py", "print(1)\n");
	mk_zip_add(&z, "manifest.json",
		   "{\"manifest_version\":\"0.3\",\"name\":\"s\",\"version\":\"1\",\"server\":{"
		   "\"type\":\"python\",\"entry_point\":\"server.py\"}}");
	mk_zip_write(&b, &z);
	small_make(&s, run_dir("zip"));
	t_write_file(small_path(&s, "tools.mcpb"), b.p, b.n);
	cv_buf_free(&b);
	add_artifact(&s, "\"tools\": { \"type\": \"mcp\", \"path\": \"tools.mcpb\" }");
	run_open(&r, &s);
	run_lock(&r);
	run_verify(&r);
	if (r.res->decision.outcome != CV_PASS)
		run_show(r.res);
	T_INT(r.res->decision.outcome, CV_PASS);
	T_OK(cv_engine_tree(&r.rq, artifact(&r, "tools"), &to, &r.e), r.e);
	T_HAS(cv_buf_text(&k.text), "server.py=print(1)\n;");
	cv_buf_free(&k.text);
	end(&s, &r);
}

/* The digest that the agent file asks for is of the archive. */
static void
asked_digest(void)
{
	cv_auto(cv_buf_free) struct cv_buf line = CV_BUF(1024);
	char text[CV_DIGEST_TEXT];
	struct small s;
	struct run r;
	struct cv_digest d;

	begin(&s, &r, "asked");
	d = artifact(&r, "tools")->archive;
	for (int wrong = 0; wrong < 2; wrong++) {
		cv_buf_reset(&line);
		d.b[3] ^= (uint8_t)wrong;
		cv_buf_fmt(&line,
			   "\"again%d\": { \"type\": \"mcp\", \"path\": \"tools.tgz\", "
			   "\"digest\": \"%s\" }",
			   wrong, cv_digest_text(&d, text));
		add_artifact(&s, cv_buf_text(&line));
		cv_agent_free(&r.agent);
		T_OK(cv_agent_load(&r.agent, small_path(&s, "agent.json"), &r.e), r.e);
		r.rq.agent = r.agent;
		run_mode(&r, CV_MODE_LOCK);
		if (wrong)
			run_says_no(&r, CV_FAIL, "again1", "fetch.digest-mismatch");
		else
			T_INT(r.res->decision.outcome, CV_PASS);
	}
	end(&s, &r);
}

/* ---- launch set ---- */

static void
launch_set(void)
{
	cv_auto(cv_launchset_free) struct cv_launchset *set = NULL;
	struct cv_digest first, again;
	struct small s;
	struct run r;

	begin(&s, &r, "set");
	T_OK(cv_engine_launchset(&set, r.res, r.agent, &r.e), r.e);
	T_INT(set->nartifacts, 5);
	T_INT(set->nmounts, 2);
	T(cv_digest_eq(&set->image.manifest, &s.image));
	T(cv_digest_eq(&set->mounts[0].tree, &artifact(&r, "llm")->digest));
	T_OK(cv_launchset_digest(set, &first, &r.e), r.e);
	cv_launchset_free(&set);
	run_verify(&r);
	T_OK(cv_engine_launchset(&set, r.res, r.agent, &r.e), r.e);
	T_OK(cv_launchset_digest(set, &again, &r.e), r.e);
	T(cv_digest_eq(&first, &again));
	cv_launchset_free(&set);
	/* an artifact without a digest: nothing can be launched */
	T(unlink(small_path(&s, "system.md")) == 0);
	run_verify(&r);
	T_NO(cv_engine_launchset(&set, r.res, r.agent, &r.e), r.e, CV_R_RULE);
	end(&s, &r);
}

static const struct t_case cases[] = {
	{ "packages that are not right", bad_packages },
	{ "bytes that changed since", bytes_changed },
	{ "a file added while the run goes on", added_meanwhile },
	{ "a sink that fails", sink_fails },
	{ "the digest that is asked for", asked_digest },
	{ "a zip", a_zip },
	{ "every byte again", bytes_again },
	{ "the launch set", launch_set },
};
T_MAIN(cases)
