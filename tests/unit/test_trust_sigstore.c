/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles with certificates, logs and timestamps: one thing wrong each, all else
 * right and genuinely signed; then the good ones. */
#include "tests/support/edit.h"
#include "tests/support/forge_sigstore.h"
#include "tests/support/t.h"
#include "trust/base/text.h"
#include "trust/sigstore.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define ARTIFACT    "the artifact"
#define NAME_OF_LOG "log2.example.test" /* its id has its name in it */

/* What a case changes: how the bundle is made, what policy wants. */
struct trial {
	struct f_recipe r;
	struct cv_expected expect;
	struct cv_sigstore want;
	const char *artifact; /* that is verified */
	bool by_digest;       /* only its digest is at hand */
	bool keyed;           /* policy wants a key */
};

struct wrong {
	const char *name;
	enum cv_reason reason;
	void (*change)(struct trial *);
};

static struct trial
right(void)
{
	return (struct trial){
		.r = f_recipe(),
		.expect = { .subject = F_SUBJECT, .issuer = F_ISSUER },
		.artifact = ARTIFACT,
	};
}

static int
judge(const struct trial *t, struct cv_bundle *b, struct cv_message *m, struct cv_err *e)
{
	cv_auto(cv_proven_free) struct cv_proven *p = NULL;
	cv_auto(cv_verified_free) struct cv_verified *v = NULL;
	struct cv_keyring *ring = calloc(1, sizeof(*ring));
	int r;

	T(ring != NULL);
	r = cv_prove_bundle(&p, b, m, ring, &t->want, e);
	free(ring);
	if (r != 0)
		return -1;
	T(cv_proven_identity(p) != NULL);
	T_STR(cv_proven_identity(p)->subject, t->r.subject);
	T_INT(cv_proven_keys(p), 0);
	return t->r.dsse ? cv_verify_statement(&v, &p, "statement", e) : 0;
}

static int
try(struct trial *t, struct f_instance *s, struct cv_err *e)
{
	cv_auto(cv_root_free) struct cv_root *root = NULL;
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	struct cv_buf text = CV_BUF(1 << 20), trusted = CV_BUF(1 << 20), st = CV_BUF(1 << 16);
	struct cv_message m = cv_message_bytes(cv_span_str(t->artifact));
	struct cv_digest d;
	int r;

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span_str(ARTIFACT), e), *e);
	f_statement(&st, &d, "https://example.test/p", "{}");
	f_keyless(&text, s, &t->r, t->r.dsse ? cv_buf_span(&st) : cv_span_str(ARTIFACT));
	f_trusted_root(&trusted, s, &t->r);
	if (t->by_digest)
		m = cv_message_known(&d);
	r = cv_root_parse(&root, "root", cv_buf_span(&trusted), e);
	t->want.root = root;
	t->want.expect = t->keyed ? NULL : &t->expect;
	if (r == 0)
		r = cv_bundle_parse_whole(&b, "bundle", cv_buf_span(&text), e);
	if (r == 0)
		r = judge(t, b, &m, e);
	cv_message_free(&m);
	cv_buf_free(&text);
	cv_buf_free(&trusted);
	cv_buf_free(&st);
	return r;
}

/* ---- what is wrong ---- */

/* clang-format off */
#define CHANGE(name, ...) static void name(struct trial *t) { __VA_ARGS__; }

/* whom policy wants */
CHANGE(other_subject, t->r.subject = "https://ci.example.test/team/other")
CHANGE(subject_prefix, t->r.subject = F_SUBJECT ".evil.test")
CHANGE(subject_shorter, t->r.subject = "https://ci.example.test/team/app/release.yml@refs/heads/mai")
CHANGE(subject_case, t->r.subject = "https://ci.example.test/Team/app/release.yml@refs/heads/main")
CHANGE(other_issuer, t->r.issuer_v1 = t->r.issuer_v2 = "https://other.example.test")
CHANGE(no_issuer, t->r.issuer_v1 = t->r.issuer_v2 = NULL)
CHANGE(two_issuers, t->r.issuer_v1 = "https://other.example.test")
CHANGE(other_claim, t->expect.claim[0].number = 15; t->expect.claim[0].value = "4712"; t->expect.n = 1)
CHANGE(claim_absent, t->expect.claim[0].number = 17; t->expect.claim[0].value = "1"; t->expect.n = 1)
CHANGE(issuer_unwanted, t->expect.issuer = NULL; t->expect.no_issuer = true)
CHANGE(wants_nobody, t->expect.subject = NULL)
CHANGE(wants_empty, t->expect.subject = "")
CHANGE(wants_no_issuer, t->expect.issuer = NULL)
CHANGE(wants_claim_zero, t->expect.claim[0].value = "x"; t->expect.n = 1)
CHANGE(wants_other_kind, t->expect.kind = CV_SAN_EMAIL)
CHANGE(two_subjects, t->r.second_subject = "https://example.test/second")
CHANGE(no_subject, t->r.subject = NULL)
CHANGE(dns_subject, t->r.dns = true; t->r.subject = t->expect.subject = "example.test")
CHANGE(claim_twice, t->r.claim_twice = true)
CHANGE(key_wanted, t->keyed = true)

