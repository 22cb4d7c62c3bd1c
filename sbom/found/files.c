/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c: CV_T_FILES: a model, a skill, or prompts, file by file. Each file is
 * looked at when it arrives and then forgotten; what files say about each other is
 * judged at the end. Must never let a file by that it could not read.
 */
#include "sbom/found/answers.h"
#include "sbom/found/files_config.h"
#include "sbom/found/files_format.h"
#include "sbom/found/files_set.h"
#include "sbom/found/look.h"
#include "sbom/found/skill.h"
#include "sbom/found/tasks.h"
#include "sbom/found/unicode.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust/base/banned.h"

enum { FILES, TENSORS, SAFETENSORS, GGUF, DATA, CODE, TEXTS, COUNTS };

struct files {
	struct cv_answers a;
	enum cv_files_kind kind;
	unsigned allowed; /* CV_FMT_* */
	bool manifest, met_safetensors, met_gguf;
	uint64_t count[COUNTS];
	struct cv_set set;
};

/* The file at hand. */
struct file {
	struct files *all;
	const char *name;
	struct cv_digest digest;
	struct cv_blob blob;
};

/* ---- findings ---- */

static int
no(const struct file *f, struct cv_finding *finding, struct cv_err *e)
{
	if (finding->where[0] == '\0')
		cv_finding_where(finding, "%s", f->name);
	finding->evidence = f->digest;
	return cv_answer(&f->all->a, finding, e);
}

/* about_it: the reasons that speak about the file, not about us */
static bool
about_it(enum cv_reason r)
{
	return cv_reason_exit(r) == CV_EXIT_FAIL || r == CV_R_UNSUPPORTED;
}

/* blame: an error about the file becomes a finding; others stay errors */
static int
blame(const struct file *f, const char *check, const struct cv_err *why, const char *wanted,
      struct cv_err *e)
{
	struct cv_finding finding;

	if (!about_it(why->reason)) {
		*e = *why;
		return cv_fail_within(e, "%s", f->name);
	}
	finding = cv_finding_no(check, why->reason);
	cv_finding_found(&finding, "%s", why->text);
	cv_finding_expected(&finding, "%s", wanted);
	return no(f, &finding, e);
}

/* ---- pickles: in every kind, whatever the file is called ---- */

static int
look_for_pickles(struct file *f, const struct cv_format *format, struct cv_err *e)
{
	const struct cv_looked l = {
		.where = f->name, .name = f->name, .digest = f->digest, .blob = f->blob
	};

	return cv_look(&f->all->a, &l, format, e);
}

/* ---- text ---- */

/* at: a finding about a character, at its place */
static struct cv_finding
at(const struct file *f, const char *part, const char *check, enum cv_reason reason,
   struct cv_text_place place)
{
	struct cv_finding finding = cv_finding_no(check, reason);

	cv_finding_where(&finding, "%s%s:%llu:%llu", f->name, part, (unsigned long long)place.line,
			 (unsigned long long)place.column);
	return finding;
}

static int
no_characters(const struct file *f, struct cv_finding *finding, uint32_t cp, const char *class,
	      uint64_t n, struct cv_err *e)
{
	cv_finding_found(finding, "U+%04X, %s", (unsigned)cp, class);
	if (n > 1)
		cv_finding_note(finding, "the first of %llu in this file", (unsigned long long)n);
	return no(f, finding, e);
}

static int
look_at_text(struct file *f, struct cv_blob blob, const char *part, struct cv_err *e)
{
	struct cv_text_scan scan;
	struct cv_finding finding;

	if (cv_text_scan(&scan, blob, e) != 0)
		return cv_fail_within(e, "%s", f->name);
	finding = at(f, part, "text.hidden-unicode", CV_R_RULE, scan.hidden_at);
	cv_finding_expected(&finding, "only characters that a reader sees");
	if (scan.hidden > 0 && no_characters(f, &finding, scan.cp, scan.class, scan.hidden, e) != 0)
		return -1;
	finding = at(f, part, "text.unclear-unicode", CV_R_RULE, scan.unclear_at);
	cv_finding_expected(&finding, "characters that look the same to everybody");
	if (scan.unclear > 0 &&
	    no_characters(f, &finding, scan.unclear_cp, scan.unclear_class, scan.unclear, e) != 0)
		return -1;
	if (scan.invalid == 0)
		return 0;
	finding = at(f, part, "text.invalid-utf8", CV_R_MALFORMED, scan.invalid_at);
	cv_finding_found(&finding, "byte 0x%02x", (unsigned)scan.byte);
	cv_finding_expected(&finding, "UTF-8 text");
	return no(f, &finding, e);
}

/* ---- a file of a model ---- */

