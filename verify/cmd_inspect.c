/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c: what is this, and what evidence hangs on it? Never a verdict:
 * its exit code says only whether it could look. */
#include "verify/cmdline.h"
#include "verify/inspect_bundle.h"
#include "verify/progress.h"

#include <stdio.h>
#include <string.h>

#include "trust/base/text.h"
#include "verify/report/report.h"

#include "trust/base/banned.h"

/* row: "  label  value", the value neutralised. */
static void
row(const char *label, const char *value)
{
	cv_auto(cv_buf_free) struct cv_buf safe = CV_BUF(1 << 20);

	if (value == NULL || value[0] == '\0')
		return;
	cv_text_safe(&safe, cv_span_str(value), (size_t)CV_TEXT_FIELD * 4);
	(void)printf("  %-12s %s\n", label, cv_buf_text(&safe));
}

static void
row_digest(const char *label, const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT];

	if (d->alg != CV_ALG_NONE)
		row(label, cv_digest_text(d, text));
}

static void
layers(const struct cv_r_artifact *a)
{
	for (size_t i = 0; i < a->nlayers; i++) {
		char text[CV_DIGEST_TEXT], size[CV_SIZE_TEXT], line[512];

		(void)snprintf(line, sizeof(line), "%s  %s  %.200s",
			       cv_digest_text(&a->layers[i].digest, text),
			       cv_size_text(a->layers[i].size, size),
			       a->layers[i].media != NULL ? a->layers[i].media : "");
		row(i == 0 ? "layers" : "", line);
	}
}

static void
tree(const struct cv_r_artifact *a)
{
	size_t n = a->tree != NULL ? cv_tree_count(a->tree) : 0;

	for (size_t i = 0; i < n && i < 20; i++) {
		const struct cv_tree_entry *t = cv_tree_at(a->tree, i);
		char size[CV_SIZE_TEXT], line[CV_MAX_PATH + 64];

		(void)snprintf(line, sizeof(line), "%s  %s  %s", cv_tree_word(t->kind), t->path,
			       t->kind == CV_TREE_LINK ? t->target : cv_size_text(t->size, size));
		row(i == 0 ? "files" : "", line);
	}
	if (n > 20)
		(void)printf("  %-12s and %zu more\n", "", n - 20);
}

static void
evidence(const struct cv_r_artifact *a)
{
	for (size_t i = 0; i < a->nsigners; i++) {
		const struct cv_r_signer *s = &a->signers[i];
		char text[CV_DIGEST_TEXT];
		char line[2048];

		(void)snprintf(line, sizeof(line), "%.200s, key %.100s, about %s%s%.800s",
			       s->name != NULL ? s->name : "", s->keyid != NULL ? s->keyid : "",
			       cv_digest_text(&s->subject, text), s->predicate != NULL ? ", " : "",
			       s->predicate != NULL ? s->predicate : "");
		row("proven", line);
	}
	for (size_t i = 0; i < a->nobserved; i++) {
		char line[4096];

		(void)snprintf(line, sizeof(line), "%.1500s: %.1500s", a->observed[i].where,
			       a->observed[i].text);
		row("observed", line);
	}
	if (a->nsigners == 0 && a->nobserved == 0)
		(void)printf("  %-12s none found\n", "evidence");
}

static void
sbom(const struct cv_r_artifact *a)
{
	if (a->sbom_format == NULL)
		return;
	row("sbom", a->sbom_format);
	(void)printf("  %-12s %llu components, %llu matched, %llu not covered\n", "",
		     (unsigned long long)a->components, (unsigned long long)a->matched,
		     (unsigned long long)a->uncovered);
	for (size_t i = 0; i < a->nvulns; i++) {
		char line[4096];

		(void)snprintf(line, sizeof(line), "%.200s  %.1000s  %.200s", a->vulns[i].id,
			       a->vulns[i].purl, a->vulns[i].severity);
		row(i == 0 ? "advisories" : "", line);
	}
}

