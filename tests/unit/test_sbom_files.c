/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_files.c: models, skills and prompts through the task, as verify asks. */
#include "sbom/found/tasks.h"
#include "tests/support/ask.h"
#include "tests/support/t.h"
#include "trust/base/limits.h"

#include <stdlib.h>
#include <unistd.h>

#define WEIGHTS (CV_FMT_SAFETENSORS | CV_FMT_GGUF | CV_FMT_DATA)

/* ---- making files ---- */

/* safetensors: a header and `data` bytes of zeros */
static struct cv_span
safetensors(struct cv_buf *b, const char *header, size_t data)
{
	*b = CV_BUF(1 << 20);
	cv_buf_u64le(b, strlen(header));
	cv_buf_str(b, header);
	for (size_t i = 0; i < data; i++)
		cv_buf_byte(b, 0);
	return cv_buf_span(b);
}

#define ONE "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
#define TWO                                                                                        \
	"{\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"                          \
	"\"c\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}"

static void
gguf_string(struct cv_buf *b, const char *s)
{
	cv_buf_u64le(b, strlen(s));
	cv_buf_str(b, s);
}

static void
gguf_u16(struct cv_buf *b, const char *key, uint16_t v)
{
	gguf_string(b, key);
	cv_buf_u32le(b, 2);
	cv_buf_u16le(b, v);
}

/* gguf: no tensors; split numbers when parts is not 0; a chat template if given */
static struct cv_span
gguf(struct cv_buf *b, unsigned part, unsigned parts, const char *chat)
{
	*b = CV_BUF(1 << 20);
	cv_buf_str(b, "GGUF");
	cv_buf_u32le(b, 3);
	cv_buf_u64le(b, 0);
	cv_buf_u64le(b, 1u + (parts > 0 ? 3u : 0u) + (chat != NULL ? 1u : 0u));
	gguf_string(b, "general.architecture");
	cv_buf_u32le(b, 8);
	gguf_string(b, "llama");
	if (parts > 0) {
		gguf_u16(b, "split.no", (uint16_t)part);
		gguf_u16(b, "split.count", (uint16_t)parts);
		gguf_string(b, "split.tensors.count");
		cv_buf_u32le(b, 5);
		cv_buf_u32le(b, 0);
	}
	if (chat != NULL) {
		gguf_string(b, "tokenizer.chat_template");
		cv_buf_u32le(b, 8);
		gguf_string(b, chat);
	}
	return cv_buf_span(b);
}

/* ---- driving ---- */

static struct ask *
start(enum cv_files_kind kind, unsigned allowed)
{
	struct ask *d = ask_open(&cv_task_files, NULL);
	struct cv_out *o = ask_frame(d, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_FILES);
	cv_out_u64(o, CV_TAG_KIND, kind);
	cv_out_u64(o, CV_TAG_FLAGS, allowed);
	ask_send(d);
	return d;
}

static void
add(struct ask *d, const char *name, struct cv_span bytes)
{
	int fd = t_memfd(bytes.p, bytes.n);
	struct cv_digest digest;
	struct cv_err e = { 0 };
	struct cv_out *o = ask_frame(d, CV_K_ITEM);

	T_OK(cv_digest_of(&digest, CV_SHA256, bytes, &e), e);
	cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_FILE);
	cv_out_str(o, CV_TAG_NAME, name);
	cv_out_u64(o, CV_TAG_SIZE, bytes.n);
	cv_out_digest(o, CV_TAG_DIGEST, &digest);
	cv_out_blob(o, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .len = bytes.n });
	ask_send(d);
	(void)close(fd);
}

static void
add_text(struct ask *d, const char *name, const char *text)
{
	add(d, name, cv_span_str(text));
}

static void
finish(struct ask **d)
{
	ask_run(*d);
	if (!(*d)->done)
		t_fail(__FILE__, __LINE__, "ERROR: %s", (*d)->e.text);
}