static int
take_safetensors(struct file *f, struct cv_err *e)
{
	struct cv_safetensors s;
	struct cv_err why;
	int rc;

	f->all->met_safetensors = true;
	if (cv_safetensors_check(&s, f->blob, &why) != 0)
		return blame(f, "model.safetensors-invalid", &why,
			     "exactly one well-formed safetensors file", e);
	f->all->count[SAFETENSORS]++;
	f->all->count[TENSORS] += s.tensors;
	rc = cv_set_shard(&f->all->set, f->name, &s, &why);
	cv_safetensors_free(&s);
	return rc == 0 ? 0
		       : blame(f, "model.safetensors-invalid", &why, "a model of usual size", e);
}

static int
take_gguf(struct file *f, struct cv_err *e)
{
	struct cv_gguf g;
	struct cv_err why;

	f->all->met_gguf = true;
	if (cv_gguf_check(&g, f->blob, &why) != 0)
		return blame(f, "model.gguf-invalid", &why, "exactly one well-formed GGUF file", e);
	f->all->count[GGUF]++;
	f->all->count[TENSORS] += g.tensors;
	if (g.parts > 1 && cv_set_part(&f->all->set, f->name, &g, e) != 0)
		return -1;
	if (g.chat_template.len == 0)
		return 0;
	return look_at_text(f, g.chat_template, " chat template", e);
}

static int
take_config(struct file *f, struct cv_err *e)
{
	struct cv_finding finding;
	struct cv_err why;
	const char *key;

	if (cv_files_config(&key, f->name, f->blob, &why) != 0)
		return blame(f, "model.format-refused", &why,
			     "JSON that every reader understands in the same way", e);
	if (key == NULL || (f->all->allowed & CV_FMT_CODE) != 0)
		return 0;
	finding = cv_finding_no("model.code-beside-weights", CV_R_RULE);
	cv_finding_found(&finding, "\"%s\", which has a loader run a program", key);
	cv_finding_expected(&finding, "a configuration that asks for no program");
	return no(f, &finding, e);
}

static int
take_data(struct file *f, const struct cv_format *format, struct cv_err *e)
{
	struct cv_err why;

	f->all->count[DATA]++;
	if (format->text && cv_set_is_index(f->name)) {
		f->all->met_safetensors = true;
		if (cv_set_index(&f->all->set, f->name, f->blob, &why) != 0)
			return blame(f, "model.safetensors-invalid", &why,
				     "an index of tensors and the files that hold them", e);
	}
	if (format->text && cv_files_is_config(f->name) && take_config(f, e) != 0)
		return -1;
	/* a template becomes part of what the model reads */
	if (format->text && cv_span_has_suffix(cv_span_str(f->name), ".jinja"))
		return look_at_text(f, f->blob, "", e);
	return 0;
}

static int
refuse(struct file *f, const char *check, const char *word, struct cv_err *e)
{
	static const struct {
		unsigned flag;
		const char *word;
	} formats[] = { { CV_FMT_SAFETENSORS, "safetensors" },
			{ CV_FMT_GGUF, "GGUF" },
			{ CV_FMT_DATA, "data" },
			{ CV_FMT_CODE, "code" } };
	struct cv_finding finding = cv_finding_no(check, CV_R_RULE);
	struct cv_buf b = CV_BUF(128);

	for (size_t i = 0; i < CV_COUNT(formats); i++)
		if ((f->all->allowed & formats[i].flag) != 0)
			cv_buf_fmt(&b, "%s%s", b.n > 0 ? ", " : "", formats[i].word);
	cv_finding_found(&finding, "%s", word);
	cv_finding_expected(&finding, "%s", b.n > 0 ? cv_buf_text(&b) : "no file at all");
	cv_buf_free(&b);
	return no(f, &finding, e);
}

static int
take_by_format(struct file *f, const struct cv_format *format, struct cv_err *e)
{
	static const unsigned flag[] = { [CV_FORMAT_SAFETENSORS] = CV_FMT_SAFETENSORS,
					 [CV_FORMAT_GGUF] = CV_FMT_GGUF,
					 [CV_FORMAT_DATA] = CV_FMT_DATA,
					 [CV_FORMAT_CODE] = CV_FMT_CODE };
	bool code = format->kind == CV_FORMAT_CODE;

	if ((f->all->allowed & flag[format->kind]) == 0 &&
	    refuse(f, code ? "model.code-beside-weights" : "model.format-refused", format->word,
		   e) != 0)
		return -1;
	switch (format->kind) {
	case CV_FORMAT_SAFETENSORS:
		return take_safetensors(f, e);
	case CV_FORMAT_GGUF:
		return take_gguf(f, e);
	case CV_FORMAT_DATA:
		return take_data(f, format, e);
	case CV_FORMAT_CODE:
		f->all->count[CODE]++;
		return 0;
	default:
		return 0;
	}
}

