/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle brings besides its signature, the bodies of log entries and trust
 * roots, as texts:
 * one change each. Two refusals of one reason are told apart by what they say. */
#include "tests/support/edit.h"
#include "tests/support/forge_sigstore.h"
#include "tests/support/t.h"
#include "trust/base/enc.h"
#include "trust/base/text.h"
#include "trust/bundle.h"
#include "trust/rekor.h"

#include <stdlib.h>

#include "trust/base/banned.h"

#define ROOM (1 << 20)

struct change {
	const char *from, *to; /* the first `from` */
	enum cv_reason reason;
	const char *says;
};

/* clang-format off */
static const struct change wholes[] = {
	{ "{\"mediaType\":", "{\"MediaType\":0,\"mediaType\":", CV_R_AMBIGUOUS, "" },
	{ "\"mediaType\":\"", "\"mediaType\":7,\"x\":\"", CV_R_MALFORMED, "\"mediaType\" is an integer" },
	{ "\"verificationMaterial\":{", "\"verificationMaterial\":7,\"x\":{", CV_R_MALFORMED, "\"verificationMaterial\" is an integer" },
	{ "{\"x509CertificateChain\":", "{\"X509CertificateChain\":0,\"x509CertificateChain\":", CV_R_AMBIGUOUS, "" },
	{ "\"x509CertificateChain\":{", "\"x509CertificateChain\":7,\"x\":{", CV_R_MALFORMED, "\"x509CertificateChain\" is an integer" },
	{ "{\"certificates\":", "{\"Certificates\":0,\"certificates\":", CV_R_AMBIGUOUS, "" },
	{ "\"certificates\":[", "\"certificates\":{},\"x\":[", CV_R_MALFORMED, "\"certificates\"" },
	{ "\"certificates\":[", "\"certificates\":[],\"x\":[", CV_R_MALFORMED, "no certificate" },
	{ "\"certificates\":[", "\"certificates\":[7,", CV_R_MALFORMED, "an integer" },
	{ "{\"rawBytes\":", "{\"RawBytes\":0,\"rawBytes\":", CV_R_AMBIGUOUS, "" },
	{ "\"rawBytes\":\"", "\"rawBytes\":7,\"x\":\"", CV_R_MALFORMED, "\"rawBytes\" is an integer" },
	{ "\"rawBytes\":\"", "\"rawBytes\":\"=\",\"x\":\"", CV_R_MALFORMED, "base64" },
	{ "\"rawBytes\":\"", "\"rawBytes\":\"AAAA\",\"x\":\"", CV_R_MALFORMED, "the signer's certificate" },
	{ "\"tlogEntries\":[", "\"tlogEntries\":{},\"x\":[", CV_R_MALFORMED, "\"tlogEntries\"" },
	{ "\"tlogEntries\":[", "\"tlogEntries\":[7,", CV_R_MALFORMED, "an integer" },
	{ "{\"logIndex\":", "{\"LogIndex\":0,\"logIndex\":", CV_R_AMBIGUOUS, "" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":\"-1\"", CV_R_MALFORMED, "\"logIndex\"" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":1002", CV_R_NONE, "" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":-1", CV_R_MALFORMED, "\"logIndex\"" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":\"9223372036854775808\"", CV_R_MALFORMED, "\"logIndex\"" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":true", CV_R_MALFORMED, "\"logIndex\" is" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":7.5", CV_R_MALFORMED, "\"logIndex\" is" },
	{ "\"logIndex\":\"1002\"", "\"logIndex\":null", CV_R_NONE, "" },
	{ "\"logId\":{", "\"logId\":7,\"x\":{", CV_R_MALFORMED, "\"logId\" is an integer" },
	{ "{\"keyId\":", "{\"KeyId\":0,\"keyId\":", CV_R_AMBIGUOUS, "" },
	{ "\"keyId\":\"", "\"keyId\":7,\"x\":\"", CV_R_MALFORMED, "\"keyId\" is an integer" },
	{ "\"keyId\":\"", "\"keyId\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"keyId\"" },
	{ "\"keyId\":\"", "\"keyId\":\"AAAA\",\"x\":\"", CV_R_MALFORMED, "3 bytes" },
	{ "\"kindVersion\":{", "\"kindVersion\":7,\"x\":{", CV_R_MALFORMED, "\"kindVersion\" is an integer" },
	{ "{\"kind\":", "{\"Kind\":0,\"kind\":", CV_R_AMBIGUOUS, "" },
	{ "\"kind\":\"", "\"kind\":7,\"x\":\"", CV_R_MALFORMED, "\"kind\" is an integer" },
	{ "\"hashedrekord\"", "\"hashedrekordhashedrekordhashedrekord\"", CV_R_UNSUPPORTED, "36 characters" },
	{ "\"version\":\"", "\"version\":7,\"x\":\"", CV_R_MALFORMED, "\"version\" is an integer" },
	{ "\"0.0.1\"", "\"0.0.1 and more of it\"", CV_R_UNSUPPORTED, "20 characters" },
	{ "\"1750000000\"", "\"9223372036854776\"", CV_R_MALFORMED, "out of all range" },
	{ "\"1750000000\"", "\"x\"", CV_R_MALFORMED, "\"integratedTime\"" },
	{ "\"inclusionPromise\":{", "\"inclusionPromise\":7,\"x\":{", CV_R_MALFORMED, "\"inclusionPromise\" is an integer" },
	{ "\"inclusionPromise\":{", "\"inclusionPromise\":null,\"x\":{", CV_R_NONE, "" },
	{ "{\"signedEntryTimestamp\":", "{\"SignedEntryTimestamp\":0,\"signedEntryTimestamp\":", CV_R_AMBIGUOUS, "" },
	{ "\"signedEntryTimestamp\":\"", "\"signedEntryTimestamp\":7,\"x\":\"", CV_R_MALFORMED, "\"signedEntryTimestamp\" is an integer" },
	{ "\"signedEntryTimestamp\":\"", "\"signedEntryTimestamp\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"signedEntryTimestamp\"" },
	{ "\"inclusionProof\":{", "\"inclusionProof\":7,\"x\":{", CV_R_MALFORMED, "\"inclusionProof\" is an integer" },
	{ "\"inclusionProof\":{", "\"inclusionProof\":null,\"x\":{", CV_R_NONE, "" },
	{ "Proof\":{\"logIndex\"", "Proof\":{\"LogIndex\":0,\"logIndex\"", CV_R_AMBIGUOUS, "" },
	{ "\"logIndex\":\"2\"", "\"logIndex\":\"x\"", CV_R_MALFORMED, "\"logIndex\"" },
	{ "\"treeSize\":\"5\"", "\"treeSize\":\"x\"", CV_R_MALFORMED, "\"treeSize\"" },
	{ "\"rootHash\":\"", "\"rootHash\":7,\"x\":\"", CV_R_MALFORMED, "\"rootHash\" is an integer" },
	{ "\"rootHash\":\"", "\"rootHash\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"rootHash\"" },
	{ "\"rootHash\":\"", "\"rootHash\":\"AAAA\",\"x\":\"", CV_R_MALFORMED, "3 bytes" },
	{ "\"hashes\":[", "\"hashes\":{},\"x\":[", CV_R_MALFORMED, "\"hashes\"" },
	{ "\"hashes\":[", "\"hashes\":null,\"x\":[", CV_R_NONE, "" },
	{ "\"hashes\":[", "\"hashes\":[\"AAAA\",", CV_R_MALFORMED, "3 bytes" },
	{ "\"hashes\":[", "\"hashes\":[\"=\",", CV_R_MALFORMED, "" },
	{ "\"hashes\":[", "\"hashes\":[7,", CV_R_MALFORMED, "an integer" },
	{ "\"checkpoint\":{", "\"checkpoint\":7,\"x\":{", CV_R_MALFORMED, "\"checkpoint\" is an integer" },
	{ "\"checkpoint\":{", "\"checkpoint\":null,\"x\":{", CV_R_NONE, "" },
	{ "{\"envelope\":", "{\"Envelope\":0,\"envelope\":", CV_R_AMBIGUOUS, "" },
	{ "\"envelope\":\"", "\"envelope\":7,\"x\":\"", CV_R_MALFORMED, "\"envelope\" is an integer" },
	{ "\"canonicalizedBody\":\"", "\"canonicalizedBody\":7,\"x\":\"", CV_R_MALFORMED, "\"canonicalizedBody\" is an integer" },
	{ "\"canonicalizedBody\":\"", "\"canonicalizedBody\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"canonicalizedBody\"" },
	{ "\"canonicalizedBody\":\"", "\"canonicalizedBody\":null,\"x\":\"", CV_R_NONE, "" },
	{ "\"timestampVerificationData\":{", "\"timestampVerificationData\":7,\"x\":{", CV_R_MALFORMED, "\"timestampVerificationData\" is an integer" },
	{ "\"timestampVerificationData\":{", "\"timestampVerificationData\":null,\"x\":{", CV_R_NONE, "" },
	{ "{\"rfc3161Timestamps\":", "{\"Rfc3161Timestamps\":0,\"rfc3161Timestamps\":", CV_R_AMBIGUOUS, "" },
	{ "\"rfc3161Timestamps\":[", "\"rfc3161Timestamps\":{},\"x\":[", CV_R_MALFORMED, "\"rfc3161Timestamps\"" },
	{ "\"rfc3161Timestamps\":[", "\"rfc3161Timestamps\":[7,", CV_R_MALFORMED, "an integer" },
	{ "{\"signedTimestamp\":", "{\"SignedTimestamp\":0,\"signedTimestamp\":", CV_R_AMBIGUOUS, "" },
	{ "\"signedTimestamp\":\"", "\"signedTimestamp\":7,\"x\":\"", CV_R_MALFORMED, "\"signedTimestamp\" is an integer" },
	{ "\"signedTimestamp\":\"", "\"signedTimestamp\":\"=\",\"x\":\"", CV_R_MALFORMED, "a timestamp" },
	{ "\"messageSignature\":{", "\"messageSignature\":7,\"x\":{", CV_R_MALFORMED, "\"messageSignature\" is an integer" },
	{ "{\"messageDigest\":", "{\"MessageDigest\":0,\"messageDigest\":", CV_R_AMBIGUOUS, "" },
	{ "\"messageDigest\":{", "\"messageDigest\":7,\"x\":{", CV_R_MALFORMED, "\"messageDigest\" is an integer" },
	{ "\"messageDigest\":{", "\"messageDigest\":null,\"x\":{", CV_R_NONE, "" },
	{ "{\"algorithm\":", "{\"Algorithm\":0,\"algorithm\":", CV_R_AMBIGUOUS, "" },
	{ "\"algorithm\":\"", "\"algorithm\":7,\"x\":\"", CV_R_MALFORMED, "\"algorithm\" is an integer" },
	{ "\"digest\":\"", "\"digest\":7,\"x\":\"", CV_R_MALFORMED, "\"digest\" is an integer" },
	{ "\"digest\":\"", "\"digest\":\"=\",\"x\":\"", CV_R_MALFORMED, "base64" },
	{ "\"signature\":\"", "\"signature\":7,\"x\":\"", CV_R_MALFORMED, "\"signature\" is an integer" },
	{ "\"signature\":\"", "\"signature\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"signature\"" },
};

