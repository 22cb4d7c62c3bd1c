/* SPDX-License-Identifier: Apache-2.0 */
/* CV_T_IMAGE over forged graphs: index, manifest, config, layers. */
#include "tests/support/drive.h"
#include "tests/support/t.h"
#include "tests/support/world.h"
#include "trust/base/oci.h"
#include "trust/base/ref.h"
#include "trust/base/text.h"

#include <stdlib.h>

#include "trust/base/banned.h"

static struct cv_digest
image_of(struct d_world *w, const char *config, size_t layers)
{
	struct cv_span layer[2] = { cv_span_str("one"), cv_span_str("two") };

	return f_image_with(&w->s, config, layer, layers);
}

#define D1 "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
#define CONFIG(os, arch, ids)                                                                      \
	"{\"os\":\"" os "\",\"architecture\":\"" arch "\",\"rootfs\":{\"type\":\"layers\","        \
	"\"diff_ids\":[" ids "]}}"

static void
g_good(struct d_world *w)
{
	w->index = image_of(w, CONFIG("linux", "amd64", "\"" D1 "\""), 1);
}

static void
g_edge_flipped(struct d_world *w)
{
	f_get_digest(&w->s, &w->manifest)->bytes.p[30] ^= 1;
}

static void
g_edge_longer(struct d_world *w)
{
	cv_buf_byte(&f_get_digest(&w->s, &w->manifest)->bytes, ' ');
}

static void
g_root_flipped(struct d_world *w)
{
	f_get_digest(&w->s, &w->index)->bytes.p[30] ^= 1;
}

static void
g_manifest_gone(struct d_world *w)
{
	f_get_digest(&w->s, &w->manifest)->key[10] ^= 1;
}

static void
g_manifest_unreachable(struct d_world *w)
{
	f_get_digest(&w->s, &w->manifest)->failed = CV_R_UNREACHABLE;
}

static void
g_manifest_served_as_index(struct d_world *w)
{
	cv_text_fmt(f_get_digest(&w->s, &w->manifest)->media, 128, "%s", CV_MT_OCI_INDEX);
}

static void
g_no_platform(struct d_world *w)
{
	static const char *const arm[] = { "linux/arm64" };

	w->index = f_index(&w->s, &w->arm, arm, 1);
}

static void
g_two_for_platform(struct d_world *w)
{
	static const char *const same[] = { "linux/amd64", "linux/amd64" };
	struct cv_digest d[2] = { w->manifest, w->arm };

	w->index = f_index(&w->s, d, same, 2);
}

static void
g_entry_lies(struct d_world *w)
{
	static const char *const amd[] = { "linux/amd64" };

	w->index = f_index(&w->s, &w->arm, amd, 1); /* its config says arm64 */
}

static void
g_other_platform(struct d_world *w)
{
	w->index = w->arm;
}

static void
g_diff_ids(struct d_world *w)
{
	w->index = image_of(w, CONFIG("linux", "amd64", "\"" D1 "\""), 2);
}

static void
g_config_broken(struct d_world *w)
{
	w->index = image_of(w, "{\"os\":\"linux\"}", 1);
}

static void
g_config_twice(struct d_world *w)
{
	w->index = image_of(w,
			    "{\"os\":\"linux\",\"os\":\"linux\",\"architecture\":\"amd64\","
			    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\"]}}",
			    1);
}

static void
put_root(struct d_world *w, const char *text)
{
	w->index = f_put(&w->s, "", cv_span_str(text));
}

static void
g_both_kinds(struct d_world *w)
{
	put_root(w, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[],\"config\":{}}");
}

static void
g_no_json(struct d_world *w)
{
	put_root(w, "{\"schemaVersion\":2");
}

static void
g_schema1(struct d_world *w)
{
	put_root(w, "{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[],\"signatures\":[]}");
}

static void
g_encrypted(struct d_world *w)
{
	struct cv_buf m = CV_BUF(1 << 20);
	struct f_entry *e;
	const char *at;

	g_good(w);
	e = f_get_digest(&w->s, &w->index);
	at = strstr(cv_buf_text(&e->bytes), ".layer.v1.tar\"");
	T(at != NULL);
	cv_buf_add(&m, e->bytes.p, (size_t)(at - cv_buf_text(&e->bytes)));
	cv_buf_str(&m, ".layer.v1.tar+encrypted");
	cv_buf_str(&m, at + strlen(".layer.v1.tar"));
	put_root(w, cv_buf_text(&m));
	cv_buf_free(&m);
}

static void
g_artifact(struct d_world *w)
{
	struct cv_buf m = CV_BUF(1 << 20);
	struct cv_digest empty = f_put(&w->s, CV_MT_OCI_EMPTY, cv_span_str("{}"));

	cv_buf_str(&m, "{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",\"config\":");
	f_descriptor(&m, &w->s, &empty, "");
	cv_buf_str(&m, ",\"layers\":[]}");
	put_root(w, cv_buf_text(&m));
	cv_buf_free(&m);
}