/* the certificate */
CHANGE(other_ca, t->r.ca = F_OTHERS)
CHANGE(other_ca_brought, t->r.ca = F_OTHERS; t->r.chain_in_bundle = true; t->r.minor = 2)
CHANGE(no_eku, t->r.no_eku = true)
CHANGE(no_ku, t->r.no_ku = true)
CHANGE(ca_leaf, t->r.ca_leaf = true)
CHANGE(too_early, t->r.from = F_WHEN + 1)
CHANGE(too_late, t->r.to = F_WHEN - 1)
CHANGE(one_time_late, t->r.tsa = F_OURS; t->r.stamp_ms += 600000)
CHANGE(other_time_late, t->r.tsa = F_OURS; t->r.integrated += 600)
CHANGE(ca_not_yet, t->r.ca_at.start = "2025-06-15T15:06:40.001Z")
CHANGE(ca_no_more, t->r.ca_at.end = "2025-06-15T15:06:39.999Z")
CHANGE(ca_no_start, t->r.ca_at.start = NULL)
CHANGE(chain_in_v3, t->r.chain_in_bundle = true)

CHANGE(web_ca, t->r.web_ca = true)
CHANGE(trailing, t->r.trailing = true)
CHANGE(not_der, t->r.not_der = true)
CHANGE(name_not_critical, t->r.plain_name = true)
#define RAW(bytes) t->r.raw_claim = cv_span(bytes, sizeof(bytes) - 1)
CHANGE(claim_trailing, RAW("\x0c\x01xy"))
CHANGE(claim_cut_off, RAW("\x0c\x03xy"))
CHANGE(claim_long_form, RAW("\x0c\x81\x01x"))
CHANGE(claim_longer_form, RAW("\x0c\x82\x00\x01x"))
CHANGE(claim_indefinite, RAW("\x0c\x80x\x00\x00"))
CHANGE(claim_ia5, RAW("\x16\x01x"))
CHANGE(claim_bare, RAW("x"))
CHANGE(claim_nul, RAW("\x0c\x03x\x00y"))
CHANGE(claim_not_utf8, RAW("\x0c\x01\xff"))
CHANGE(claim_99, t->expect.claim[0].number = 99; t->expect.claim[0].value = "x"; t->expect.n = 1)
CHANGE(claims_many, t->expect.n = CV_CLAIMS + 1)
CHANGE(claim_empty, t->expect.claim[0].number = 15; t->expect.claim[0].value = ""; t->expect.n = 1)
CHANGE(issuer_empty, t->expect.issuer = "")
CHANGE(issuer_and_none, t->expect.no_issuer = true)
CHANGE(subject_latin, t->r.subject = t->expect.subject = "https://example.test/\xc3\xa9")

/* the certificate log */
CHANGE(no_sct, t->r.sct = F_NOBODY)
CHANGE(other_sct, t->r.sct = F_OTHERS)
CHANGE(bad_sct, t->r.sct_bad = true)
CHANGE(sct_issuer, t->r.sct_wrong_issuer = true)
CHANGE(sct_not_yet, t->r.ctlog_at.start = "2025-06-15T15:05:41.001Z")
CHANGE(sct_no_more, t->r.ctlog_at.end = "2025-06-15T15:05:40.999Z")

CHANGE(sct_hash, t->r.sct_flaw = F_SCT_HASH)
CHANGE(sct_alg, t->r.sct_flaw = F_SCT_ALG)
CHANGE(sct_trailing, t->r.sct_flaw = F_SCT_TRAILING)
CHANGE(sct_list, t->r.sct_flaw = F_SCT_LIST)
CHANGE(sct_outer, t->r.sct_flaw = F_SCT_OUTER)
CHANGE(sct_time, t->r.sct_flaw = F_SCT_TIME)
CHANGE(sct_version, t->r.sct_flaw = F_SCT_VERSION)

CHANGE(sct_cut, t->r.sct_flaw = F_SCT_CUT)
CHANGE(sct_empty, t->r.sct_flaw = F_SCT_EMPTY)
CHANGE(sct_no_list, t->r.sct_flaw = F_SCT_NO_LIST)
CHANGE(sct_many, t->r.sct_flaw = F_SCT_MANY)
CHANGE(sct_strange, t->r.ct_strange = true)
CHANGE(tbs_not_der, t->r.tbs_not_der = true)
CHANGE(no_ca, t->r.no_ca = true)
CHANGE(two_authorities, t->r.two_issuers = true; t->r.tsa = F_OURS; t->r.stamp_ms = (F_WHEN + 2) * 1000LL)

