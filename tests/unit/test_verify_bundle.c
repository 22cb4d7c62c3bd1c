/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_bundle.c: a sealed bundle is opened, and one with one thing changed is not:
 * its bytes, its members, its names, its verdict. */
#include "tests/launch/seal.h"
#include "verify/bundle_dir.h"
#include "verify/bundle_int.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the good case first: without it, refusals prove nothing ---- */

static void
sealed_and_opened(void)
{
	static const char *const members[] = { "launch-set.json",
					       "launch.json",
					       "agent.json",
					       "policy.json",
					       "policy.effective.json",
					       "clawverify.lock",
					       "oci/oci-layout",
					       "oci/index.json",
					       "oci/manifest.json",
					       "trees/llm/model.safetensors",
					       "trees/prompt/system.md",
					       "trees/sums/scripts/run.sh" };
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	const char *check;
	struct sealed s;
	struct stat st;

	seal_good(&s, "good");
	T_OK(seal_open(&s, &b, &check), s.e);
	T(cv_digest_eq(&b->digest, &s.digest));
	for (size_t i = 0; i < CV_COUNT(members); i++)
		if (cv_members_find(&b->members, members[i]) == NULL)
			t_fail(__FILE__, __LINE__, "no %s", members[i]);
	T(stat(seal_at(&s, "trees/sums/scripts/run.sh"), &st) == 0);
	T_INT(st.st_mode & 07777, 0555);
	T(stat(seal_at(&s, "trees/sums/SKILL.md"), &st) == 0);
	T_INT(st.st_mode & 07777, 0444);
	T(stat(seal_at(&s, "trees"), &st) == 0);
	T_INT(st.st_mode & 07777, 0555);
	T_STR(b->agent, "small");
	T(b->vsa.not_after > b->vsa.not_before);

	/* what docker reads agrees with what containerd reads */
	T_OK(cv_bundle_read(b, "oci/manifest.json", &text, &s.e), s.e);
	T_HAS(cv_buf_text(&text), "\"RepoTags\":null");
	seal_free(&s);
}

/* ---- one change each ---- */

/* Each member in turn: nftw has no argument. */
static struct {
	struct sealed *s;
	unsigned files;
} flip;

static int
flip_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type != FTW_F || st->st_size == 0)
		return 0;
	T(chmod(path, 0644) == 0);
	small_flip(path, st->st_size / 2);
	T(chmod(path, st->st_mode & 07777) == 0);
	{
		cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
		const char *check = NULL;

		if (seal_open(flip.s, &b, &check) == 0)
			t_fail(__FILE__, __LINE__, "a flipped bit in %s went unseen", path);
		if (cv_reason_exit(flip.s->e.reason) != CV_EXIT_FAIL || check == NULL)
			t_fail(__FILE__, __LINE__, "%s: %s (%s)", path, flip.s->e.text,
			       cv_reason_word(flip.s->e.reason));
	}
	T(chmod(path, 0644) == 0);
	small_flip(path, st->st_size / 2);
	T(chmod(path, st->st_mode & 07777) == 0);
	flip.files++;
	return 0;
}

static void
a_flipped_bit(void)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	const char *check;
	struct sealed s;

	seal_good(&s, "flip");
	flip.s = &s;
	flip.files = 0;
	T_INT(nftw(s.path, flip_one, 16, FTW_PHYS), 0);
	T(flip.files > 20);
	T_OK(seal_open(&s, &b, &check), s.e); /* all as it was */
	seal_free(&s);
}

static void
open_dirs(const struct sealed *s)
{
	T(chmod(s->path, 0755) == 0 && chmod(seal_at(s, "trees/sums"), 0755) == 0 &&
	  chmod(seal_at(s, "oci"), 0755) == 0);
}

static void
close_dirs(const struct sealed *s)
{
	T(chmod(s->path, 0555) == 0 && chmod(seal_at(s, "trees/sums"), 0555) == 0 &&
	  chmod(seal_at(s, "oci"), 0555) == 0);
}

