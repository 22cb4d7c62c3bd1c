/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_seal.c: a passed result becomes a bundle. Must never leave half a
 * bundle under a bundle's name, nor seal what did not pass. */
#include "verify/bundle_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/base/enc.h"
#include "trust/base/statement.h"
#include "trust/base/text.h"
#include "verify/bundle_dir.h"
#include "verify/launch.h"
#include "verify/vsa_int.h"
#include "trust/base/banned.h"

#define TAKE_TRIES 16

/* All that a sealing holds. */
struct sealing {
	const struct cv_seal *in;
	int parent, top;
	int taken; /* what had the name before, locked; -1: nothing had it */
	char temp[CV_DIR_TEMP];
	struct cv_bwriter w;
	struct cv_members members;
	struct cv_launchset *set;
	struct cv_digest set_digest, bundle;
	struct cv_buf index;    /* bundle.json */
	struct cv_buf envelope; /* vsa.dsse.json */
};

/* ---- members ---- */

static int
put_documents(struct sealing *s, struct cv_err *e)
{
	cv_auto(cv_buf_free) struct cv_buf set = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf agent = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf policy = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_json_drop) json_t *effective = NULL;
	const struct cv_request *rq = s->in->rq;

	if (cv_launchset_emit(s->set, &set, e) != 0 ||
	    cv_digest_of(&s->set_digest, CV_SHA256, cv_buf_span(&set), e) != 0 ||
	    cv_agent_canonical(rq->agent, &agent, e) != 0 ||
	    cv_policy_effective(rq->policy, &effective, e) != 0 ||
	    cv_json_canonical(&policy, effective, e) != 0)
		return -1;
	if (cv_bw_bytes(&s->w, CV_BUNDLE_SET, "launch-set", cv_buf_span(&set), e) != 0 ||
	    cv_bw_bytes(&s->w, "agent.json", "agent", cv_buf_span(&agent), e) != 0 ||
	    cv_bw_bytes(&s->w, "policy.effective.json", "policy", cv_buf_span(&policy), e) != 0 ||
	    cv_bw_bytes(&s->w, CV_BUNDLE_POLICY, "policy", s->in->policy, e) != 0)
		return -1;
	if (s->in->policy_signed.n > 0 &&
	    cv_bw_bytes(&s->w, CV_BUNDLE_POLICY_SIGNED, "policy", s->in->policy_signed, e) != 0)
		return -1;
	return cv_bw_bytes(&s->w, CV_LOCK_NAME, "lock", s->in->lock, e);
}

/* source_of: where the bytes of a mount lie: a tree's directory; of an artifact
 * that is one file, that file. */
static const char *
source_of(struct cv_mem *mem, const struct sealing *s, const struct cv_ls_mount *m,
	  struct cv_err *e)
{
	const struct cv_result *r = s->in->result;
	char prefix[128];
	size_t i, k;

	for (i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		if (a->manifest.alg != CV_ALG_NONE || !cv_digest_eq(&a->digest, &m->tree))
			continue;
		(void)snprintf(prefix, sizeof(prefix), "trees/%s", a->name);
		if (a->tree != NULL)
			return cv_mem_str(mem, prefix, e);
		cv_text_fmt(prefix, sizeof(prefix), "trees/%s/", a->name);
		for (k = 0; k < s->members.n; k++)
			if (strncmp(s->members.v[k].path, prefix, strlen(prefix)) == 0)
				return cv_mem_str(mem, s->members.v[k].path, e);
	}
	cv_fail(e, CV_R_BUG, "mount %s: nothing that was verified has its digest", m->target);
	return NULL;
}