/* the log */
CHANGE(log_strange, t->r.log_strange = true)
CHANGE(no_body, t->r.no_body = true)
CHANGE(no_time, t->r.integrated = 0)
CHANGE(v2_time, t->r.v2 = true; t->r.tsa = F_OURS; t->r.time_in_v2 = true)
CHANGE(v2_numbers, t->r.v2 = true; t->r.tsa = F_OURS; t->r.two_numbers = true)
CHANGE(no_log, t->r.set = t->r.checkpoint = F_NOBODY; t->r.tsa = F_OURS)
CHANGE(other_log, t->r.set = t->r.checkpoint = F_OTHERS)
CHANGE(other_set, t->r.set = F_OTHERS)
CHANGE(bad_set, t->r.bad_set = true)
CHANGE(no_set, t->r.set = F_NOBODY)
CHANGE(no_set_v1, t->r.minor = 1; t->r.set = F_NOBODY; t->r.tsa = F_OURS)
CHANGE(no_proof, t->r.no_proof = true)
CHANGE(no_proof_v2, t->r.no_proof = true; t->r.minor = 2)
CHANGE(no_checkpoint, t->r.no_checkpoint = true)
CHANGE(other_checkpoint, t->r.checkpoint = F_OTHERS)
CHANGE(cosigner_only, t->r.cosigner_only = true)
CHANGE(stale_checkpoint, t->r.wrong_size = true)
CHANGE(other_root, t->r.wrong_root = true)
CHANGE(extra_hash, t->r.extra_hash = true)
CHANGE(missing_hash, t->r.missing_hash = true)
CHANGE(note_crlf, t->r.note_crlf = true)
CHANGE(body_digest, t->r.other_digest = true)
CHANGE(body_signature, t->r.other_signature = true)
CHANGE(body_key, t->r.other_key = true)
CHANGE(body_kind, t->r.body_kind = "dsse")
CHANGE(body_version, t->r.body_version = "0.0.3")
CHANGE(unknown_kind, t->r.kind = "mashedrekord")
CHANGE(unknown_version, t->r.version = "9.9.9")
CHANGE(v1_says_v2, t->r.version = "0.0.2")
CHANGE(log_not_yet, t->r.log_at.start = "2025-06-15T15:06:40.001Z")
CHANGE(log_no_more, t->r.log_at.end = "2025-06-15T15:06:39.999Z")
CHANGE(log_no_start, t->r.log_at.start = NULL)
CHANGE(log_wrong_id, t->r.root_wrong_id = true)
CHANGE(one_log_twice, t->r.duplicate_entry = true; t->want.logs = 2)
CHANGE(future_set, t->r.integrated = F_WHEN + 100000)

/* dsse */
CHANGE(dsse_digest, t->r.dsse = t->r.other_digest = true)
CHANGE(dsse_signature, t->r.dsse = t->r.other_signature = true)
CHANGE(dsse_key, t->r.dsse = t->r.other_key = true)
CHANGE(dsse_two, t->r.dsse = t->r.body_twice = true)
CHANGE(dsse_bad, t->r.dsse = t->r.bad_signature = true)
CHANGE(intoto_signature, t->r.dsse = t->r.other_signature = true; t->r.kind = "intoto"; t->r.version = "0.0.2")
CHANGE(intoto_key, t->r.dsse = t->r.other_key = true; t->r.kind = "intoto"; t->r.version = "0.0.2")
CHANGE(intoto_digest, t->r.dsse = t->r.other_digest = true; t->r.kind = "intoto"; t->r.version = "0.0.2")
CHANGE(intoto_old, t->r.dsse = true; t->r.kind = "intoto"; t->r.version = "0.0.1")

/* Rekor v2 and timestamps */
#define V2 t->r.v2 = true; t->r.tsa = F_OURS;
CHANGE(v2_no_time, t->r.v2 = true)
CHANGE(v2_other_tsa, V2 t->r.tsa = F_OTHERS)
CHANGE(v2_promise, V2 t->r.promise_in_v2 = true)
CHANGE(v2_no_proof, V2 t->r.no_proof = true)
CHANGE(v2_no_checkpoint, V2 t->r.no_checkpoint = true)
CHANGE(v2_other_checkpoint, V2 t->r.checkpoint = F_OTHERS)
CHANGE(v2_cosigner_only, V2 t->r.cosigner_only = true)
CHANGE(v2_other_name, V2 t->r.other_name = true)
CHANGE(v2_digest, V2 t->r.other_digest = true)
CHANGE(v2_signature, V2 t->r.other_signature = true)
CHANGE(v2_key, V2 t->r.other_key = true)
CHANGE(v2_stale, V2 t->r.wrong_size = true)
CHANGE(v2_log_no_more, V2 t->r.log_at.end = "2025-06-15T15:06:40.499Z")
CHANGE(v2_dsse_digest, V2 t->r.dsse = t->r.other_digest = true)
CHANGE(v2_bad, V2 t->r.bad_signature = true)
CHANGE(tsa_other_signature, V2 t->r.stamp_other = true)
CHANGE(tsa_sha1, V2 t->r.stamp_sha1 = true)
CHANGE(tsa_weak, V2 t->r.stamp_weak = true)
CHANGE(tsa_trailing, V2 t->r.stamp_trailing = true)
CHANGE(tsa_foreign_signer, V2 t->r.stamp_foreign_signer = true)
CHANGE(tsa_not_yet, V2 t->r.tsa_at.start = "2025-06-15T15:06:40.501Z")
CHANGE(tsa_no_more, V2 t->r.tsa_at.end = "2025-06-15T15:06:40.499Z")
CHANGE(tsa_no_start, V2 t->r.tsa_at.start = NULL)
CHANGE(tsa_cert_ended, V2 t->r.stamp_ms = 1893456001000; t->r.to = 1900000000)
CHANGE(tsa_before_leaf, V2 t->r.stamp_ms = (F_WHEN - 61) * 1000LL)
CHANGE(tsa_twice, V2 t->r.stamp_twice = true; t->want.stamps = 2)
CHANGE(tsa_wanted, t->want.stamps = 1)

