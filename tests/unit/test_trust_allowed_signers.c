/* SPDX-License-Identifier: Apache-2.0 */
/* allowed_signers: lines that are refused, who may sign what and when, certificates,
 * and ssh-keygen -Y verify on the same files. */
#include "tests/support/peer.h"
#include "tests/support/ssh.h"
#include "trust/allowed_signers.h"
#include "trust/base/clock.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define WHO    "dev@example.com"
#define NOON   1700000000 /* 2023-11-14T22:13:20Z */
#define BEFORE "valid-before=\"20231114221319Z\""
#define AFTER  "valid-after=\"20231114221321Z\""

static const char text[] = "what is signed";

/* %K is replaced by the key, %C by the CA's. */
static void
fill(struct cv_buf *out, const char *form, const struct s_key *k, const struct s_key *ca)
{
	for (; *form != 0; form++) {
		if (form[0] != '%') {
			cv_buf_byte(out, (uint8_t)*form);
			continue;
		}
		form++;
		if (*form == 'X') { /* the base64 alone */
			cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(4000);

			s_public_line(&b, k);
			cv_buf_str(out, strchr(cv_buf_text(&b), ' '));
			continue;
		}
		s_public_line(out, *form == 'K' ? k : ca);
	}
}

static void
signers_refused(void)
{
	static const struct {
		const char *file;
		int zone;
		enum cv_reason why;
	} c[] = {
		{ "a", 0, CV_R_MALFORMED },
		{ "a cert-authority", 0, CV_R_MALFORMED },
		{ "%K", 0, CV_R_MALFORMED },
		{ "a namespace=\"x\" %K", 0, CV_R_MALFORMED },
		{ "a namespaces=x %K", 0, CV_R_MALFORMED },
		{ "a namespaces=\"\" %K", 0, CV_R_MALFORMED },
		{ "a namespaces=\"x %K", 0, CV_R_MALFORMED },
		{ "a namespaces=\"x\",namespaces=\"x\" %K", 0, CV_R_MALFORMED },
		{ "a cert-authority,cert-authority %K", 0, CV_R_MALFORMED },
		{ "a cert-authority, %K", 0, CV_R_MALFORMED },
		{ "a ,cert-authority %K", 0, CV_R_MALFORMED },
		{ "a cert-authority=\"yes\" %K", 0, CV_R_MALFORMED },
		{ "a verify-required %K", 0, CV_R_MALFORMED },
		{ "a valid-after=\"2023\" %K", 0, CV_R_MALFORMED },
		{ "a valid-after=\"20230230Z\" %K", 0, CV_R_MALFORMED },
		{ "a valid-after=\"20230101z\" %K", 0, CV_R_MALFORMED },
		{ "a valid-after=\"202301012460Z\" %K", 0, CV_R_MALFORMED },
		{ "a valid-after=\"2023-01-01\" %K", 0, CV_R_MALFORMED },
		{ "a valid-after=\"20230101\" %K", CV_ZONE_NONE, CV_R_AMBIGUOUS },
		{ "a valid-after=\"20230102Z\",valid-before=\"20230102Z\" %K", 0, CV_R_MALFORMED },
		{ "a valid-before=\"20230102Z\",valid-before=\"20230102Z\" %K", 0, CV_R_MALFORMED },
		{ "a ssh-rsa AAAA", 0, CV_R_MALFORMED },
		{ "a ssh-ed25519", 0, CV_R_MALFORMED },
		{ "a ssh-ed25519 !!!!", 0, CV_R_MALFORMED },
		{ "a %K\nb nonsense %K", 0, CV_R_MALFORMED },
		{ "\"a %K", 0, CV_R_MALFORMED },
		{ "a ssh-rsa%X", 0, CV_R_MALFORMED },
		{ "a\"b\" %K", 0, CV_R_MALFORMED },
	};
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	struct cv_err e = { 0 };
	struct cv_signers *s = NULL;

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000);
		int r;

		fill(&b, c[i].file, k, k);
		r = cv_signers_parse(&s, "list", cv_buf_span(&b), c[i].zone, &e);
		cv_signers_free(&s);
		if (r == 0 || e.reason != c[i].why)
			t_fail(__FILE__, __LINE__, "case %zu: %d %s", i, r, e.text);
		T_HAS(e.text, "list:");
	}
	T_NO(cv_signers_parse(&s, "list", cv_span("a\0b", 3), 0, &e), e, CV_R_MALFORMED);
}

