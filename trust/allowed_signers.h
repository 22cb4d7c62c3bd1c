/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allowed_signers.h: who may sign, in the file of ssh-keygen(1), ALLOWED SIGNERS.
 *
 *   PRINCIPALS [OPTIONS] KEYTYPE BASE64 [comment]
 *
 * PRINCIPALS and namespaces="..." are patterns with * and ?, separated by commas, each
 * negated by a leading !; one negated match refuses, whatever else matches (ssh_config(5),
 * PATTERNS). OPTIONS: cert-authority, namespaces="...", valid-after="...",
 * valid-before="..." (YYYYMMDD[HHMM[SS]][Z]), keywords in any case.
 *
 * A time without Z is one of the local time zone, which a file cannot tell: the caller
 * names the zone, as minutes east of UTC (without summer time), or CV_ZONE_NONE, and
 * then such a time is CV_R_AMBIGUOUS. An unknown, repeated or misspelt option, in any
 * line, refuses the whole file (ssh-keygen gets as far as the first line that matches);
 * a key that we cannot or will not use (DSA, short RSA) just matches nothing.
 */
#ifndef CV_TRUST_ALLOWED_SIGNERS_H
#define CV_TRUST_ALLOWED_SIGNERS_H

#include "trust/sshsig.h"

#include <limits.h>

#define CV_SIGNERS_MAX     (1024 * 1024) /* bytes of a file */
#define CV_SIGNERS_ENTRIES 4096
#define CV_ZONE_NONE       INT_MIN

struct cv_signers;

/* cv_signers_parse: `name` is for messages; text is copied. */
int cv_signers_parse(struct cv_signers **ret, const char *name, struct cv_span text, int zone,
		     struct cv_err *e) cv_must;
void cv_signers_free(struct cv_signers **s);
size_t cv_signers_count(const struct cv_signers *s); /* keys that can match */

/*
 * cv_signers_allow: 0 if and only if a line lets `principal` sign with the key of p for
 * the namespace of p at the time `when`; with a certificate: a cert-authority line has
 * its CA, and the certificate is a user's, names the principal literally, is valid at
 * `when` and has no critical option (ssh-keygen does not look at those).
 *
 * CV_R_IDENTITY: no line has that key for that principal, or the certificate is for
 * another; CV_R_EXPIRED: before or after its time; CV_R_RULE: namespace, host
 * certificate, critical option. Of several lines the one that came furthest speaks.
 */
int cv_signers_allow(const struct cv_signers *s, const struct cv_ssh_proven *p,
		     struct cv_span principal, int64_t when, struct cv_err *e) cv_must;

/* cv_signers_who: the principals of the first line with the key or CA of p, whatever
 * else it says; n 0 if there is none. Only for saying who did sign. */
struct cv_span cv_signers_who(const struct cv_signers *s, const struct cv_ssh_proven *p);

/* cv_ssh_pattern_list: 1 a pattern matches, 0 none does, -1 a negated one does. */
int cv_ssh_pattern_list(struct cv_span text, struct cv_span patterns);

#endif