/* the signature and the artifact */
CHANGE(bad_signature, t->r.bad_signature = true)
CHANGE(other_artifact, t->artifact = "another artifact")
CHANGE(wrong_hint, t->r.wrong_hint_digest = true)

static const struct wrong wrongs[] = {
	{ "another subject", CV_R_IDENTITY, other_subject },
	{ "a subject that goes on", CV_R_IDENTITY, subject_prefix },
	{ "a subject cut off", CV_R_IDENTITY, subject_shorter },
	{ "a subject in another case", CV_R_IDENTITY, subject_case },
	{ "another issuer", CV_R_IDENTITY, other_issuer },
	{ "no issuer", CV_R_IDENTITY, no_issuer },
	{ "two issuers", CV_R_AMBIGUOUS, two_issuers },
	{ "another repository id", CV_R_IDENTITY, other_claim },
	{ "a claim that is not there", CV_R_IDENTITY, claim_absent },
	{ "an issuer where none is wanted", CV_R_IDENTITY, issuer_unwanted },
	{ "policy wants no subject", CV_R_CONFIG, wants_nobody },
	{ "policy wants an empty subject", CV_R_CONFIG, wants_empty },
	{ "policy wants no issuer", CV_R_CONFIG, wants_no_issuer },
	{ "policy wants claim 0", CV_R_CONFIG, wants_claim_zero },
	{ "policy wants an e-mail address", CV_R_IDENTITY, wants_other_kind },
	{ "two subjects", CV_R_AMBIGUOUS, two_subjects },
	{ "no subject", CV_R_RULE, no_subject },
	{ "a host name as subject", CV_R_UNSUPPORTED, dns_subject },
	{ "a claim twice", CV_R_MALFORMED, claim_twice },
	{ "policy wants a key", CV_R_IDENTITY, key_wanted },
	{ "an authority of the same name", CV_R_IDENTITY, other_ca },
	{ "an authority that the bundle brings", CV_R_IDENTITY, other_ca_brought },
	{ "not for code signing", CV_R_RULE, no_eku },
	{ "no key usage", CV_R_RULE, no_ku },
	{ "an authority as signer", CV_R_RULE, ca_leaf },
	{ "signed before the certificate", CV_R_EXPIRED, too_early },
	{ "signed after the certificate", CV_R_EXPIRED, too_late },
	{ "one of two times outside: the timestamp", CV_R_EXPIRED, one_time_late },
	{ "one of two times outside: the log's", CV_R_EXPIRED, other_time_late },
	{ "authority 1 ms too early", CV_R_EXPIRED, ca_not_yet },
	{ "authority 1 ms too late", CV_R_EXPIRED, ca_no_more },
	{ "authority without a start", CV_R_MALFORMED, ca_no_start },
	{ "an authority for servers", CV_R_RULE, web_ca },
	{ "a byte after the certificate", CV_R_MALFORMED, trailing },
	{ "a certificate that is not DER", CV_R_MALFORMED, not_der },
	{ "a subject that is not critical", CV_R_RULE, name_not_critical },
	{ "a claim with a byte after it", CV_R_MALFORMED, claim_trailing },
	{ "a claim cut off", CV_R_MALFORMED, claim_cut_off },
	{ "a claim's length in two bytes", CV_R_MALFORMED, claim_long_form },
	{ "a claim's length in three bytes", CV_R_MALFORMED, claim_longer_form },
	{ "a claim of indefinite length", CV_R_MALFORMED, claim_indefinite },
	{ "a claim of another type", CV_R_MALFORMED, claim_ia5 },
	{ "a claim that is bare text", CV_R_MALFORMED, claim_bare },
	{ "a claim with a NUL", CV_R_MALFORMED, claim_nul },
	{ "a claim that is not UTF-8", CV_R_MALFORMED, claim_not_utf8 },
	{ "policy wants claim 99", CV_R_CONFIG, claim_99 },
	{ "policy wants too many claims", CV_R_CONFIG, claims_many },
	{ "policy wants an empty claim", CV_R_CONFIG, claim_empty },
	{ "policy wants an empty issuer", CV_R_CONFIG, issuer_empty },
	{ "policy wants an issuer and none", CV_R_CONFIG, issuer_and_none },
	{ "a URI that is not ASCII", CV_R_MALFORMED, subject_latin },
	{ "no SCT", CV_R_ABSENT, no_sct },
	{ "SCT by another log", CV_R_IDENTITY, other_sct },
	{ "SCT over other bytes", CV_R_SIGNATURE, bad_sct },
	{ "SCT for another issuer", CV_R_SIGNATURE, sct_issuer },
	{ "SCT 1 ms too early", CV_R_EXPIRED, sct_not_yet },
	{ "SCT 1 ms too late", CV_R_EXPIRED, sct_no_more },
	{ "SCT that names SHA-1", CV_R_SIGNATURE, sct_hash },
	{ "SCT that names RSA", CV_R_SIGNATURE, sct_alg },
	{ "SCT with a byte more", CV_R_MALFORMED, sct_trailing },
	{ "SCT list of another length", CV_R_MALFORMED, sct_list },
	{ "SCT list with a byte after it", CV_R_MALFORMED, sct_outer },
	{ "SCT of no time", CV_R_MALFORMED, sct_time },
	{ "SCT of another version", CV_R_IDENTITY, sct_version },
	{ "SCT list whose last is cut off", CV_R_MALFORMED, sct_cut },
	{ "SCT list of none", CV_R_MALFORMED, sct_empty },
	{ "no SCT list in its place", CV_R_MALFORMED, sct_no_list },
	{ "33 SCTs", CV_R_MALFORMED, sct_many },
	{ "SCT by a log whose key is of another kind", CV_R_UNSUPPORTED, sct_strange },
	{ "signed in a form that is not DER", CV_R_MALFORMED, tbs_not_der },
	{ "a root without authority", CV_R_IDENTITY, no_ca },
	{ "two issuers, each at a time of its own", CV_R_AMBIGUOUS, two_authorities },
	{ "log whose key is of another kind", CV_R_UNSUPPORTED, log_strange },
	{ "entry without body", CV_R_ABSENT, no_body },
	{ "SET of no time, and no timestamp", CV_R_ABSENT, no_time },
	{ "v2 with a time", CV_R_MALFORMED, v2_time },
	{ "v2 with two numbers", CV_R_MALFORMED, v2_numbers },
	{ "no log entry", CV_R_ABSENT, no_log },
	{ "an entry of another log", CV_R_IDENTITY, other_log },
	{ "SET by another log", CV_R_SIGNATURE, other_set },
	{ "SET of another time", CV_R_SIGNATURE, bad_set },
	{ "no SET, and so no time", CV_R_ABSENT, no_set },
	{ "0.1 without SET", CV_R_ABSENT, no_set_v1 },
	{ "no proof", CV_R_ABSENT, no_proof },
	{ "0.2 without proof", CV_R_ABSENT, no_proof_v2 },
	{ "no checkpoint", CV_R_ABSENT, no_checkpoint },
	{ "checkpoint by another log", CV_R_SIGNATURE, other_checkpoint },
	{ "checkpoint by a witness only", CV_R_SIGNATURE, cosigner_only },
	{ "checkpoint of another size", CV_R_SIGNATURE, stale_checkpoint },
	{ "checkpoint of another root", CV_R_SIGNATURE, other_root },
	{ "one hash too many", CV_R_MALFORMED, extra_hash },
	{ "one hash too few", CV_R_MALFORMED, missing_hash },
	{ "checkpoint with CR", CV_R_MALFORMED, note_crlf },
	{ "entry about another artifact", CV_R_DIGEST, body_digest },
	{ "entry about another signature", CV_R_DIGEST, body_signature },
	{ "entry about another certificate", CV_R_DIGEST, body_key },
	{ "entry of another kind than said", CV_R_AMBIGUOUS, body_kind },
	{ "entry of another version than said", CV_R_AMBIGUOUS, body_version },
	{ "unknown kind", CV_R_UNSUPPORTED, unknown_kind },
	{ "unknown version", CV_R_UNSUPPORTED, unknown_version },
	{ "a v1 entry that is said to be v2", CV_R_MALFORMED, v1_says_v2 },
	{ "log 1 ms too early", CV_R_EXPIRED, log_not_yet },
	{ "log 1 ms too late", CV_R_EXPIRED, log_no_more },
	{ "log without a start", CV_R_MALFORMED, log_no_start },
	{ "a log's id that is not its key's", CV_R_MALFORMED, log_wrong_id },
	{ "one log twice", CV_R_ABSENT, one_log_twice },
	{ "SET in the future", CV_R_EXPIRED, future_set },
	{ "dsse entry about another statement", CV_R_DIGEST, dsse_digest },
	{ "dsse entry about another signature", CV_R_DIGEST, dsse_signature },
	{ "dsse entry about another certificate", CV_R_DIGEST, dsse_key },
	{ "dsse entry with two signatures", CV_R_MALFORMED, dsse_two },
	{ "dsse signature over something else", CV_R_SIGNATURE, dsse_bad },
	{ "intoto entry about another signature", CV_R_DIGEST, intoto_signature },
	{ "intoto entry about another certificate", CV_R_DIGEST, intoto_key },
	{ "intoto entry about another statement", CV_R_DIGEST, intoto_digest },
	{ "intoto 0.0.1, which has no signature", CV_R_UNSUPPORTED, intoto_old },
	{ "v2 without a time", CV_R_ABSENT, v2_no_time },
	{ "v2 with a time by a stranger", CV_R_IDENTITY, v2_other_tsa },
	{ "v2 with a promise", CV_R_MALFORMED, v2_promise },
	{ "v2 without proof", CV_R_ABSENT, v2_no_proof },
	{ "v2 without checkpoint", CV_R_ABSENT, v2_no_checkpoint },
	{ "v2 checkpoint by another log", CV_R_SIGNATURE, v2_other_checkpoint },
	{ "v2 checkpoint by a witness only", CV_R_SIGNATURE, v2_cosigner_only },
	{ "v2 checkpoint under another name", CV_R_SIGNATURE, v2_other_name },
	{ "v2 entry about another artifact", CV_R_DIGEST, v2_digest },
	{ "v2 entry about another signature", CV_R_DIGEST, v2_signature },
	{ "v2 entry about another certificate", CV_R_DIGEST, v2_key },
	{ "v2 checkpoint of another size", CV_R_SIGNATURE, v2_stale },
	{ "v2 log 1 ms too late", CV_R_EXPIRED, v2_log_no_more },
	{ "v2 entry about another statement", CV_R_DIGEST, v2_dsse_digest },
	{ "v2 signature over something else", CV_R_SIGNATURE, v2_bad },
	{ "timestamp over another signature", CV_R_DIGEST, tsa_other_signature },
	{ "timestamp with SHA-1", CV_R_UNSUPPORTED, tsa_sha1 },
	{ "timestamp signed over SHA-1", CV_R_UNSUPPORTED, tsa_weak },
	{ "timestamp with a byte after it", CV_R_MALFORMED, tsa_trailing },
	{ "timestamp by another of the same root", CV_R_IDENTITY, tsa_foreign_signer },
	{ "timestamp 1 ms too early", CV_R_EXPIRED, tsa_not_yet },
	{ "timestamp 1 ms too late", CV_R_EXPIRED, tsa_no_more },
	{ "time authority without a start", CV_R_MALFORMED, tsa_no_start },
	{ "time authority's certificate ended", CV_R_EXPIRED, tsa_cert_ended },
	{ "timestamp 1 s before the certificate", CV_R_EXPIRED, tsa_before_leaf },
	{ "one time authority twice", CV_R_ABSENT, tsa_twice },
	{ "timestamp wanted, none there", CV_R_ABSENT, tsa_wanted },
	{ "signature over something else", CV_R_SIGNATURE, bad_signature },
	{ "another artifact", CV_R_DIGEST, other_artifact },
	{ "a digest in the bundle that is not its", CV_R_DIGEST, wrong_hint },
	{ "a chain in 0.3", CV_R_UNSUPPORTED, chain_in_v3 },
};

