/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c: one image. Resolved by what the lock pins, else by the reference;
 * the trust worker proves the graph from the bytes down and who signed it; the
 * layers are fetched and looked into only when enough vouches for the image.
 * Must never take a digest from anybody but the store and the trust worker.
 */
#include "verify/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trust/base/clock.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/local.h"

#include "trust/base/banned.h"

#define TAG_CHARS     128  /* of a tag (distribution-spec) */
#define TAG_LOOKUP_MS 5000 /* a remark about the tag is not worth more */

/* ---- the source ---- */

static int
open_layout(struct cv_image_job *im, const char **check, struct cv_err *e)
{
	const struct cv_request *rq = im->job->run->rq;
	const char *path = im->job->decl->path;

	im->layout_fd = cv_local_at(rq->base_fd, path);
	if (im->layout_fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR) {
		*check = "fetch.absent";
		return cv_fail(e, CV_R_ABSENT, "%s: there is no such directory", path);
	}
	*check = "file.unsafe";
	if (errno == ELOOP || errno == EXDEV)
		return cv_fail(e, CV_R_RULE, "%s: leads through a link or out of the directory",
			       path);
	return cv_fail_errno(e, "%s", path);
}

static int
open_source(struct cv_image_job *im, const struct cv_role_opts *role, struct cv_source **ret,
	    struct cv_err *e)
{
	const struct cv_request *rq = im->job->run->rq;
	bool layout = im->layout_fd >= 0;
	struct cv_source_opts o = { .store = rq->store,
				    .role = role,
				    .cred = rq->cred,
				    .registries = rq->registries,
				    .offline = rq->offline || layout,
				    .repo = layout ? NULL : im->job->decl->source,
				    .layout_fd = im->layout_fd,
				    .progress = cv_run_progress,
				    .ctx = im->job };

	return cv_source_open(ret, &o, e);
}

/* ---- resolving ---- */

/* pinned: the digest to ask for, NULL if there is none. */
static const struct cv_digest *
pinned(const struct cv_job *j)
{
	if (j->locked != NULL)
		return j->locked->index.alg != CV_ALG_NONE ? &j->locked->index
							   : &j->locked->manifest;
	return j->decl->digest.alg != CV_ALG_NONE ? &j->decl->digest : NULL;
}

static void
resolve(struct cv_image_job *im, struct cv_got *got)
{
	const struct cv_digest *want = pinned(im->job);
	const char *tag = im->job->decl->tag;
	char text[CV_DIGEST_TEXT];

	if (want != NULL)
		cv_source_manifest(im->src, cv_digest_text(want, text), want, CV_MAX_MANIFEST, got);
	else if (im->layout_fd >= 0)
		cv_layout_tag(im->src, tag != NULL ? tag : "", got);
	else
		cv_source_manifest(im->src, tag != NULL ? tag : "latest", NULL, CV_MAX_MANIFEST,
				   got);
}

/* ---- NODE facts ---- */

static int
layer_fact(struct cv_image_job *im, const struct cv_r_layer *n, const char *media, uint64_t pos,
	   struct cv_err *e)
{
	struct cv_r_artifact *a = im->job->a;
	struct cv_r_layer *v;

	if (pos != a->nlayers || pos >= CV_MAX_LAYERS || im->configs != 1)
		return cv_fail(e, CV_R_WORKER, "trust: a layer out of turn");
	v = reallocarray(a->layers, a->nlayers + 1, sizeof(*v));
	if (v == NULL)
		return cv_fail_memory(e);
	a->layers = v;
	v[a->nlayers] = *n;
	v[a->nlayers].media = strdup(media);
	if (v[a->nlayers].media == NULL)
		return cv_fail_memory(e);
	a->nlayers++;
	return 0;
}

static int
manifest_fact(struct cv_image_job *im, const struct cv_r_layer *n, const char *media,
	      const char *platform, struct cv_err *e)
{
	struct cv_r_artifact *a = im->job->a;

	if (im->manifests++ != 0)
		return cv_fail(e, CV_R_WORKER, "trust: two manifests");
	a->manifest = a->digest = n->digest;
	a->size = n->size;
	a->media = strdup(media);
	a->platform = strdup(platform);
	return a->media == NULL || a->platform == NULL ? cv_fail_memory(e) : 0;
}