static const struct change keyed[] = {
	{ "\"publicKey\":{", "\"publicKey\":7,\"x\":{", CV_R_MALFORMED, "\"publicKey\" is an integer" },
	{ "{\"hint\":", "{\"Hint\":0,\"hint\":", CV_R_AMBIGUOUS, "" },
	{ "\"hint\":\"", "\"hint\":7,\"x\":\"", CV_R_MALFORMED, "\"hint\" is an integer" },
	{ "\"publicKey\":{", "\"publicKey\":{},\"certificate\":{},\"x\":{", CV_R_AMBIGUOUS, "2 of" },
};

static const struct change rekord[] = {
	{ "\"spec\":{", "\"spec\":7,\"x\":{", CV_R_MALFORMED, "\"spec\" is an integer" },
	{ "{\"data\":", "{\"Data\":0,\"data\":", CV_R_AMBIGUOUS, "" },
	{ "\"data\":{", "\"data\":7,\"x\":{", CV_R_MALFORMED, "\"data\" is an integer" },
	{ "{\"hash\":", "{\"Hash\":0,\"hash\":", CV_R_AMBIGUOUS, "" },
	{ "\"hash\":{", "\"hash\":7,\"x\":{", CV_R_MALFORMED, "\"hash\" is an integer" },
	{ "{\"algorithm\":", "{\"Algorithm\":0,\"algorithm\":", CV_R_AMBIGUOUS, "" },
	{ "\"algorithm\":\"", "\"algorithm\":7,\"x\":\"", CV_R_MALFORMED, "\"algorithm\" is an integer" },
	{ "\"value\":\"", "\"value\":7,\"x\":\"", CV_R_MALFORMED, "\"value\" is an integer" },
	{ "\"signature\":{", "\"signature\":7,\"x\":{", CV_R_MALFORMED, "\"signature\" is an integer" },
	{ "{\"content\":", "{\"Content\":0,\"content\":", CV_R_AMBIGUOUS, "" },
	{ "\"content\":\"", "\"content\":7,\"x\":\"", CV_R_MALFORMED, "\"content\" is an integer" },
	{ "\"publicKey\":{", "\"publicKey\":7,\"x\":{", CV_R_MALFORMED, "\"publicKey\" is an integer" },
	{ "\"apiVersion\":\"", "\"apiVersion\":7,\"x\":\"", CV_R_MALFORMED, "\"apiVersion\" is an integer" },
	{ "\"kind\":\"", "\"kind\":7,\"x\":\"", CV_R_MALFORMED, "\"kind\" is an integer" },
	{ "\"publicKey\":{\"content\":", "\"publicKey\":{\"Content\":\"\",\"content\":", CV_R_AMBIGUOUS, "" },
	{ "\"publicKey\":{\"content\":", "\"publicKey\":{\"content\":7,\"x\":", CV_R_MALFORMED, "\"content\"" },
};