/* A key that is of no use is no reason to refuse its neighbours. */
static void
keys_of_no_use(void)
{
	cv_auto(s_key_free) struct s_key *weak = s_key_weak_rsa(1024);
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000);
	cv_auto(cv_signers_free) struct cv_signers *s = NULL;
	struct cv_err e;

	fill(&b, "# words\n\n \t\na %C\r\nb ssh-dss AAAAB3NzaC1kc3M=\nc %K words", k, weak);
	T_OK(cv_signers_parse(&s, "list", cv_buf_span(&b), 0, &e), e);
	T_INT(cv_signers_count(s), 1);
}

static void
pattern_lists(void)
{
	static const struct {
		const char *text, *patterns;
		int want;
	} c[] = {
		{ "a", "", 0 },
		{ "a", "a", 1 },
		{ "a", "A", 0 },
		{ "a", "b,a", 1 },
		{ "a", "*,!a", -1 },
		{ "a", "!a,*", -1 },
		{ "a", "!b", 0 },
		{ "a", "!b,*", 1 },
		{ "ab", "?", 0 },
		{ "ab", "??", 1 },
		{ "ab", "a*b", 1 },
		{ "aXbXb", "a*b", 1 },
		{ "aXbXc", "a*b", 0 },
		{ "a", "**", 1 },
		{ "x@e.org", "*@e.org", 1 },
		{ "a", ",a", 1 },
		{ "x@e.orgx", "*@e.org", 0 },
		{ "a", "!*", -1 },
	};

	for (size_t i = 0; i < CV_COUNT(c); i++)
		if (cv_ssh_pattern_list(cv_span_str(c[i].text), cv_span_str(c[i].patterns)) !=
		    c[i].want)
			t_fail(__FILE__, __LINE__, "case %zu", i);
}

struct question {
	const char *file;
	const struct s_cert *cert; /* NULL: signed by the key itself */
	const char *who, *ns;
	int64_t when;
	enum cv_reason why;
	bool peer_differs;
};

static const struct s_cert plain = { .principals = { "x", WHO } };
static const struct s_cert nobody = { .principals = { NULL } };
static const struct s_cert stars = { .principals = { "*" } };
static const struct s_cert host = { .type = 2, .principals = { WHO } };
static const struct s_cert critical = { .principals = { WHO }, .critical = "force-command" };
static const struct s_cert extended = { .principals = { WHO }, .extension = "permit-pty" };
static const struct s_cert early = { .principals = { WHO }, .after = NOON + 1 };
static const struct s_cert late = { .principals = { WHO }, .before = NOON };
static const struct s_cert just = { .principals = { WHO }, .after = NOON, .before = NOON + 1 };

#define CA "* cert-authority %C\n"

static const struct question questions[] = {
	{ "", NULL, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ WHO " %C", NULL, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ "x@example.com %K", NULL, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ "*,!" WHO " %K", NULL, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ WHO " cert-authority %K", NULL, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ WHO " namespaces=\"git,mail\" %K", NULL, WHO, "file", NOON, CV_R_RULE, false },
	{ WHO " namespaces=\"*,!file\" %K", NULL, WHO, "file", NOON, CV_R_RULE, false },
	{ WHO " " BEFORE " %K", NULL, WHO, "file", NOON, CV_R_EXPIRED, false },
	{ WHO " " AFTER " %K", NULL, WHO, "file", NOON, CV_R_EXPIRED, false },
	{ WHO " valid-after=\"20231114231321\" %K", NULL, WHO, "file", NOON, CV_R_EXPIRED, false },
	{ WHO " %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ "\"" WHO "\" %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ "*@example.com %K words", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " NameSpaces=\"f?le\" %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " " BEFORE " %K\n" WHO " %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " valid-before=\"20231114221320Z\" %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " valid-after=\"20231114221320Z\" %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " valid-after=\"202311142313\" %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " valid-after=\"20231114\" %K", NULL, WHO, "file", NOON, CV_R_NONE, false },
	/* certificates */
	{ WHO " %K", &plain, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ WHO " %C", &plain, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ "x@example.com cert-authority %C", &plain, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ CA, &plain, "y", "file", NOON, CV_R_IDENTITY, false },
	{ CA, &nobody, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ CA, &stars, WHO, "file", NOON, CV_R_IDENTITY, false },
	{ CA, &host, WHO, "file", NOON, CV_R_RULE, false },
	{ CA, &critical, WHO, "file", NOON, CV_R_RULE, true },
	{ CA, &early, WHO, "file", NOON, CV_R_EXPIRED, false },
	{ CA, &late, WHO, "file", NOON, CV_R_EXPIRED, false },
	{ "* cert-authority," BEFORE " %C", &plain, WHO, "file", NOON, CV_R_EXPIRED, false },
	{ "* cert-authority,namespaces=\"git\" %C", &plain, WHO, "file", NOON, CV_R_RULE, false },
	{ CA, &plain, WHO, "file", NOON, CV_R_NONE, false },
	{ CA, &plain, "x", "file", NOON, CV_R_NONE, false },
	{ CA, &extended, WHO, "file", NOON, CV_R_NONE, false },
	{ CA, &just, WHO, "file", NOON, CV_R_NONE, false },
	{ WHO " CERT-authority %C", &just, WHO, "file", NOON, CV_R_NONE, false },
};

