/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_lock.c: what is a lock, and what differs between two. */
#include "tests/support/edit.h"
#include "tests/support/t.h"
#include "verify/lock.h"

#include <unistd.h>

/* one of its parts at a time, so that edits are unique */
#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define D4 "sha256:4444444444444444444444444444444444444444444444444444444444444444"
#define D5 "sha256:5555555555555555555555555555555555555555555555555555555555555555"
#define D6 "sha256:6666666666666666666666666666666666666666666666666666666666666666"

static struct cv_digest
digest(const char *text)
{
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_digest_parse(&d, cv_span_str(text), &e), e);
	return d;
}

static struct cv_tree *
tree(struct cv_digest *ret)
{
	const struct cv_tree_entry entries[] = {
		{ .path = "SKILL.md", .kind = CV_TREE_FILE, .size = 12, .digest = digest(D5) },
		{ .path = "bin/run", .kind = CV_TREE_EXEC, .size = 7, .digest = digest(D6) },
		{ .path = "bin/go", .kind = CV_TREE_LINK, .target = "run" },
		{ .path = "empty", .kind = CV_TREE_DIR },
	};
	struct cv_tree *t = NULL;
	struct cv_err e;

	T_OK(cv_tree_open(&t, "skill", &e), e);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		T_OK(cv_tree_add(t, &entries[i], &e), e);
	T_OK(cv_tree_end(t, ret, &e), e);
	return t;
}

/* build: a lock as the engine makes one; not sorted. */
static struct cv_lock *
build(void)
{
	struct cv_lock *l = NULL;
	struct cv_lock_artifact *a;
	struct cv_err e;

	T_OK(cv_lock_open(&l, 3, &e), e);
	l->agent = digest(D1);
	l->policy = digest(D2);
	a = &l->artifacts[l->nartifacts++];
	a->name = "skill";
	a->type = CV_A_SKILL;
	a->origin = CV_O_PATH;
	a->asked = "skills/x";
	a->tree = tree(&a->digest);
	a->size = 19;
	a = &l->artifacts[l->nartifacts++];
	a->name = "runtime";
	a->type = CV_A_IMAGE;
	a->origin = CV_O_REGISTRY;
	a->asked = "registry.example/agent:1";
	a->digest = a->manifest = digest(D3);
	a->index = digest(D4);
	a->config = digest(D5);
	a->size = 500;
	a->media = "application/vnd.oci.image.manifest.v1+json";
	a->platform = "linux/amd64";
	a->layers = cv_mem_get(&l->mem, 1, sizeof(*a->layers), &e);
	a->nlayers = 1;
	a->layers[0] = (struct cv_lock_layer){ .digest = digest(D6),
					       .diffid = digest(D1),
					       .size = 99,
					       .media = "application/vnd.oci.image.layer.v1.tar" };
	a->signers = cv_mem_get(&l->mem, 3, sizeof(*a->signers), &e);
	a->nsigners = 3;
	a->signers[0] = (struct cv_lock_signer){ .keyid = D2, .name = "ops" };
	a->signers[1] = (struct cv_lock_signer){ .keyid = D1, .name = "acme", .predicate = "p" };
	a->signers[2] = (struct cv_lock_signer){ .keyid = D2,
						 .name = "ops",
						 .identity = "https://ci.example/x@main",
						 .issuer = "https://id.example" };
	a->evidence = cv_mem_get(&l->mem, 1, sizeof(*a->evidence), &e);
	a->nevidence = 1;
	a->evidence[0] = (struct cv_lock_evidence){ .digest = digest(D4), .role = "signature" };
	a = &l->artifacts[l->nartifacts++];
	a->name = "prompt";
	a->type = CV_A_PROMPT;
	a->origin = CV_O_PATH;
	a->asked = "system.md";
	a->digest = digest(D6);
	a->size = 3;
	return l;
}

static void
emit(struct cv_buf *out)
{
	struct cv_lock *l = build();
	struct cv_err e;

	cv_buf_reset(out);
	T_OK(cv_lock_emit(l, out, &e), e);
	cv_lock_free(&l);
}