static int
node_fact(struct cv_image_job *im, struct cv_frame *f, struct cv_err *e)
{
	struct cv_r_artifact *a = im->job->a;
	uint64_t role = cv_frame_u64(f, CV_TAG_ROLE, CV_NODE_EVIDENCE);
	struct cv_r_layer n = { .digest = cv_frame_digest(f, CV_TAG_DIGEST),
				.size = cv_frame_u64(f, CV_TAG_SIZE, INT64_MAX) };
	const char *media = cv_frame_str(f, CV_TAG_MEDIA, CV_MEDIA_MAX), *platform = "";
	uint64_t pos = cv_frame_u64(f, CV_TAG_POS, CV_MAX_LAYERS);

	if (role == CV_NODE_LAYER)
		n.diffid = cv_frame_digest(f, CV_TAG_DIFFID);
	if (role == CV_NODE_MANIFEST)
		platform = cv_frame_str(f, CV_TAG_PLATFORM, CV_PLATFORM_TEXT);
	if (cv_frame_done(f, "trust: NODE", e) != 0)
		return -1;
	switch (role) {
	case CV_NODE_INDEX: /* the first is the one that was asked for */
		if (a->index.alg == CV_ALG_NONE)
			a->index = n.digest;
		return 0;
	case CV_NODE_MANIFEST:
		return manifest_fact(im, &n, media, platform, e);
	case CV_NODE_CONFIG:
		if (im->configs++ != 0)
			return cv_fail(e, CV_R_WORKER, "trust: two configs");
		a->config = n.digest;
		return 0;
	case CV_NODE_LAYER:
		return layer_fact(im, &n, media, pos, e);
	default:
		return cv_fail(e, CV_R_WORKER, "trust: a node without a role");
	}
}

static int
on_fact(void *ctx, struct cv_frame *f, struct cv_err *e)
{
	struct cv_image_job *im = ctx;

	if (cv_frame_u64(f, CV_TAG_FACT, CV_F_OBSERVED) == CV_F_NODE)
		return node_fact(im, f, e);
	return cv_vouch_fact(im->job, f, e);
}

/* forget_graph: the task failed after it had stated nodes. */
static void
forget_graph(struct cv_image_job *im)
{
	struct cv_r_artifact *a = im->job->a;

	while (a->nlayers > 0)
		free(a->layers[--a->nlayers].media);
	free(a->media);
	free(a->platform);
	a->media = a->platform = NULL;
	a->index = a->manifest = a->config = a->digest = (struct cv_digest){ 0 };
	a->size = 0;
	im->manifests = im->configs = 0;
}

/* ---- needs ---- */

static int
give(struct cv_image_job *im, struct cv_got *got, struct cv_out *out, struct cv_err *e)
{
	im->given += got->status == CV_S_GIVEN ? got->blob.len : 0;
	if (im->given > CV_MAX_EVIDENCE_BYTES) {
		cv_closep(&got->blob.fd);
		return cv_fail(e, CV_R_LIMIT, "more than %llu bytes of manifests and evidence",
			       (unsigned long long)CV_MAX_EVIDENCE_BYTES);
	}
	cv_out_u64(out, CV_TAG_STATUS, got->status);
	if (got->status == CV_S_FAILED) {
		im->refused = got->err.reason;
		im->refused_check = got->check;
		/* what is missing in the end may have been in what could not be had */
		if (cv_reason_exit(got->err.reason) != CV_EXIT_FAIL)
			im->job->sig_trouble = got->err.reason;
		cv_out_str(out, CV_TAG_REASON, cv_reason_word(got->err.reason));
		cv_out_str(out, CV_TAG_TEXT, got->err.text);
	}
	if (got->status != CV_S_GIVEN)
		return 0;
	cv_out_blob(out, CV_TAG_BLOB, got->blob);
	cv_out_digest(out, CV_TAG_DIGEST, &got->digest);
	cv_out_str(out, CV_TAG_MEDIA, got->media);
	return 0;
}

