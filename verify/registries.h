/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries.h: what this user or machine says about registries: who else holds
 * copies of what is in them, and by what their servers, and we to them, are known.
 *
 * Mirrors: registries.json ("clawverify.registries/1", docs/formats.md), the first
 * that is there of
 *
 *     $XDG_CONFIG_HOME/clawverify/      else ~/.config/clawverify/
 *     /etc/clawverify/
 *
 * never one that lies beside an agent: what is verified does not say where it is
 * fetched from. A mirror is asked for bytes whose digest is known and for nothing
 * else; what a tag names and what refers to an image is asked of the registry.
 *
 * TLS: a directory HOST or HOST:PORT, the first that is there, below
 *
 *     $XDG_CONFIG_HOME/clawverify/certs.d/      else ~/.config/clawverify/certs.d/
 *     ~/.config/containers/certs.d/
 *     /etc/containers/certs.d/
 *     /etc/docker/certs.d/
 *
 * as containers-certs.d(5) and Docker have it: *.crt are authorities that are
 * trusted for this host besides the system's, NAME.cert with NAME.key is who we
 * are. One client certificate at most, its key not encrypted.
 *
 * A constant once opened; safe for use by several threads. Files of certs.d are
 * read when they are needed.
 */
#ifndef CV_REGISTRIES_H
#define CV_REGISTRIES_H

#include "verify/conf.h"

#define CV_REGISTRIES_SCHEMA "clawverify.registries/1"
#define CV_MAX_MIRRORS       8

struct cv_registries;

/* cv_registries_open: values of the environment, NULL what is not set. A mistake in
 * registries.json is CV_R_CONFIG. */
int cv_registries_open(struct cv_registries **ret, const char *config_home, const char *home,
		       struct cv_err *e) cv_must;
void cv_registries_free(struct cv_registries **r);

/* cv_registries_file: the registries.json that counts, or NULL; how many
 * registries have mirrors. */
const char *cv_registries_file(const struct cv_registries *r);
size_t cv_registries_count(const struct cv_registries *r);

/* cv_registries_mirrors: of the registry host[:port]: each HOST[:PORT][/PREFIX], to
 * stand for its name. r may be NULL. */
const struct cv_items *cv_registries_mirrors(const struct cv_registries *r, const char *host);

/* All: 1 there is one, 0 there is none, -1 (CV_R_CONFIG: what is there is not in
 * order). r may be NULL. */

/* cv_registries_tls: whether there is a directory for host[:port]. */
int cv_registries_tls(const struct cv_registries *r, const char *host, struct cv_err *e) cv_must;

/* cv_registries_ca, cv_registries_client: PEM text, appended to out; of a client the
 * certificate (and its chain) and the key, which the caller wipes. */
int cv_registries_ca(const struct cv_registries *r, const char *host, struct cv_buf *out,
		     struct cv_err *e) cv_must;
int cv_registries_client(const struct cv_registries *r, const char *host, struct cv_buf *out,
			 struct cv_err *e) cv_must;

/* cv_registries_same: two ways to write one host: port 443 need not be said. */
bool cv_registries_same(const char *a, const char *b);

#endif