/* A pointer that a clone without Git LFS leaves in the place of the file. */
static int
is_lfs_pointer(bool *ret, struct cv_blob blob, struct cv_err *e)
{
	static const char first[] = "version https://git-lfs.github.com/spec/";
	struct cv_buf b = CV_BUF(64);
	int rc = 0;

	*ret = false;
	if (blob.len >= sizeof first && blob.len < 1024)
		rc = cv_buf_pread(&b, blob.fd, blob.off, sizeof first - 1, "a file", e);
	if (rc == 0)
		*ret = cv_span_has_prefix(cv_buf_span(&b), first);
	cv_buf_free(&b);
	return rc;
}

static int
take_model_file(struct file *f, struct cv_err *e)
{
	struct cv_format format;
	bool pointer;

	if (cv_format_of(&format, f->name, f->blob, e) != 0 ||
	    is_lfs_pointer(&pointer, f->blob, e) != 0)
		return cv_fail_within(e, "%s", f->name);
	if (pointer)
		return refuse(f, "model.format-refused",
			      "a Git LFS pointer in the place of the file", e);
	if (look_for_pickles(f, &format, e) != 0)
		return -1;
	return take_by_format(f, &format, e);
}

/* ---- a file of a skill, a prompt, any file ---- */

static int
take_manifest(struct file *f, struct cv_err *e)
{
	struct cv_err why;

	f->all->manifest = true;
	if (cv_skill_check(f->blob, &why) != 0)
		return blame(f, "skill.manifest-missing", &why,
			     "front matter with a name and a description", e);
	return 0;
}

static int
take_skill_file(struct file *f, struct cv_err *e)
{
	struct cv_format format;
	bool manifest = strcmp(f->name, "SKILL.md") == 0, text;

	if (manifest && take_manifest(f, e) != 0)
		return -1;
	if (cv_format_of(&format, f->name, f->blob, e) != 0 ||
	    cv_format_readable(&text, f->name, f->blob, e) != 0)
		return cv_fail_within(e, "%s", f->name);
	if (look_for_pickles(f, &format, e) != 0)
		return -1;
	if (!text)
		return 0;
	f->all->count[TEXTS]++;
	return look_at_text(f, f->blob, "", e);
}

/* take_plain: a file of any kind. What it is for, nobody says; a pickle is for loading. */
static int
take_plain(struct file *f, struct cv_err *e)
{
	struct cv_format format;

	if (cv_format_of(&format, f->name, f->blob, e) != 0)
		return cv_fail_within(e, "%s", f->name);
	return look_for_pickles(f, &format, e);
}

static int
take_prompt(struct file *f, struct cv_err *e)
{
	if (take_plain(f, e) != 0)
		return -1;
	f->all->count[TEXTS]++;
	return look_at_text(f, f->blob, "", e);
}

/* ---- the task ---- */

static void
files_end(void *state)
{
	struct files *s = state;

	if (s == NULL)
		return;
	cv_set_free(&s->set);
	free(s);
}

static int
files_start(struct cv_worker *w, struct cv_frame *task, void **state, struct cv_err *e)
{
	uint64_t kind = cv_frame_u64(task, CV_TAG_KIND, CV_FILES_PLAIN);
	uint64_t allowed = cv_frame_u64(task, CV_TAG_FLAGS, UINT32_MAX);
	struct files *s;

	if (cv_frame_done(task, "a task to look into files", e) != 0)
		return -1;
	if (kind < CV_FILES_MODEL)
		return cv_fail(e, CV_R_WORKER, "a task to look into files of kind 0");
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return cv_fail_memory(e);
	s->a = CV_ANSWERS(cv_sink_worker(w));
	s->kind = (enum cv_files_kind)kind;
	s->allowed = (unsigned)allowed;
	*state = s;
	return 0;
}

static int
files_item(struct cv_worker *w, struct cv_frame *item, void *state, struct cv_err *e)
{
	struct files *s = state;
	uint64_t role = cv_frame_u64(item, CV_TAG_ROLE, CV_ROLE_ADVISORIES);
	struct file f = { .all = s };
	cv_auto(cv_closep) int fd = -1;

	(void)w;
	f.name = cv_frame_str(item, CV_TAG_NAME, CV_MAX_PATH);
	f.digest = cv_frame_digest(item, CV_TAG_DIGEST);
	f.blob = cv_frame_blob(item, CV_TAG_BLOB, UINT64_MAX);
	fd = f.blob.fd;
	if (cv_frame_done(item, "a file to look into", e) != 0)
		return -1;
	if (role != CV_ROLE_FILE)
		return cv_fail(e, CV_R_WORKER, "an item of role %llu, want a file",
			       (unsigned long long)role);
	if (++s->count[FILES] > CV_MAX_TREE_FILES)
		return cv_fail(e, CV_R_LIMIT, "more than %d files", CV_MAX_TREE_FILES);
	switch (s->kind) {
	case CV_FILES_MODEL:
		return take_model_file(&f, e);
	case CV_FILES_SKILL:
		return take_skill_file(&f, e);
	case CV_FILES_PROMPT:
		return take_prompt(&f, e);
	default:
		return take_plain(&f, e);
	}
}

