/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, and the readers of indexes, manifests and configs: each refusal is one
 * change of a text that is accepted. */
#include "tests/support/t.h"
#include "trust/base/oci.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define D1 "sha256:455ea64c0ef9d93b96ff799625947c7b9be1a5c282565b0253e085ce3db1cdcd"
#define D2 "sha256:ce54d443dcc3cc9f874be0b2b6a0dceebae8fedc34d8dd8f5e4a22a0e9cfc125"

typedef int reader(struct cv_span text, struct cv_err *e);

struct change {
	const char *from, *to;
	enum cv_reason want;
};

static void
run_changes(reader *read, const char *good, const struct change *c, size_t n)
{
	struct cv_err e = { 0 };

	T_OK(read(cv_span_str(good), &e), e);
	for (size_t i = 0; i < n; i++) {
		const char *at = strstr(good, c[i].from);
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);
		int r;

		if (at == NULL)
			t_fail(__FILE__, __LINE__, "%zu: \"%s\" is not there", i, c[i].from);
		cv_buf_add(&b, good, (size_t)(at - good));
		cv_buf_str(&b, c[i].to);
		cv_buf_str(&b, at + strlen(c[i].from));
		e.reason = CV_R_NONE;
		r = read(cv_buf_span(&b), &e);
		if ((r == 0) != (c[i].want == CV_R_NONE) || e.reason != c[i].want)
			t_fail(__FILE__, __LINE__, "%s -> %s: %s (%s), want %s", c[i].from, c[i].to,
			       cv_reason_word(e.reason), e.text, cv_reason_word(c[i].want));
	}
}

/* ---- platforms ---- */

static struct cv_platform
platform(const char *text)
{
	struct cv_platform p;
	struct cv_err e;

	T_OK(cv_platform_parse(&p, cv_span_str(text), &e), e);
	return p;
}

static void
platforms_have_one_form(void)
{
	static const char *const same[][2] = {
		{ "linux/amd64", "linux/amd64" },    { "linux/x86_64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64" }, { "linux/amd64/v3", "linux/amd64/v3" },
		{ "linux/aarch64", "linux/arm64" },  { "linux/arm64/v8", "linux/arm64" },
		{ "linux/arm", "linux/arm/v7" },     { "linux/arm/v6", "linux/arm/v6" },
		{ "macos/arm64", "darwin/arm64" },   { "linux/i386", "linux/386" },
	};
	static const char *const bad[] = { "",
					   "linux",
					   "linux/",
					   "/amd64",
					   "Linux/amd64",
					   "linux/amd64/",
					   "linux/amd64/v1/x",
					   "linux/am d64",
					   "linux/amd64\n" };
	char text[CV_PLATFORM_TEXT];

	for (size_t i = 0; i < CV_COUNT(same); i++) {
		struct cv_platform p = platform(same[i][0]);

		T_STR(cv_platform_text(&p, text), same[i][1]);
	}
	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		struct cv_platform p;
		struct cv_err e;

		T_NO(cv_platform_parse(&p, cv_span_str(bad[i]), &e), e, CV_R_MALFORMED);
	}
}

static void
which_platform_serves(void)
{
	static const struct {
		const char *want, *have;
		bool serves;
	} c[] = {
		{ "linux/amd64", "linux/amd64", true },
		{ "linux/amd64", "linux/arm64", false },
		{ "linux/amd64", "windows/amd64", false },
		{ "linux/amd64", "linux/amd64/v2", false },
		{ "linux/amd64/v3", "linux/amd64/v2", true },
		{ "linux/arm/v7", "linux/arm/v6", true },
		{ "linux/arm/v6", "linux/arm/v7", false },
		{ "linux/arm/v7", "linux/arm/v4", false },
		{ "linux/arm64", "linux/arm/v7", false },
		{ "linux/riscv64", "linux/riscv64", true },
		{ "linux/amd64/x", "linux/amd64", false },
	};

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		struct cv_platform want = platform(c[i].want), have = platform(c[i].have);

		if ((cv_platform_serves(&want, &have) != 0) != c[i].serves)
			t_fail(__FILE__, __LINE__, "%s on %s", c[i].have, c[i].want);
	}
}

/* ---- documents ---- */

static int
read_index(struct cv_span text, struct cv_err *e)
{
	struct cv_index *i = NULL;
	int r = cv_index_parse(&i, text, "", e);

	cv_index_free(&i);
	return r;
}