static void
surplus(void)
{
	static const char *const files[] = { "more", "trees/sums/more", "oci/more", ".hidden" };
	struct sealed s;

	seal_good(&s, "surplus");
	for (size_t i = 0; i < CV_COUNT(files); i++) {
		open_dirs(&s);
		t_write_file(seal_at(&s, files[i]), "x", 1);
		T(chmod(seal_at(&s, files[i]), 0444) == 0);
		close_dirs(&s);
		seal_refused(&s, "bundle.changed", CV_R_DIGEST);
		T_HAS(s.e.text, "not sealed");
		open_dirs(&s);
		T(unlink(seal_at(&s, files[i])) == 0);
		close_dirs(&s);
	}
	open_dirs(&s);
	T(mkdir(seal_at(&s, "trees/sums/empty"), 0555) == 0);
	close_dirs(&s);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	open_dirs(&s);
	T(rmdir(seal_at(&s, "trees/sums/empty")) == 0);
	T(symlink("SKILL.md", seal_at(&s, "trees/sums/link")) == 0);
	close_dirs(&s);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	open_dirs(&s);
	T(unlink(seal_at(&s, "trees/sums/link")) == 0);
	T(mkfifo(seal_at(&s, "trees/sums/pipe"), 0444) == 0);
	close_dirs(&s);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	seal_free(&s);
}

static void
missing(void)
{
	static const char *const files[] = { "trees/sums/SKILL.md", "oci/index.json", "launch.json",
					     "vsa.dsse.json" };
	struct sealed s;

	seal_good(&s, "missing");
	for (size_t i = 0; i < CV_COUNT(files); i++) {
		open_dirs(&s);
		T(rename(seal_at(&s, files[i]), small_path(&s.small, "kept")) == 0);
		close_dirs(&s);
		seal_refused(&s, "bundle.changed", CV_R_DIGEST);
		T_HAS(s.e.text, "missing");
		open_dirs(&s);
		T(rename(small_path(&s.small, "kept"), seal_at(&s, files[i])) == 0);
		close_dirs(&s);
	}
	seal_free(&s);
}

/* The same bytes, reached by a link; by another name; in a linked directory. */
static void
linked(void)
{
	struct sealed s;

	seal_good(&s, "linked");
	open_dirs(&s);
	T(rename(seal_at(&s, "trees/sums/SKILL.md"), small_path(&s.small, "kept")) == 0);
	T(symlink(small_path(&s.small, "kept"), seal_at(&s, "trees/sums/SKILL.md")) == 0);
	close_dirs(&s);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);

	open_dirs(&s);
	T(unlink(seal_at(&s, "trees/sums/SKILL.md")) == 0);
	T(link(small_path(&s.small, "kept"), seal_at(&s, "trees/sums/SKILL.md")) == 0);
	close_dirs(&s);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	T_HAS(s.e.text, "names");
	T(unlink(small_path(&s.small, "kept")) == 0);

	open_dirs(&s);
	T(rename(seal_at(&s, "oci"), small_path(&s.small, "oci")) == 0);
	T(symlink(small_path(&s.small, "oci"), seal_at(&s, "oci")) == 0);
	T(chmod(s.path, 0555) == 0 && chmod(seal_at(&s, "trees/sums"), 0555) == 0 &&
	  chmod(small_path(&s.small, "oci"), 0555) == 0);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);

	T(chmod(s.path, 0755) == 0 && unlink(seal_at(&s, "oci")) == 0);
	T(chmod(small_path(&s.small, "oci"), 0755) == 0);
	T(rename(small_path(&s.small, "oci"), seal_at(&s, "oci")) == 0);
	T(chmod(seal_at(&s, "oci"), 0555) == 0);
	T(rename(seal_at(&s, "bundle.json"), small_path(&s.small, "kept")) == 0);
	T(symlink(small_path(&s.small, "kept"), seal_at(&s, "bundle.json")) == 0);
	T(chmod(s.path, 0555) == 0);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	seal_free(&s);
}