static int
no_difference(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e)
{
	(void)ctx, (void)pins, (void)e;
	t_fail(__FILE__, __LINE__, "%s: %s", artifact, text);
}

static void
round_trip(void)
{
	struct cv_lock *l = build(), *back = NULL;
	struct cv_buf out = CV_BUF(65536), again = CV_BUF(65536);
	const struct cv_lock_artifact *a;
	struct cv_digest d;
	struct cv_err e;

	T_OK(cv_lock_emit(l, &out, &e), e);
	T_OK(cv_lock_parse(&back, "clawverify.lock", cv_buf_span(&out), &e), e);
	T_OK(cv_lock_diff(l, back, no_difference, NULL, &e), e);
	T_OK(cv_lock_diff(back, l, no_difference, NULL, &e), e);
	T_OK(cv_lock_emit(back, &again, &e), e);
	T(cv_span_eq(cv_buf_span(&out), cv_buf_span(&again)));
	T_OK(cv_digest_of(&d, CV_SHA256, cv_buf_span(&out), &e), e);
	T(cv_digest_eq(&back->digest, &d));
	T_STR(back->artifacts[0].name, "prompt");
	a = cv_lock_find(back, "runtime");
	T(a != NULL && a->nlayers == 1 && a->layers[0].size == 99 && a->nsigners == 3);
	T_STR(a->signers[0].name, "acme"); /* sorted */
	T(a->signers[1].identity == NULL && a->signers[1].issuer == NULL);
	T_STR(a->signers[2].identity, "https://ci.example/x@main");
	T_STR(a->signers[2].issuer, "https://id.example");
	T(a->pos.line > 1);
	a = cv_lock_find(back, "skill");
	T(a->tree != NULL && cv_tree_count(a->tree) == 4);
	T_STR(cv_tree_find(a->tree, "bin/go")->target, "run");
	T(cv_lock_find(back, "none") == NULL);
	cv_lock_free(&l);
	cv_lock_free(&back);
	cv_buf_free(&out);
	cv_buf_free(&again);
}

struct bad {
	const char *from, *to;
	const char *says;
};

static const struct bad bads[] = {
	{ "clawverify.lock/1", "clawverify.lock/2", "want \"clawverify.lock/1\"" },
	{ "{\n", "{ // remark\n", "" },
	{ "{\n", "{\n  \"$comment\": 1,\n", "not as `clawverify lock` writes it" },
	{ "{\n", "{\n  \"x-y\": 1,\n", "not as `clawverify lock` writes it" },
	{ "  \"agent\"", "\t\"agent\"", "2:1: this is not as" },
	{ "  \"agent\": \"" D1 "\",\n", "", "found no \"agent\"" },
	{ "\"agent\": \"" D1 "\"", "\"agent\": \"" D1 "\", \"agent\": \"" D1 "\"", "agent" },
	{ "\"agent\": \"" D1 "\",", "\"agent\": \"" D1 "\",\n  \"agnet\": 1,",
	  "did you mean \"agent\"" },
	{ "\"policy\": \"sha256", "\"policy\": \"SHA256", "64 lower-case" },
	{ "\"prompt\": {", "\"Prompt\": {", "artifact name" },
	{ "\"type\": \"prompt\"", "\"type\": \"promtp\"", "did you mean" },
	{ "\"type\": \"prompt\"", "\"type\": \"model-hosted\"", "nothing to lock" },
	{ "\"type\": \"prompt\"", "\"type\": \"image\"", "origin" },
	{ "\"origin\": \"registry\"", "\"origin\": \"path\"", "origin" },
	{ "\"origin\": \"registry\"", "\"origin\": \"net\"", "want one of" },
	{ "\"size\": 3,", "\"size\": -3,", "integer" },
	{ "\"size\": 3,", "\"size\": 3.0,", "" },
	{ "\"size\": 3,", "\"size\": 03,", "" },
	{ "\"asked\": \"system.md\"", "\"asked\": \"syst\\u0065m.md\"", "not as" },
	{ "\"manifest\": \"" D3 "\"", "\"manifest\": \"" D2 "\"", "is not its \"digest\"" },
	{ "\"platform\": \"linux/amd64\"", "\"platform\": 7", "want a string" },
	{ "\"diffid\": \"" D1 "\",\n", "", "\"diffid\"" },
	{ "\"role\": \"signature\"", "\"role\": \"signatur\"", "did you mean \"signature\"" },
	{ "\"keyid\": \"" D1 "\"", "\"keyid\": \"\"", "empty" },
	/* trees */
	{ "clawverify-tree-v1", "clawverify-tree-v2", "clawverify-tree-v1" },
	{ "\"0644 12 ", "\"0644 13 ", "do not give its tree digest" },
	{ "\"0644 12 ", "\"0755 12 ", "do not give its tree digest" },
	{ "\"0644 12 ", "\"0600 12 ", "want \"0644 SIZE" },
	{ "\"0644 12 ", "\"0644 012 ", "want \"0644 SIZE" },
	{ "\"0644 12 ", "\"0644  ", "want \"0644 SIZE" },
	{ "\"SKILL.md\"", "\"SKILL2.md\"", "do not give its tree digest" },
	{ "\"SKILL.md\"", "\"../SKILL.md\"", ".." },
	{ "\"SKILL.md\"", "\"/SKILL.md\"", "absolute" },
	{ "\"link run\"", "\"link /run\"", "" },
	{ "\"link run\"", "\"link ../../run\"", "" },
	{ "\"dir\"", "\"file\"", "want \"0644 SIZE" },
};