static void
make(struct cv_buf *sig, struct cv_buf *list, const struct question *q, const struct s_key *k,
     const struct s_key *ca)
{
	cv_auto(cv_buf_free) struct cv_buf cert = CV_BUF(9000);

	fill(list, q->file, k, ca);
	if (q->cert != NULL)
		s_certificate(&cert, k, ca, q->cert);
	s_sshsig(sig, k, cv_span_str(text), &(struct s_sig){ .cert = cv_buf_span(&cert) });
}

/* The zone of times without Z: one hour east. */
static int
ask(const struct question *q, struct cv_span sig, struct cv_span list, struct cv_err *e)
{
	cv_auto(cv_sshsig_free) struct cv_sshsig s;
	cv_auto(cv_signers_free) struct cv_signers *l = NULL;
	struct cv_message m = cv_message_bytes(cv_span_str(text));
	struct cv_ssh_proven p;

	if (cv_sshsig_parse_blob(&s, sig, e) != 0 ||
	    cv_sshsig_verify(&s, &m, q->ns, CV_SSH_PRESENT, &p, e) != 0 ||
	    cv_signers_parse(&l, "list", list, 60, e) != 0)
		return -1;
	return cv_signers_allow(l, &p, cv_span_str(q->who), q->when, e);
}

static void
who_may_sign(void)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(s_key_free) struct s_key *ca = s_key_new(CV_SSH_P256);

	for (size_t i = 0; i < CV_COUNT(questions); i++) {
		const struct question *q = &questions[i];
		cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(9000), list = CV_BUF(9000);
		struct cv_err e = { 0 };
		int r;

		make(&sig, &list, q, k, ca);
		r = ask(q, cv_buf_span(&sig), cv_buf_span(&list), &e);
		if ((r == 0) != (q->why == CV_R_NONE) || (r != 0 && e.reason != q->why))
			t_fail(__FILE__, __LINE__, "case %zu: %s: %s", i, cv_reason_word(e.reason),
			       e.text);
	}
}

/* ssh-keygen gives the same answers, but for what is marked. */
static void
ssh_keygen_agrees(void)
{
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(s_key_free) struct s_key *ca = s_key_new(CV_SSH_P256);

	peer_want("ssh-keygen");
	peer_write("file", cv_span_str(text));
	for (size_t i = 0; i < CV_COUNT(questions); i++) {
		const struct question *q = &questions[i];
		cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(9000), list = CV_BUF(9000),
						   armor = CV_BUF(20000);
		bool yes;

		make(&sig, &list, q, k, ca);
		s_armor(&armor, cv_buf_span(&sig));
		peer_write("sig", cv_buf_span(&armor));
		peer_write("list", cv_buf_span(&list));
		yes = peer_sh("TZ=XXX-1 ssh-keygen -Y verify -O verify-time=20231114221320Z "
			      "-f list -I '%s' -n %s -s sig <file",
			      q->who, q->ns);
		if (yes != ((q->why == CV_R_NONE) != q->peer_differs))
			t_fail(__FILE__, __LINE__, "case %zu: ssh-keygen says %d", i, (int)yes);
	}
}

/* Every bit of a signature with a certificate, every kind of CA, a broken one. */
static void
certificates(void)
{
	for (enum cv_ssh_kind kind = CV_SSH_ED25519; kind <= CV_SSH_SK_P256; kind++) {
		cv_auto(s_key_free) struct s_key *k = s_key_new(kind);
		cv_auto(s_key_free) struct s_key *ca = s_key_new(kind);
		cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(9000), list = CV_BUF(9000),
						   cert = CV_BUF(9000), bad = CV_BUF(9000);
		struct s_cert broken = { .principals = { WHO }, .broken = true };
		struct question q = { CA, &plain, WHO, "file", NOON, CV_R_NONE, false };
		size_t step = kind == CV_SSH_ED25519 ? 1 : 13;
		struct cv_err e;

		make(&sig, &list, &q, k, ca);
		T_OK(ask(&q, cv_buf_span(&sig), cv_buf_span(&list), &e), e);
		for (size_t bit = 0; bit < 8 * sig.n; bit += step) {
			sig.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (ask(&q, cv_buf_span(&sig), cv_buf_span(&list), &e) == 0)
				t_fail(__FILE__, __LINE__, "kind %d: bit %zu", (int)kind, bit);
			sig.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t n = 0; n < sig.n; n += step)
			T(ask(&q, cv_span(sig.p, n), cv_buf_span(&list), &e) == -1);
		s_certificate(&cert, k, ca, &broken);
		s_sshsig(&bad, k, cv_span_str(text), &(struct s_sig){ .cert = cv_buf_span(&cert) });
		T_NO(ask(&q, cv_buf_span(&bad), cv_buf_span(&list), &e), e, CV_R_SIGNATURE);
	}
}