static void
need_blob(struct cv_image_job *im, const struct cv_digest *d, const char *media, uint64_t max,
	  struct cv_got *got)
{
	char text[CV_DIGEST_TEXT];

	/* a registry keeps manifests and blobs apart */
	if (cv_oci_kind_of(media) != CV_OCI_OTHER)
		cv_source_manifest(im->src, cv_digest_text(d, text), d, max, got);
	else
		cv_source_blob(im->src, d, CV_SIZE_ANY, max, got);
}

static int
on_need(void *ctx, struct cv_frame *need, struct cv_out *out, struct cv_err *e)
{
	struct cv_image_job *im = ctx;
	uint64_t what = cv_frame_u64(need, CV_TAG_NEED, CV_N_CRED);
	uint64_t max = cv_frame_u64(need, CV_TAG_MAX, CV_MAX_ENVELOPE);
	struct cv_digest d = { 0 };
	const char *text = "";
	struct cv_got got;

	if (what == CV_N_BLOB)
		text = cv_frame_str(need, CV_TAG_MEDIA, CV_MEDIA_MAX);
	if (what == CV_N_TAG)
		text = cv_frame_str(need, CV_TAG_NAME, TAG_CHARS);
	if (what == CV_N_BLOB || what == CV_N_REFERRERS)
		d = cv_frame_digest(need, CV_TAG_DIGEST);
	if (cv_frame_done(need, "trust: NEED", e) != 0)
		return -1;
	if (what == CV_N_BLOB)
		need_blob(im, &d, text, max, &got);
	else if (what == CV_N_REFERRERS && im->layout_fd >= 0)
		cv_layout_referrers(im->src, im->job->run->rq->store, &d, &got);
	else if (what == CV_N_REFERRERS)
		cv_source_referrers(im->src, &d, max, &got);
	else if (what == CV_N_TAG && im->layout_fd >= 0)
		cv_layout_tag(im->src, text, &got);
	else if (what == CV_N_TAG)
		cv_source_manifest(im->src, text, NULL, max, &got);
	else
		return cv_fail(e, CV_R_WORKER, "trust: a need of an unknown kind");
	return give(im, &got, out, e);
}

/* ---- the trust task ---- */

static unsigned
flags(const struct cv_rule *rule)
{
	unsigned f = 0, k;
	bool keys = rule->nsigned_by > 0;

	for (k = 0; k < rule->nattestations; k++)
		keys = keys || rule->attestations[k].nsigned_by > 0;
	if (!keys) /* nothing could be proven: nothing is looked for */
		return 0;
	if (rule->nsigned_by > 0)
		f |= CV_IMG_SIGNATURES;
	if (rule->nattestations > 0 || rule->sbom_required || rule->signature_types.n > 0)
		f |= CV_IMG_ATTESTATIONS;
	return f | rule->generations;
}

static int
send_annotations(struct cv_role *r, const struct cv_rule *rule, struct cv_err *e)
{
	for (size_t i = 0; i < rule->nannotations; i++) {
		struct cv_out *o = cv_role_frame(r, CV_K_ITEM);

		cv_out_u64(o, CV_TAG_ROLE, CV_ROLE_ANNOTATION);
		cv_out_str(o, CV_TAG_NAME, rule->annotations[i].key);
		cv_out_str(o, CV_TAG_TEXT, rule->annotations[i].value);
		if (cv_role_send(r, e) != 0)
			return -1;
	}
	return 0;
}