static void
g_nested_too_deep(struct d_world *w)
{
	static const char *const amd[] = { "linux/amd64" };

	w->index = f_index(&w->s, &w->index, amd, 1);
	w->index = f_index(&w->s, &w->index, amd, 1);
}

static const struct graph_case {
	const char *name;
	void (*make)(struct d_world *w);
	const char *check;
	enum cv_reason reason;
} graph_cases[] = {
	{ "good", g_good, "oci.malformed", CV_R_NONE },
	{ "manifest flipped", g_edge_flipped, "oci.edge-mismatch", CV_R_DIGEST },
	{ "manifest longer", g_edge_longer, "oci.edge-mismatch", CV_R_LIMIT },
	{ "root flipped", g_root_flipped, "oci.edge-mismatch", CV_R_DIGEST },
	{ "manifest gone", g_manifest_gone, "oci.edge-mismatch", CV_R_ABSENT },
	{ "manifest unreachable", g_manifest_unreachable, "oci.edge-mismatch", CV_R_UNREACHABLE },
	{ "manifest served as index", g_manifest_served_as_index, "oci.ambiguous", CV_R_AMBIGUOUS },
	{ "platform missing", g_no_platform, "oci.platform-missing", CV_R_ABSENT },
	{ "two for one platform", g_two_for_platform, "oci.ambiguous", CV_R_AMBIGUOUS },
	{ "index and config disagree", g_entry_lies, "oci.ambiguous", CV_R_AMBIGUOUS },
	{ "image of another platform", g_other_platform, "oci.platform-missing", CV_R_ABSENT },
	{ "diff_ids and layers", g_diff_ids, "oci.malformed", CV_R_MALFORMED },
	{ "config without rootfs", g_config_broken, "oci.malformed", CV_R_MALFORMED },
	{ "config with os twice", g_config_twice, "oci.ambiguous", CV_R_AMBIGUOUS },
	{ "two kinds in one", g_both_kinds, "oci.ambiguous", CV_R_AMBIGUOUS },
	{ "cut off JSON", g_no_json, "oci.malformed", CV_R_MALFORMED },
	{ "schema 1", g_schema1, "oci.unsupported", CV_R_UNSUPPORTED },
	{ "encrypted layer", g_encrypted, "oci.unsupported", CV_R_UNSUPPORTED },
	{ "artifact, no image", g_artifact, "oci.unsupported", CV_R_UNSUPPORTED },
	{ "indexes too deep", g_nested_too_deep, "oci.malformed", CV_R_LIMIT },
};

static void
graphs_that_hold_and_do_not(void)
{
	for (size_t i = 0; i < CV_COUNT(graph_cases); i++) {
		const struct graph_case *c = &graph_cases[i];
		struct d_world w;
		struct d_answer a;
		bool good = c->reason == CV_R_NONE;

		d_make_world(&w);
		c->make(&w);
		a = d_world(&w);
		if (!a.done || d_reason(&a, c->check) != c->reason ||
		    (!good && d_reason(&a, "oci.malformed") == CV_R_NONE)) {
			d_print(&a);
			t_fail(__FILE__, __LINE__, "%s: %s %s", c->name, c->check,
			       cv_reason_word(d_reason(&a, c->check)));
		}
		for (size_t k = 0; !good && d_fact(&a, CV_F_NODE, k) != NULL; k++)
			T_INT(d_fact(&a, CV_F_NODE, k)->role, CV_NODE_INDEX);
		d_answer_free(&a);
		d_free_world(&w);
	}
}

/* A layer list that is not the signed manifest's: the signature is about other
 * bytes, whatever else agrees. */
static void
another_layer_list_is_another_manifest(void)
{
	struct d_world w;
	struct d_answer a;
	struct cv_digest good;
	struct cv_span layer = cv_span_str("two");

	d_make_world(&w);
	g_good(&w);
	good = w.index;
	f_sign_image(&w.s, w.key, good, F_BUNDLE);
	f_sign_image(&w.s, w.key, good, F_LEGACY);
	w.index = f_image_with(&w.s, CONFIG("linux", "amd64", "\"" D1 "\""), &layer, 1);
	a = d_world(&w);
	T(a.done);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "sig.absent"), CV_R_ABSENT);
	d_answer_free(&a);
	/* as the registry of an attacker would have it: under the old digest */
	w.index = good;
	f_get_digest(&w.s, &good)->bytes.p[200] ^= 1;
	a = d_world(&w);
	T_INT(d_facts(&a, CV_F_SIGNER), 0);
	T_INT(d_reason(&a, "oci.edge-mismatch"), CV_R_DIGEST);
	d_answer_free(&a);
	d_free_world(&w);
}

static const struct t_case cases[] = {
	{ "graphs that hold, and that do not", graphs_that_hold_and_do_not },
	{ "another layer list", another_layer_list_is_another_manifest },
};

T_MAIN(cases)