static int
on_disagreement(void *ctx, enum cv_set_what what, const char *where, const struct cv_err *why,
		struct cv_err *e)
{
	struct files *s = ctx;
	struct cv_finding f = cv_finding_no(what == CV_SET_GGUF ? "model.gguf-invalid"
								: "model.safetensors-invalid",
					    why->reason);

	cv_finding_where(&f, "%s", where);
	cv_finding_found(&f, "%s", why->text);
	cv_finding_expected(&f, "files that agree with one another");
	return cv_answer(&s->a, &f, e);
}

/* Nothing to look at is no proof of anything. */
static int
judge_whole(struct files *s, struct cv_err *e)
{
	const char *check = s->kind == CV_FILES_MODEL    ? "model.format-refused"
			    : s->kind == CV_FILES_SKILL  ? "skill.manifest-missing"
			    : s->kind == CV_FILES_PROMPT ? "text.invalid-utf8"
							 : "model.pickle";
	struct cv_finding f = cv_finding_no(check, CV_R_ABSENT);

	if (s->count[FILES] == 0) {
		cv_finding_found(&f, "no file at all");
		cv_finding_expected(&f, "at least one file");
	} else if (s->kind == CV_FILES_SKILL && !s->manifest) {
		cv_finding_where(&f, "SKILL.md");
		cv_finding_found(&f, "no SKILL.md among %llu files at the root of the skill",
				 (unsigned long long)s->count[FILES]);
		cv_finding_expected(&f, "a file SKILL.md");
	} else {
		return 0;
	}
	return cv_answer(&s->a, &f, e);
}

static int
send_counts(struct cv_worker *w, const struct files *s, struct cv_err *e)
{
	static const char *const names[COUNTS] = {
		[FILES] = "files", [TENSORS] = "tensors", [SAFETENSORS] = "safetensors",
		[GGUF] = "gguf",   [DATA] = "data",       [CODE] = "code",
		[TEXTS] = "text"
	};

	for (size_t i = 0; i < COUNTS; i++) {
		struct cv_out *o;

		if (s->count[i] == 0 && i != FILES)
			continue;
		o = cv_w_fact(w, CV_F_COUNTS);
		cv_out_str(o, CV_TAG_NAME, names[i]);
		cv_out_u64(o, CV_TAG_COUNT, s->count[i]);
		if (cv_w_send(w, e) != 0)
			return -1;
	}
	return 0;
}

static int
answer_met(struct files *s, const char *id, bool met, struct cv_err *e)
{
	const char *const ids[] = { id, NULL };

	return met ? cv_answers_pass(&s->a, ids, e) : cv_answers_none(&s->a, id, e);
}

/* answer: what was asked of this kind and had no problem (proto.h, "Answers"). */
static int
answer(struct files *s, struct cv_err *e)
{
	static const char *const all[] = { "model.pickle", NULL };
	static const char *const model[] = { "model.format-refused", "model.code-beside-weights",
					     NULL };
	static const char *const skill[] = { "skill.manifest-missing", NULL };
	static const char *const text[] = { "text.invalid-utf8", "text.hidden-unicode", NULL };

	if (cv_answers_pass(&s->a, all, e) < 0)
		return -1;
	if (s->kind == CV_FILES_MODEL) {
		if (cv_answers_pass(&s->a, model, e) < 0 ||
		    answer_met(s, "model.safetensors-invalid", s->met_safetensors, e) < 0)
			return -1;
		return answer_met(s, "model.gguf-invalid", s->met_gguf, e);
	}
	if (s->kind == CV_FILES_PLAIN)
		return 0;
	if (s->kind == CV_FILES_SKILL && cv_answers_pass(&s->a, skill, e) < 0)
		return -1;
	return cv_answers_pass(&s->a, text, e);
}

static int
files_run(struct cv_worker *w, void *state, struct cv_err *e)
{
	struct files *s = state;

	if (cv_set_judge(&s->set, on_disagreement, s, e) != 0 || judge_whole(s, e) != 0 ||
	    answer(s, e) != 0 || cv_answers_end(&s->a, e) != 0)
		return -1;
	return send_counts(w, s, e);
}

const struct cv_task_def cv_task_files = {
	.task = CV_T_FILES,
	.start = files_start,
	.item = files_item,
	.run = files_run,
	.end = files_end,
};
