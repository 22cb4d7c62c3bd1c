/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_golden.c: the canonical forms of docs/formats.md, held to digests
 * that another program computed (tests/golden/check.py).
 */
#include "tests/support/t.h"
#include "verify/launchset.h"
#include "verify/tree.h"

#include <fcntl.h>
#include <unistd.h>

#define GOLDEN "tests/golden/"

static void
slurp(struct cv_buf *out, const char *name)
{
	char path[256];
	struct cv_err e;

	snprintf(path, sizeof(path), GOLDEN "%s", name);
	cv_buf_reset(out);
	if (cv_conf_read(out, AT_FDCWD, path, 1 << 20, &e) != 1)
		t_fail(__FILE__, __LINE__, "%s", path);
}

/* wanted: what DIGESTS says about a file. */
static void
wanted(const char *name, struct cv_digest *ret)
{
	struct cv_buf text = CV_BUF(65536);
	struct cv_span s;
	struct cv_err e;
	bool found = false;

	slurp(&text, "DIGESTS");
	s = cv_buf_span(&text);
	while (s.n > 0) {
		struct cv_span line = cv_span_until(&s, '\n');
		struct cv_span digest = cv_span_until(&line, ' ');

		if (!cv_span_eq_str(line, name))
			continue;
		T_OK(cv_digest_parse(ret, digest, &e), e);
		found = true;
	}
	cv_buf_free(&text);
	if (!found)
		t_fail(__FILE__, __LINE__, "DIGESTS has no %s", name);
}

static void
same(const char *name, const struct cv_digest *is)
{
	char a[CV_DIGEST_TEXT], b[CV_DIGEST_TEXT];
	struct cv_digest want;

	wanted(name, &want);
	T_STR(cv_digest_text(is, a), cv_digest_text(&want, b));
}

static void
agent(void)
{
	struct cv_buf text = CV_BUF(1 << 20);
	struct cv_agent *a = NULL;
	struct cv_err e;

	slurp(&text, "agent-1.json");
	T_OK(cv_agent_parse(&a, "agent-1.json", cv_buf_span(&text), &e), e);
	same("agent-1.json", &a->digest);
	cv_agent_free(&a);
	cv_buf_free(&text);
}

static void
launch_set(const char *name)
{
	struct cv_buf text = CV_BUF(1 << 20), canonical = CV_BUF(1 << 20);
	struct cv_launchset *s = NULL;
	struct cv_jdoc *doc = NULL;
	struct cv_digest d;
	struct cv_err e;

	slurp(&text, name);
	T_OK(cv_json_parse(&doc, name, cv_buf_span(&text), 0, &e), e);
	T_OK(cv_json_canonical(&canonical, cv_jv_json(cv_json_root(doc)), &e), e);
	T_OK(cv_launchset_parse(&s, cv_buf_span(&canonical), &e), e);
	T_OK(cv_launchset_digest(s, &d, &e), e);
	same(name, &d);
	cv_launchset_free(&s);
	cv_json_free(&doc);
	cv_buf_free(&text);
	cv_buf_free(&canonical);
}

static void
launch_sets(void)
{
	launch_set("launch-set-1.json");
	launch_set("launch-set-2.json");
}

static void
add(struct cv_tree *t, struct cv_jv v)
{
	struct cv_jv link = cv_jv_get(v, "link"), mode = cv_jv_get(v, "mode");
	struct cv_tree_entry x = { .kind = CV_TREE_DIR };
	const char *text;
	struct cv_err e;

	T_OK(cv_jv_str(cv_jv_get(v, "path"), &x.path, &e), e);
	if (!link.absent) {
		x.kind = CV_TREE_LINK;
		T_OK(cv_jv_str(link, &x.target, &e), e);
	} else if (!mode.absent) {
		T_OK(cv_jv_str(mode, &text, &e), e);
		x.kind = strcmp(text, "0755") == 0 ? CV_TREE_EXEC : CV_TREE_FILE;
		T_OK(cv_jv_text(cv_jv_get(v, "text"), &text, &e), e);
		x.size = strlen(text);
		T_OK(cv_digest_of(&x.digest, CV_SHA256, cv_span_str(text), &e), e);
	}
	T_OK(cv_tree_add(t, &x, &e), e);
}

static void
tree(const char *name, bool backwards)
{
	struct cv_buf text = CV_BUF(1 << 20);
	struct cv_tree *t = NULL;
	struct cv_jdoc *doc = NULL;
	struct cv_jv entries;
	struct cv_digest d, again;
	struct cv_err e;

	slurp(&text, name);
	T_OK(cv_json_parse(&doc, name, cv_buf_span(&text), 0, &e), e);
	entries = cv_jv_get(cv_json_root(doc), "entries");
	T_OK(cv_tree_open(&t, name, &e), e);
	for (size_t i = 0; i < cv_jv_len(entries); i++)
		add(t, cv_jv_at(entries, backwards ? cv_jv_len(entries) - 1 - i : i));
	T_OK(cv_tree_end(t, &d, &e), e);
	same(name, &d);
	cv_buf_reset(&text);
	T_OK(cv_tree_emit(t, &text, &e), e);
	T_OK(cv_digest_of(&again, CV_SHA256, cv_buf_span(&text), &e), e);
	T(cv_digest_eq(&d, &again));
	cv_tree_free(&t);
	cv_json_free(&doc);
	cv_buf_free(&text);
}

static void
trees(void)
{
	tree("tree-1.json", false);
	tree("tree-2.json", false);
	tree("tree-2.json", true);
}

static const struct t_case cases[] = {
	{ "agent", agent },
	{ "launch sets", launch_sets },
	{ "trees", trees },
};
T_MAIN(cases)
