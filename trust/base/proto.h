/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.h: what verify and its workers say to each other, in frames (frame.h).
 *
 * The one loop, the same for every worker:
 *
 *     worker  HELLO                             once, before anything else
 *     verify  TASK, then ITEM for each input, then RUN
 *     worker  any of FACT, FINDING, PROGRESS;
 *             NEED -> verify answers that need with exactly one GIVE
 *     worker  DONE | ERROR                      closes the task
 *
 * A REASON field holds the reason's word (err.h). verify adds DEADLINE to each
 * TASK by itself (role.h).
 *
 * A trust or contents worker serves one task and is then ended; a fetch worker
 * serves tasks one after another until its socket closes (it keeps connections
 * and tokens). Without DONE the task's answer is unknown (CV_R_WORKER): an exit
 * status is never a verdict. Facts and findings sent before DONE count only
 * once DONE has come. Items are handled as they arrive and their descriptors
 * closed, so that the number of items is not bound by descriptors.
 *
 * verify accepts from a worker only the findings and facts of its kind: check
 * ids of the prefixes sig., oci. and log. from trust, the rest from contents,
 * none from fetch.
 *
 * Answers. verify plans these ids, and a planned id without any answer leaves
 * the artifact undecided. So a task that ends with DONE has stated for each id
 * of its line at least one finding: pass (looked for, not there), the problem,
 * or not applicable (KIND=1; those in brackets). What makes looking on
 * impossible is a finding and DONE, or ERROR with CHECK; then the others may
 * stay unanswered.
 *
 *     CV_T_IMAGE    oci.malformed oci.ambiguous oci.unsupported
 *                   oci.platform-missing oci.edge-mismatch
 *     CV_T_LAYER    image.layer-malformed image.traversal image.device-node
 *                   image.duplicate-entry image.whiteout-invalid image.bomb
 *                   image.diffid-mismatch image.unsupported-layer
 *     CV_T_MERGE    image.link-escape image.place-unsafe
 *     CV_T_CONFIG   image.config-unsafe
 *     CV_T_FILES    model   model.pickle model.format-refused
 *                           model.code-beside-weights
 *                           [model.safetensors-invalid model.gguf-invalid]
 *                   skill   skill.manifest-missing model.pickle
 *                           text.invalid-utf8 text.hidden-unicode
 *                   prompt  model.pickle text.invalid-utf8 text.hidden-unicode
 *                   plain   model.pickle
 *     CV_T_PACKAGE  archive.malformed archive.ambiguous archive.traversal
 *                   archive.unsafe-member archive.bomb tool.manifest-invalid
 *                   tool.lifecycle-script model.pickle
 *     CV_T_SBOM     sbom.malformed sbom.unsupported sbom.subject-mismatch
 *                   vuln.known vuln.no-coverage [vuln.index-absent
 *                   vuln.index-stale]
 *
 * sig. ids are not planned: verify judges SIGNER and STATEMENT facts
 * (basis.insufficient, sig.attestation-absent, sbom.absent); sig. findings say
 * why there are fewer facts than hoped, and a "pass" of them decides nothing.
 * A bad signature beside a good one is an OBSERVED fact, and neither a finding nor
 * an ERROR (trust/tally.h).
 */
#ifndef CV_PROTO_H
#define CV_PROTO_H

#include "finding.h"
#include "frame.h"

enum cv_kind {
	CV_K_HELLO = 1, /* SANDBOX flags (CV_SBX_*), VALUE landlock ABI */
	CV_K_TASK,      /* TASK and its fields, below */
	CV_K_ITEM,      /* ROLE and its fields */
	CV_K_RUN,       /* COUNT of ITEM frames sent for this task */
	CV_K_GIVE,      /* ID, STATUS; given: BLOB, DIGEST, MEDIA?; failed: REASON, TEXT;
			   credentials: KIND (enum cv_cred), USER?, SECRET? */
	CV_K_NEED,      /* ID (1, 2, ...), NEED and its fields */
	CV_K_FACT,      /* FACT and its fields */
	CV_K_FINDING,   /* CHECK, REASON ("none" passes), or KIND=1 not applicable; EXPECTED?,
			   FOUND?, WHERE?, NOTE?, EVIDENCE? */
	CV_K_PROGRESS,  /* VALUE bytes so far, SIZE total or absent */
	CV_K_DONE,      /* COUNT of FACT and FINDING frames sent for this task; fetch
			   adds STATUS, MEDIA?, DIGEST?, SIZE? */
	CV_K_ERROR,     /* REASON, TEXT; CHECK? names the check id that says it best */
	CV_K__LAST
};