static const struct change dsse[] = {
	{ "\"spec\":{", "\"spec\":7,\"x\":{", CV_R_MALFORMED, "\"spec\" is an integer" },
	{ "{\"payloadHash\":", "{\"PayloadHash\":0,\"payloadHash\":", CV_R_AMBIGUOUS, "" },
	{ "\"payloadHash\":{", "\"payloadHash\":7,\"x\":{", CV_R_MALFORMED, "\"payloadHash\" is an integer" },
	{ "{\"algorithm\":", "{\"Algorithm\":0,\"algorithm\":", CV_R_AMBIGUOUS, "" },
	{ "\"sha256\"", "\"sha1\"", CV_R_UNSUPPORTED, "" },
	{ "\"value\":\"", "\"value\":\"0", CV_R_MALFORMED, "" },
	{ "\"value\":\"", "\"value\":7,\"x\":\"", CV_R_MALFORMED, "\"value\" is an integer" },
	{ "\"signatures\":[", "\"signatures\":{},\"x\":[", CV_R_MALFORMED, "\"signatures\"" },
	{ "\"signatures\":[", "\"signatures\":[{},", CV_R_MALFORMED, "2 signatures" },
	{ "\"signatures\":[", "\"signatures\":[],\"x\":[", CV_R_MALFORMED, "0 signatures" },
	{ "\"signatures\":[", "\"signatures\":[7],\"x\":[", CV_R_MALFORMED, "an integer" },
	{ "{\"signature\":", "{\"Signature\":0,\"signature\":", CV_R_AMBIGUOUS, "" },
	{ "\"signature\":\"", "\"signature\":7,\"x\":\"", CV_R_MALFORMED, "\"signature\" is an integer" },
	{ "\"signature\":\"", "\"signature\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"signature\"" },
	{ "\"verifier\":\"", "\"verifier\":7,\"x\":\"", CV_R_MALFORMED, "\"verifier\" is an integer" },
	{ "\"verifier\":\"", "\"verifier\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"verifier\"" },
};