/* remarks: what the checks would say, as remarks. */
static void
remarks(const struct cv_r_artifact *a)
{
	for (size_t i = 0; i < a->nfindings; i++) {
		const struct cv_finding *f = &a->findings[i].a.f;
		char line[2048];

		if (f->outcome != CV_FAIL && f->outcome != CV_UNKNOWN)
			continue;
		/* what the policy wants is no property of the artifact */
		if (strncmp(f->check, "basis.", 6) == 0 || strncmp(f->check, "lock.", 5) == 0)
			continue;
		(void)snprintf(line, sizeof(line), "%s: %.500s%s%.500s", f->check, f->found,
			       f->where[0] != '\0' ? ", at " : "", f->where);
		row("remark", line);
	}
}

static void
print(const struct cv_result *r)
{
	for (size_t i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];
		char size[CV_SIZE_TEXT];

		(void)printf("%s\n", cv_atype_word(a->decl->type));
		row("from", a->ref != NULL ? a->ref : a->decl->asked);
		row_digest("digest", &a->digest);
		if (a->size > 0)
			row("size", cv_size_text(a->size, size));
		row("media type", a->media);
		row("platform", a->platform);
		row_digest("index", &a->index);
		row_digest("manifest", &a->manifest);
		row_digest("config", &a->config);
		layers(a);
		row("package", a->package);
		row("version", a->version);
		row_digest("archive", &a->archive);
		tree(a);
		evidence(a);
		sbom(a);
		remarks(a);
	}
	(void)puts("\nThis is what was seen; it is no verdict. To decide: clawverify verify");
}

/* exit_of: 0 looked; else the reason why the bytes could not be had. */
static int
exit_of(const struct cv_result *r)
{
	for (size_t i = 0; i < r->nartifacts; i++) {
		if (r->artifacts[i].digest.alg == CV_ALG_NONE)
			return r->decision.exit != CV_EXIT_PASS ? (int)r->decision.exit
								: CV_EXIT_UNKNOWN;
	}
	return CV_EXIT_PASS;
}

static int
run_inspect(struct cv_cmdline *c, struct cv_err *e)
{
	struct cv_session s;
	struct cv_progress progress;
	struct cv_result *r = NULL;
	cv_auto(cv_buf_free) struct cv_buf json = CV_BUF(256 * CV_MIB);
	int rc;

	if (cv_is_bundle(cv_cl_arg(c, 0)))
		return cv_inspect_bundle(c, cv_cl_arg(c, 0), e);
	if (cv_cl_value(c, "root") != NULL) {
		cv_fail(e, CV_R_USAGE,
			"inspect: --root is for a Sigstore bundle, and this is none");
		return cv_cmd_failed(c, e);
	}
	if (cv_progress_open(&progress, c, e) != 0 ||
	    cv_session_bare(&s, c, cv_cl_arg(c, 0), e) != 0)
		return cv_cmd_failed(c, e);
	s.rq.mode = CV_MODE_BARE;
	s.rq.watch = cv_progress_watch(&progress);
	rc = cv_session_run(&s, &r, e);
	cv_progress_close(&progress);
	if (rc == 0 && cv_cl_json(c)) {
		rc = cv_report_inspect(&json, r, e);
		if (rc == 0)
			(void)fwrite(json.p, 1, json.n, stdout);
	} else if (rc == 0) {
		print(r);
	}
	rc = rc == 0 ? exit_of(r) : cv_cmd_failed(c, e);
	cv_result_free(&r);
	cv_session_close(&s);
	return rc;
}

static const struct cv_opt opts[] = {
	{ "policy", 'p', CV_OPT_VALUE, "FILE", "whose signers to try; without, nothing is proven" },
	{ "db", 0, CV_OPT_VALUE, "FILE", "another advisory index" },
	{ "platform", 0, CV_OPT_VALUE, "OS/ARCH", "of an image" },
	{ "root", 0, CV_OPT_VALUE, "FILE", "of a Sigstore bundle: trusted_root.json" },
	{ NULL, 0, 0, NULL, NULL },
};

const struct cv_cmd cv_verb_inspect = {
	.name = "inspect",
	.args = "REF | PATH",
	.summary = "what is this, and what evidence hangs on it; never a verdict",
	.text = "Exit code 0 says that it could be looked at, and nothing more. Of a Sigstore\n"
		"bundle it is the chain from the artifact to the trust root.\n",
	.examples = "  clawverify inspect registry.example/acme/agent:1.4\n"
		    "  clawverify inspect models/llm\n",
	.opts = opts,
	.min_args = 1,
	.max_args = 1,
	.run = run_inspect,
};