enum cv_tag {
	CV_TAG_TASK = 1,
	CV_TAG_ROLE,
	CV_TAG_NEED,
	CV_TAG_FACT,
	CV_TAG_ID,
	CV_TAG_STATUS,
	CV_TAG_REASON,
	CV_TAG_KIND,
	CV_TAG_FLAGS,
	CV_TAG_VALUE,
	CV_TAG_COUNT,
	CV_TAG_SIZE,
	CV_TAG_MAX,
	CV_TAG_MODE,
	CV_TAG_POS,
	CV_TAG_NOW,      /* seconds since the epoch */
	CV_TAG_DEADLINE, /* milliseconds the task may take, 0 none */
	CV_TAG_SANDBOX,
	CV_TAG_NAME,
	CV_TAG_REF,
	CV_TAG_MEDIA,
	CV_TAG_PLATFORM,
	CV_TAG_TEXT,
	CV_TAG_CHECK,
	CV_TAG_EXPECTED,
	CV_TAG_FOUND,
	CV_TAG_WHERE,
	CV_TAG_NOTE,
	CV_TAG_VERSION,
	CV_TAG_KEYID,
	CV_TAG_USER,
	CV_TAG_SECRET,
	CV_TAG_DIGEST,
	CV_TAG_DIFFID,
	CV_TAG_CONFIG,
	CV_TAG_EVIDENCE,
	CV_TAG_BLOB, /* u8 descriptor index, u64le offset, u64le length */
	CV_TAG_OUT,  /* u8 descriptor index: where bulk output goes */
	CV_TAG__LAST
};

enum cv_task {
	/* ---- trust ---- */

	/* CV_T_IMAGE: prove the OCI graph from one document down, and the
	 * signatures and attestations about it.
	 * TASK: BLOB index or manifest; DIGEST its digest (computed by verify);
	 *   MEDIA media type as served, or ""; PLATFORM "linux/amd64"
	 *   (or "linux/arm64/v8"); NAME logical repository "host/path";
	 *   FLAGS of CV_IMG_*; NOW.
	 * ITEM KEY: NAME signer, BLOB PEM; REF? root in whose logs its signatures
	 *   have to be.
	 * ITEM ROOT: NAME, BLOB trusted_root.json, FLAGS of CV_ROOT_*, COUNT logs and
	 *   VALUE timestamps that have to vouch (0: as many as Sigstore wants). Before
	 *   what names it; a second one of a name is passed over.
	 * ITEM IDENTITY: NAME signer, REF root, TEXT a JSON object that says who
	 *   (trust/proven.h, cv_keyring_add_identity).
	 * ITEM ANNOTATION: NAME and TEXT that a signature has to say (trust/wanted.h).
	 * NEED BLOB, REFERRERS, TAG.
	 * FACT NODE (in order: index*, manifest, config, layer*), SIGNER, STATEMENT. */
	CV_T_IMAGE = 1,

	/* CV_T_BLOB: prove who signed these bytes.
	 * TASK: DIGEST sha256 of the artifact; BLOB its bytes when they are one
	 *   file (absent for a tree: then only statements about DIGEST count);
	 *   NAME for messages; NOW.
	 * ITEM KEY, ROOT, IDENTITY, TOOL; ITEM EVIDENCE: KIND (enum cv_evidence), NAME, BLOB.
	 * FACT SIGNER, STATEMENT. */
	CV_T_BLOB,

	/* CV_T_ENVELOPE: open one DSSE envelope signed by one of the keys.
	 * TASK: BLOB envelope, MEDIA payload type wanted, NAME, NOW. ITEM KEY.
	 * FACT STATEMENT (DIGEST absent, BLOB payload). */
	CV_T_ENVELOPE,