static int
send_image(struct cv_call *c, struct cv_role *r, struct cv_err *e)
{
	struct cv_image_job *im = c->ctx;
	struct cv_out *o = cv_role_frame(r, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_IMAGE);
	cv_out_blob(o, CV_TAG_BLOB, im->root->blob);
	cv_out_digest(o, CV_TAG_DIGEST, &im->root->digest);
	cv_out_str(o, CV_TAG_MEDIA, im->root->media);
	cv_out_str(o, CV_TAG_PLATFORM, im->platform);
	cv_out_str(o, CV_TAG_NAME, im->layout_fd >= 0 ? "" : im->job->decl->source);
	cv_out_u64(o, CV_TAG_FLAGS, flags(im->job->rule));
	cv_out_u64(o, CV_TAG_NOW, (uint64_t)im->job->run->rq->now);
	if (cv_role_send(r, e) != 0)
		return -1;
	return send_annotations(r, im->job->rule, e) != 0 ? -1 : cv_vouch_rule_keys(r, im->job, e);
}

/* whole: the graph is there, and hangs on what was resolved. */
static bool
whole(const struct cv_image_job *im)
{
	const struct cv_r_artifact *a = im->job->a;
	const struct cv_digest *top = a->index.alg != CV_ALG_NONE ? &a->index : &a->manifest;

	return im->manifests == 1 && im->configs == 1 && cv_digest_eq(top, &im->root->digest);
}

/* named: a part of the graph that could not be fetched is a matter of its transfer,
 * and has the id of that: the trust worker knows the reason alone. */
static const char *
named(const struct cv_image_job *im, const char *check, enum cv_reason reason)
{
	bool same = check != NULL && strcmp(check, "oci.edge-mismatch") == 0 &&
		    im->refused_check != NULL && reason == im->refused;

	return same ? im->refused_check : check;
}

/* prove: true if the graph holds. Answers oci.* */
static bool
prove(struct cv_image_job *im)
{
	struct cv_call c = { .job = im->job,
			     .kind = CV_ROLE_TRUST,
			     .ctx = im,
			     .send = send_image,
			     .fact = on_fact,
			     .need = on_need,
			     .pipe_fd = -1,
			     .answers = cv_graph_checks };
	struct cv_err e = { 0 };
	bool ok;

	if (cv_call_run(&c, &e) != 0) {
		forget_graph(im);
		cv_vouch_forget(im->job, 0, 0);
		cv_job_err(im->job, named(im, c.check, e.reason), "sig.unavailable", &e);
		cv_call_free(&c);
		return false;
	}
	for (size_t i = 0; i < c.nsaid; i++)
		c.said[i].check = named(im, c.said[i].check, c.said[i].reason);
	cv_vouch_tell(&c);
	cv_call_free(&c);
	ok = whole(im);
	if (!ok)
		forget_graph(im);
	return ok;
}

/* ---- comparing ---- */

/* asked: the reference's own digest is of the index or of the manifest. */
static void
asked(struct cv_job *j)
{
	const struct cv_digest *want = &j->decl->digest;
	char w[CV_DIGEST_TEXT], f[CV_DIGEST_TEXT];

	if (want->alg == CV_ALG_NONE || cv_digest_eq(want, &j->a->index) ||
	    cv_digest_eq(want, &j->a->manifest))
		return;
	j->differs = true;
	cv_job_no(j, "fetch.digest-mismatch", CV_R_DIGEST, cv_digest_text(want, w), "%s",
		  cv_digest_text(&j->a->manifest, f));
}

/* moved: what the tag names now, when it was written and can be asked for. Not
 * planned, and silent when the registry does not answer: a locked agent starts
 * by its digests and needs no tag. */
static void
moved(struct cv_image_job *im)
{
	struct cv_job *j = im->job;
	struct cv_role_opts role = j->run->role;
	cv_auto(cv_source_close) struct cv_source *src = NULL;
	int64_t soon = cv_mono_ms() + TAG_LOOKUP_MS;
	char want[CV_DIGEST_TEXT], found[CV_DIGEST_TEXT];
	struct cv_err e = { 0 };
	struct cv_got got;

	if (j->locked == NULL || j->decl->tag == NULL || j->run->rq->offline)
		return;
	if (role.deadline == 0 || soon < role.deadline)
		role.deadline = soon;
	if (im->layout_fd >= 0) {
		cv_layout_tag(im->src, j->decl->tag, &got);
	} else {
		if (open_source(im, &role, &src, &e) != 0)
			return;
		cv_source_resolve(src, j->decl->tag, &got);
	}
	cv_closep(&got.blob.fd);
	if (got.status != CV_S_GIVEN || got.digest.alg == CV_ALG_NONE)
		return;
	if (cv_digest_eq(&got.digest, &im->root->digest)) {
		cv_job_pass(j, "lock.tag-moved");
		return;
	}
	cv_job_no(j, "lock.tag-moved", CV_R_DIGEST, cv_digest_text(&im->root->digest, want),
		  "the tag %s names %s", j->decl->tag, cv_digest_text(&got.digest, found));
}

