/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_object.h: signed commits and tags of git, from the raw object's bytes (without
 * the header "commit N\0").
 *
 *   commit   tree, parent*, author, committer, other headers, empty line, message
 *            signature: header gpgsig (SHA-1 repository) or gpgsig-sha256, whose further
 *            lines begin with one space; signed: the object without that header, and
 *            without the other algorithm's
 *   tag      object, type, tag, tagger, empty line, message
 *            signature: from the line that opens a signature block to the end; signed:
 *            all before it
 *
 * Where git and libgit2 read an object differently, it is refused:
 *
 *   a NUL byte anywhere                            CV_R_MALFORMED
 *   gpgsig before tree, or headers out of order    CV_R_MALFORMED
 *   two gpgsig headers, or two blocks in a tag     CV_R_AMBIGUOUS (git: takes all lines
 *                                                  of the first, the last block)
 *   a header that only begins like gpgsig          CV_R_AMBIGUOUS (git: drops it)
 *   gpgsig in the message alone                    CV_R_ABSENT, as git
 *
 * An object without a signature is CV_R_ABSENT; one by OpenPGP or X.509 (gitsign) is
 * recognised, and verifying it is CV_R_UNSUPPORTED.
 *
 * The object id is the caller's matter (a signature can be replaced without breaking
 * it, an id cannot), and so is asking that the tag has the name it was looked up by:
 * cv_git_tag_named(). The committer's time is what the committer wrote: use it to judge
 * a key's time only if policy says so.
 */
#ifndef CV_TRUST_GIT_OBJECT_H
#define CV_TRUST_GIT_OBJECT_H

#include "trust/sshsig.h"

#define CV_GIT_MAX_OBJECT (16 * 1024 * 1024) /* bytes of a commit or tag */

enum cv_git_kind { CV_GIT_COMMIT = 1, CV_GIT_TAG };
enum cv_git_hash { CV_GIT_SHA1 = 40, CV_GIT_SHA256 = 64 }; /* digits of an id */
enum cv_git_scheme { CV_GIT_SSH = 1, CV_GIT_OPENPGP, CV_GIT_X509 };

/* What a signed object says; nothing of it is proven. Spans point into the raw bytes. */
struct cv_git_object {
	enum cv_git_kind kind;
	enum cv_git_scheme scheme;
	struct cv_span target; /* commit: tree id; tag: object id; lower-case hex */
	struct cv_span type;   /* tag: "commit", "tree", "blob", "tag" */
	struct cv_span name;   /* tag */
	struct cv_span by;     /* committer or tagger: "Name <address>" */
	int64_t time;          /* its time */
	struct cv_buf payload, signature;
};

/* cv_git_parse: free in any case. */
int cv_git_parse(struct cv_git_object *ret, enum cv_git_kind kind, enum cv_git_hash hash,
		 struct cv_span raw, struct cv_err *e) cv_must;
void cv_git_free(struct cv_git_object *o);

/* cv_git_tag_named: CV_R_RULE if it is not the tag `name` (of refs/tags/NAME). */
int cv_git_tag_named(const struct cv_git_object *o, struct cv_span name, struct cv_err *e) cv_must;

/* cv_git_verify: 0 if and only if the object holds an SSH signature over all of itself
 * but the signature, for git's namespace. `sig` keeps what `ret` points to; the caller
 * frees it with cv_sshsig_free(), in any case. */
int cv_git_verify(const struct cv_git_object *o, unsigned need, struct cv_sshsig *sig,
		  struct cv_ssh_proven *ret, struct cv_err *e) cv_must;

#endif
