/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_claimed.c: CycloneDX and SPDX documents: what is read, what is refused. */
#include "sbom/claimed/doc.h"
#include "tests/support/t.h"

#include <stdlib.h>
#include <unistd.h>

/* A quotation mark each: rows are written with ' for ". */
static struct cv_span
quoted(struct cv_buf *out, const char *text)
{
	*out = CV_BUF(1 << 20);
	for (; *text != '\0'; text++)
		cv_buf_byte(out, *text == '\'' ? '"' : (uint8_t)*text);
	return cv_buf_span(out);
}

static enum cv_reason
read_text(const char *text, struct cv_sbom **ret, char why[CV_ERR_TEXT])
{
	struct cv_buf b;
	struct cv_sbom *s = NULL;
	struct cv_err e = { 0 };
	int rc = cv_sbom_read_span(&s, quoted(&b, text), "row", &e);

	cv_buf_free(&b);
	if (why != NULL)
		memcpy(why, e.text, CV_ERR_TEXT);
	if (ret != NULL)
		*ret = s;
	else
		cv_sbom_free(&s);
	return rc == 0 ? CV_R_NONE : e.reason;
}

#define CDX(version, rest) "{'bomFormat':'CycloneDX','specVersion':'" version "'" rest "}"
#define SPDX(rest)         "{'spdxVersion':'SPDX-2.3','SPDXID':'SPDXRef-DOCUMENT','name':'n'" rest "}"

struct row {
	const char *text;
	enum cv_reason want;
};

static void
rows(const struct row *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char why[CV_ERR_TEXT];
		enum cv_reason r = read_text(t[i].text, NULL, why);

		if (r != t[i].want)
			t_fail(__FILE__, __LINE__, "%s: %s (%s), want %s", t[i].text,
			       cv_reason_word(r), why, cv_reason_word(t[i].want));
	}
}

#define ONE(inside) CDX("1.5", ",'components':[{" inside "}]")

static void
cyclonedx(void)
{
	static const struct row t[] = {
		{ CDX("1.1", ""), CV_R_UNSUPPORTED },
		{ CDX("1.8", ""), CV_R_UNSUPPORTED },
		{ CDX("", ""), CV_R_UNSUPPORTED },
		{ "{'bomFormat':'CycloneDX'}", CV_R_UNSUPPORTED },
		{ "{'bomFormat':'cyclonedx','specVersion':'1.5'}", CV_R_MALFORMED },
		{ "{'bomFormat':1,'specVersion':'1.5'}", CV_R_MALFORMED },
		{ CDX("1.5", ",'components':{}"), CV_R_MALFORMED },
		{ CDX("1.5", ",'components':[1]"), CV_R_MALFORMED },
		{ CDX("1.5", ",'components':[]") " x", CV_R_MALFORMED },
		{ CDX("1.5", ",'Components':[],'components':[]"), CV_R_AMBIGUOUS },
		{ CDX("1.5", ",'packages':[]"), CV_R_AMBIGUOUS },
		{ CDX("1.5", ",'spdxVersion':'SPDX-2.3'"), CV_R_AMBIGUOUS },
		{ ONE("'type':'library'"), CV_R_MALFORMED },
		{ ONE("'name':'a'"), CV_R_MALFORMED },
		{ ONE("'type':'odd','name':'a'"), CV_R_MALFORMED },
		{ ONE("'type':'library','name':''"), CV_R_MALFORMED },
		{ ONE("'type':'library','name':1"), CV_R_MALFORMED },
		{ ONE("'type':'library','name':'a','name':'b'"), CV_R_AMBIGUOUS },
		{ ONE("'type':'library','name':'a','version':'1','versionRange':'x'"),
		  CV_R_AMBIGUOUS },
		{ ONE("'type':'library','name':'a','hashes':[{'alg':'SHA-256','content':'ab'}]"),
		  CV_R_MALFORMED },
		{ ONE("'type':'library','name':'a','hashes':[{'alg':'SHA-257','content':'ab'}]"),
		  CV_R_MALFORMED },
		{ ONE("'type':'library','name':'a\\u0000b'"), CV_R_MALFORMED },
		{ ONE("'type':'library','name':'\xff'"), CV_R_MALFORMED },
		{ CDX("1.3", ",'components':[{'type':'library','name':'a'}]"), CV_R_MALFORMED },
		{ CDX("1.3", ",'components':[{'type':'library','name':'a','version':''}]"),
		  CV_R_NONE },
		{ ONE("'type':'library','name':'a'"), CV_R_NONE },
		{ ONE("'type':'library','name':'a','unknown':{'x':[1,2.5e3,null,true]}"),
		  CV_R_NONE },
		{ CDX("1.4", ",'metadata':{'tools':[{'name':'syft'}]}"), CV_R_NONE },
		{ CDX("1.7",
		      ",'metadata':{'tools':{'components':[{'name':'x','type':'library'}]}}"),
		  CV_R_NONE },
	};

	rows(t, CV_COUNT(t));
}