static void
modes(void)
{
	static const struct {
		const char *path;
		mode_t good, bad;
	} v[] = {
		{ "trees/sums/SKILL.md", 0444, 0644 },
		{ "trees/sums/SKILL.md", 0444, 0555 },
		{ "trees/sums/scripts/run.sh", 0555, 0444 },
		{ "launch.json", 0444, 04444 },
		{ "trees/sums/scripts", 0555, 0755 },
		{ "vsa.dsse.json", 0444, 0646 },
		{ "report.json", 0444, 0644 },
		{ ".", 0555, 0777 },
	};
	struct sealed s;

	seal_good(&s, "modes");
	for (size_t i = 0; i < CV_COUNT(v); i++) {
		T(chmod(seal_at(&s, v[i].path), v[i].bad) == 0);
		seal_refused(&s, "bundle.changed", CV_R_DIGEST);
		T_HAS(s.e.text, "mode");
		T(chmod(seal_at(&s, v[i].path), v[i].good) == 0);
	}
	seal_free(&s);
}

/* ---- the verdict ---- */

/* put_text: this, as the file of the verdict. */
static void
put_text(struct sealed *s, struct cv_span text)
{
	T(chmod(s->path, 0755) == 0 && unlink(seal_at(s, "vsa.dsse.json")) == 0);
	t_write_file(seal_at(s, "vsa.dsse.json"), text.p, text.n);
	T(chmod(seal_at(s, "vsa.dsse.json"), 0444) == 0 && chmod(s->path, 0555) == 0);
}

/* A verdict like the real one in all but what the test changes, signed by k. */
static void
put_verdict(struct sealed *s, const struct cv_signkey *k, struct cv_span payload, const char *type)
{
	cv_auto(cv_buf_free) struct cv_buf env = CV_BUF(CV_MAX_ENVELOPE);

	T_OK(cv_dsse_sign(k, type, payload, &env, &s->e), s->e);
	put_text(s, cv_buf_span(&env));
}

/* The payload of the real verdict. */
static void
payload_of(struct sealed *s, struct cv_buf *out)
{
	cv_auto(cv_buf_free) struct cv_buf env = CV_BUF(CV_MAX_ENVELOPE);
	struct cv_bundle_trust trust = seal_trust(s);

	T_INT(cv_conf_read(&env, AT_FDCWD, seal_at(s, "vsa.dsse.json"), CV_MAX_JSON_DOM, &s->e), 1);
	T_OK(cv_dsse_open(&trust.role, "verdict", cv_buf_span(&env), "application/vnd.in-toto+json",
			  &s->trusted, 1, trust.now, out, NULL, &s->e),
	     s->e);
}

#include "tests/support/edit.h"

/* No digest covers the envelope: it is right in all, and has a byte more or less. */
static void
another_envelope(void)
{
	static const struct {
		const char *was, *is;
	} edits[] = {
		{ "{\"payload\":", "{ \"payload\":" },
		{ "\"}]}\n", "\"}]}" },
		{ "\"}]}\n", "\"}]}\n\n" },
		{ "\"}]}\n", "\"}],\"x\":1}\n" },
		{ "\"}]}\n", "\"},{\"keyid\":\"\",\"sig\":\"AAAA\"}]}\n" },
		{ "\"keyid\":\"sha256:", "\"keyid\":\"sha256 " },
		{ "\"sig\":\"", "\"x\":0,\"sig\":\"" },
		{ "payloadType", "payload\\u0054ype" },
	};
	cv_auto(cv_buf_free) struct cv_buf env = CV_BUF(CV_MAX_ENVELOPE);
	struct cv_bundle *b = NULL;
	const char *check;
	struct sealed s;

	seal_good(&s, "envelope");
	T_INT(cv_conf_read(&env, AT_FDCWD, seal_at(&s, "vsa.dsse.json"), CV_MAX_JSON_DOM, &s.e), 1);
	for (size_t i = 0; i < CV_COUNT(edits); i++) {
		cv_auto(cv_buf_free) struct cv_buf x = CV_BUF(CV_MAX_ENVELOPE);
		const char *at = strstr(cv_buf_text(&env), edits[i].was);

		T(at != NULL);
		cv_buf_add(&x, env.p, (size_t)(at - cv_buf_text(&env)));
		cv_buf_str(&x, edits[i].is);
		cv_buf_str(&x, at + strlen(edits[i].was));
		put_text(&s, cv_buf_span(&x));
		seal_refused(&s, "bundle.changed", CV_R_DIGEST);
		T_HAS(s.e.text, "another envelope");
	}
	put_text(&s, cv_buf_span(&env));
	T_OK(seal_open(&s, &b, &check), s.e);
	cv_bundle_close(&b);
	seal_free(&s);
}

