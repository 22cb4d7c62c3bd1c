/* SPDX-License-Identifier: Apache-2.0 */
/* git's signed commits and tags: what two readers understand differently, and what git
 * verify-commit and verify-tag say to the same bytes. */
#include "tests/support/peer.h"
#include "tests/support/ssh.h"
#include "trust/git_object.h"

#include "trust/base/banned.h"

#define ID     "4b825dc642cb6eb9a060e54bf8d69288fbee4904" /* the empty tree, which git knows */
#define AT     " A U Thor <a@example.com> 1700000000 +0100\n"
#define TREE   "tree " ID "\n"
#define PARENT "parent 1111111111111111111111111111111111111111\n"
#define PEOPLE "author" AT "committer" AT
#define HEAD   TREE PEOPLE
#define TAG    "object " ID "\ntype tree\ntag v1\ntagger" AT "\n"
#define MORE                                                                                       \
	"encoding UTF-8\nmergetag object " ID "\n type commit\n \n -----BEGIN PGP "                \
	"SIGNATURE-----\n"

/* %S the signature's header, %O another algorithm's, %B the signature's block, %0 a NUL,
 * %N a NUL and more. What is signed is the same with %0 and without the others. */
static const struct question {
	enum cv_git_kind kind;
	const char *form;
	enum cv_reason why;
	bool git; /* git verifies it */
} questions[] = {
	/* the five of git and libgit2 */
	{ CV_GIT_COMMIT, HEAD "\nwords\n%S", CV_R_ABSENT, false },
	{ CV_GIT_COMMIT, HEAD "%S\nwords%N", CV_R_MALFORMED, false },
	{ CV_GIT_COMMIT, "%S" HEAD "\nwords\n", CV_R_MALFORMED, false },
	{ CV_GIT_COMMIT, HEAD "%S%S\nwords\n", CV_R_AMBIGUOUS, true },
	{ CV_GIT_COMMIT, HEAD "%S%O\nwords\n", CV_R_NONE, true },
	{ CV_GIT_COMMIT, HEAD "%O%S\nwords\n", CV_R_NONE, true },
	/* others of their kind */
	{ CV_GIT_COMMIT, HEAD "%S\nwords%0more\n", CV_R_MALFORMED, true },
	{ CV_GIT_COMMIT, HEAD "%O%S%O\nwords\n", CV_R_AMBIGUOUS, true },
	{ CV_GIT_COMMIT, HEAD "%O\nwords\n", CV_R_ABSENT, false },
	{ CV_GIT_COMMIT, HEAD "%Sgpgsigx y\n\nwords\n", CV_R_AMBIGUOUS, false },
	{ CV_GIT_COMMIT, HEAD "\nwords\n", CV_R_ABSENT, false },
	{ CV_GIT_COMMIT, TREE "%S" PEOPLE "\nwords\n", CV_R_MALFORMED, true },
	{ CV_GIT_COMMIT, HEAD "%S", CV_R_MALFORMED, true },
	{ CV_GIT_COMMIT, PARENT TREE PEOPLE "%S\nwords\n", CV_R_MALFORMED, false },
	{ CV_GIT_COMMIT, TREE "author" AT "%S\nwords\n", CV_R_MALFORMED, false },
	{ CV_GIT_COMMIT, TREE TREE PEOPLE "%S\nwords\n", CV_R_MALFORMED, true },
	{ CV_GIT_COMMIT, TREE "parent 12\n" PEOPLE "%S\nwords\n", CV_R_MALFORMED, false },
	{ CV_GIT_COMMIT, TREE "author x\ncommitter" AT "%S\nwords\n", CV_R_MALFORMED, true },
	{ CV_GIT_COMMIT, HEAD "%S\nwords\n", CV_R_NONE, true },
	{ CV_GIT_COMMIT, HEAD "%S\n", CV_R_NONE, true },
	{ CV_GIT_COMMIT, HEAD "%S\nno line end", CV_R_NONE, true },
	{ CV_GIT_COMMIT, TREE PARENT PARENT PEOPLE MORE "%S\nwords\n", CV_R_NONE, true },
	{ CV_GIT_COMMIT, HEAD "%S" MORE "\nwords\n-----BEGIN PGP SIGNATURE-----\n", CV_R_NONE,
	  true },
	/* tags */
	{ CV_GIT_TAG, TAG "words\n", CV_R_ABSENT, false },
	{ CV_GIT_TAG, TAG "words%0\n%B", CV_R_MALFORMED, true },
	{ CV_GIT_TAG, TAG "words\n%B%B", CV_R_AMBIGUOUS, false },
	{ CV_GIT_TAG, TAG "-----BEGIN PGP SIGNATURE-----\n%B", CV_R_AMBIGUOUS, true },
	{ CV_GIT_TAG, TAG "words\n%Bmore\n", CV_R_MALFORMED, false },
	{ CV_GIT_TAG, TAG "words\n %B", CV_R_ABSENT, false },
	{ CV_GIT_TAG, "object " ID "\ntype tree\ntag v1\n\nwords\n%B", CV_R_MALFORMED, false },
	{ CV_GIT_TAG, TAG "words\n%B", CV_R_NONE, true },
	{ CV_GIT_TAG, TAG "%B", CV_R_NONE, true },
	{ CV_GIT_TAG, TAG "say -----BEGIN PGP SIGNATURE-----\n%B", CV_R_NONE, true },
};