static const struct change intoto[] = {
	{ "\"spec\":{", "\"spec\":7,\"x\":{", CV_R_MALFORMED, "\"spec\" is an integer" },
	{ "{\"content\":", "{\"Content\":0,\"content\":", CV_R_AMBIGUOUS, "" },
	{ "\"content\":{", "\"content\":7,\"x\":{", CV_R_MALFORMED, "\"content\" is an integer" },
	{ "{\"envelope\":", "{\"Envelope\":0,\"envelope\":", CV_R_AMBIGUOUS, "" },
	{ "\"envelope\":{", "\"envelope\":7,\"x\":{", CV_R_MALFORMED, "\"envelope\" is an integer" },
	{ "\"payloadHash\":{", "\"payloadHash\":7,\"x\":{", CV_R_MALFORMED, "\"payloadHash\" is an integer" },
	{ "{\"algorithm\":", "{\"Algorithm\":0,\"algorithm\":", CV_R_AMBIGUOUS, "" },
	{ "{\"signatures\":", "{\"Signatures\":0,\"signatures\":", CV_R_AMBIGUOUS, "" },
	{ "\"signatures\":[", "\"signatures\":{},\"x\":[", CV_R_MALFORMED, "\"signatures\"" },
	{ "\"signatures\":[", "\"signatures\":[{},", CV_R_MALFORMED, "2 signatures" },
	{ "{\"publicKey\":", "{\"PublicKey\":0,\"publicKey\":", CV_R_AMBIGUOUS, "" },
	{ "\"publicKey\":\"", "\"publicKey\":7,\"x\":\"", CV_R_MALFORMED, "\"publicKey\" is an integer" },
	{ "\"publicKey\":\"", "\"publicKey\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"publicKey\"" },
	{ "\"sig\":\"", "\"sig\":7,\"x\":\"", CV_R_MALFORMED, "\"sig\" is an integer" },
	{ "\"sig\":\"", "\"sig\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"sig\"" },
	{ "\"sig\":\"", "\"sig\":\"PT09PQ==\",\"x\":\"", CV_R_MALFORMED, "its signature" },
};