static void
refused(void)
{
	struct cv_buf good = CV_BUF(65536), out = CV_BUF(65536);

	emit(&good);
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct cv_lock *l = NULL;
		struct cv_err e = { 0 };

		t_edit(&out, cv_buf_text(&good), bads[i].from, bads[i].to);
		if (cv_lock_parse(&l, "clawverify.lock", cv_buf_span(&out), &e) == 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: was accepted", bads[i].from,
			       bads[i].to);
		T(l == NULL);
		if (e.reason != CV_R_CONFIG || strstr(e.text, bads[i].says) == NULL ||
		    strncmp(e.text, "clawverify.lock:", 16) != 0)
			t_fail(__FILE__, __LINE__, "%s -> %s: %s: %s, want %s", bads[i].from,
			       bads[i].to, cv_reason_word(e.reason), e.text, bads[i].says);
	}
	cv_buf_free(&good);
	cv_buf_free(&out);
}

/* Of a lock with one byte changed, anything but the lock comes back, or none. */
static void
every_byte(void)
{
	struct cv_buf good = CV_BUF(65536);
	struct cv_lock *l = build();
	size_t refusals = 0;

	emit(&good);
	for (size_t i = 0; i < good.n; i++) {
		struct cv_lock *back = NULL;
		uint8_t was = good.p[i];
		struct cv_err e;

		good.p[i] = was == 'x' ? 'y' : 'x';
		if (cv_lock_parse(&back, "l", cv_buf_span(&good), &e) == 0)
			cv_lock_free(&back); /* text or hex, elsewhere compared */
		else if (e.reason == CV_R_CONFIG)
			refusals++;
		else
			t_fail(__FILE__, __LINE__, "byte %zu: %s", i, cv_reason_word(e.reason));
		good.p[i] = was;
		if (i < good.n - 1)
			T(cv_lock_parse(&back, "l", cv_span(good.p, i), &e) == -1);
	}
	T(refusals > good.n / 2);
	cv_lock_free(&l);
	cv_buf_free(&good);
}

static int
collect(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e)
{
	(void)e;
	cv_buf_fmt(ctx, "%s%s|%s\n", pins ? "!" : "", artifact, text);
	return 0;
}

static int
give_up(void *ctx, const char *artifact, bool pins, const char *text, struct cv_err *e)
{
	(void)ctx, (void)artifact, (void)pins, (void)text;
	return cv_fail(e, CV_R_CANCELLED, "enough");
}