/* ---- what is right ---- */

CHANGE(plain, (void)t)
CHANGE(minor_1, t->r.minor = 1)
CHANGE(minor_1_bare, t->r.minor = 1; t->r.no_proof = true)
CHANGE(minor_1_no_checkpoint, t->r.minor = 1; t->r.no_checkpoint = true; t->r.extra_hash = true)
CHANGE(minor_2, t->r.minor = 2)
CHANGE(brought_and_unused, t->r.minor = 2; t->r.chain_in_bundle = true)
CHANGE(dsse, t->r.dsse = true)
CHANGE(intoto, t->r.dsse = true; t->r.kind = "intoto"; t->r.version = "0.0.2")
CHANGE(v2, V2)
CHANGE(v2_dsse, V2 t->r.dsse = true)
CHANGE(v2_cosigned, V2 t->r.cosigned = true)
CHANGE(cosigned, t->r.cosigned = true)
CHANGE(both_times, t->r.tsa = F_OURS; t->want.stamps = 1)
CHANGE(time_by_tsa, t->r.set = F_NOBODY; t->r.tsa = F_OURS)
CHANGE(old_issuer, t->r.issuer_v2 = NULL)
CHANGE(new_issuer, t->r.issuer_v1 = NULL)
CHANGE(without_issuer, t->r.issuer_v1 = t->r.issuer_v2 = NULL; t->expect.issuer = NULL; t->expect.no_issuer = true)
CHANGE(by_email, t->r.email = true; t->r.subject = t->expect.subject = "a@example.test"; t->expect.kind = CV_SAN_EMAIL)
CHANGE(by_user, t->r.user_name = true; t->r.subject = t->expect.subject = "a!example.test"; t->expect.kind = CV_SAN_OTHER)
CHANGE(with_text, RAW("\x0c\x02xy"); t->expect.claim[0].number = 12; t->expect.claim[0].value = "xy"; t->expect.n = 1)
CHANGE(with_claim, t->expect.claim[0].number = 15; t->expect.claim[0].value = "4711"; t->expect.n = 1)
CHANGE(sct_extension, t->r.sct_extension = true)
CHANGE(sct_unwanted, t->r.sct = F_NOBODY; t->want.without_sct = true)
CHANGE(log_unwanted, t->r.set = t->r.checkpoint = F_NOBODY; t->r.tsa = F_OURS; t->want.without_log = true)
CHANGE(digest_only, t->by_digest = true)
CHANGE(v2_bare, V2 t->r.no_body = true)
CHANGE(edges, t->r.tsa = F_OURS; t->r.from = F_WHEN; t->r.to = F_WHEN + 1;
       t->r.ca_at.start = t->r.log_at.start = t->r.log_at.end = "2025-06-15T15:06:40Z";
       t->r.ca_at.end = t->r.tsa_at.start = t->r.tsa_at.end = "2025-06-15T15:06:40.500000Z";
       t->r.ctlog_at.start = t->r.ctlog_at.end = "2025-06-15T15:05:41Z")