static void
fold(struct cv_buf *out, const char *name, struct cv_span armor)
{
	cv_buf_fmt(out, "%s", name);
	while (armor.n > 0) {
		struct cv_span line = cv_span_until(&armor, '\n');

		cv_buf_byte(out, ' ');
		cv_buf_add(out, line.p, line.n);
		cv_buf_byte(out, '\n');
	}
}

static void
fill(struct cv_buf *out, const char *form, const struct cv_buf *armor)
{
	struct cv_span a = cv_buf_span(armor);

	for (; *form != 0; form++) {
		if (form[0] != '%') {
			cv_buf_byte(out, (uint8_t)*form);
			continue;
		}
		form++;
		if (*form == '0')
			cv_buf_byte(out, 0);
		else if (a.n > 0 && *form == 'N')
			cv_buf_add(out, "\0more", 5);
		else if (a.n > 0 && *form == 'S')
			fold(out, "gpgsig", a);
		else if (a.n > 0 && *form == 'O')
			fold(out, "gpgsig-sha256", cv_span_str("not\nours\n"));
		else if (a.n > 0)
			cv_buf_add(out, a.p, a.n);
	}
}

static void
make(struct cv_buf *out, const char *form, const char *ns, const struct s_key *k)
{
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(9000), sig = CV_BUF(9000),
					   armor = CV_BUF(9000), none = CV_BUF(1);

	fill(&payload, form, &none);
	s_sshsig(&sig, k, cv_buf_span(&payload), &(struct s_sig){ .ns = ns });
	s_armor(&armor, cv_buf_span(&sig));
	fill(out, form, &armor);
}

static int
ask(enum cv_git_kind kind, struct cv_span raw, struct cv_err *e)
{
	cv_auto(cv_git_free) struct cv_git_object o;
	cv_auto(cv_sshsig_free) struct cv_sshsig s = { 0 };
	struct cv_ssh_proven p;

	if (cv_git_parse(&o, kind, CV_GIT_SHA1, raw, e) != 0)
		return -1;
	return cv_git_verify(&o, CV_SSH_PRESENT, &s, &p, e);
}