static void
differences(void)
{
	struct cv_lock *a = build(), *b = build();
	struct cv_buf out = CV_BUF(65536);
	struct cv_err e;

	b->policy = digest(D3);
	b->artifacts[1].digest = b->artifacts[1].manifest = digest(D2);
	b->artifacts[1].layers[0].size = 100;
	b->artifacts[1].signers[0].name = "other";
	b->artifacts[1].asked = "registry.example/agent:2";
	b->artifacts[1].nevidence = 0;
	b->artifacts[2].name = "prompt2";
	cv_tree_free(&b->artifacts[0].tree);
	T_OK(cv_lock_diff(a, b, collect, &out, &e), e);
	T_STR(cv_buf_text(&out),
	      "|policy  " D2 " -> " D3 "\n"
	      "!prompt|no longer there\n"
	      "!prompt2|new\n"
	      "!runtime|asked  registry.example/agent:1 -> registry.example/agent:2\n"
	      "!runtime|digest  " D3 " -> " D2 "\n"
	      "!runtime|manifest  " D3 " -> " D2 "\n"
	      "!runtime|layer 1 size  99 -> 100\n"
	      "runtime|signers  3 -> 3 other\n"
	      "runtime|evidence  1 -> 0\n"
	      "!skill|file SKILL.md  0644 12 " D5 " -> (none)\n"
	      "!skill|file bin/go  link run -> (none)\n"
	      "!skill|file bin/run  0755 7 " D6 " -> (none)\n"
	      "!skill|file empty  dir -> (none)\n");
	T_NO(cv_lock_diff(a, b, give_up, NULL, &e), e, CV_R_CANCELLED);
	cv_lock_free(&a);
	cv_lock_free(&b);
	cv_buf_free(&out);
}

static void
asks(void)
{
	struct cv_lock *l = build();
	struct cv_artifact a = { .name = "runtime",
				 .type = CV_A_IMAGE,
				 .origin = CV_O_REGISTRY,
				 .asked = "registry.example/agent:1" };

	T(cv_lock_asks(cv_lock_find(l, "runtime"), &a));
	a.platform = "linux/amd64";
	T(cv_lock_asks(cv_lock_find(l, "runtime"), &a));
	a.platform = "linux/arm64";
	T(!cv_lock_asks(cv_lock_find(l, "runtime"), &a));
	a.platform = NULL;
	a.asked = "registry.example/agent:2";
	T(!cv_lock_asks(cv_lock_find(l, "runtime"), &a));
	a.asked = "registry.example/agent:1";
	a.origin = CV_O_LAYOUT;
	T(!cv_lock_asks(cv_lock_find(l, "runtime"), &a));
	a.origin = CV_O_REGISTRY;
	a.type = CV_A_FILE;
	T(!cv_lock_asks(cv_lock_find(l, "runtime"), &a));
	cv_lock_free(&l);
}

static void
files(void)
{
	struct cv_lock *l = build(), *back = NULL;
	char path[512];
	struct cv_err e;

	snprintf(path, sizeof(path), "%s/" CV_LOCK_NAME, t_tmpdir());
	T_INT(cv_lock_load(&back, path, &e), 0);
	T_OK(cv_lock_save(l, path, &e), e);
	T_INT(cv_lock_load(&back, path, &e), 1);
	T_OK(cv_lock_diff(l, back, no_difference, NULL, &e), e);
	T_OK(cv_lock_save(back, path, &e), e); /* over itself */
	cv_lock_free(&back);
	t_write_file(path, "{", 1);
	T_INT(cv_lock_load(&back, path, &e), -1);
	T_INT(e.reason, CV_R_CONFIG);
	T_NO(cv_lock_save(l, "/nowhere/x", &e), e, CV_R_CONFIG);
	cv_lock_free(&l);
}

static const struct t_case cases[] = {
	{ "what is written is read back equal", round_trip },
	{ "every single mistake is refused", refused },
	{ "any byte, any cut", every_byte },
	{ "what differs", differences },
	{ "is the entry for what is asked now", asks },
	{ "files", files },
};
T_MAIN(cases)