static void
spdx(void)
{
	static const struct row t[] = {
		{ "{'spdxVersion':'SPDX-2.1','SPDXID':'SPDXRef-DOCUMENT'}", CV_R_UNSUPPORTED },
		{ "{'spdxVersion':'2.3','SPDXID':'SPDXRef-DOCUMENT'}", CV_R_UNSUPPORTED },
		{ "{'spdxVersion':'SPDX-2.3'}", CV_R_MALFORMED },
		{ "{'spdxVersion':'SPDX-2.3','SPDXID':'x'}", CV_R_MALFORMED },
		{ SPDX(",'packages':{}"), CV_R_MALFORMED },
		{ SPDX(",'components':[]"), CV_R_AMBIGUOUS },
		{ SPDX(",'packages':[{'name':'a'}]"), CV_R_MALFORMED },
		{ SPDX(",'packages':[{'SPDXID':'SPDXRef-a'}]"), CV_R_MALFORMED },
		{ SPDX(",'packages':[{'SPDXID':'SPDXRef-a','name':'a'},"
		       "{'SPDXID':'SPDXRef-a','name':'b'}]"),
		  CV_R_AMBIGUOUS },
		{ SPDX(",'packages':[{'SPDXID':'SPDXRef-a','name':'a','checksums':"
		       "[{'algorithm':'SHA256','checksumValue':'ab'}]}]"),
		  CV_R_MALFORMED },
		{ SPDX(",'packages':[{'SPDXID':'SPDXRef-a','name':'a','externalRefs':["
		       "{'referenceType':'purl','referenceLocator':1}]}]"),
		  CV_R_MALFORMED },
		{ SPDX(",'packages':[{'SPDXID':'SPDXRef-a','name':'a'}],'files':[{'x':1}]"),
		  CV_R_NONE },
		{ "{'@context':'https://spdx.org/rdf/3.0.1/spdx-context.jsonld','@graph':[]}",
		  CV_R_UNSUPPORTED },
		{ "SPDXVersion: SPDX-2.3\n", CV_R_UNSUPPORTED },
		{ "<bom xmlns='http://cyclonedx.org/schema/bom/1.5'/>", CV_R_UNSUPPORTED },
		{ "{'_type':'https://in-toto.io/Statement/v1'}", CV_R_UNSUPPORTED },
	};

	rows(t, CV_COUNT(t));
}

static void
wrappings(void)
{
	static const struct row t[] = {
		{ "'{\\'bomFormat\\':\\'CycloneDX\\',\\'specVersion\\':\\'1.5\\'}'", CV_R_NONE },
		{ "'{\\'bomFormat\\':\\'CycloneDX\\',\\'specVersion\\':\\'1.5\\'} x'",
		  CV_R_MALFORMED },
		{ "'{\\'bomFormat\\':\\'CycloneDX\\',\\'specVersion\\':\\'1.5\\''",
		  CV_R_MALFORMED },
		{ "{'Data':" CDX("1.5", "") ",'Timestamp':'x'}", CV_R_NONE },
		{ "{'Data':'{\\'bomFormat\\':\\'CycloneDX\\',\\'specVersion\\':\\'1.5\\'}'}",
		  CV_R_NONE },
		{ "{'sbom':" SPDX("") "}", CV_R_NONE },
		{ "{'Data':" CDX("1.5", "") ",'other':1}", CV_R_AMBIGUOUS },
		{ "{'Data':{'Data':" CDX("1.5", "") "}}", CV_R_MALFORMED },
		{ "{'bomFormat':'CycloneDX','specVersion':'1.5','Data':" SPDX("") "}",
		  CV_R_AMBIGUOUS },
		{ "'\\'x\\''", CV_R_MALFORMED },
		{ "{'Data':1}", CV_R_MALFORMED },
	};

	/* in the rows of strings a quotation mark inside is written \' */
	rows(t, CV_COUNT(t));
}