static const struct wrong rights[] = {
	{ "plain", CV_R_NONE, plain },
	{ "0.1", CV_R_NONE, minor_1 },
	{ "0.1 with a SET alone", CV_R_NONE, minor_1_bare },
	{ "0.1 with a proof that shows nothing", CV_R_NONE, minor_1_no_checkpoint },
	{ "0.2", CV_R_NONE, minor_2 },
	{ "strange certificates besides", CV_R_NONE, brought_and_unused },
	{ "dsse", CV_R_NONE, dsse },
	{ "intoto", CV_R_NONE, intoto },
	{ "v2", CV_R_NONE, v2 },
	{ "v2 dsse", CV_R_NONE, v2_dsse },
	{ "v2 cosigned", CV_R_NONE, v2_cosigned },
	{ "v1 cosigned", CV_R_NONE, cosigned },
	{ "two times", CV_R_NONE, both_times },
	{ "no SET, time by a timestamp", CV_R_NONE, time_by_tsa },
	{ "issuer in its old place", CV_R_NONE, old_issuer },
	{ "issuer in its new place", CV_R_NONE, new_issuer },
	{ "no issuer, none wanted", CV_R_NONE, without_issuer },
	{ "an e-mail address", CV_R_NONE, by_email },
	{ "a user name", CV_R_NONE, by_user },
	{ "a claim", CV_R_NONE, with_claim },
	{ "a claim byte for byte", CV_R_NONE, with_text },
	{ "SCT with an extension", CV_R_NONE, sct_extension },
	{ "no SCT, none wanted", CV_R_NONE, sct_unwanted },
	{ "no log, none wanted", CV_R_NONE, log_unwanted },
	{ "only the digest at hand", CV_R_NONE, digest_only },
	{ "v2 without the body", CV_R_NONE, v2_bare },
	{ "every window just wide enough", CV_R_NONE, edges },
};
/* clang-format on */

