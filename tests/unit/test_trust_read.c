/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of evidence: envelopes, bundles, simple signing payloads. Each refusal
 * is one change of a text that is accepted. */
#include "tests/support/t.h"
#include "trust/bundle.h"
#include "trust/simple.h"

#include <stdlib.h>

#include "trust/base/banned.h"

typedef int reader(struct cv_span text, struct cv_err *e);

struct change {
	const char *from, *to; /* the first place */
	enum cv_reason want;   /* CV_R_NONE: accepted all the same */
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

/* ---- envelopes ---- */

static int
read_envelope(struct cv_span text, struct cv_err *e)
{
	struct cv_envelope *env = NULL;
	int r = cv_envelope_parse(&env, "envelope", text, e);

	cv_envelope_free(&env);
	return r;
}

static void
envelopes(void)
{
	static const char good[] = "{\"payloadType\":\"application/vnd.in-toto+json\","
				   "\"payload\":\"e30=\",\"signatures\":[{\"keyid\":\"k\","
				   "\"sig\":\"Pz8/Pg==\"}]}";
	static const struct change c[] = {
		{ "\"payloadType\":\"application/vnd.in-toto+json\",", "", CV_R_MALFORMED },
		{ "application/vnd.in-toto+json", "", CV_R_MALFORMED },
		{ "\"application/vnd.in-toto+json\"", "7", CV_R_MALFORMED },
		{ "\"payload\":\"e30=\",", "", CV_R_MALFORMED },
		{ "\"payload\":", "\"Payload\":\"e30=\",\"payload\":", CV_R_AMBIGUOUS },
		{ "\"payload\":", "\"payload\":\"e30=\",\"payload\":", CV_R_AMBIGUOUS },
		{ "\"payload\":", "\"\\u0070ayload\":", CV_R_NONE },
		{ "e30=", "e30", CV_R_NONE },       /* DSSE: padded or not */
		{ "e30=", "e31=", CV_R_MALFORMED }, /* bits that mean nothing */
		{ "e30=", "e3 0=", CV_R_MALFORMED },
		{ "e30=", "e\\u00330=", CV_R_NONE },
		{ "Pz8/Pg==", "Pz8_Pg==", CV_R_NONE }, /* DSSE: either alphabet */
		{ "Pz8/Pg==", "Pz8_Pz8/", CV_R_MALFORMED },
		{ "Pz8/Pg==", "", CV_R_MALFORMED },
		{ "\"sig\":\"Pz8/Pg==\"", "\"sig\":null", CV_R_MALFORMED },
		{ ",\"sig\":\"Pz8/Pg==\"", "", CV_R_MALFORMED },
		{ "\"k\"", "null", CV_R_NONE },
		{ "\"k\"", "1", CV_R_MALFORMED },
		{ "[{\"keyid\":\"k\",\"sig\":\"Pz8/Pg==\"}]", "[]", CV_R_MALFORMED },
		{ "[{\"keyid\":\"k\",\"sig\":\"Pz8/Pg==\"}]", "{}", CV_R_MALFORMED },
		{ "[{\"keyid\":\"k\",\"sig\":\"Pz8/Pg==\"}]", "[1]", CV_R_MALFORMED },
		{ "\"signatures\"", "\"signature\"", CV_R_MALFORMED },
		{ "{\"payloadType\"", "{\"other\":1.5,\"payloadType\"", CV_R_NONE },
		{ "{\"payloadType\"", "[{\"payloadType\"", CV_R_MALFORMED },
	};

	run_changes(read_envelope, good, c, CV_COUNT(c));
	{
		cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);
		struct cv_err e;

		cv_buf_str(&b, "{\"payloadType\":\"x\",\"payload\":\"\",\"signatures\":[");
		for (int i = 0; i <= CV_MAX_SIGNATURES; i++)
			cv_buf_fmt(&b, "%s{\"sig\":\"AAAA\"}", i == 0 ? "" : ",");
		cv_buf_str(&b, "]}");
		T_NO(read_envelope(cv_buf_span(&b), &e), e, CV_R_LIMIT);
	}
}

