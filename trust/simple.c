/* SPDX-License-Identifier: Apache-2.0 */
/* simple.c: see simple.h. */
#include "trust/simple.h"

#include <string.h>

#include "trust/base/jread.h"
#include "trust/base/text.h"

#include "trust/base/banned.h"

#define TYPE "cosign container image signature"

static const char *const top_keys[] = { "critical", "optional", NULL };
static const char *const critical_keys[] = { "type", "image", "identity", NULL };
static const char *const image_keys[] = { "docker-manifest-digest", NULL };
static const char *const identity_keys[] = { "docker-reference", NULL };

static int
read_type(struct cv_jv v, struct cv_err *e)
{
	char brief[CV_TEXT_BRIEF];
	const char *type;

	if (cv_jv_str(v, &type, e) != 0)
		return -1;
	if (strcmp(type, TYPE) != 0)
		return cv_jv_fail(v, e, CV_R_UNSUPPORTED, "found \"%s\", want \"" TYPE "\"",
				  cv_text_brief(brief, cv_span_str(type)));
	return 0;
}

static int
read_identity(struct cv_simple *s, struct cv_jv v, struct cv_err *e)
{
	const char *text;

	if (v.absent || cv_jv_type(v) == CV_J_NULL)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jread_known(v, identity_keys, e) != 0 ||
	    cv_jread_opt(v, "docker-reference", &text, e) != 0)
		return -1;
	cv_text_fmt(s->reference, sizeof(s->reference), "%s", text);
	return 0;
}

int
cv_simple_parse(struct cv_simple *ret, const char *name, struct cv_span text, struct cv_err *e)
{
	cv_auto(cv_json_free) struct cv_jdoc *doc = NULL;
	struct cv_simple s = { .reference = "" };
	struct cv_jv root, critical, image;
	const char *digest;

	if (cv_json_parse(&doc, name, text, CV_JSON_REALS, e) != 0)
		return -1;
	root = cv_json_root(doc);
	critical = cv_jv_get(root, "critical");
	image = cv_jv_get(critical, "image");
	if (cv_jv_want(root, CV_J_OBJECT, e) != 0 || cv_jread_known(root, top_keys, e) != 0 ||
	    cv_jv_want(critical, CV_J_OBJECT, e) != 0 ||
	    cv_jread_known(critical, critical_keys, e) != 0 ||
	    read_type(cv_jv_get(critical, "type"), e) != 0 ||
	    cv_jv_want(image, CV_J_OBJECT, e) != 0 || cv_jread_known(image, image_keys, e) != 0 ||
	    cv_jv_str(cv_jv_get(image, "docker-manifest-digest"), &digest, e) != 0 ||
	    read_identity(&s, cv_jv_get(critical, "identity"), e) != 0)
		return -1;
	if (cv_digest_parse(&s.digest, cv_span_str(digest), e) != 0)
		return cv_fail_within(e, "%s: docker-manifest-digest", name);
	*ret = s;
	return 0;
}