static const struct change roots[] = {
	{ "{\"mediaType\":", "{\"MediaType\":0,\"mediaType\":", CV_R_AMBIGUOUS, "" },
	{ "\"mediaType\":\"", "\"mediaType\":7,\"x\":\"", CV_R_MALFORMED, "\"mediaType\" is an integer" },
	{ "\"tlogs\":", "\"Tlogs\":0,\"tlogs\":", CV_R_AMBIGUOUS, "" },
	{ "\"tlogs\":[", "\"tlogs\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],\"x\":[", CV_R_LIMIT, "65 entries" },
	{ "\"tlogs\":[", "\"tlogs\":{},\"x\":[", CV_R_MALFORMED, "\"tlogs\"" },
	{ "\"tlogs\":[", "\"tlogs\":[7,", CV_R_MALFORMED, "an integer" },
	{ "\"ctlogs\":", "\"Ctlogs\":0,\"ctlogs\":", CV_R_AMBIGUOUS, "" },
	{ "\"ctlogs\":[", "\"ctlogs\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],\"x\":[", CV_R_LIMIT, "65 entries" },
	{ "\"ctlogs\":[", "\"ctlogs\":{},\"x\":[", CV_R_MALFORMED, "\"ctlogs\"" },
	{ "\"ctlogs\":[", "\"ctlogs\":[7,", CV_R_MALFORMED, "an integer" },
	{ "\"certificateAuthorities\":", "\"CertificateAuthorities\":0,\"certificateAuthorities\":", CV_R_AMBIGUOUS, "" },
	{ "\"certificateAuthorities\":[", "\"certificateAuthorities\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],\"x\":[", CV_R_LIMIT, "65 entries" },
	{ "\"certificateAuthorities\":[", "\"certificateAuthorities\":{},\"x\":[", CV_R_MALFORMED, "\"certificateAuthorities\"" },
	{ "\"certificateAuthorities\":[", "\"certificateAuthorities\":[7,", CV_R_MALFORMED, "an integer" },
	{ "\"timestampAuthorities\":", "\"TimestampAuthorities\":0,\"timestampAuthorities\":", CV_R_AMBIGUOUS, "" },
	{ "\"timestampAuthorities\":[", "\"timestampAuthorities\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],\"x\":[", CV_R_LIMIT, "65 entries" },
	{ "\"timestampAuthorities\":[", "\"timestampAuthorities\":{},\"x\":[", CV_R_MALFORMED, "\"timestampAuthorities\"" },
	{ "\"timestampAuthorities\":[", "\"timestampAuthorities\":[7,", CV_R_MALFORMED, "an integer" },
	{ "{\"baseUrl\":", "{\"BaseUrl\":0,\"baseUrl\":", CV_R_AMBIGUOUS, "" },
	{ "\"baseUrl\":\"", "\"baseUrl\":7,\"x\":\"", CV_R_MALFORMED, "\"baseUrl\" is an integer" },
	{ "{\"rawBytes\":", "{\"RawBytes\":0,\"rawBytes\":", CV_R_AMBIGUOUS, "" },
	{ "\"publicKey\":{", "\"publicKey\":{\"KeyDetails\":0,", CV_R_AMBIGUOUS, "" },
	{ "\"publicKey\":{", "\"publicKey\":7,\"x\":{", CV_R_MALFORMED, "\"publicKey\" is an integer" },
	{ "\"rawBytes\":\"", "\"rawBytes\":7,\"x\":\"", CV_R_MALFORMED, "\"rawBytes\" is an integer" },
	{ "\"rawBytes\":\"", "\"rawBytes\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"rawBytes\"" },
	{ "\"rawBytes\":\"", "\"rawBytes\":\"AAAA\",\"x\":\"", CV_R_MALFORMED, "a log's key" },
	{ "\"keyDetails\":\"", "\"keyDetails\":7,\"x\":\"", CV_R_MALFORMED, "\"keyDetails\" is an integer" },
	{ "{\"start\":", "{\"Start\":0,\"start\":", CV_R_AMBIGUOUS, "" },
	{ "\"validFor\":{", "\"validFor\":7,\"x\":{", CV_R_MALFORMED, "\"validFor\" is an integer" },
	{ "\"start\":\"", "\"start\":7,\"x\":\"", CV_R_MALFORMED, "\"start\" is an integer" },
	{ "\"start\":\"", "\"start\":\"2024-13-01T00:00:00Z\",\"x\":\"", CV_R_MALFORMED, "2024-13" },
	{ "\"start\":", "\"end\":7,\"start\":", CV_R_MALFORMED, "\"end\"" },
	{ "\"start\":", "\"end\":\"2024-13-01T00:00:00Z\",\"start\":", CV_R_MALFORMED, "2024-13" },
	{ "{\"keyId\":", "{\"KeyId\":0,\"keyId\":", CV_R_AMBIGUOUS, "" },
	{ "\"logId\":{", "\"logId\":7,\"x\":{", CV_R_MALFORMED, "\"logId\" is an integer" },
	{ "\"keyId\":\"", "\"keyId\":7,\"x\":\"", CV_R_MALFORMED, "\"keyId\" is an integer" },
	{ "\"keyId\":\"", "\"keyId\":\"=\",\"x\":\"", CV_R_MALFORMED, "\"keyId\"" },
	{ "\"keyId\":\"", "\"keyId\":\"AAAA\",\"x\":\"", CV_R_MALFORMED, "3 bytes" },
	{ "\"logId\":", "\"checkpointKeyId\":7,\"logId\":", CV_R_MALFORMED, "\"checkpointKeyId\"" },
	{ "\"logId\":", "\"checkpointKeyId\":{\"keyId\":7},\"logId\":", CV_R_MALFORMED, "\"keyId\"" },
	{ "\"logId\":", "\"checkpointKeyId\":{\"keyId\":\"=\"},\"logId\":", CV_R_MALFORMED, "\"keyId\"" },
	{ "\"logId\":", "\"checkpointKeyId\":{\"KeyId\":0,\"keyId\":\"AAAAAA==\"},\"logId\":", CV_R_AMBIGUOUS, "" },
	{ "{\"certificates\":", "{\"Certificates\":0,\"certificates\":", CV_R_AMBIGUOUS, "" },
	{ "\"certChain\":{", "\"certChain\":7,\"x\":{", CV_R_MALFORMED, "\"certChain\" is an integer" },
	{ "\"certificates\":[", "\"certificates\":{},\"x\":[", CV_R_MALFORMED, "\"certificates\"" },
	{ "\"certificates\":[", "\"certificates\":[7,", CV_R_MALFORMED, "an integer" },
	{ "\"certificates\":[", "\"certificates\":[{\"rawBytes\":7},", CV_R_MALFORMED, "\"rawBytes\"" },
	{ "\"certificates\":[", "\"certificates\":[{\"rawBytes\":\"=\"},", CV_R_MALFORMED, "\"rawBytes\"" },
	{ "\"certificates\":[", "\"certificates\":[{\"rawBytes\":\"AAAA\"},", CV_R_MALFORMED, "no certificate" },
	{ "\"certificates\":[", "\"certificates\":[{\"RawBytes\":\"\",\"rawBytes\":\"\"},", CV_R_AMBIGUOUS, "" },
	{ "\"certificates\":[", "\"certificates\":[{},{},{},{},{},{},{},{},{}],\"x\":[", CV_R_LIMIT, "9 certificates" },
	{ "{\"certChain\":", "{\"CertChain\":0,\"certChain\":", CV_R_AMBIGUOUS, "" },
	{ "\"validFor\":{\"start\"", "\"validFor\":{\"Start\":0,\"start\"", CV_R_AMBIGUOUS, "" },
};
/* clang-format on */

typedef int reader(struct cv_span text, const void *arg, struct cv_err *e);

static void
run(reader *read, const void *arg, const struct cv_buf *good, const struct change *c, size_t n)
{
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_err e;
	size_t bad = 0;

	T_OK(read(cv_buf_span(good), arg, &e), e);
	for (size_t i = 0; i < n; i++) {
		struct cv_span text = t_edit(&b, cv_buf_text(good), c[i].from, c[i].to);

		e = (struct cv_err){ .reason = CV_R_NONE };
		if (read(text, arg, &e) == 0)
			e = (struct cv_err){ .reason = CV_R_NONE };
		if (e.reason == c[i].reason && strstr(e.text, c[i].says) != NULL)
			continue;
		printf("# %s -> %s: %s (%s), want %s (%s)\n", c[i].from, c[i].to,
		       cv_reason_word(e.reason), e.text, cv_reason_word(c[i].reason), c[i].says);
		bad++;
	}
	cv_buf_free(&b);
	T_INT(bad, 0);
}