static int
put_contract(struct sealing *s, struct cv_err *e)
{
	cv_auto(cv_contract_free) struct cv_contract c = { .set = s->set };
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	size_t i;

	c.required = s->in->rq->policy->required_controls;
	c.sources = cv_mem_get(&c.mem, s->set->nmounts, sizeof(*c.sources), e);
	if (c.sources == NULL)
		return -1;
	for (i = 0; i < s->set->nmounts; i++) {
		c.sources[i] = source_of(&c.mem, s, &s->set->mounts[i], e);
		if (c.sources[i] == NULL)
			return -1;
	}
	if (cv_contract_emit(&c, &text, e) != 0)
		return -1;
	return cv_bw_bytes(&s->w, CV_BUNDLE_LAUNCH, "launch", cv_buf_span(&text), e);
}

static bool
listed(const struct cv_members *m, const char *path)
{
	size_t i;

	for (i = m->n; i-- > 0;)
		if (strcmp(m->v[i].path, path) == 0)
			return true;
	return false;
}

/* put_one: a piece of evidence: what the result kept, else what the store has;
 * what neither has is named in the VSA only. */
static int
put_one(struct sealing *s, const struct cv_digest *d, struct cv_blob blob, struct cv_err *e)
{
	cv_auto(cv_closep) int found = -1;
	char hex[2 * CV_DIGEST_MAX + 1], path[sizeof(hex) + 16];

	if (d->alg != CV_SHA256)
		return 0;
	cv_hex_encode(hex, d->b, 32);
	(void)snprintf(path, sizeof(path), "evidence/%s", hex);
	if (listed(s->w.members, path))
		return 0;
	if (blob.fd < 0) {
		int r = cv_store_find(s->in->rq->store, d, CV_SIZE_ANY, &blob, e);

		if (r <= 0)
			return r;
		found = blob.fd;
	}
	return cv_bw_blob(&s->w, path, "evidence", blob, d, e);
}

/* put_evidence: the index of an image too: signatures may be about it, and it
 * leads to the manifest that is in the layout. */
static int
put_evidence(struct sealing *s, const struct cv_r_artifact *a, struct cv_err *e)
{
	size_t i;

	for (i = 0; i < a->nevidence; i++)
		if (put_one(s, &a->evidence[i].digest, a->evidence[i].blob, e) != 0)
			return -1;
	return put_one(s, &a->index, CV_NO_BLOB, e);
}

static int
put_artifacts(struct sealing *s, struct cv_err *e)
{
	const struct cv_result *r = s->in->result;
	size_t i;

	if (cv_bw_oci(&s->w, s->in->rq, r, e) != 0)
		return -1;
	for (i = 0; i < r->nartifacts; i++) {
		const struct cv_r_artifact *a = &r->artifacts[i];

		if (put_evidence(s, a, e) != 0)
			return -1;
		if (a->manifest.alg == CV_ALG_NONE && cv_artifact_covered(a->decl) &&
		    cv_bw_tree(&s->w, s->in->rq, a, e) != 0)
			return cv_fail_within(e, "%s", a->name);
	}
	return 0;
}

/* ---- the list and the verdict ---- */

static int
put_index(struct sealing *s, struct cv_err *e)
{
	struct cv_bwriter plain = { .top = s->top };

	if (cv_members_sort(&s->members, e) != 0 ||
	    cv_members_emit(&s->members, s->set->agent, &s->set_digest, &s->index, e) != 0 ||
	    cv_digest_of(&s->bundle, CV_SHA256, cv_buf_span(&s->index), e) != 0)
		return -1;
	return cv_bw_bytes(&plain, CV_BUNDLE_INDEX, "", cv_buf_span(&s->index), e);
}