/* A payload larger than what the strict reader holds is carried beside it. */
static void
large_payloads(void)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(32 << 20);
	struct cv_envelope *env = NULL;
	struct cv_err e;

	cv_buf_str(&b, "{\"payloadType\":\"x\",\"payload\":\"");
	for (size_t i = 0; i < (8u << 20) / 4; i++)
		cv_buf_str(&b, "AAAA");
	cv_buf_str(&b, "\",\"signatures\":[{\"sig\":\"AAAA\"}]}");
	T_OK(cv_envelope_parse(&env, "envelope", cv_buf_span(&b), &e), e);
	T_INT(env->payload.n, (8 << 20) / 4 * 3);
	cv_envelope_free(&env);
	b.p[b.n - 1] = ' ';
	T_NO(cv_envelope_parse(&env, "envelope", cv_buf_span(&b), &e), e, CV_R_MALFORMED);
}

/* ---- bundles ---- */

static int
read_bundle(struct cv_span text, struct cv_err *e)
{
	struct cv_bundle *b = NULL;
	int r = cv_bundle_parse(&b, "bundle", text, e);

	cv_bundle_free(&b);
	return r;
}

#define MATERIAL "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"h\"}}"
#define TYPE     "\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\""

static void
bundles_of_messages(void)
{
	static const char good[] = "{" TYPE "," MATERIAL ",\"messageSignature\":{\"messageDigest\":"
				   "{\"algorithm\":\"SHA2_256\",\"digest\":"
				   "\"h8sxWHfBafeCd1J1Eb6jgJGM3vJe28EGtq4n+x0wUQo=\"},"
				   "\"signature\":\"AAAA\"}}";
	static const struct change c[] = {
		{ ".bundle.v0.3+json", ".bundle+json;version=0.3", CV_R_NONE },
		{ ".bundle.v0.3+json", ".bundle+json;version=0.1", CV_R_UNSUPPORTED },
		{ ".bundle.v0.3+json", ".bundle.v0.30+json", CV_R_UNSUPPORTED },
		{ "application/vnd.dev.sigstore.bundle.v0.3+json", "application/json",
		  CV_R_MALFORMED },
		{ TYPE ",", "", CV_R_MALFORMED },
		{ "\"mediaType\"", "\"media_type\"", CV_R_MALFORMED },
		{ MATERIAL ",", "", CV_R_MALFORMED },
		{ "\"publicKey\":{\"hint\":\"h\"}", "", CV_R_MALFORMED },
		{ "\"publicKey\":{\"hint\":\"h\"}", "\"publicKey\":null", CV_R_MALFORMED },
		{ "\"publicKey\":", "\"certificate\":{},\"publicKey\":", CV_R_AMBIGUOUS },
		{ "\"publicKey\":", "\"x509CertificateChain\":{},\"publicKey\":", CV_R_AMBIGUOUS },
		{ "\"publicKey\":", "\"certificate\":null,\"publicKey\":", CV_R_NONE },
		{ "\"publicKey\":", "\"publickey\":{},\"publicKey\":", CV_R_AMBIGUOUS },
		{ "\"publicKey\":", "\"tlogEntries\":[],\"publicKey\":", CV_R_NONE },
		{ "\"publicKey\":", "\"tlogEntries\":{},\"publicKey\":", CV_R_MALFORMED },
		{ "\"publicKey\":",
		  "\"timestampVerificationData\":{\"rfc3161Timestamps\":1},\"publicKey\":",
		  CV_R_MALFORMED },
		{ "{\"hint\":\"h\"}", "{\"rawBytes\":\"AAAA\"}", CV_R_NONE },
		{ "{\"hint\":\"h\"}", "{\"hint\":{}}", CV_R_MALFORMED },
		{ "SHA2_256", "SHA2_384", CV_R_MALFORMED },
		{ "SHA2_256", "SHA3_256", CV_R_UNSUPPORTED },
		{ "\"algorithm\":\"SHA2_256\",", "", CV_R_UNSUPPORTED },
		{ "UQo=\"", "UQo\"", CV_R_MALFORMED },
		{ "h8sxWHfB", "h8sx", CV_R_MALFORMED },
		{ "h8sxWHfBafeCd1J1Eb6jgJGM3vJe28EGtq4n+x0wUQo=", "", CV_R_NONE },
		{ "n+x0", "n-x0", CV_R_MALFORMED }, /* bundles: one alphabet */
		{ ",\"signature\":\"AAAA\"", "", CV_R_MALFORMED },
		{ "\"AAAA\"", "\"\"", CV_R_MALFORMED },
		{ "\"messageSignature\"", "\"dsseEnvelope\":{},\"messageSignature\"",
		  CV_R_AMBIGUOUS },
		{ "\"messageSignature\"", "\"dsseEnvelope\":null,\"messageSignature\"", CV_R_NONE },
		{ "\"messageSignature\"", "\"other\"", CV_R_MALFORMED },
	};

	run_changes(read_bundle, good, c, CV_COUNT(c));
}