static void
certificates_malformed(void)
{
	static const struct s_cert c[] = {
		{ .principals = { WHO }, .type = 3 },
		{ .principals = { WHO }, .reserved = "x" },
		{ .principals = { WHO }, .critical = "b", .critical2 = "a" },
		{ .principals = { WHO }, .critical = "a", .critical2 = "a" },
		{ .principals = { WHO }, .extension = "ab", .extension2 = "a" },
		{ .principals = { WHO, "" } },
	};
	static const struct s_cert good = { .principals = { WHO },
					    .extension = "a",
					    .extension2 = "ab" };
	cv_auto(s_key_free) struct s_key *k = s_key_new(CV_SSH_ED25519);
	cv_auto(s_key_free) struct s_key *ca = s_key_new(CV_SSH_P256);
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(9000);
	struct cv_ssh_cert cert;
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_buf_reset(&b);
		s_certificate(&b, k, ca, &c[i]);
		T_NO(cv_ssh_cert_parse(&cert, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
	}
	cv_buf_reset(&b);
	s_certificate(&b, k, ca, &good);
	T_OK(cv_ssh_cert_parse(&cert, cv_buf_span(&b), &e), e);
	T_OK(cv_ssh_cert_signed(&cert, &e), e);
	cv_buf_byte(&b, 0);
	T_NO(cv_ssh_cert_parse(&cert, cv_buf_span(&b), &e), e, CV_R_MALFORMED);
}

/* A certificate that ssh-keygen made, used by ssh-keygen to sign. */
static void
what_ssh_keygen_certifies(void)
{
	cv_auto(cv_buf_free) struct cv_buf sig = CV_BUF(20000), list = CV_BUF(9000);
	cv_auto(cv_sshsig_free) struct cv_sshsig s = { 0 };
	cv_auto(cv_signers_free) struct cv_signers *l = NULL;
	struct cv_message m = cv_message_bytes(cv_span_str(text));
	struct cv_ssh_proven p;
	struct cv_err e;

	peer_want("ssh-keygen");
	peer_want("ssh-agent");
	peer_write("file", cv_span_str(text));
	T(peer_sh(
		"ssh-keygen -q -N '' -t rsa -b 2048 -f ca && ssh-keygen -q -N '' -t ecdsa -f k && "
		"ssh-keygen -q -s ca -I id -n " WHO " -V 20231114:20231116 k.pub && "
		"ssh-agent sh -c 'ssh-add -q k && "
		"ssh-keygen -Y sign -n file -f k-cert.pub file' && "
		"(printf '* cert-authority '; cat ca.pub) >list"));
	peer_read(&sig, "file.sig");
	peer_read(&list, "list");
	T_OK(cv_sshsig_parse(&s, cv_buf_span(&sig), &e), e);
	T_OK(cv_sshsig_verify(&s, &m, "file", CV_SSH_PRESENT, &p, &e), e);
	T(p.certified && cv_span_eq_str(p.cert.id, "id"));
	T_OK(cv_signers_parse(&l, "list", cv_buf_span(&list), CV_ZONE_NONE, &e), e);
	T_NO(cv_signers_allow(l, &p, cv_span_str("other"), NOON + 86400, &e), e, CV_R_IDENTITY);
	T_NO(cv_signers_allow(l, &p, cv_span_str(WHO), NOON - 10 * 86400, &e), e, CV_R_EXPIRED);
	T_NO(cv_signers_allow(l, &p, cv_span_str(WHO), NOON + 10 * 86400, &e), e, CV_R_EXPIRED);
	T_NO(cv_signers_allow(l, &p, cv_span_str(""), NOON, &e), e, CV_R_IDENTITY);
	T_OK(cv_signers_allow(l, &p, cv_span_str(WHO), NOON + 43200, &e), e);
}

static const struct t_case cases[] = {
	{ "lines that refuse the file", signers_refused },
	{ "keys of no use", keys_of_no_use },
	{ "pattern lists", pattern_lists },
	{ "who may sign what and when", who_may_sign },
	{ "certificates, every bit of them", certificates },
	{ "certificates that are malformed", certificates_malformed },
	{ "ssh-keygen agrees", ssh_keygen_agrees },
	{ "what ssh-keygen certifies", what_ssh_keygen_certifies },
};

T_MAIN(cases)