static void
another_signer(void)
{
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_signkey_free) struct cv_signkey *k = NULL;
	cv_auto(cv_mem_free) struct cv_mem mem = { 0 };
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	struct cv_bundle_trust trust;
	struct cv_key other;
	struct sealed s;
	const char *check;

	seal_good(&s, "signer");
	seal_key(&k, &other, &mem, small_path(&s.small, "stranger"));
	payload_of(&s, &payload);
	put_verdict(&s, k, cv_buf_span(&payload), "application/vnd.in-toto+json");
	seal_refused(&s, "bundle.untrusted", CV_R_IDENTITY);
	put_verdict(&s, s.key, cv_buf_span(&payload), "application/json");
	seal_refused(&s, "bundle.untrusted", CV_R_DIGEST);

	/* the real one again: but this host trusts another key, or none */
	put_verdict(&s, s.key, cv_buf_span(&payload), "application/vnd.in-toto+json");
	trust = seal_trust(&s);
	trust.keys = &other;
	T_NO(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e, CV_R_IDENTITY);
	T_STR(check, "bundle.untrusted");
	trust.nkeys = 0;
	T_NO(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e, CV_R_IDENTITY);
	T_OK(seal_open(&s, &b, &check), s.e);
	seal_free(&s);
}

/* Validly signed by the trusted key, and wrong. */
static void
wrong_verdicts(void)
{
	static const struct {
		const char *from, *to;
		enum cv_reason reason;
		const char *check;
	} v[] = {
		{ "\"PASSED\"", "\"FAILED\"", CV_R_RULE, "bundle.untrusted" },
		{ "verification_summary/v1", "verification_summary/v2", CV_R_RULE,
		  "bundle.untrusted" },
		{ "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v2", CV_R_RULE,
		  "bundle.untrusted" },
		{ "\"name\":\"bundle.json\"", "\"name\":\"bundle.jsom\"", CV_R_RULE,
		  "bundle.untrusted" },
		{ "\"name\":\"launch-set\"", "\"name\":\"launch-sets\"", CV_R_RULE,
		  "bundle.untrusted" },
		{ "https://clawverify.dev/clawverify", "https://clawverify.dev/other", CV_R_RULE,
		  "bundle.untrusted" },
		{ "\"notAfter\"", "\"notAfters\"", CV_R_MALFORMED, "bundle.untrusted" },
		{ "\"notBefore\"", "\"notBefores\"", CV_R_MALFORMED, "bundle.untrusted" },
		{ "\"platform\":\"linux/amd64\"", "\"platform\":\"linux/arm64\"", CV_R_DIGEST,
		  "bundle.changed" },
	};
	static const char zeros[] =
		"\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000";
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	cv_auto(cv_launchset_free) struct cv_launchset *l = NULL;
	char text[CV_DIGEST_TEXT];
	struct cv_digest d;
	const char *check;
	struct sealed s;

	seal_good(&s, "verdicts");
	payload_of(&s, &payload);
	for (size_t i = 0; i < CV_COUNT(v); i++) {
		cv_auto(cv_buf_free) struct cv_buf bad = CV_BUF(CV_MAX_JSON_DOM);

		put_verdict(&s, s.key, t_edit(&bad, cv_buf_text(&payload), v[i].from, v[i].to),
			    "application/vnd.in-toto+json");
		seal_refused(&s, v[i].check, v[i].reason);
	}
	/* about this bundle.json, and about another launch set */
	{
		cv_auto(cv_buf_free) struct cv_buf bad = CV_BUF(CV_MAX_JSON_DOM);
		char set[100];

		T_OK(cv_engine_launchset(&l, s.run.res, s.run.agent, &s.e), s.e);
		T_OK(cv_launchset_digest(l, &d, &s.e), s.e);
		cv_text_fmt(set, sizeof(set), "\"sha256\":\"%s", cv_digest_text(&d, text) + 7);
		put_verdict(&s, s.key, t_edit(&bad, cv_buf_text(&payload), set, zeros),
			    "application/vnd.in-toto+json");
		seal_refused(&s, "bundle.changed", CV_R_DIGEST);
		T_HAS(s.e.text, "launch set");
	}
	put_verdict(&s, s.key, cv_buf_span(&payload), "application/vnd.in-toto+json");
	T_OK(seal_open(&s, &b, &check), s.e);
	seal_free(&s);
}