/* one: a single file; the finding of `check` has this reason and place */
static void
one(enum cv_files_kind kind, unsigned allowed, const char *name, struct cv_span bytes,
    const char *check, enum cv_reason reason, const char *where)
{
	struct ask *d = start(kind, allowed);
	const struct ask_finding *f;

	if (kind == CV_FILES_SKILL && strcmp(name, "SKILL.md") != 0)
		add_text(d, "SKILL.md", "---\nname: x\ndescription: y\n---\n");
	add(d, name, bytes);
	finish(&d);
	f = ask_has(d, check);
	if (f == NULL && reason == CV_R_NONE) {
		ask_close(&d);
		return;
	}
	if (f == NULL)
		t_fail(__FILE__, __LINE__, "%s: no %s", name, check);
	if (f->reason != reason)
		t_fail(__FILE__, __LINE__, "%s: %s is %s (%s), want %s", name, check,
		       cv_reason_word(f->reason), f->found, cv_reason_word(reason));
	if (where != NULL)
		T_STR(f->where, where);
	ask_close(&d);
}

/* ---- models ---- */

static const char pickle2[] = "\x80\x02"
			      "cos\nsystem\nq\0X\2\0\0\0idq\1\x85q\2Rq\3.";

static void
model_good(void)
{
	struct ask *d = start(CV_FILES_MODEL, WEIGHTS);
	struct cv_buf a, b;

	add(d, "model.safetensors", safetensors(&a, ONE, 8));
	add(d, "m.gguf", gguf(&b, 0, 0, "{{ messages }}"));
	add_text(d, "config.json", "{\"a\": NaN, \"b\": [-Infinity], \"auto_map\": null}");
	add_text(d, "README.md", "# A model\n");
	add_text(d, "tokenizer_config.json", "{\"trust_remote_code\": false}");
	add(d, "logo.png", cv_span("\x89PNG\r\n\x1a\n\0\0", 10));
	add(d, "tokenizer.model", cv_span("\x0a\x03\x0a\x01\x00\x12\x00", 7));
	add(d, "empty.txt", cv_span("", 0));
	finish(&d);
	T(ask_passed(d, "model.pickle"));
	T(ask_passed(d, "model.format-refused"));
	T(ask_passed(d, "model.code-beside-weights"));
	T(ask_passed(d, "model.safetensors-invalid"));
	T(ask_passed(d, "model.gguf-invalid"));
	T(ask_has(d, "text.hidden-unicode") == NULL);
	T_INT(ask_count(d, "files"), 8);
	T_INT(ask_count(d, "tensors"), 1);
	ask_close(&d);
	cv_buf_free(&a);
	cv_buf_free(&b);
}

static void
model_not_applicable(void)
{
	struct ask *d = start(CV_FILES_MODEL, WEIGHTS);

	add_text(d, "README.md", "# Nothing\n");
	finish(&d);
	T(ask_has(d, "model.gguf-invalid")->not_applicable);
	T(ask_has(d, "model.safetensors-invalid")->not_applicable);
	ask_close(&d);
	d = start(CV_FILES_MODEL, WEIGHTS);
	finish(&d);
	T_INT(ask_has(d, "model.format-refused")->reason, CV_R_ABSENT);
	ask_close(&d);
}