/* ---- bundles ---- */

static int
read_whole(struct cv_span text, const void *arg, struct cv_err *e)
{
	struct cv_bundle *b = NULL;
	int r = cv_bundle_parse_whole(&b, "bundle", text, e);

	(void)arg;
	cv_bundle_free(&b);
	return r;
}

static void
forged(struct cv_buf *out)
{
	struct f_instance *s = f_instance_new();
	struct f_recipe r = f_recipe();

	r.minor = 2;
	r.tsa = F_OURS;
	f_keyless(out, s, &r, cv_span_str("artifact"));
	f_instance_free(&s);
}

static void
whole_bundles(void)
{
	struct cv_buf b = CV_BUF(ROOM);

	forged(&b);
	run(read_whole, NULL, &b, wholes, CV_COUNT(wholes));
	cv_buf_free(&b);
}

static void
bundles_of_keys(void)
{
	struct f_key *k = f_key_new(F_P256);
	struct cv_buf b = CV_BUF(ROOM);

	f_bundle_message(&b, k, cv_span_str("artifact"));
	run(read_whole, NULL, &b, keyed, CV_COUNT(keyed));
	f_key_free(&k);
	cv_buf_free(&b);
}

static void
repeated(struct cv_buf *out, const char *start, const char *one, size_t n, const char *end)
{
	cv_buf_str(out, start);
	for (size_t i = 0; i < n; i++)
		cv_buf_fmt(out, "%s%s", i == 0 ? "" : ",", one);
	cv_buf_str(out, end);
}

static void
says_in(const struct cv_buf *good, const char *from, const struct cv_buf *to, enum cv_reason reason,
	const char *says)
{
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_err e;

	T_NO(read_whole(t_edit(&b, cv_buf_text(good), from, cv_buf_text(to)), NULL, &e), e, reason);
	T_HAS(e.text, says);
	cv_buf_free(&b);
}

/* As many as there may be, and one more. */
static void
numbers(void)
{
	struct cv_buf good = CV_BUF(ROOM), b = CV_BUF(17 << 20), x = CV_BUF(1 << 18);
	struct cv_err e;

	forged(&good);
	repeated(&b, "\"hashes\":[", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"", 65,
		 "],\"x\":[");
	says_in(&good, "\"hashes\":[", &b, CV_R_LIMIT, "65 hashes");
	cv_buf_reset(&b);
	repeated(&b, "\"rfc3161Timestamps\":[", "{\"signedTimestamp\":\"AAAA\"}",
		 CV_MAX_TLOG_ENTRIES + 1, "],\"x\":[");
	says_in(&good, "\"rfc3161Timestamps\":[", &b, CV_R_LIMIT, "33 entries");
	cv_buf_reset(&b);
	while (x.n <= 2 * CV_MAX_NOTE)
		cv_buf_str(&x, "line\\n");
	cv_buf_fmt(&b, "\"envelope\":\"%s\",\"x\":\"", cv_buf_text(&x));
	says_in(&good, "\"envelope\":\"", &b, CV_R_LIMIT, "checkpoint");
	cv_buf_reset(&b);
	cv_buf_reset(&x);
	while (x.n <= CV_JSLIM_STRING)
		cv_buf_str(&x, "AAAA");
	cv_buf_fmt(&b, "\"digest\":\"%s\",\"x\":\"", cv_buf_text(&x));
	says_in(&good, "\"digest\":\"", &b, CV_R_MALFORMED, "digest");
	cv_buf_reset(&b);
	while (b.n <= CV_MAX_BUNDLE)
		cv_buf_str(&b, "                                                                ");
	T_NO(read_whole(cv_buf_span(&b), NULL, &e), e, CV_R_LIMIT);
	T_HAS(e.text, "want at most");
	T_NO(read_whole(cv_span_str("{\"a\":1,\"a\":1}"), NULL, &e), e, CV_R_AMBIGUOUS);
	T_NO(read_whole(cv_span_str("[]"), NULL, &e), e, CV_R_MALFORMED);
	T_HAS(e.text, "an array");
	cv_buf_free(&good);
	cv_buf_free(&b);
	cv_buf_free(&x);
}

/* ---- trust roots ---- */

static int
read_root(struct cv_span text, const void *arg, struct cv_err *e)
{
	struct cv_root *root = NULL;
	int r = cv_root_parse(&root, "root", text, e);

	(void)arg;
	cv_root_free(&root);
	return r;
}

static void
trust_roots(void)
{
	struct f_instance *s = f_instance_new();
	struct f_recipe r = f_recipe();
	struct cv_buf b = CV_BUF(ROOM), url = CV_BUF(ROOM), edited = CV_BUF(ROOM);
	struct cv_log nameless = { .origin = "" };
	struct cv_err e;

	f_trusted_root(&b, s, &r);
	run(read_root, NULL, &b, roots, CV_COUNT(roots));
	cv_buf_str(&url, "\"baseUrl\":\"https://");
	for (int i = 0; i < 300; i++)
		cv_buf_str(&url, "a");
	cv_buf_str(&url, "\",\"x\":\"");
	T_NO(read_root(t_edit(&edited, cv_buf_text(&b), "\"baseUrl\":\"", cv_buf_text(&url)), NULL,
		       &e),
	     e, CV_R_LIMIT);
	T_HAS(e.text, "baseUrl");
	T(!cv_log_named(&nameless, cv_span("", 0)));
	f_instance_free(&s);
	cv_buf_free(&b);
	cv_buf_free(&url);
	cv_buf_free(&edited);
}