static void
what_is_understood_differently(void)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);

	for (size_t i = 0; i < CV_COUNT(questions); i++) {
		const struct question *q = &questions[i];
		cv_auto(cv_buf_free) struct cv_buf raw = CV_BUF(20000);
		struct cv_err e = { 0 };
		int r;

		make(&raw, q->form, "git", k);
		r = ask(q->kind, cv_buf_span(&raw), &e);
		if ((r == 0) != (q->why == CV_R_NONE) || (r != 0 && e.reason != q->why))
			t_fail(__FILE__, __LINE__, "case %zu: %s: %s", i, cv_reason_word(e.reason),
			       e.text);
	}
}

/* The bytes of a commit and of a tag that may differ: white space at the armor's end. */
static void
every_bit_counts(void)
{
	static const char *const forms[] = { HEAD "%S\nwords\n", TAG "words\n%B" };
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	struct cv_err e;

	for (size_t f = 0; f < 2; f++) {
		enum cv_git_kind kind = f == 0 ? CV_GIT_COMMIT : CV_GIT_TAG;
		cv_auto(cv_buf_free) struct cv_buf raw = CV_BUF(20000);

		make(&raw, forms[f], "git", k);
		T_OK(ask(kind, cv_buf_span(&raw), &e), e);
		for (size_t n = 0; n + 1 < raw.n; n++)
			T(ask(kind, cv_span(raw.p, n), &e) == -1);
		for (size_t bit = 0; bit < 8 * raw.n; bit++) {
			raw.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (ask(kind, cv_buf_span(&raw), &e) == 0 &&
			    (f == 0 || bit / 8 != raw.n - 1))
				t_fail(__FILE__, __LINE__, "form %zu: bit %zu", f, bit);
			raw.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void
what_an_object_says(void)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(cv_buf_free) struct cv_buf c = CV_BUF(20000), t = CV_BUF(20000), m = CV_BUF(20000);
	cv_auto(cv_git_free) struct cv_git_object o = { 0 }, tag = { 0 };
	struct cv_err e;

	make(&m, HEAD "%S\nwords\n", "file", k);
	T_NO(ask(CV_GIT_COMMIT, cv_buf_span(&m), &e), e, CV_R_RULE);
	make(&c, HEAD "%S\nwords\n", "git", k);
	T_NO(ask(CV_GIT_TAG, cv_buf_span(&c), &e), e, CV_R_MALFORMED);
	T_OK(cv_git_parse(&o, CV_GIT_COMMIT, CV_GIT_SHA1, cv_buf_span(&c), &e), e);
	T(cv_span_eq_str(o.target, ID));
	T(cv_span_eq_str(o.by, "A U Thor <a@example.com>"));
	T_INT(o.time, 1700000000);
	T_STR(cv_buf_text(&o.payload), HEAD "\nwords\n");
	T_NO(cv_git_tag_named(&o, cv_span_str("v1"), &e), e, CV_R_RULE);
	cv_git_free(&o);
	T_NO(cv_git_parse(&o, CV_GIT_COMMIT, CV_GIT_SHA256, cv_buf_span(&c), &e), e,
	     CV_R_MALFORMED);
	make(&t, TAG "words\n%B", "git", k);
	T_OK(cv_git_parse(&tag, CV_GIT_TAG, CV_GIT_SHA1, cv_buf_span(&t), &e), e);
	T_NO(cv_git_tag_named(&tag, cv_span_str("v2"), &e), e, CV_R_RULE);
	T_NO(cv_git_tag_named(&tag, cv_span_str("v"), &e), e, CV_R_RULE);
	T_OK(cv_git_tag_named(&tag, cv_span_str("v1"), &e), e);
}

/* Heads that git takes more easily; each is right in all else. */
static void
tag_heads(void)
{
	static const struct {
		const char *head;
		bool good;
	} c[] = {
		{ "object " ID "\ntype tree\ntag v1\ntagger" AT, true },
		{ "object " ID "0\ntype tree\ntag v1\ntagger" AT, false },
		{ "object x\ntype tree\ntag v1\ntagger" AT, false },
		{ "object " ID "\ntype tre\ntag v1\ntagger" AT, false },
		{ "object " ID "\ntype tree\ntag v1\ntagger" AT "more x\n", false },
		{ "object " ID "\ntype tree\ntag v1\ntagger" AT "gpgsig x\n", false },
		{ "type tree\nobject " ID "\ntag v1\ntagger" AT, false },
		{ "object " ID "\ntype tree\ntag v1\ntagger A <a> 1 00100\n", false },
		{ "object " ID "\ntype tree\ntag v1\ntagger A <a> 1 +010x\n", false },
		{ "object " ID "\ntype tree\ntag v1\ntagger A <a> 1 +01000\n", false },
		{ "object " ID "\ntype tree\ntag v1\ntagger A <a> -1 +0100\n", false },
		{ "object " ID "\ntype tree\ntag v1\ntagger A >a< 1 +0100\n", false },
	};
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(cv_buf_free) struct cv_buf raw = CV_BUF(20000), form = CV_BUF(2000);
		struct cv_err e = { 0 };

		cv_buf_fmt(&form, "%s\nwords\n%%B", c[i].head);
		make(&raw, cv_buf_text(&form), "git", k);
		if ((ask(CV_GIT_TAG, cv_buf_span(&raw), &e) == 0) != c[i].good ||
		    (!c[i].good && e.reason != CV_R_MALFORMED))
			t_fail(__FILE__, __LINE__, "case %zu: %s", i, e.text);
	}
}

static void
other_schemes(void)
{
	static const struct {
		enum cv_git_kind kind;
		const char *raw, *word;
	} c[] = {
		{ CV_GIT_COMMIT, HEAD "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n\nwords\n",
		  "OpenPGP" },
		{ CV_GIT_COMMIT, HEAD "gpgsig -----BEGIN SIGNED MESSAGE-----\n x\n\nwords\n",
		  "X.509" },
		{ CV_GIT_COMMIT, HEAD "gpgsig x\n\nwords\n", "unknown" },
		{ CV_GIT_TAG, TAG "words\n-----BEGIN PGP SIGNATURE-----\n", "OpenPGP" },
		{ CV_GIT_TAG, TAG "words\n-----BEGIN PGP MESSAGE-----\n", "OpenPGP" },
		{ CV_GIT_TAG, TAG "words\n-----BEGIN SIGNED MESSAGE-----\n", "X.509" },
	};
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		T_NO(ask(c[i].kind, cv_span_str(c[i].raw), &e), e, CV_R_UNSUPPORTED);
		T_HAS(e.text, c[i].word);
	}
}