static int
put_verdict(struct sealing *s, struct cv_err *e)
{
	struct cv_bwriter plain = { .top = s->top };
	cv_auto(cv_buf_free) struct cv_buf payload = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_vsa_in in = { .result = s->in->result,
				.set = s->set,
				.set_digest = s->set_digest,
				.bundle = s->bundle,
				.not_before = s->in->result->now,
				.not_after = s->in->result->valid_until };

	if (s->in->report.n > 0 &&
	    (cv_digest_of(&in.report, CV_SHA256, s->in->report, e) != 0 ||
	     cv_bw_bytes(&plain, CV_BUNDLE_REPORT, "", s->in->report, e) != 0))
		return -1;
	if (cv_vsa_make(&payload, &in, e) != 0 ||
	    cv_dsse_sign(s->in->key, CV_INTOTO_PAYLOAD, cv_buf_span(&payload), &s->envelope, e) !=
		    0)
		return -1;
	return cv_bw_bytes(&plain, CV_BUNDLE_VSA, "", cv_buf_span(&s->envelope), e);
}

/* ---- into place ---- */

/* intact: the bundle that has the name already is whole. Only the bytes count
 * here: its verdict is replaced. */
static bool
intact(struct sealing *s, int fd)
{
	struct cv_err why;

	return cv_bundle_check(fd, &s->members, cv_buf_span(&s->index), &why) == 0;
}

/* swap: the old report goes, the new verdict comes, its report follows. Wherever
 * this is killed, the bundle is whole: a report may be missing. */
static int
swap(struct sealing *s, int fd, struct cv_err *e)
{
	if (unlinkat(fd, CV_BUNDLE_REPORT, 0) != 0 && errno != ENOENT)
		return cv_fail_errno(e, "bundle: cannot renew the report");
	if (renameat(s->top, CV_BUNDLE_VSA, fd, CV_BUNDLE_VSA) != 0)
		return cv_fail_errno(e, "bundle: cannot renew the verdict");
	if (renameat(s->top, CV_BUNDLE_REPORT, fd, CV_BUNDLE_REPORT) != 0 && errno != ENOENT)
		return cv_fail_errno(e, "bundle: cannot renew the report");
	return fsync(fd) != 0 ? cv_fail_errno(e, "bundle: cannot sync") : 0;
}

/* renew: the verdict and report of a bundle that is there. */
static int
renew(struct sealing *s, int fd, struct cv_err *e)
{
	if (fchmod(fd, 0755) != 0 || fchmod(s->top, 0755) != 0)
		return cv_fail_errno(e, "bundle: cannot renew it");
	if (swap(s, fd, e) != 0)
		return -1;
	return fchmod(fd, 0555) != 0 ? cv_fail_errno(e, "bundle: cannot protect it") : 0;
}

/* take: hold what has the name alone: readers hold a shared lock, and nobody may
 * look at it while another renews it. Who waited for the lock may find that the
 * name has gone to another directory meanwhile. */