/* ---- bodies ---- */

struct claim {
	const char *kind, *version;
	struct cv_claimed what;
};

static int
read_body(struct cv_span text, const void *arg, struct cv_err *e)
{
	const struct claim *c = arg;
	struct cv_log_entry *en = calloc(1, sizeof(*en));
	int r;

	T(en != NULL);
	cv_text_fmt(en->kind, sizeof(en->kind), "%s", c->kind);
	cv_text_fmt(en->version, sizeof(en->version), "%s", c->version);
	en->body = CV_BUF(ROOM);
	cv_buf_add(&en->body, text.p, text.n);
	r = cv_rekor_body(en, &c->what, e);
	cv_log_entry_free(&en);
	return r;
}

/* The body that a log would have of this; with the pem that it is to hold. */
static void
body(struct cv_buf *out, const struct claim *c, const char *pem)
{
	struct cv_buf sig = CV_BUF(ROOM), twice = CV_BUF(ROOM), key = CV_BUF(ROOM);
	struct cv_digest d;
	char text[CV_DIGEST_TEXT];
	const char *hex;
	struct cv_err e;

	if (c->what.dsse)
		T_OK(cv_digest_of(&d, CV_SHA256, c->what.payload, &e), e);
	else
		T_OK(cv_message_digest(c->what.message, CV_SHA256, &d, &e), e);
	hex = cv_digest_text(&d, text) + strlen("sha256:");
	cv_base64_encode(&sig, c->what.signature);
	cv_base64_encode(&twice, cv_buf_span(&sig));
	cv_base64_encode(&key, cv_span_str(pem));
	cv_buf_fmt(out, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"spec\":{", c->version, c->kind);
#define HASH "{\"algorithm\":\"sha256\",\"value\":\"%s\"}"
	if (strcmp(c->kind, "hashedrekord") == 0)
		cv_buf_fmt(out,
			   "\"data\":{\"hash\":" HASH "},\"signature\":{\"content\":\"%s\","
			   "\"publicKey\":{\"content\":\"%s\"}}}}",
			   hex, cv_buf_text(&sig), cv_buf_text(&key));
	else if (strcmp(c->kind, "dsse") == 0)
		cv_buf_fmt(out,
			   "\"payloadHash\":" HASH ",\"signatures\":[{\"signature\":\"%s\","
			   "\"verifier\":\"%s\"}]}}",
			   hex, cv_buf_text(&sig), cv_buf_text(&key));
	else
		cv_buf_fmt(out,
			   "\"content\":{\"envelope\":{\"signatures\":[{\"publicKey\":\"%s\","
			   "\"sig\":\"%s\"}]},\"payloadHash\":" HASH "}}}",
			   cv_buf_text(&key), cv_buf_text(&twice), hex);
	cv_buf_free(&sig);
	cv_buf_free(&twice);
	cv_buf_free(&key);
}

/* PEM that holds the right key, in a wrapping that is none. */
static void
wrappings(const struct claim *c, const char *pem)
{
	static const struct change w[] = {
		{ "-----BEGIN", "x----BEGIN", CV_R_DIGEST, "want one block" },
		{ "BEGIN PUBLIC KEY", "BEGIN PUBLIC KEX", CV_R_DIGEST, "want one block" },
		{ "-----END", "-----EMD", CV_R_DIGEST, "want one block" },
		{ "END PUBLIC KEY", "END PUBLIC KEX", CV_R_DIGEST, "want one block" },
		{ "KEY-----\n", "KEY-----\n=", CV_R_MALFORMED, "its key" },
		{ "KEY-----\n", "KEY-----\r\n\n", CV_R_NONE, "" },
		{ "KEY-----\n", "KEY-----\n\nAAAA", CV_R_DIGEST, "another key" },
	};
	struct cv_buf b = CV_BUF(ROOM), edited = CV_BUF(ROOM);
	struct cv_err e;

	for (size_t i = 0; i < CV_COUNT(w); i++) {
		t_edit(&edited, pem, w[i].from, w[i].to);
		cv_buf_reset(&b);
		body(&b, c, cv_buf_text(&edited));
		e = (struct cv_err){ .reason = CV_R_NONE };
		if (read_body(cv_buf_span(&b), c, &e) == 0)
			e = (struct cv_err){ .reason = CV_R_NONE };
		T_INT(e.reason, w[i].reason);
		T_HAS(e.text, w[i].says);
	}
	cv_buf_reset(&b); /* beginning and end share their dashes */
	body(&b, c, "-----BEGIN PUBLIC KEY-----END PUBLIC KEY-----");
	T_NO(read_body(cv_buf_span(&b), c, &e), e, CV_R_DIGEST);
	T_HAS(e.text, "want one block");
	cv_buf_free(&b);
	cv_buf_free(&edited);
}