	/* CV_T_CHAIN: what one Sigstore bundle says stands behind it, for people.
	 * TASK: BLOB bundle. ITEM ROOT.
	 * FACT OBSERVED: NAME label, TEXT, POS depth; in order. */
	CV_T_CHAIN,

	/* CV_T_PATTERNS: whether these are patterns that an identity can be judged by.
	 * ITEM PATTERN: TEXT. FACT OBSERVED: POS which of them is none, TEXT why. */
	CV_T_PATTERNS,

	/* ---- contents ---- */

	/* CV_T_LAYER: walk one layer; its diffID; strict tar profile.
	 * TASK: BLOB, MEDIA, DIFFID expected, POS, OUT regular file or memfd that
	 *   receives the entry table (sbom/found/table.h). FACT LAYER. */
	CV_T_LAYER = 16,

	/* CV_T_MERGE: the tree that a runtime will build, and what the launch puts into it.
	 * TASK: COUNT layers, FLAGS of CV_MERGE_*. ITEM LAYER: POS, BLOB entry table; ITEM
	 * CONFIG: BLOB; ITEM PLACE: KIND (enum cv_placed), NAME absolute path; ITEM PROGRAM:
	 * KIND (enum cv_program), TEXT: what the launch says instead of the image, arguments
	 * in their order. FACT COUNTS. */
	CV_T_MERGE,

	/* CV_T_FILES: look inside a set of files: a model, a skill, prompts, others.
	 * TASK: KIND (enum cv_files_kind), FLAGS of CV_FMT_* allowed.
	 * ITEM FILE: NAME path, SIZE, DIGEST, BLOB. FACT COUNTS. */
	CV_T_FILES,

	/* CV_T_PACKAGE: a gzip'd tarball or a zip (by its central directory).
	 * TASK: NAME, MEDIA, BLOB, OUT an empty regular file of nobody else's, which
	 *   holds one member at a time while it is looked into.
	 * FACT PACKAGE, then FACT FILE for each entry (directories and links too, see
	 * MODE). */
	CV_T_PACKAGE,

	/* CV_T_EXPAND: the same archive, its regular files' bytes written one
	 * after another to OUT (a pipe), each announced by a FACT FILE first.
	 * TASK: NAME, MEDIA, BLOB, OUT. */
	CV_T_EXPAND,

	/* CV_T_SBOM: read one document and match it.
	 * TASK: BLOB predicate, MEDIA predicate type or "", NAME for messages, NOW,
	 *   MAX age of the index in seconds (0 any).
	 * ITEM SUBJECT: DIGEST that the document may name (index, manifest, config).
	 * ITEM DB: BLOB compiled advisory index (none: every component uncovered).
	 * FACT SBOM, VULN*. */
	CV_T_SBOM,

	/* CV_T_DBIMPORT: compile OSV advisories.
	 * TASK: OUT empty regular file or memfd, NOW, NAME. ITEM ADVISORIES: NAME, BLOB
	 * (.json, .jsonl, .zip, .tar, each also .gz .zst .xz). FACT COUNTS. */
	CV_T_DBIMPORT,

	/* CV_T_DBSTATUS: TASK BLOB index. FACT COUNTS: built (seconds since the epoch),
	 * records, rejected, and for each ecosystem covered:NAME or unmatched:NAME. */
	CV_T_DBSTATUS,

	/* CV_T_CONFIG: image config lint and what init can learn; TASK BLOB. */
	CV_T_CONFIG,

	/* ---- fetch: OUT is a pipe; bytes written there are hashed by verify ---- */

	/* CV_T_MANIFEST: NAME "host/path", REF tag or digest, MAX, FLAGS CV_NET_*.
	 * DONE STATUS given|absent, MEDIA, DIGEST (Docker-Content-Digest hint)?, SIZE. */
	CV_T_MANIFEST = 32,
	/* CV_T_GETBLOB: NAME, DIGEST, MAX (exact size when known), OUT. */
	CV_T_GETBLOB,
	/* CV_T_REFERRERS: NAME, DIGEST, OUT: one index document, pages joined; the
	 * fallback tag is tried when the endpoint is missing. VALUE in DONE: 1 API,
	 * 2 fallback tag. */
	CV_T_REFERRERS,
	/* CV_T_URL: NAME https URL, MAX, OUT. */
	CV_T_URL,
	/* CV_T_RESOLVE: HEAD (or GET) of a tag: DONE DIGEST hint, MEDIA, SIZE. */
	CV_T_RESOLVE,
};