static void
run(const struct wrong *list, size_t n)
{
	struct f_instance *s = f_instance_new();
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct trial t = right();
		struct cv_err e = { .reason = CV_R_NONE };

		list[i].change(&t);
		if (try(&t, s, &e) == 0)
			e = (struct cv_err){ .reason = CV_R_NONE };
		if (e.reason == list[i].reason)
			continue;
		printf("# %s: %s (%s), want %s\n", list[i].name, cv_reason_word(e.reason), e.text,
		       cv_reason_word(list[i].reason));
		bad++;
	}
	f_instance_free(&s);
	T_INT(bad, 0);
}

static void
validly_signed_but_wrong(void)
{
	run(wrongs, CV_COUNT(wrongs));
}

static void
good(void)
{
	run(rights, CV_COUNT(rights));
}

/* ---- the trust root ---- */

struct edit {
	const char *from, *to; /* the first `from` is replaced */
	enum cv_reason reason;
};

static const struct edit edits[] = {
	{ "root+json;version=0.1", "root.v0.1+json", CV_R_NONE },
	{ "root+json;version=0.1", "root+json;version=0.2", CV_R_NONE },
	{ "root+json;version=0.1", "root.v0.2+json", CV_R_NONE },
	{ "root+json;version=0.1", "root+json;version=0.3", CV_R_UNSUPPORTED },
	{ "trustedroot+json;version=0.1", "bundle+json;version=0.1", CV_R_MALFORMED },
	{ "\"tlogs\"", "\"tLogs\"", CV_R_AMBIGUOUS },
	{ "\"tlogs\"", "\"none\"", CV_R_NONE },
	{ "\"ctlogs\":[", "\"ctlogs\":null,\"x\":[", CV_R_NONE },
	{ "\"tlogs\":[", "\"tlogs\":{},\"x\":[", CV_R_MALFORMED },
	{ "\"ctlogs\":[", "\"tlogs\":[", CV_R_AMBIGUOUS },
	{ "\"baseUrl\":", "\"operator\":\"o\",\"baseUrl\":", CV_R_NONE },
	{ "2024-01-01T00:00:00Z", "2024-01-01T00:00:00+00:00", CV_R_MALFORMED },
	{ "2024-01-01T00:00:00Z", "2024-01-01", CV_R_MALFORMED },
	{ "2024-01-01T00:00:00Z\"", "2024-01-01T00:00:00Z\",\"end\":null", CV_R_NONE },
	{ "2024-01-01T00:00:00Z\"", "2024-01-01T00:00:00.001Z\",\"end\":\"2024-01-01T00:00:00Z\"",
	  CV_R_MALFORMED },
	{ "\"keyId\":\"", "\"keyId\":\"AAAA\",\"x\":\"", CV_R_MALFORMED },
	{ "\"logId\":", "\"checkpointKeyId\":{\"keyId\":\"AAAA\"},\"logId\":", CV_R_MALFORMED },
	{ "\"logId\":", "\"checkpointKeyId\":{\"keyId\":\"AAAAAA==\"},\"logId\":", CV_R_NONE },
	{ "\"PKIX_ECDSA_P256_SHA_256\"", "\"PKCS1_RSA_PKCS1V5\"", CV_R_MALFORMED },
	{ "\"certificates\":[", "\"certificates\":[],\"x\":[", CV_R_MALFORMED },
	{ "\"certificates\":[", "\"certificates\":[{},", CV_R_MALFORMED },
	{ NAME_OF_LOG, "log9.example.test", CV_R_MALFORMED },
};