static void
model_formats(void)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} refused[] = {
		{ "model.bin", "text only", 9 },
		{ "model.bin", "\0\1\2\3\4\5\6\7", 8 },
		{ "weights.h5", "\x89HDF\r\n\x1a\n\0", 9 },
		{ "weights", "\x89HDF\r\n\x1a\n\0", 9 },
		{ "a.onnx", "\x08\x07", 2 },
		{ "saved_model.pb", "\x08\x01", 2 },
		{ "x.keras", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22 },
		{ "notes.txt", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22 },
		{ "a.txt", "plain PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28 },
		{ "a.tar.xz",
		  "\xfd"
		  "7zXZ\0\0\0",
		  8 },
		{ "unknown", "\1\2\3\4", 4 },
		{ "tokenizer.model", "\x0a\xff\x01\x00", 4 },
		{ "tokenizer.model", "\x3a\x01\x00", 3 },
		{ "model.safetensors.txt", "\x10\0\0\0\0\0\0\0{              }", 24 },
		{ "p.md", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", 56 },
		{ "a.nemo", "x", 1 },
		{ "x.tflite", "\0\0\0\0TFL3", 8 },
		{ "paper.pdf", "%PDF-1.7\n", 9 },
	};
	static const struct {
		const char *name, *bytes;
		size_t n;
	} code[] = {
		{ "modeling.py", "import os\n", 10 },
		{ "modeling.py", "", 0 },
		{ "run", "#!/bin/sh\n", 10 },
		{ "lib", "\177ELF\2\1\1", 7 },
		{ "lib.so.1.2", "text", 4 },
		{ "a.PY", "x", 1 },
		{ "m.wasm", "\0asm\1", 5 },
		{ "m", "\0asm\1", 5 },
		{ "x.exe", "x", 1 },
		{ "llama", "MZqFpD='\n", 9 },
		{ "nb.ipynb", "{}", 2 },
		{ "README.md", "#!/usr/bin/env python\n", 22 },
	};

	for (size_t i = 0; i < CV_COUNT(refused); i++)
		one(CV_FILES_MODEL, WEIGHTS, refused[i].name,
		    cv_span(refused[i].bytes, refused[i].n), "model.format-refused", CV_R_RULE,
		    refused[i].name);
	for (size_t i = 0; i < CV_COUNT(code); i++) {
		one(CV_FILES_MODEL, WEIGHTS, code[i].name, cv_span(code[i].bytes, code[i].n),
		    "model.code-beside-weights", CV_R_RULE, code[i].name);
		one(CV_FILES_MODEL, WEIGHTS | CV_FMT_CODE, code[i].name,
		    cv_span(code[i].bytes, code[i].n), "model.code-beside-weights", CV_R_NONE,
		    NULL);
	}
}

/* Good by itself, and a zip archive to whoever reads from the end. */
static void
model_two_formats(void)
{
	static const char end[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct cv_buf b = CV_BUF(1024);

	cv_buf_str(&b, "\x89PNG\r\n\x1a\n");
	cv_buf_add(&b, end, sizeof end);
	one(CV_FILES_MODEL, WEIGHTS, "i.png", cv_buf_span(&b), "model.format-refused", CV_R_RULE,
	    "i.png");
	cv_buf_free(&b);
	(void)safetensors(&b, "{\"a\":{\"dtype\":\"U8\",\"shape\":[22],\"data_offsets\":[0,22]}}",
			  0);
	cv_buf_add(&b, end, sizeof end);
	one(CV_FILES_MODEL, WEIGHTS, "m.safetensors", cv_buf_span(&b), "model.format-refused",
	    CV_R_RULE, "m.safetensors");
	cv_buf_free(&b);
}

static void
model_not_allowed(void)
{
	struct cv_buf b;

	one(CV_FILES_MODEL, CV_FMT_GGUF | CV_FMT_DATA, "m.safetensors", safetensors(&b, ONE, 8),
	    "model.format-refused", CV_R_RULE, "m.safetensors");
	cv_buf_free(&b);
	one(CV_FILES_MODEL, CV_FMT_SAFETENSORS, "m.gguf", gguf(&b, 0, 0, NULL),
	    "model.format-refused", CV_R_RULE, "m.gguf");
	cv_buf_free(&b);
	one(CV_FILES_MODEL, CV_FMT_SAFETENSORS, "a.txt", cv_span_str("x"), "model.format-refused",
	    CV_R_RULE, "a.txt");
}

static void
model_configs(void)
{
	static const struct {
		const char *name, *text;
		const char *check;
		enum cv_reason reason;
	} t[] = {
		{ "config.json", "{\"auto_map\": {\"AutoModel\": \"a--b.C\"}}",
		  "model.code-beside-weights", CV_R_RULE },
		{ "config.json", "{\"\\u0061uto_map\": {}}", "model.code-beside-weights",
		  CV_R_RULE },
		{ "sub/tokenizer_config.json", "{\"trust_remote_code\": true}",
		  "model.code-beside-weights", CV_R_RULE },
		{ "config.json", "{\"inner\": {\"auto_map\": 1}}", "model.code-beside-weights",
		  CV_R_NONE },
		{ "modules.json", "[{\"type\": \"sentence_transformers.models.Pooling\"}]",
		  "model.code-beside-weights", CV_R_NONE },
		{ "modules.json", "[{\"type\": \"evil.Pooling\"}]", "model.code-beside-weights",
		  CV_R_RULE },
		{ "model_index.json", "{\"custom_pipelines\": \"x\"}", "model.code-beside-weights",
		  CV_R_RULE },
		{ "config.json", "{\"a\": 1, \"a\": 2}", "model.format-refused", CV_R_AMBIGUOUS },
		{ "config.json", "{\"a\": 1", "model.format-refused", CV_R_MALFORMED },
		{ "config.json", "{\"a\": Inf}", "model.format-refused", CV_R_MALFORMED },
	};

	for (size_t i = 0; i < CV_COUNT(t); i++)
		one(CV_FILES_MODEL, WEIGHTS, t[i].name, cv_span_str(t[i].text), t[i].check,
		    t[i].reason, t[i].reason == CV_R_NONE ? NULL : t[i].name);
}

static void
model_broken(void)
{
	struct cv_buf b;

	one(CV_FILES_MODEL, WEIGHTS, "m.safetensors", safetensors(&b, ONE, 9),
	    "model.safetensors-invalid", CV_R_MALFORMED, "m.safetensors");
	cv_buf_free(&b);
	one(CV_FILES_MODEL, WEIGHTS, "noname", safetensors(&b, ONE, 7), "model.safetensors-invalid",
	    CV_R_MALFORMED, "noname");
	cv_buf_free(&b);
	one(CV_FILES_MODEL, WEIGHTS, "m.safetensors", cv_span("", 0), "model.safetensors-invalid",
	    CV_R_MALFORMED, "m.safetensors");
	one(CV_FILES_MODEL, WEIGHTS, "m.gguf", cv_span_str("hello"), "model.gguf-invalid",
	    CV_R_MALFORMED, "m.gguf");
	one(CV_FILES_MODEL, WEIGHTS, "m.gguf", safetensors(&b, ONE, 8), "model.gguf-invalid",
	    CV_R_MALFORMED, "m.gguf");
	cv_buf_free(&b);
}

static void
model_pickles(void)
{
	static const char zip[] =
		"PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0\x1d\0\0\0\x1d\0\0\0\x0a\0\0\0a/data.pkl"
		"\x80\x02"
		"cos\nsystem\nq\0X\2\0\0\0idq\1\x85q\2Rq\3.";
	struct cv_span p = cv_span(pickle2, sizeof pickle2 - 1);

	one(CV_FILES_MODEL, WEIGHTS, "model.bin", p, "model.pickle", CV_R_RULE,
	    "model.bin, byte 0");
	one(CV_FILES_MODEL, WEIGHTS, "README.md", p, "model.pickle", CV_R_RULE, NULL);
	one(CV_FILES_MODEL, WEIGHTS, "model.safetensors", p, "model.pickle", CV_R_RULE, NULL);
	one(CV_FILES_MODEL, WEIGHTS, "m.pt", cv_span(zip, sizeof zip - 1), "model.pickle",
	    CV_R_RULE, "m.pt!a/data.pkl, byte 0");
	one(CV_FILES_MODEL, WEIGHTS | CV_FMT_CODE, "a.py", cv_span_str("cos\nsystem\n(S'id'\ntR."),
	    "model.pickle", CV_R_RULE, NULL);
	one(CV_FILES_SKILL, 0, "assets/data", p, "model.pickle", CV_R_RULE, NULL);
	one(CV_FILES_SKILL, 0, "assets/x.tar.xz",
	    cv_span("\xfd"
		    "7zXZ\0\0",
		    7),
	    "model.pickle", CV_R_UNSUPPORTED, NULL);
	one(CV_FILES_SKILL, 0, "assets/x.lzma",
	    cv_span("\x5d\0\0\x40\0\xff\xff\xff\xff\xff\xff\xff\xff\0", 14), "model.pickle",
	    CV_R_UNSUPPORTED, NULL);
	one(CV_FILES_SKILL, 0, "notes.md", cv_span_str("plain"), "model.pickle", CV_R_NONE, NULL);
}

static void
model_template(void)
{
	struct cv_buf b;

	one(CV_FILES_MODEL, WEIGHTS, "m.gguf",
	    gguf(&b, 0, 0,
		 "a\xe2\x80\xae"
		 "b"),
	    "text.hidden-unicode", CV_R_RULE, "m.gguf chat template:1:2");
	cv_buf_free(&b);
	one(CV_FILES_MODEL, WEIGHTS, "chat_template.jinja", cv_span_str("a\n\xf3\xa0\x81\x81"),
	    "text.hidden-unicode", CV_R_RULE, "chat_template.jinja:2:1");
}

/* ---- files that speak of each other ---- */

/* shards: two files and an index; `reason` of safetensors-invalid */
static void
shards(const char *index, const char *dir, enum cv_reason reason, const char *found)
{
	struct ask *d = start(CV_FILES_MODEL, WEIGHTS);
	struct cv_buf a, b;
	char name[128];
	const struct ask_finding *f;

	(void)snprintf(name, sizeof name, "%smodel.safetensors.index.json", dir);
	add_text(d, name, index);
	(void)snprintf(name, sizeof name, "%smodel-1.safetensors", dir);
	add(d, name, safetensors(&a, ONE, 8));
	(void)snprintf(name, sizeof name, "%smodel-2.safetensors", dir);
	add(d, name, safetensors(&b, TWO, 8));
	finish(&d);
	f = ask_has(d, "model.safetensors-invalid");
	T(f != NULL);
	if (f->reason != reason)
		t_fail(__FILE__, __LINE__, "%s: %s (%s), want %s", index, cv_reason_word(f->reason),
		       f->found, cv_reason_word(reason));
	if (found != NULL)
		T_HAS(f->found, found);
	ask_close(&d);
	cv_buf_free(&a);
	cv_buf_free(&b);
}

#define MAP(entries) "{\"metadata\":{\"total_size\":16},\"weight_map\":{" entries "}}"

static void
model_index(void)
{
	shards(MAP("\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\""), "",
	       CV_R_MALFORMED, "1 tensors of \"model-2.safetensors\" are not in the index");
	shards(MAP("\"a\":\"model-1.safetensors\",\"b\":\"model-1.safetensors\","
		   "\"c\":\"model-2.safetensors\""),
	       "", CV_R_MALFORMED, "1 tensors that the index places in \"model-1.safetensors\"");
	shards(MAP("\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\","
		   "\"c\":\"model-2.safetensors\",\"d\":\"model-3.safetensors\""),
	       "", CV_R_ABSENT, "\"model-3.safetensors\", which is not there");
	shards(MAP("\"a\":\"../model-1.safetensors\""), "", CV_R_RULE, NULL);
	shards(MAP("\"a\":\"model-1.safetensors\",\"a\":\"model-1.safetensors\""), "",
	       CV_R_AMBIGUOUS, NULL);
	shards("{\"weight_map\":[]}", "", CV_R_MALFORMED, NULL);
	shards(MAP("\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\","
		   "\"c\":\"model-2.safetensors\""),
	       "", CV_R_NONE, NULL);
	shards(MAP("\"c\":\"model-2.safetensors\",\"a\":\"model-1.safetensors\","
		   "\"b\":\"model-2.safetensors\""),
	       "deep/er/", CV_R_NONE, NULL);
	shards(MAP(""), "", CV_R_NONE, NULL);
}

/* parts: which of three parts are there, as "a-%05d-of-%05d.gguf" */
static void
parts(const char *format, const unsigned *part, size_t n, unsigned of, enum cv_reason reason)
{
	struct ask *d = start(CV_FILES_MODEL, WEIGHTS);
	const struct ask_finding *f;
	char name[128];

	for (size_t i = 0; i < n; i++) {
		struct cv_buf b;

		(void)snprintf(name, sizeof name, "%s-%05u-of-%05u.gguf", format, part[i] + 1, of);
		add(d, name, gguf(&b, part[i], 3, NULL));
		cv_buf_free(&b);
	}
	finish(&d);
	f = ask_has(d, "model.gguf-invalid");
	T(f != NULL);
	if (f->reason != reason)
		t_fail(__FILE__, __LINE__, "%zu parts: %s (%s), want %s", n,
		       cv_reason_word(f->reason), f->found, cv_reason_word(reason));
	ask_close(&d);
}

static void
model_parts(void)
{
	parts("a", (unsigned[]){ 2, 0 }, 2, 3, CV_R_ABSENT);
	parts("a", (unsigned[]){ 0, 1 }, 2, 3, CV_R_ABSENT);
	parts("a", (unsigned[]){ 1 }, 1, 3, CV_R_ABSENT);
	parts("a", (unsigned[]){ 0, 1, 2 }, 3, 4, CV_R_MALFORMED);
	parts("d/a", (unsigned[]){ 2, 0, 1 }, 3, 3, CV_R_NONE);
}

/* ---- skills and prompts ---- */

static void
skill_manifest(void)
{
	static const struct {
		const char *text;
		enum cv_reason reason;
	} t[] = {
		{ "", CV_R_MALFORMED },
		{ "# A skill\n", CV_R_MALFORMED },
		{ "---\nname: a\n", CV_R_MALFORMED },
		{ "---\nname: a\n---\n", CV_R_MALFORMED },
		{ "---\ndescription: a\n---\n", CV_R_MALFORMED },
		{ "---\nname:\ndescription: b\n---\n", CV_R_MALFORMED },
		{ "---\nname: ''\ndescription: b\n---\n", CV_R_MALFORMED },
		{ "---\nname: a\ndescription: >-\n---\n", CV_R_MALFORMED },
		{ "---\nname: a\ndescription: # none\n---\n", CV_R_MALFORMED },
		{ "---\nmetadata:\n  name: a\n  description: b\n---\n", CV_R_MALFORMED },
		{ "---\nnames: a\ndescription: b\n---\n", CV_R_MALFORMED },
		{ "---\nname: a\ndescription: b\nname: c\n---\n", CV_R_AMBIGUOUS },
		{ " ---\nname: a\ndescription: b\n---\n", CV_R_MALFORMED },
		{ "---\nname: a\ndescription: b\n---\n", CV_R_NONE },
		{ "\xef\xbb\xbf---\r\nname: a\r\ndescription: \"b\"\r\n---\r\n", CV_R_NONE },
		{ "---\ndescription: >\n  two\n  lines\nname: 'a'\n--- \ntext", CV_R_NONE },
		{ "---\nname: a\nmetadata:\n  x: 1\ndescription:\n  b\n---", CV_R_NONE },
	};
	struct ask *d;

	for (size_t i = 0; i < CV_COUNT(t); i++)
		one(CV_FILES_SKILL, 0, "SKILL.md", cv_span_str(t[i].text), "skill.manifest-missing",
		    t[i].reason, NULL);
	d = start(CV_FILES_SKILL, 0);
	add_text(d, "sub/SKILL.md", "---\nname: a\ndescription: b\n---\n");
	add_text(d, "skill.md", "---\nname: a\ndescription: b\n---\n");
	finish(&d);
	T_INT(ask_has(d, "skill.manifest-missing")->reason, CV_R_ABSENT);
	T(ask_passed(d, "text.hidden-unicode"));
	T(ask_passed(d, "text.invalid-utf8"));
	ask_close(&d);
	d = start(CV_FILES_SKILL, 0);
	finish(&d);
	T_INT(ask_has(d, "skill.manifest-missing")->reason, CV_R_ABSENT);
	ask_close(&d);
}

static void
skill_text(void)
{
	static const char hidden[] = "line\nab\xe2\x80\x8b";
	static const char nul[] = "a\0\xe2\x80\x8b";

	one(CV_FILES_SKILL, 0, "notes.md", cv_span_str(hidden), "text.hidden-unicode", CV_R_RULE,
	    "notes.md:2:3");
	one(CV_FILES_SKILL, 0, "scripts/run.py", cv_span_str(hidden), "text.hidden-unicode",
	    CV_R_RULE, "scripts/run.py:2:3");
	one(CV_FILES_SKILL, 0, "LICENSE", cv_span_str(hidden), "text.hidden-unicode", CV_R_RULE,
	    NULL);
	/* no ending: text, whatever it holds */
	one(CV_FILES_SKILL, 0, "notes", cv_span(nul, sizeof nul - 1), "text.hidden-unicode",
	    CV_R_RULE, "notes:1:2");
	one(CV_FILES_SKILL, 0, "notes.bin", cv_span(nul, sizeof nul - 1), "text.hidden-unicode",
	    CV_R_NONE, NULL);
	one(CV_FILES_SKILL, 0, "notes.odd", cv_span_str(hidden), "text.hidden-unicode", CV_R_RULE,
	    NULL);
	one(CV_FILES_SKILL, 0, "a.md", cv_span("ok \xff\n", 5), "text.invalid-utf8", CV_R_MALFORMED,
	    "a.md:1:4");
	one(CV_FILES_SKILL, 0, "a.png", cv_span("\x89PNG\r\n\x1a\n\0\xff", 10), "text.invalid-utf8",
	    CV_R_NONE, NULL);
	/* called text, and an image to others */
	one(CV_FILES_SKILL, 0, "a.md", cv_span("\x89PNG\r\n\x1a\n\0\xff", 10), "text.invalid-utf8",
	    CV_R_MALFORMED, NULL);
}

static void
prompt_text(void)
{
	struct ask *d = start(CV_FILES_PROMPT, 0);

	add_text(d, "system.txt", "You are helpful.\n");
	finish(&d);
	T(ask_passed(d, "text.hidden-unicode"));
	T(ask_passed(d, "text.invalid-utf8"));
	T(ask_passed(d, "model.pickle"));
	T_INT(d->nfindings, 3);
	ask_close(&d);
	one(CV_FILES_PROMPT, 0, "p", cv_span("a\0b", 3), "text.hidden-unicode", CV_R_RULE, "p:1:2");
	one(CV_FILES_PROMPT, 0, "p",
	    cv_span("\xff\xfe"
		    "a\0",
		    4),
	    "text.invalid-utf8", CV_R_MALFORMED, "p:1:1");
	d = start(CV_FILES_PROMPT, 0);
	finish(&d);
	T_INT(ask_has(d, "text.invalid-utf8")->reason, CV_R_ABSENT);
	ask_close(&d);
}

/* Whatever a pickle is called and whatever carries it. */
static void
pickles_everywhere(void)
{
#define S(text) text, sizeof(text) - 1
	static const struct {
		const char *name, *bytes;
		size_t n;
		enum cv_reason reason;
	} v[] = {
		{ "x", S("\x80\2cos\nsystem\n(S'id'\ntR."), CV_R_RULE },
		{ "x.txt", S("cos\nsystem\n(S'id'\ntR."), CV_R_RULE },
		{ "x", S("\x80\1cos\nsystem\n(S'id'\ntR."), CV_R_RULE },
		{ "x.npy", S("\x93NUMPY\1\0\x14\0{'descr': '|O', }  \n"), CV_R_RULE },
		{ "x.7z", S("7z\xbc\xaf\x27\x1c\0\4"), CV_R_UNSUPPORTED },
		{ "x.dat",
		  S("\xfd"
		    "7zXZ\0\0\4"),
		  CV_R_UNSUPPORTED },
		{ "x.joblib", S("ZF00"), CV_R_RULE },
		{ "x.pkl", S("?"), CV_R_RULE },
		/* innocent files that begin as one does */
		{ "euro.txt", S("\x80 100 a year\n"), CV_R_NONE },
		{ "x.bin", S("\x80\2"), CV_R_NONE },
		{ "x.bin", S("\x80\2\xff\xff\xff\xff"), CV_R_NONE },
		{ "x.bin", S("\x80\x80\x80\x80"), CV_R_NONE },
		/* a Type 1 font: the length behind its head may read as opcodes */
		{ "x.pfb", S("\x80\1K\x17\0\0%!PS-AdobeFont-1.0: X\n"), CV_R_NONE },
		{ "x.txt", S("import pickle\n"), CV_R_NONE },
		{ "x.jpg", S("\xff\xd8\xff\xe0"), CV_R_NONE },
		{ "empty", S(""), CV_R_NONE },
	};
	static const enum cv_files_kind kinds[] = { CV_FILES_PLAIN, CV_FILES_SKILL,
						    CV_FILES_PROMPT };

	for (size_t k = 0; k < CV_COUNT(kinds); k++)
		for (size_t i = 0; i < CV_COUNT(v); i++)
			one(kinds[k], 0, v[i].name, cv_span(v[i].bytes, v[i].n), "model.pickle",
			    v[i].reason, NULL);
#undef S
}

static void
plain_files(void)
{
	struct ask *d = start(CV_FILES_PLAIN, 0);

	add_text(d, "a", "x");
	finish(&d);
	T(ask_passed(d, "model.pickle"));
	T_INT(d->nfindings, 1);
	ask_close(&d);
	d = start(CV_FILES_PLAIN, 0);
	finish(&d);
	T_INT(ask_has(d, "model.pickle")->reason, CV_R_ABSENT);
	ask_close(&d);
}

static void
findings_are_bounded(void)
{
	struct ask *d = start(CV_FILES_MODEL, WEIGHTS);
	char name[32];

	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof name, "%u.py", i);
		add_text(d, name, "x");
	}
	finish(&d);
	T_INT(ask_no(d, "model.code-beside-weights"), CV_MAX_CHECK_FINDINGS);
	T_HAS(d->finding[d->nfindings - 1].note, "and 80 more");
	ask_close(&d);
}

static void
protocol(void)
{
	struct ask *d = ask_open(&cv_task_files, NULL);
	struct cv_out *o = ask_frame(d, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_FILES);
	cv_out_u64(o, CV_TAG_KIND, 0);
	cv_out_u64(o, CV_TAG_FLAGS, 0);
	ask_send(d);
	ask_run(d);
	T(!d->done);
	T_INT(d->e.reason, CV_R_WORKER);
	ask_close(&d);
}

static const struct t_case cases[] = {
	{ "model_good", model_good },
	{ "model_not_applicable", model_not_applicable },
	{ "model_formats", model_formats },
	{ "model_two_formats", model_two_formats },
	{ "model_not_allowed", model_not_allowed },
	{ "model_configs", model_configs },
	{ "model_broken", model_broken },
	{ "model_pickles", model_pickles },
	{ "model_template", model_template },
	{ "model_index", model_index },
	{ "model_parts", model_parts },
	{ "skill_manifest", skill_manifest },
	{ "skill_text", skill_text },
	{ "prompt_text", prompt_text },
	{ "pickles_everywhere", pickles_everywhere },
	{ "plain_files", plain_files },
	{ "findings_are_bounded", findings_are_bounded },
	{ "protocol", protocol },
};

T_MAIN(cases)