static void
indexes(void)
{
	static const char good[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_INDEX "\",\"manifests\":[{"
		"\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":401,"
		"\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}}]}";
	static const struct change c[] = {
		{ "\"mediaType\":\"" CV_MT_OCI_INDEX "\",", "", CV_R_NONE },
		{ CV_MT_OCI_INDEX, CV_MT_DOCKER_LIST, CV_R_NONE },
		{ CV_MT_OCI_INDEX, CV_MT_OCI_MANIFEST, CV_R_AMBIGUOUS },
		{ CV_MT_OCI_INDEX, "application/json", CV_R_UNSUPPORTED },
		{ "\"schemaVersion\":2", "\"schemaVersion\":3", CV_R_UNSUPPORTED },
		{ "\"schemaVersion\":2", "\"schemaVersion\":\"2\"", CV_R_MALFORMED },
		{ "\"schemaVersion\":2,", "", CV_R_MALFORMED },
		{ "\"manifests\":", "\"layers\":[],\"manifests\":", CV_R_AMBIGUOUS },
		{ "\"manifests\":", "\"config\":{},\"manifests\":", CV_R_AMBIGUOUS },
		{ "\"manifests\":", "\"fsLayers\":[],\"manifests\":", CV_R_AMBIGUOUS },
		{ "\"manifests\":", "\"Layers\":[],\"manifests\":", CV_R_AMBIGUOUS },
		{ "\"manifests\":", "\"manife\\u017ft\\u017f\":[],\"manifests\":", CV_R_AMBIGUOUS },
		{ "\"manifests\":", "\"manifests\":[],\"manifests\":", CV_R_AMBIGUOUS },
		{ "\"manifests\":", "\"other\":", CV_R_MALFORMED },
		{ "401", "-1", CV_R_MALFORMED },
		{ "401", "9223372036854775808", CV_R_MALFORMED },
		{ "401", "401.0", CV_R_MALFORMED },
		{ "401", "\"401\"", CV_R_MALFORMED },
		{ ",\"size\":401", "", CV_R_MALFORMED },
		{ "\"digest\":\"" D1 "\"", "\"digest\":\"sha256:../../x\"", CV_R_MALFORMED },
		{ "\"digest\":\"" D1 "\"", "\"digest\":\"md5:00\"", CV_R_UNSUPPORTED },
		{ "\"digest\":\"" D1 "\",", "", CV_R_MALFORMED },
		{ "\"digest\"", "\"Digest\":\"x\",\"digest\"", CV_R_AMBIGUOUS },
		{ "\"size\":401", "\"size\":401,\"data\":\"AAAA\"", CV_R_DIGEST },
		{ "\"amd64\"", "\"amd64/v2\"", CV_R_MALFORMED },
		{ "\"os\":\"linux\"", "\"os\":\"linux\",\"OS\":\"windows\"", CV_R_AMBIGUOUS },
		{ ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}", "", CV_R_NONE },
		{ "\"mediaType\":\"" CV_MT_OCI_MANIFEST "\"", "\"mediaType\":\"a/b;c\"",
		  CV_R_MALFORMED },
	};

	run_changes(read_index, good, c, CV_COUNT(c));
}

static int
read_manifest(struct cv_span text, struct cv_err *e)
{
	struct cv_manifest *m = NULL;
	int r = cv_manifest_parse(&m, text, "", e);

	cv_manifest_free(&m);
	return r;
}

static void
manifests(void)
{
	static const char good[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",\"config\":{"
		"\"mediaType\":\"" CV_MT_OCI_CONFIG "\",\"digest\":\"" D1 "\",\"size\":2},"
		"\"layers\":[{\"mediaType\":\"" CV_MT_OCI_LAYER "\",\"digest\":\"" D2
		"\",\"size\":117}]}";
	static const struct change c[] = {
		{ "\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",", "", CV_R_NONE },
		{ CV_MT_OCI_MANIFEST, CV_MT_OCI_INDEX, CV_R_AMBIGUOUS },
		{ "\"layers\":[", "\"manifests\":[],\"layers\":[", CV_R_AMBIGUOUS },
		{ "\"layers\":[", "\"history\":[],\"layers\":[", CV_R_AMBIGUOUS },
		{ "\"layers\":[", "\"blobs\":[],\"layers\":[", CV_R_AMBIGUOUS },
		{ "\"layers\":[", "\"layer\":[", CV_R_MALFORMED },
		{ "\"config\":{", "\"subject\":{},\"config\":{", CV_R_MALFORMED },
		{ "\"config\":{", "\"subject\":null,\"config\":{", CV_R_NONE },
		{ "\"config\":{", "\"annotations\":{\"Layers\":\"x\"},\"config\":{", CV_R_NONE },
		{ "\"size\":117", "\"size\":117,\"annotations\":{\"a\":1}", CV_R_MALFORMED },
		{ "\"size\":117", "\"size\":117,\"urls\":[\"https://x\"]", CV_R_NONE },
		{ "\"size\":117}]}", "\"size\":117}]} ", CV_R_NONE },
		{ "\"size\":117}]}", "\"size\":117}]}x", CV_R_MALFORMED },
	};

	run_changes(read_manifest, good, c, CV_COUNT(c));
}

static int
read_config(struct cv_span text, struct cv_err *e)
{
	struct cv_image_config *c = NULL;
	int r = cv_image_config_parse(&c, text, e);

	cv_image_config_free(&c);
	return r;
}

static void
configs(void)
{
	static const char good[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},"
				   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\"]}}";
	static const struct change c[] = {
		{ "\"os\":\"linux\",", "", CV_R_MALFORMED },
		{ "\"linux\"", "\"\"", CV_R_MALFORMED },
		{ "\"architecture\":\"amd64\",", "", CV_R_MALFORMED },
		{ "\"layers\"", "\"other\"", CV_R_UNSUPPORTED },
		{ "\"diff_ids\"", "\"Diff_ids\"", CV_R_AMBIGUOUS },
		{ "\"diff_ids\":[", "\"diff_ids\":[\"x\",", CV_R_MALFORMED },
		{ "\"diff_ids\":[\"" D1 "\"]", "\"diff_ids\":{}", CV_R_MALFORMED },
		{ "\"rootfs\"", "\"rootFS\":{},\"rootfs\"", CV_R_AMBIGUOUS },
		{ "\"config\":{}", "\"config\":{\"Labels\":{\"OS\":\"1\"}},\"x\":1.5", CV_R_NONE },
	};

	run_changes(read_config, good, c, CV_COUNT(c));
}

static void
served_and_named_types_agree(void)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" CV_MT_OCI_INDEX "\",\"manifests\":[]}";
	static const struct {
		const char *served;
		enum cv_reason want;
	} c[] = {
		{ "", CV_R_NONE },
		{ CV_MT_OCI_INDEX, CV_R_NONE },
		{ CV_MT_OCI_INDEX "; charset=utf-8", CV_R_NONE },
		{ "application/json", CV_R_NONE },
		{ "application/octet-stream", CV_R_NONE },
		{ CV_MT_OCI_MANIFEST, CV_R_AMBIGUOUS },
		{ CV_MT_DOCKER_LIST, CV_R_AMBIGUOUS },
		{ "text/html", CV_R_AMBIGUOUS },
	};

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		char media[CV_MEDIA_MAX + 1];
		enum cv_oci_kind kind;
		struct cv_err e = { 0 };

		(void)!cv_oci_detect(&kind, media, cv_span_str(text), c[i].served, &e);
		if (e.reason != c[i].want)
			t_fail(__FILE__, __LINE__, "%s: %s", c[i].served, cv_reason_word(e.reason));
	}
}

/* ---- choosing ---- */

#define ENTRY(d, platform, more)                                                                   \
	"{\"mediaType\":\"" CV_MT_OCI_MANIFEST "\",\"digest\":\"" d "\",\"size\":4" platform more  \
	"}"
#define ON(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"
#define ATTEST       ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}"

static void
one_entry_is_chosen(void)
{
	static const struct {
		const char *entries, *digest; /* NULL: refused */
		enum cv_reason reason;
	} c[] = {
		{ ENTRY(D1, ON("linux", "amd64"), "") "," ENTRY(D2, ON("linux", "arm64"), ""), D1,
		  CV_R_NONE },
		{ ENTRY(D1, ON("linux", "amd64"), "") "," ENTRY(D1, ON("linux", "amd64"), ""), D1,
		  CV_R_NONE },
		{ ENTRY(D1, ON("linux", "amd64"), "") "," ENTRY(D2, ON("linux", "amd64"), ""), NULL,
		  CV_R_AMBIGUOUS },
		{ ENTRY(D1, ON("linux", "amd64"), "") "," ENTRY(D2, ON("linux", "x86_64"), ""),
		  NULL, CV_R_AMBIGUOUS },
		{ ENTRY(D2, ON("linux", "arm64"), ""), NULL, CV_R_ABSENT },
		{ "", NULL, CV_R_ABSENT },
		{ ENTRY(D1, "", ""), D1, CV_R_NONE },
		{ ENTRY(D1, "", "") "," ENTRY(D2, "", ""), NULL, CV_R_ABSENT },
		{ ENTRY(D1, "", "") "," ENTRY(D2, ON("linux", "arm64"), ""), NULL, CV_R_ABSENT },
		{ ENTRY(D1, ON("linux", "amd64"), "") "," ENTRY(D2, ON("unknown", "unknown"),
								ATTEST),
		  D1, CV_R_NONE },
		{ ENTRY(D2, ON("linux", "amd64"), ATTEST), NULL, CV_R_ABSENT },
	};
	struct cv_platform want = platform("linux/amd64");

	for (size_t i = 0; i < CV_COUNT(c); i++) {
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 16);
		cv_auto(cv_index_free) struct cv_index *index = NULL;
		const struct cv_descriptor *d = NULL;
		char text[CV_DIGEST_TEXT];
		struct cv_err e = { 0 };

		cv_buf_fmt(&b, "{\"schemaVersion\":2,\"manifests\":[%s]}", c[i].entries);
		T_OK(cv_index_parse(&index, cv_buf_span(&b), "", &e), e);
		if (c[i].digest == NULL) {
			T_NO(cv_index_select(index, &want, &d, &e), e, c[i].reason);
		} else {
			T_OK(cv_index_select(index, &want, &d, &e), e);
			T_STR(cv_digest_text(&d->digest, text), c[i].digest);
		}
	}
}

static const struct t_case cases[] = {
	{ "platforms have one form", platforms_have_one_form },
	{ "which platform serves", which_platform_serves },
	{ "indexes", indexes },
	{ "manifests", manifests },
	{ "configs", configs },
	{ "served and named types agree", served_and_named_types_agree },
	{ "one entry is chosen", one_entry_is_chosen },
};

T_MAIN(cases)