static int
take(struct sealing *s, const char *name, struct cv_err *e)
{
	unsigned tries;

	for (tries = 0; tries < TAKE_TRIES; tries++) {
		cv_closep(&s->taken);
		s->taken = openat(s->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (s->taken < 0)
			return cv_fail_errno(e, "bundle: cannot open %s", name);
		if (cv_dir_lock(s->taken, true, e) != 0)
			return -1;
		if (cv_dir_same(s->parent, name, s->taken))
			return 0;
	}
	return cv_fail(e, CV_R_DEADLINE, "bundle: others keep replacing %s", name);
}

/* settle: the name is taken: by the same bundle, or by a broken one, which
 * changes places with ours and stays locked until it is removed. */
static int
settle(struct sealing *s, const char *name, struct cv_err *e)
{
	if (take(s, name, e) != 0)
		return -1;
	if (intact(s, s->taken))
		return renew(s, s->taken, e);
	if (renameat2(s->parent, s->temp, s->parent, name, RENAME_EXCHANGE) != 0)
		return cv_fail_errno(e, "bundle: cannot replace the broken %s", name);
	return 0;
}

static int
place(struct sealing *s, char path[4096], struct cv_err *e)
{
	char name[CV_BUNDLE_NAME], dir[4096];

	cv_bundle_name(&s->bundle, name);
	if (realpath(s->in->dir, dir) == NULL)
		return cv_fail_errno(e, "%s", s->in->dir);
	if (snprintf(path, 4096, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) >= 4096)
		return cv_fail(e, CV_R_USAGE, "%s: too long a path", dir);
	if (cv_dir_seal(s->top, e) != 0)
		return -1;
	if (renameat2(s->parent, s->temp, s->parent, name, RENAME_NOREPLACE) == 0)
		s->temp[0] = '\0';
	else if (errno != EEXIST)
		return cv_fail_errno(e, "bundle: cannot name it %s", name);
	else if (settle(s, name, e) != 0)
		return -1;
	if (fsync(s->parent) != 0)
		return cv_fail_errno(e, "bundle: cannot sync %s", dir);
	return 0;
}

/* ---- all of it ---- */

static int
open_parent(const char *dir, struct cv_err *e)
{
	struct stat st;
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return cv_conf_errno(e, "%s: cannot make it", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		cv_conf_errno(e, "%s", dir);
		cv_closep(&fd);
		return -1;
	}
	if ((st.st_uid == geteuid() || st.st_uid == 0) &&
	    ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0))
		return fd;
	close(fd);
	return cv_fail(
		e, CV_R_CONFIG,
		"%s: others may write there (owner %u, mode %04o), want a directory of your own",
		dir, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
}

static int
launchable(const struct cv_result *r, struct cv_err *e)
{
	if (!cv_allows(r->decision.verdict))
		return cv_fail(e, CV_R_RULE, "only what passed can be sealed");
	if (r->audit)
		return cv_fail(e, CV_R_RULE, "a policy of mode audit decides nothing: no bundle");
	if (r->partial)
		return cv_fail(e, CV_R_RULE, "only part of the agent was looked at: no bundle");
	if (r->historical)
		return cv_fail(e, CV_R_RULE, "a verdict for another time (--at) gives no bundle");
	if (r->valid_until <= r->now)
		return cv_fail(e, CV_R_BUG, "a verdict without a time to be valid");
	return 0;
}

static int
write_all(struct sealing *s, struct cv_err *e)
{
	if (put_documents(s, e) != 0 || put_artifacts(s, e) != 0 || put_contract(s, e) != 0)
		return -1;
	return put_index(s, e) != 0 || put_verdict(s, e) != 0 ? -1 : 0;
}

static void
sealing_end(struct sealing *s)
{
	struct cv_err ignored;

	/* what cannot be removed now, the next sealing removes */
	if (s->temp[0] != '\0' && s->parent >= 0 &&
	    cv_dir_remove(s->parent, s->temp, &ignored) != 0)
		s->temp[0] = '\0';
	cv_closep(&s->taken);
	cv_closep(&s->top);
	cv_closep(&s->parent);
	cv_members_free(&s->members);
	cv_launchset_free(&s->set);
	cv_buf_free(&s->index);
	cv_buf_free(&s->envelope);
}

int
cv_bundle_seal(const struct cv_seal *in, struct cv_digest *digest, char path[4096],
	       struct cv_err *e)
{
	cv_auto(sealing_end) struct sealing s = { .in = in,
						  .parent = -1,
						  .top = -1,
						  .taken = -1,
						  .index = CV_BUF(CV_MAX_JSON_DOM),
						  .envelope = CV_BUF(CV_MAX_ENVELOPE) };

	if (launchable(in->result, e) != 0)
		return -1;
	if (cv_engine_launchset(&s.set, in->result, in->rq->agent, e) != 0)
		return -1;
	if ((s.parent = open_parent(in->dir, e)) < 0)
		return -1;
	cv_dir_sweep(s.parent);
	if (cv_dir_temp(s.parent, s.temp, &s.top, e) != 0) {
		s.temp[0] = '\0';
		return -1;
	}
	s.w = (struct cv_bwriter){ .top = s.top, .members = &s.members };
	if (write_all(&s, e) != 0 || place(&s, path, e) != 0)
		return cv_fail_within(e, "sealing");
	*digest = s.bundle;
	return 0;
}