static void
what_is_read(void)
{
	struct cv_sbom *s = NULL;

	T_INT(read_text(CDX("1.5",
			    ",'metadata':{'component':{'type':'container','name':'i'}},"
			    "'components':[{'type':'operating-system','name':'debian',"
			    "'version':'12.5'},{'type':'library','group':'g','name':'n',"
			    "'version':'1','purl':'pkg:npm/n@1','components':[{'type':'file',"
			    "'name':'inner'}]},{'type':'library','name':'libc6','properties':["
			    "{'name':'aquasecurity:trivy:SrcName','value':'glibc'},"
			    "{'name':'aquasecurity:trivy:SrcVersion','value':'2.36'},"
			    "{'name':'aquasecurity:trivy:SrcRelease','value':'9'},"
			    "{'name':'aquasecurity:trivy:SrcEpoch','value':'1'}]}]"),
			&s, NULL),
	      CV_R_NONE);
	T_INT(s->n, 5);
	T_STR(s->distro, "debian");
	T_STR(s->distro_version, "12.5");
	for (size_t i = 0; i < s->n; i++) {
		const struct cv_component *c = &s->comp[i];

		if (strcmp(c->name, "i") == 0)
			T(c->root && c->context);
		else if (strcmp(c->name, "inner") == 0 || strcmp(c->name, "debian") == 0)
			T(c->context && !c->root);
		else if (strcmp(c->name, "libc6") == 0) {
			T_STR(c->source, "glibc");
			T_STR(c->source_version, "1:2.36-9");
		} else {
			T_STR(c->name, "g/n");
			T(!c->context);
		}
	}
	cv_sbom_free(&s);
	T_INT(read_text(SPDX(",'creationInfo':{'creators':['Tool: syft-1.0']},'packages':["
			     "{'SPDXID':'SPDXRef-r','name':'img'},"
			     "{'SPDXID':'SPDXRef-a','name':'a','versionInfo':'1','externalRefs':["
			     "{'referenceType':'purl','referenceLocator':'pkg:npm/a@1'},"
			     "{'referenceType':'purl','referenceLocator':'pkg:npm/b@1'},"
			     "{'referenceType':'cpe23Type','referenceLocator':'cpe'}],"
			     "'sourceInfo':'built package from: src 2.0-1'}],"
			     "'relationships':[{'spdxElementId':'SPDXRef-DOCUMENT',"
			     "'relatedSpdxElement':'SPDXRef-r','relationshipType':'DESCRIBES'}]"),
			&s, NULL),
	      CV_R_NONE);
	T_INT(s->n, 3);
	T(s->omits_source);
	T(s->comp[0].root && s->comp[0].context);
	T_STR(s->comp[1].purl, "pkg:npm/a@1");
	T_STR(s->comp[2].purl, "pkg:npm/b@1");
	T_STR(s->comp[1].source, "src");
	T_STR(s->comp[1].source_version, "2.0-1");
	cv_sbom_free(&s);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ROOT(inside)                                                                               \
	CDX("1.5", ",'metadata':{'component':{'type':'container','name':'i'" inside "}}")

static void
binding(void)
{
	static const struct {
		const char *text;
		enum cv_bind want;
	} t[] = {
		{ ROOT(""), CV_BIND_SILENT },
		{ ROOT(",'version':'sha256:" A64 "'"), CV_BIND_EQUAL },
		{ ROOT(",'version':'sha256:" B64 "'"), CV_BIND_OTHER },
		{ ROOT(",'version':'sha256:" A64 "','purl':'pkg:oci/i@sha256:" B64 "'"),
		  CV_BIND_EQUAL },
		{ ROOT(",'purl':'pkg:oci/i@sha256%3A" A64 "'"), CV_BIND_EQUAL },
		{ ROOT(",'purl':'pkg:oci/i@sha256:" B64 "'"), CV_BIND_OTHER },
		{ ROOT(",'properties':[{'name':'aquasecurity:trivy:ImageID','value':'sha256:" B64
		       "'}]"),
		  CV_BIND_OTHER },
		{ ROOT(",'hashes':[{'alg':'SHA-256','content':'" A64 "'}]"), CV_BIND_EQUAL },
		{ SPDX(",'documentNamespace':'https://x/sha256:" A64 "'"), CV_BIND_EQUAL },
		{ SPDX(",'documentNamespace':'https://x/sha256:" B64 "'"), CV_BIND_OTHER },
		/* the root decides before the name */
		{ "{'spdxVersion':'SPDX-2.3','SPDXID':'SPDXRef-DOCUMENT','name':'sha256:" A64
		  "','documentDescribes':['SPDXRef-r'],'packages':[{'SPDXID':'SPDXRef-r',"
		  "'name':'i','versionInfo':'sha256:" B64 "'}]}",
		  CV_BIND_OTHER },
		/* a component is not the image */
		{ CDX("1.5",
		      ",'components':[{'type':'container','name':'i','version':'sha256:" A64 "'}]"),
		  CV_BIND_SILENT },
	};
	struct cv_digest d;
	struct cv_err e = { 0 };

	T_OK(cv_digest_parse(&d, cv_span_str("sha256:" A64), &e), e);
	for (size_t i = 0; i < CV_COUNT(t); i++) {
		const struct cv_sbom_digest *found;
		struct cv_sbom *s = NULL;
		enum cv_bind got;

		T_INT(read_text(t[i].text, &s, NULL), CV_R_NONE);
		got = cv_sbom_bind(s, &d, 1, &found);
		if (got != t[i].want || (found == NULL) != (got == CV_BIND_SILENT))
			t_fail(__FILE__, __LINE__, "%s: %d, want %d", t[i].text, (int)got,
			       (int)t[i].want);
		cv_sbom_free(&s);
	}
}

/* Cut anywhere: refused. */
static void
truncated(void)
{
	static const char text[] =
		CDX("1.5", ",'metadata':{'component':{'type':'container','name':'i'}},"
			   "'components':[{'type':'library','name':'n','purl':'pkg:npm/n@1'}]");
	struct cv_buf b;
	struct cv_sbom *s = NULL;
	struct cv_err e = { 0 };

	(void)quoted(&b, text);
	for (size_t n = 0; n < b.n; n++)
		T(cv_sbom_read_span(&s, cv_span(b.p, n), "cut", &e) != 0);
	T_OK(cv_sbom_read_span(&s, cv_buf_span(&b), "whole", &e), e);
	cv_sbom_free(&s);
	cv_buf_free(&b);
}

static void
limits(void)
{
	struct cv_buf b = CV_BUF(64 << 20);
	struct cv_sbom *s = NULL;
	struct cv_err e = { 0 };

	/* nesting */
	cv_buf_str(&b, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\"");
	for (unsigned i = 0; i < 100; i++)
		cv_buf_str(&b, ",\"components\":[{\"type\":\"library\",\"name\":\"a\"");
	for (unsigned i = 0; i < 100; i++)
		cv_buf_str(&b, "}]");
	cv_buf_str(&b, "}");
	T_NO(cv_sbom_read_span(&s, cv_buf_span(&b), "deep", &e), e, CV_R_LIMIT);
	/* components */
	cv_buf_reset(&b);
	cv_buf_str(&b, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[");
	for (unsigned i = 0; i <= CV_MAX_COMPONENTS; i++)
		cv_buf_fmt(&b, "%s{\"type\":\"library\",\"name\":\"a\"}", i > 0 ? "," : "");
	cv_buf_str(&b, "]}");
	T_NO(cv_sbom_read_span(&s, cv_buf_span(&b), "many", &e), e, CV_R_LIMIT);
	cv_buf_free(&b);
	/* bytes */
	int fd = t_memfd("{", 1);
	T(ftruncate(fd, (off_t)CV_MAX_SBOM + 1) == 0);
	T_NO(cv_sbom_read(&s, (struct cv_blob){ .fd = fd, .len = CV_MAX_SBOM + 1 }, "big", &e), e,
	     CV_R_LIMIT);
	/* a blob that is longer than the file behind it */
	T(ftruncate(fd, 0) == 0);
	T_NO(cv_sbom_read(&s, (struct cv_blob){ .fd = fd, .len = 10 }, "gone", &e), e, CV_R_CUTOFF);
	(void)close(fd);
}

static const struct t_case cases[] = {
	{ "cyclonedx", cyclonedx }, { "spdx", spdx },
	{ "wrappings", wrappings }, { "what_is_read", what_is_read },
	{ "binding", binding },     { "truncated", truncated },
	{ "limits", limits },
};

T_MAIN(cases)