/* Nobody has the bytes whose digest by another algorithm the entry states. */
static void
other_digest(struct claim *c, const char *pem)
{
	struct cv_message *whole = c->what.message;
	struct cv_message known;
	struct cv_buf b = CV_BUF(ROOM), to = CV_BUF(ROOM), edited = CV_BUF(ROOM);
	struct cv_digest d, longer;
	char text[CV_DIGEST_TEXT];
	struct cv_err e;

	body(&b, c, pem);
	T_OK(cv_message_digest(whole, CV_SHA256, &d, &e), e);
	T_OK(cv_message_digest(whole, CV_SHA512, &longer, &e), e);
	cv_buf_fmt(&to, "\"algorithm\":\"sha512\",\"value\":\"%s\",\"x\":\"",
		   cv_digest_text(&longer, text) + strlen("sha512:"));
	t_edit(&edited, cv_buf_text(&b), "\"algorithm\":\"sha256\",\"value\":\"", cv_buf_text(&to));
	T_OK(read_body(cv_buf_span(&edited), c, &e), e);
	known = cv_message_known(&d);
	c->what.message = &known;
	T_OK(read_body(cv_buf_span(&b), c, &e), e);
	T_NO(read_body(cv_buf_span(&edited), c, &e), e, CV_R_UNSUPPORTED);
	T_HAS(e.text, "another digest");
	c->what.message = whole;
	cv_buf_free(&b);
	cv_buf_free(&to);
	cv_buf_free(&edited);
}

static void
bodies(void)
{
	struct f_key *k = f_key_new(F_P256);
	struct cv_message m = cv_message_bytes(cv_span_str("artifact"));
	struct cv_claimed what = { .message = &m, .payload = cv_span_str("a statement") };
	struct claim kinds[] = {
		{ "hashedrekord", "0.0.1", what },
		{ "dsse", "0.0.1", what },
		{ "intoto", "0.0.2", what },
	};
	const struct change *list[] = { rekord, dsse, intoto };
	const size_t n[] = { CV_COUNT(rekord), CV_COUNT(dsse), CV_COUNT(intoto) };
	struct cv_pubkey *key = NULL;
	struct cv_err e;

	T_OK(cv_pubkey_load(&key, "key", cv_span_str(f_key_pem(k)), &e), e);
	for (size_t i = 0; i < CV_COUNT(kinds); i++) {
		struct cv_buf b = CV_BUF(ROOM);

		kinds[i].what.signature = cv_span_str("a signature");
		kinds[i].what.key = key;
		kinds[i].what.dsse = i > 0;
		body(&b, &kinds[i], f_key_pem(k));
		run(read_body, &kinds[i], &b, list[i], n[i]);
		T_NO(read_body(cv_span_str("[]"), &kinds[i], &e), e, CV_R_MALFORMED);
		T_HAS(e.text, "an array");
		kinds[i].what.dsse = i == 0; /* an entry of the other sort of thing */
		if (i > 0) {
			T_NO(read_body(cv_buf_span(&b), &kinds[i], &e), e, CV_R_DIGEST);
			T_HAS(e.text, "another kind of thing");
		}
		kinds[i].what.dsse = i > 0;
		wrappings(&kinds[i], f_key_pem(k));
		cv_buf_free(&b);
	}
	other_digest(&kinds[0], f_key_pem(k));
	cv_message_free(&m);
	cv_pubkey_free(&key);
	f_key_free(&k);
}

/* Rekor v2 has no entry for this kind of key, whatever its proof is. */
static void
no_such_entry(void)
{
	struct f_instance *s = f_instance_new();
	struct f_key *k = f_key_new(F_ED25519);
	struct f_recipe r = f_recipe();
	struct cv_log_entry *en = calloc(1, sizeof(*en));
	struct cv_message m = cv_message_bytes(cv_span_str("artifact"));
	struct cv_claimed what = { .message = &m, .signature = cv_span_str("a signature") };
	struct cv_buf b = CV_BUF(ROOM);
	struct cv_pubkey *key = NULL;
	struct cv_root *root = NULL;
	struct cv_logged l;
	struct cv_err e;

	T(en != NULL);
	f_trusted_root(&b, s, &r);
	T_OK(cv_root_parse(&root, "root", cv_buf_span(&b), &e), e);
	T_OK(cv_pubkey_load(&key, "key", cv_span_str(f_key_pem(k)), &e), e);
	what.key = key;
	cv_text_fmt(en->kind, sizeof(en->kind), "hashedrekord");
	cv_text_fmt(en->version, sizeof(en->version), "0.0.2");
	en->log = root->log[1].id;
	en->proof = true;
	en->tree_size = 1;
	en->checkpoint = CV_BUF(ROOM);
	cv_buf_str(&en->checkpoint, "a checkpoint");
	T_NO(cv_rekor_verify(&l, en, root, true, &what, &e), e, CV_R_UNSUPPORTED);
	T_HAS(e.text, "Ed25519");
	cv_log_entry_free(&en);
	cv_message_free(&m);
	cv_pubkey_free(&key);
	cv_root_free(&root);
	cv_buf_free(&b);
	f_key_free(&k);
	f_instance_free(&s);
}

static const struct t_case cases[] = {
	{ "whole bundles", whole_bundles },
	{ "bundles of keys", bundles_of_keys },
	{ "too many, too long", numbers },
	{ "trust roots", trust_roots },
	{ "bodies", bodies },
	{ "no entry of that key", no_such_entry },
};

T_MAIN(cases)
