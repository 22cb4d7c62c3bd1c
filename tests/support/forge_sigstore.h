/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge_sigstore.h: a Sigstore instance of our own for tests: certificate authority,
 * certificate log, Rekor v1 and v2, timestamp authority. A recipe says how a bundle is
 * made; what is changed in it is changed before everything is signed, so that a case
 * is genuine in all but what it is about. Nothing here can fail: it aborts.
 *
 *     struct f_instance *s = f_instance_new();
 *     struct f_recipe r = f_recipe();
 *     r.subject = "https://example.test/other";
 *     f_keyless(&bundle, s, &r, cv_span_str("artifact"));
 *     f_trusted_root(&root, s, &r);
 */
#ifndef CV_FORGE_SIGSTORE_H
#define CV_FORGE_SIGSTORE_H

#include "tests/support/forge.h"

#define F_WHEN 1750000000 /* seconds: when the recipe's bundles are signed */

enum f_who { F_OURS, F_OTHERS, F_NOBODY }; /* of the root; a stranger's; left out */

struct f_window {
	const char *start, *end; /* RFC 3339; NULL is left out */
};

struct f_recipe {
	unsigned minor;                       /* bundle 0.1 to 0.3 */
	bool v2;                              /* Rekor v2 */
	bool dsse;                            /* the artifact is a statement: wrap it */
	const char *kind, *version;           /* of the log entry, as the bundle says */
	const char *body_kind, *body_version; /* as its body says */

	/* the certificate */
	enum f_who ca;
	int64_t from, to;
	const char *subject, *second_subject;
	bool email, dns;
	const char *issuer_v1, *issuer_v2; /* NULL: left out */
	const char *source_id;             /* claim 15 */
	struct cv_span raw_claim;          /* claim 12, the value as it stands */
	bool no_eku, no_ku, ca_leaf, claim_twice, user_name, plain_name;
	bool trailing, not_der; /* bytes after the certificate; a length in another form */
	bool tbs_not_der;       /* what the authority signed has a length in another form */
	bool web_ca;            /* the authority may issue for servers alone */
	bool chain_in_bundle;   /* the stranger's authorities are put into the bundle */

	/* its timestamp */
	enum f_who sct;
	int64_t sct_ms;
	enum f_sct_flaw {
		F_SCT_HASH = 1, /* names SHA-1 */
		F_SCT_ALG,      /* names RSA */
		F_SCT_TRAILING, /* a byte more in it */
		F_SCT_LIST,     /* the list is said to be longer */
		F_SCT_OUTER,    /* a byte after the list */
		F_SCT_TIME,     /* of no time at all */
		F_SCT_VERSION,  /* of a version to come */
		F_SCT_CUT,      /* the last of the list is cut off */
		F_SCT_EMPTY,    /* the list has none */
		F_SCT_NO_LIST,  /* there is no list at all */
		F_SCT_MANY,     /* ours is the 33rd */
	} sct_flaw;
	bool sct_wrong_issuer, sct_bad, sct_extension;

	/* the log */
	enum f_who set, checkpoint;
	bool no_proof, no_checkpoint, cosigned, cosigner_only, wrong_root, wrong_size;
	bool extra_hash, missing_hash, other_digest, other_signature, other_key, bad_set;
	bool other_name, duplicate_entry, promise_in_v2, note_crlf, body_twice;
	bool no_body, time_in_v2, two_numbers;
	int64_t integrated;

	/* timestamps */
	enum f_who tsa; /* F_OURS and the like; left out unless v2 */
	int64_t stamp_ms;
	bool stamp_other, stamp_sha1, stamp_twice, stamp_foreign_signer, stamp_weak, stamp_trailing;

	/* the artifact's signature */
	bool bad_signature, wrong_hint_digest;

	/* the root's windows */
	struct f_window log_at, ctlog_at, ca_at, tsa_at;
	bool root_wrong_id;
	bool no_ca;                   /* the root has no authority */
	bool ct_strange, log_strange; /* a log's key is of a kind that nobody judges */

	/* The authority has a second certificate of one name, for the time after F_WHEN,
	 * whose key the leaf's signature fits too: an ECDSA signature fits two keys. */
	bool two_issuers;
};

struct f_recipe f_recipe(void);

struct f_instance;
struct f_instance *f_instance_new(void);
void f_instance_free(struct f_instance **s);

void f_trusted_root(struct cv_buf *out, const struct f_instance *s, const struct f_recipe *r);
void f_keyless(struct cv_buf *out, struct f_instance *s, const struct f_recipe *r,
	       struct cv_span artifact);

#define F_SUBJECT "https://ci.example.test/team/app/release.yml@refs/heads/main"
#define F_ISSUER  "https://issuer.example.test"

#endif