/* ---- the whole ---- */

static void
keep_documents(struct cv_image_job *im)
{
	struct cv_job *j = im->job;
	struct cv_store *store = j->run->rq->store;
	struct cv_err e = { 0 };

	if (cv_store_find(store, &j->a->manifest, CV_SIZE_ANY, &j->a->manifest_blob, &e) < 0 ||
	    cv_store_find(store, &j->a->config, CV_SIZE_ANY, &j->a->config_blob, &e) < 0)
		cv_job_err(j, NULL, NULL, &e);
}

static void
note(struct cv_job *j)
{
	struct cv_r_artifact *a = j->a;

	const char *s = a->nlayers == 1 ? "" : "s";

	if (a->basis == CV_BASIS_SIGNED && a->nsigners > 0)
		cv_text_fmt(a->note, sizeof(a->note), "signed by %s, %zu layer%s",
			    a->signers[0].name, a->nlayers, s);
	else
		cv_text_fmt(a->note, sizeof(a->note), "%zu layer%s", a->nlayers, s);
}

static void
judge(struct cv_image_job *im)
{
	struct cv_job *j = im->job;
	bool enough;

	asked(j);
	cv_pin_compare(j);
	cv_vouch_files(j, &j->a->manifest, CV_NO_BLOB);
	enough = cv_vouch_basis(j);
	cv_vouch_keep(j);
	keep_documents(im);
	cv_sbom_run(j);
	note(j);
	if (enough)
		cv_image_contents(im);
	moved(im);
}

static void
not_given(struct cv_image_job *im, const struct cv_got *got)
{
	char text[CV_DIGEST_TEXT];
	const struct cv_digest *want = pinned(im->job);

	if (got->status == CV_S_FAILED) {
		cv_job_err(im->job, got->check, NULL, &got->err);
		return;
	}
	cv_job_no(im->job, "fetch.absent", CV_R_ABSENT, im->job->decl->asked,
		  "the source answered that there is no %s",
		  want != NULL                 ? cv_digest_text(want, text)
		  : im->job->decl->tag != NULL ? im->job->decl->tag
					       : "such image");
}

static void
note_confinement(struct cv_image_job *im)
{
	struct cv_err e = { 0 };
	unsigned sandbox;
	int landlock;

	if (cv_source_sandbox(im->src, &sandbox, &landlock) &&
	    cv_run_confinement(im->job->run, sandbox, landlock, &e) != 0)
		cv_job_err(im->job, NULL, NULL, &e);
}

void
cv_image_run(struct cv_job *j)
{
	struct cv_image_job im = { .job = j, .layout_fd = -1, .platform = j->decl->platform };
	struct cv_got got = { .blob = CV_NO_BLOB };
	const char *check = NULL;
	struct cv_err e = { 0 };

	if (im.platform == NULL)
		im.platform = j->run->rq->platform != NULL ? j->run->rq->platform : "linux/amd64";
	im.root = &got;
	if ((j->decl->origin == CV_O_LAYOUT && open_layout(&im, &check, &e) != 0) ||
	    open_source(&im, &j->run->role, &im.src, &e) != 0) {
		cv_job_err(j, check, NULL, &e);
		cv_closep(&im.layout_fd);
		return;
	}
	resolve(&im, &got);
	if (got.status != CV_S_GIVEN)
		not_given(&im, &got);
	else if (prove(&im))
		judge(&im);
	note_confinement(&im);
	cv_closep(&got.blob.fd);
	cv_source_close(&im.src);
	cv_closep(&im.layout_fd);
}