static int
edited(struct cv_root **root, const struct cv_buf *text, const struct edit *d, struct cv_err *e)
{
	struct cv_buf b = CV_BUF(1 << 20);
	int r = cv_root_parse(root, "root", t_edit(&b, cv_buf_text(text), d->from, d->to), e);

	cv_buf_free(&b);
	return r;
}

static void
trusted_root(void)
{
	struct f_instance *s = f_instance_new();
	struct f_recipe r = f_recipe();
	struct cv_buf text = CV_BUF(1 << 20);

	f_trusted_root(&text, s, &r);
	for (size_t i = 0; i < CV_COUNT(edits); i++) {
		struct cv_root *root = NULL;
		struct cv_err e = { .reason = CV_R_NONE };

		if (edited(&root, &text, &edits[i], &e) == 0)
			e.reason = CV_R_NONE;
		cv_root_free(&root);
		if (e.reason != edits[i].reason)
			t_fail(__FILE__, __LINE__, "%s -> %s: %s (%s), want %s", edits[i].from,
			       edits[i].to, cv_reason_word(e.reason), e.text,
			       cv_reason_word(edits[i].reason));
	}
	f_instance_free(&s);
	cv_buf_free(&text);
}

/* ---- every byte ---- */

/* Judges one bundle text; 0 if it is still proven. */
static int
proves(const struct cv_root *root, struct cv_span text)
{
	struct cv_expected expect = { .subject = F_SUBJECT, .issuer = F_ISSUER };
	struct trial t = { .r = f_recipe(), .want = { .root = root, .expect = &expect } };
	cv_auto(cv_bundle_free) struct cv_bundle *b = NULL;
	struct cv_message m = cv_message_bytes(cv_span_str(ARTIFACT));
	struct cv_err e;
	int r;

	r = cv_bundle_parse_whole(&b, "bundle", text, &e);
	if (r == 0)
		r = judge(&t, b, &m, &e);
	cv_message_free(&m);
	return r;
}

/*
 * The bytes that nobody signed: names of members that may be left out (the digest of
 * the message, the body of a v2 entry, which is rebuilt); the name in a v1 log's
 * signature line, whose key says who it is; and in a timestamp what its signer does
 * not cover (status, certificates).
 */
static bool
is_free(const struct cv_buf *text, size_t at, bool v2)
{
	const struct {
		const char *before;
		char end;
	} ranges[] = {
		{ "\"messageSignature\":{\"", '"' },
		{ "\"SHA2_256\",\"", '"' },
		{ "\"signedTimestamp\":\"", '"' },
		{ v2 ? "\"}},\"" : "\xe2\x80\x94 ", v2 ? '"' : ' ' },
	};

	for (size_t i = 0; i < CV_COUNT(ranges); i++) {
		const char *from = strstr(cv_buf_text(text), ranges[i].before);

		if (from == NULL)
			continue;
		from += strlen(ranges[i].before);
		if (at >= (size_t)(from - cv_buf_text(text)) &&
		    at < (size_t)(strchr(from, ranges[i].end) - cv_buf_text(text)))
			return true;
	}
	return false;
}

/* Steps that have no common divisor with base64's groups of four. */
static void
sweep(const struct f_recipe *r, size_t step)
{
	cv_auto(cv_root_free) struct cv_root *root = NULL;
	struct f_instance *s = f_instance_new();
	struct cv_buf text = CV_BUF(1 << 20), trusted = CV_BUF(1 << 20);
	struct cv_err e;

	f_keyless(&text, s, r, cv_span_str(ARTIFACT));
	f_trusted_root(&trusted, s, r);
	T_OK(cv_root_parse(&root, "root", cv_buf_span(&trusted), &e), e);
	T_INT(proves(root, cv_buf_span(&text)), 0);
	for (size_t i = 0; i < text.n; i += step) {
		bool still;

		text.p[i] ^= 1;
		still = proves(root, cv_buf_span(&text)) == 0;
		text.p[i] ^= 1;
		if (still && !is_free(&text, i, r->v2))
			t_fail(__FILE__, __LINE__, "byte %zu of %zu: %.40s", i, text.n,
			       (const char *)text.p + (i > 20 ? i - 20 : 0));
		if (i % (7 * step) == 0)
			T(proves(root, cv_span(text.p, i)) != 0);
	}
	f_instance_free(&s);
	cv_buf_free(&text);
	cv_buf_free(&trusted);
}

static void
flipped_v1(void)
{
	struct f_recipe r = f_recipe();

	sweep(&r, 3);
}

static void
flipped_v2(void)
{
	struct f_recipe r = f_recipe();

	r.v2 = true;
	r.tsa = F_OURS;
	sweep(&r, 3);
}

static const struct t_case cases[] = {
	{ "trusted root", trusted_root },
	{ "validly signed but wrong", validly_signed_but_wrong },
	{ "good", good },
	{ "flipped or cut off: v1", flipped_v1 },
	{ "flipped or cut off: v2", flipped_v2 },
};

T_MAIN(cases)