/* ---- git ---- */

#define SIGNED                                                                                     \
	"git -c gpg.format=ssh -c user.signingkey=$PWD/k -c user.name=n -c user.email=a@e.org "

static void
git_agrees(void)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(cv_buf_free) struct cv_buf list = CV_BUF(2000);
	cv_auto(cv_buf_free) struct cv_buf wrong = CV_BUF(2000);

	peer_want("git");
	peer_want("ssh-keygen");
	T(peer_sh("git init -q r"));
	cv_buf_str(&list, "a@example.com ");
	s_public_line(&list, k);
	cv_buf_byte(&list, '\n');
	peer_write("list", cv_buf_span(&list));
	for (size_t i = 0; i < CV_COUNT(questions); i++) {
		const struct question *q = &questions[i];
		const char *kind = q->kind == CV_GIT_COMMIT ? "commit" : "tag";
		cv_auto(cv_buf_free) struct cv_buf raw = CV_BUF(20000);
		bool yes;

		make(&raw, q->form, "git", k);
		peer_write("object", cv_buf_span(&raw));
		yes = peer_sh("id=$(git -C r hash-object -t %s -w --literally --stdin <object) && "
			      "git -C r -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=$PWD/list "
			      "verify-%s $id",
			      kind, kind);
		if (yes != q->git)
			cv_buf_fmt(&wrong, " %zu: git says %d;", i, (int)yes);
	}
	T_STR(cv_buf_text(&wrong), "");
}