static void
bundles_of_envelopes(void)
{
	static const char good[] = "{" TYPE "," MATERIAL ",\"dsseEnvelope\":{\"payload\":\"e30=\","
				   "\"payloadType\":\"x\",\"signatures\":[{\"sig\":\"AAAA\"}]}}";
	static const struct change c[] = {
		{ "e30=", "e30", CV_R_MALFORMED }, /* strict inside bundles */
		{ "{\"sig\":\"AAAA\"}", "{\"sig\":\"AAAA\"},{\"sig\":\"AAAA\"}", CV_R_MALFORMED },
		{ "{\"sig\":\"AAAA\"}", "", CV_R_MALFORMED },
		{ "\"payloadType\"", "\"payloadtype\":\"y\",\"payloadType\"", CV_R_AMBIGUOUS },
	};
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(1 << 20);
	struct cv_err e;

	run_changes(read_bundle, good, c, CV_COUNT(c));
	cv_buf_str(&b, "{" TYPE ",\"verificationMaterial\":{\"publicKey\":{},\"tlogEntries\":[");
	for (int i = 0; i <= CV_MAX_TLOG_ENTRIES; i++)
		cv_buf_fmt(&b, "%s{}", i == 0 ? "" : ",");
	cv_buf_str(&b, "]},\"dsseEnvelope\":{\"payload\":\"\",\"payloadType\":\"x\",\"signatures\":"
		       "[{\"sig\":\"AAAA\"}]}}");
	T_NO(read_bundle(cv_buf_span(&b), &e), e, CV_R_LIMIT);
}

/* ---- simple signing ---- */

static int
read_simple(struct cv_span text, struct cv_err *e)
{
	struct cv_simple s;

	return cv_simple_parse(&s, "payload", text, e);
}

static void
simple_payloads(void)
{
	static const char good[] =
		"{\"critical\":{\"identity\":{\"docker-reference\":\"a/b\"},\"image\":{"
		"\"docker-manifest-digest\":\"sha256:"
		"455ea64c0ef9d93b96ff799625947c7b9be1a5c282565b0253e085ce3db1cdcd\"},\"type\":"
		"\"cosign container image signature\"},\"optional\":null}";
	static const struct change c[] = {
		{ "cosign container image signature", "atomic container signature",
		  CV_R_UNSUPPORTED },
		{ ",\"type\":\"cosign container image signature\"", "", CV_R_MALFORMED },
		{ "sha256:455", "sha256:45", CV_R_MALFORMED },
		{ "sha256:455ea", "sha256:455EA", CV_R_MALFORMED },
		{ "sha256:", "md5:", CV_R_UNSUPPORTED },
		{ "\"docker-manifest-digest\"", "\"digest\"", CV_R_MALFORMED },
		{ "\"docker-manifest-digest\"",
		  "\"Docker-Manifest-Digest\":\"x\",\"docker-manifest-digest\"", CV_R_AMBIGUOUS },
		{ "\"critical\"", "\"CRITICAL\":{},\"critical\"", CV_R_AMBIGUOUS },
		{ "\"image\"", "\"image\":{},\"image\"", CV_R_AMBIGUOUS },
		{ "\"identity\":{\"docker-reference\":\"a/b\"},", "", CV_R_NONE },
		{ "\"a/b\"", "7", CV_R_MALFORMED },
		{ "\"optional\":null", "\"optional\":{\"creator\":\"x\",\"n\":1.5}", CV_R_NONE },
		{ "\"optional\":null}", "\"optional\":null}{}", CV_R_MALFORMED },
	};

	run_changes(read_simple, good, c, CV_COUNT(c));
}

static const struct t_case cases[] = {
	{ "envelopes", envelopes },
	{ "large payloads", large_payloads },
	{ "bundles of messages", bundles_of_messages },
	{ "bundles of envelopes", bundles_of_envelopes },
	{ "simple signing payloads", simple_payloads },
};

T_MAIN(cases)