static void
times(void)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	struct cv_bundle_trust trust;
	struct sealed s;
	const char *check;
	int64_t from, until;

	seal_good(&s, "times");
	from = s.run.res->now;
	until = s.run.res->valid_until;
	trust = seal_trust(&s);
	trust.now = from - CV_CLOCK_SKEW;
	T_OK(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e);
	cv_bundle_close(&b);
	trust.now = from - CV_CLOCK_SKEW - 1;
	T_NO(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e, CV_R_EXPIRED);
	T_STR(check, "bundle.expired");
	T_HAS(s.e.text, "not valid before");
	trust.now = until;
	T_NO(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e, CV_R_EXPIRED);
	T_STR(check, "bundle.expired");
	T_HAS(s.e.text, "was valid until");
	trust.now = until - 1;
	T_OK(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e);
	cv_bundle_close(&b);
	trust.now = from;
	T_OK(cv_bundle_open(&b, s.path, &trust, &check, &s.e), s.e);
	seal_free(&s);
}

/* The verdict of one bundle laid into another, both good and of one sealer. */
static void
verdict_of_another(void)
{
	cv_auto(cv_buf_free) struct cv_buf first = CV_BUF(CV_MAX_JSON_DOM);
	struct sealed s;
	struct cv_digest one;

	seal_good(&s, "another");
	payload_of(&s, &first);
	one = s.digest;
	t_write_file(small_path(&s.small, "system.md"), "You are bold.\n", 14);
	seal_verify(&s);
	T_OK(seal_try(&s), s.e);
	T(!cv_digest_eq(&one, &s.digest));
	put_verdict(&s, s.key, cv_buf_span(&first), "application/vnd.in-toto+json");
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	T_HAS(s.e.text, "the signed verdict is about");
	seal_free(&s);
}

/* A member and bundle.json changed together, so that they agree: the launch set
 * is the same, and the verdict is genuine. */
static void
list_rewritten(void)
{
	cv_auto(cv_buf_free) struct cv_buf index = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf edited = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf policy = CV_BUF(CV_MAX_JSON_DOM);
	char was[CV_DIGEST_TEXT], is[CV_DIGEST_TEXT];
	struct cv_digest d;
	struct sealed s;

	seal_good(&s, "rewritten");
	T_INT(cv_conf_read(&index, AT_FDCWD, seal_at(&s, "bundle.json"), CV_MAX_JSON_DOM, &s.e), 1);
	T_INT(cv_conf_read(&policy, AT_FDCWD, seal_at(&s, "policy.json"), CV_MAX_JSON_DOM, &s.e),
	      1);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_buf_span(&policy), &s.e), s.e);
	cv_digest_text(&d, was);
	policy.p[0] ^= 1;
	T_OK(cv_digest_of(&d, CV_SHA256, cv_buf_span(&policy), &s.e), s.e);
	t_edit(&edited, cv_buf_text(&index), was, cv_digest_text(&d, is));
	T(chmod(seal_at(&s, "policy.json"), 0644) == 0 &&
	  chmod(seal_at(&s, "bundle.json"), 0644) == 0);
	t_write_file(seal_at(&s, "policy.json"), policy.p, policy.n);
	t_write_file(seal_at(&s, "bundle.json"), edited.p, edited.n);
	T(chmod(seal_at(&s, "policy.json"), 0444) == 0 &&
	  chmod(seal_at(&s, "bundle.json"), 0444) == 0);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	T_HAS(s.e.text, "the signed verdict is about");
	seal_free(&s);
}