static void
what_git_signs(void)
{
	static const char *const types[] = { "ed25519", "ecdsa", "rsa" };
	struct cv_err e;

	peer_want("git");
	peer_want("ssh-keygen");
	for (size_t i = 0; i < CV_COUNT(types); i++) {
		cv_auto(cv_buf_free) struct cv_buf c = CV_BUF(20000), t = CV_BUF(20000),
						   m = CV_BUF(20000);

		T(peer_sh("rm -rf g k k.pub; git init -q g && ssh-keygen -q -N '' -t %s -f k",
			  types[i]));
		T(peer_sh(SIGNED
			  "-C g commit -q -S --allow-empty -m 'a commit' && " SIGNED
			  "-C g tag -s -m 'a tag' v1 && "
			  "git -C g cat-file commit HEAD >c && git -C g cat-file tag v1 >t"));
		T(peer_sh(SIGNED "-C g checkout -q --orphan other && " SIGNED
				 "-C g commit -q --allow-empty -m other && " SIGNED
				 "-C g merge -q -S --allow-unrelated-histories -m merge v1 && "
				 "git -C g cat-file commit HEAD >m"));
		peer_read(&c, "c");
		peer_read(&t, "t");
		peer_read(&m, "m");
		T_OK(ask(CV_GIT_COMMIT, cv_buf_span(&c), &e), e);
		T_OK(ask(CV_GIT_TAG, cv_buf_span(&t), &e), e);
		T_HAS(cv_buf_text(&m), "\nmergetag ");
		T_OK(ask(CV_GIT_COMMIT, cv_buf_span(&m), &e), e);
		c.p[c.n - 2] ^= 1;
		T_NO(ask(CV_GIT_COMMIT, cv_buf_span(&c), &e), e, CV_R_SIGNATURE);
	}
}

/* A repository of SHA-256 ids: the header has another name, and gpgsig is the other. */
static void
what_git_signs_with_sha256(void)
{
	cv_auto(cv_buf_free) struct cv_buf c = CV_BUF(20000);
	cv_auto(cv_git_free) struct cv_git_object o = { 0 }, sha1 = { 0 };
	cv_auto(cv_sshsig_free) struct cv_sshsig s = { 0 };
	struct cv_ssh_proven p;
	struct cv_err e;

	peer_want("git");
	peer_want("ssh-keygen");
	T(peer_sh("rm -rf g k k.pub; ssh-keygen -q -N '' -t ed25519 -f k"));
	if (!peer_sh("git init -q --object-format=sha256 g"))
		t_skip("this git has no SHA-256 repositories");
	T(peer_sh(SIGNED "-C g commit -q -S --allow-empty -m 'a commit' && "
			 "git -C g cat-file commit HEAD >c"));
	peer_read(&c, "c");
	T_HAS(cv_buf_text(&c), "\ngpgsig-sha256 ");
	T_NO(cv_git_parse(&sha1, CV_GIT_COMMIT, CV_GIT_SHA1, cv_buf_span(&c), &e), e,
	     CV_R_MALFORMED);
	T_OK(cv_git_parse(&o, CV_GIT_COMMIT, CV_GIT_SHA256, cv_buf_span(&c), &e), e);
	T_OK(cv_git_verify(&o, CV_SSH_PRESENT, &s, &p, &e), e);
}

static const struct t_case cases[] = {
	{ "what two readers understand differently", what_is_understood_differently },
	{ "every bit counts", every_bit_counts },
	{ "what an object says", what_an_object_says },
	{ "heads of tags", tag_heads },
	{ "other schemes have their name", other_schemes },
	{ "git agrees, or is named", git_agrees },
	{ "what git signs", what_git_signs },
	{ "what git signs in a repository of SHA-256", what_git_signs_with_sha256 },
};

T_MAIN(cases)