/* Flags of CV_T_IMAGE: which evidence to look for. */
enum {
	CV_IMG_SIGNATURES = 1,   /* who signed the image */
	CV_IMG_ATTESTATIONS = 2, /* statements about it */
	CV_IMG_BUNDLES = 4,      /* generation: bundle v0.3 referrers */
	CV_IMG_LEGACY = 8,       /* generation: .sig and .att tags */
};

/* Flags of CV_T_MERGE. */
enum {
	CV_MERGE_LAUNCHED = 1,      /* this image is what the launch starts */
	CV_MERGE_CODE_WRITABLE = 2, /* policy accepts that its program can be written */
};

/* What a launch puts over a path of the image. */
enum cv_placed { CV_PLACE_MOUNT = 1, CV_PLACE_TMPFS, CV_PLACE_VOLUME, CV_PLACE_BIND };

enum cv_program {
	CV_PROGRAM_ENTRYPOINT = 1, /* one argument */
	CV_PROGRAM_COMMAND,        /* one argument */
	CV_PROGRAM_WORKDIR,
	CV_PROGRAM_PATH, /* the variable's value */
};

/* Formats that CV_T_FILES may find without a finding against them. */
enum {
	CV_FMT_SAFETENSORS = 1,
	CV_FMT_GGUF = 2,
	CV_FMT_DATA = 4, /* JSON, text, tokenizer files, images */
	CV_FMT_CODE = 8, /* scripts and other programs */
};

/* Flags of network tasks. */
enum {
	CV_NET_PLAIN_HTTP = 1, /* loopback registries, or named so in the config */
	CV_NET_NOT_LAST = 2,   /* somebody else is asked next: no further try without progress */
};

enum cv_files_kind { CV_FILES_MODEL = 1, CV_FILES_SKILL, CV_FILES_PROMPT, CV_FILES_PLAIN };

enum cv_evidence {
	CV_EV_BUNDLE = 1, /* Sigstore bundle JSON */
	CV_EV_SIGNATURE,  /* detached signature, base64 or raw, or another tool's file */
	CV_EV_DSSE,       /* DSSE envelope JSON */
};

enum cv_role_item {
	CV_ROLE_KEY = 1,
	CV_ROLE_EVIDENCE,
	CV_ROLE_LAYER,
	CV_ROLE_CONFIG,
	CV_ROLE_FILE,
	CV_ROLE_SUBJECT,
	CV_ROLE_DB,
	CV_ROLE_ADVISORIES,
	CV_ROLE_ROOT,
	CV_ROLE_IDENTITY,
	CV_ROLE_PATTERN,
	CV_ROLE_PLACE,
	CV_ROLE_PROGRAM,
	CV_ROLE_ANNOTATION,
	CV_ROLE_TOOL,
};

/* ITEM TOOL: whose detached signatures count that other programs make: NAME signer, KIND
 * one of these, BLOB the program's own file; of SSH also REF principal, TEXT namespace. */
enum cv_tool {
	CV_TOOL_SSH = 1,  /* allowed_signers */
	CV_TOOL_MINISIGN, /* a public key */
	CV_TOOL_SIGNIFY,  /* a public key */
};

/* Flags of ITEM ROOT: what a private instance does without. */
enum { CV_ROOT_WITHOUT_LOG = 1, CV_ROOT_WITHOUT_SCT = 2 };

enum cv_need {
	CV_N_BLOB = 1,  /* DIGEST, MEDIA (a manifest's: ask for it as one), MAX; ROLE */
	CV_N_REFERRERS, /* DIGEST, MAX */
	CV_N_TAG,       /* NAME tag, MAX: a manifest */
	CV_N_CRED,      /* NAME registry host[:port] (fetch only) */
	CV_N_CA,        /* NAME host[:port]: PEM, authorities to trust for it too (fetch only) */
	CV_N_CLIENT,    /* NAME host[:port]: PEM, our certificate and its key (fetch only) */
};