/* What is written is compared with what was verified, whoever delivers it. */
static void
other_bytes_delivered(void)
{
	struct cv_members members = { 0 };
	struct cv_bwriter w = { .members = &members };
	const char *dir = run_dir("delivered");
	struct cv_digest d;
	struct cv_err e;
	int fd = t_memfd("bytes", 5);

	T(mkdir(dir, 0700) == 0);
	w.top = open(dir, O_RDONLY | O_DIRECTORY);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("other"), &e), e);
	T_NO(cv_bw_blob(&w, "a", "x", (struct cv_blob){ .fd = fd, .len = 5 }, &d, &e), e,
	     CV_R_DIGEST);
	T_INT(members.n, 0);
	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str("bytes"), &e), e);
	T_NO(cv_bw_blob(&w, "b", "x", (struct cv_blob){ .fd = fd, .len = 6 }, &d, &e), e,
	     CV_R_CUTOFF);
	T_OK(cv_bw_blob(&w, "c/d", "x", (struct cv_blob){ .fd = fd, .len = 5 }, &d, &e), e);
	T_INT(members.n, 1);
	/* never over something that is there, nor through a link */
	T(cv_bw_bytes(&w, "c/d", "x", cv_span_str("x"), &e) == -1);
	T(symlinkat("/tmp", w.top, "link") == 0);
	T(cv_bw_bytes(&w, "link/d", "x", cv_span_str("x"), &e) == -1);
	T_INT(members.n, 1);
	close(w.top);
	close(fd);
	cv_members_free(&members);
}

static void
no_worker(void)
{
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	struct cv_bundle_trust trust;
	struct sealed s;
	const char *check;

	seal_good(&s, "noworker");
	trust = seal_trust(&s);
	trust.role.dir = t_tmpdir();
	T(cv_bundle_open(&b, s.path, &trust, &check, &s.e) == -1);
	T(cv_reason_exit(s.e.reason) != CV_EXIT_PASS && cv_reason_exit(s.e.reason) != CV_EXIT_FAIL);
	T(b == NULL);
	T_NO(cv_bundle_open(&b, "/nonexistent", &trust, &check, &s.e), s.e, CV_R_USAGE);
	T_NO(cv_bundle_open(&b, t_tmpdir(), &trust, &check, &s.e), s.e, CV_R_USAGE);
	seal_free(&s);
}

/* A whole bundle under the name of another one is not that one. */
static void
another_name(void)
{
	static const char zeros[] = "sha256-00000000000000000000000000000000"
				    "00000000000000000000000000000000";
	cv_auto(cv_bundle_close) struct cv_bundle *b = NULL;
	char own[4096], wrong[4096], plain[4096];
	struct sealed s;
	const char *check;

	seal_good(&s, "names");
	cv_text_fmt(own, sizeof(own), "%s", s.path);
	cv_text_fmt(wrong, sizeof(wrong), "%s/%s", s.dir, zeros);
	cv_text_fmt(plain, sizeof(plain), "%s/mine", s.dir);
	T(rename(own, wrong) == 0);
	cv_text_fmt(s.path, sizeof(s.path), "%s", wrong);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	T_HAS(s.e.text, zeros);
	cv_text_fmt(s.path, sizeof(s.path), "%s//", wrong);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	/* a name that says no digest says nothing wrong; a link that does, does */
	T(rename(wrong, plain) == 0 && symlink("mine", wrong) == 0);
	cv_text_fmt(s.path, sizeof(s.path), "%s", wrong);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	cv_text_fmt(s.path, sizeof(s.path), "%s", plain);
	T_OK(seal_open(&s, &b, &check), s.e);
	/* and a right link to a wrong name */
	T(unlink(wrong) == 0 && rename(plain, wrong) == 0 && symlink(zeros, own) == 0);
	cv_text_fmt(s.path, sizeof(s.path), "%s", own);
	seal_refused(&s, "bundle.changed", CV_R_DIGEST);
	seal_free(&s);
}

static const struct t_case cases[] = {
	{ "sealed and opened", sealed_and_opened },
	{ "a flipped bit in each file", a_flipped_bit },
	{ "surplus files", surplus },
	{ "missing files", missing },
	{ "files that are links or have two names", linked },
	{ "wrong modes", modes },
	{ "another envelope around the verdict", another_envelope },
	{ "a verdict by another signer", another_signer },
	{ "verdicts of the right signer that say something else", wrong_verdicts },
	{ "expired and not yet valid", times },
	{ "the verdict of another bundle", verdict_of_another },
	{ "a member and the list changed together", list_rewritten },
	{ "other bytes than were verified", other_bytes_delivered },
	{ "no worker, no bundle", no_worker },
	{ "under another's name", another_name },
};
T_MAIN(cases)