enum cv_status {
	CV_S_GIVEN = 1,
	CV_S_ABSENT, /* the source answered: there is none */
	CV_S_FAILED, /* could not look, or looking was refused: REASON, TEXT */
};

enum cv_cred { CV_CRED_NONE = 1, CV_CRED_BASIC, CV_CRED_IDENTITY_TOKEN, CV_CRED_BEARER };

enum cv_node {
	CV_NODE_INDEX = 1,
	CV_NODE_MANIFEST,
	CV_NODE_CONFIG,
	CV_NODE_LAYER,
	CV_NODE_EVIDENCE
};

enum cv_fact {
	/* NODE: ROLE (enum cv_node), DIGEST, SIZE, MEDIA, POS; a layer: DIFFID; the
	 * manifest: PLATFORM as its config says. An edge is stated only after the
	 * parent's bytes had its digest and listed the child. */
	CV_F_NODE = 1,
	/* SIGNER: NAME (a signer given as KEY or IDENTITY), KIND (enum cv_signed), DIGEST
	 * subject, EVIDENCE digest of the blob that holds the signature, KEYID
	 * "sha256:<hex of SPKI>", MEDIA predicate type if a statement. By a certificate:
	 * USER its subject, TEXT its issuer or "", KEYID the identity's
	 * (trust/identity.h, cv_identity_id). NOW: the earliest time that is proven, if
	 * one is. One for each
	 * name that holds the key and each subject that is meant; equal ones once. Who
	 * made a STATEMENT other than cosign's sign predicate did not sign the image. */
	CV_F_SIGNER,
	/* STATEMENT: MEDIA predicate type, DIGEST subject that matched, NAME signer,
	 * EVIDENCE, BLOB: sealed memfd; the range is the predicate alone. */
	CV_F_STATEMENT,
	/* LAYER: POS, COUNT entries, SIZE unpacked bytes, DIFFID computed. */
	CV_F_LAYER,
	/* COUNTS: NAME what, COUNT; several. */
	CV_F_COUNTS,
	/* FILE: NAME path, MODE (0100644, 0100755, 0040755, 0120777), SIZE,
	 * DIGEST of the content; REF link target. */
	CV_F_FILE,
	/* PACKAGE: NAME, VERSION, KIND text in MEDIA ("npm"). */
	CV_F_PACKAGE,
	/* SBOM: MEDIA format ("CycloneDX 1.5"), COUNT components, VALUE matched
	 * against data, SIZE not covered; NOW: when the index was compiled, if there is one. */
	CV_F_SBOM,
	/* VULN: NAME purl, REF advisory id, VERSION fixed in or "", TEXT severity
	 * word, NOTE summary. */
	CV_F_VULN,
	/* OBSERVED: NAME where, KIND (enum cv_signed, what it would be), TEXT, EVIDENCE?:
	 * unproven, for people: every piece of evidence that does not count, and why. */
	CV_F_OBSERVED,
};

/* What a signature was. */
enum cv_signed {
	CV_SIGNED_SIMPLE = 1, /* cosign simple signing payload (.sig tag) */
	CV_SIGNED_BUNDLE,     /* Sigstore bundle, sign predicate */
	CV_SIGNED_STATEMENT,  /* attestation, by .att tag or bundle */
	CV_SIGNED_MESSAGE,    /* signature over the bytes themselves */
	CV_SIGNED_ENVELOPE,   /* DSSE of another payload type */
};

/* Confinement in force, as HELLO states it. */
enum {
	CV_SBX_LANDLOCK = 1, /* no path can be opened (fetch: only what it needs) */
	CV_SBX_LANDLOCK_NET = 2,
	CV_SBX_SECCOMP = 4,
	CV_SBX_RLIMITS = 8,
	CV_SBX_NO_NEW_PRIVS = 16,
	CV_SBX_SANITIZER = 32, /* an ASan build: unconfined by design */
};

#endif
