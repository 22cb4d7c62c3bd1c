/* SPDX-License-Identifier: Apache-2.0 */
/* look.c: see look.h. Must never take a file that was not searched for one without a
 * pickle. */
#include "sbom/found/look.h"
#include "sbom/found/pickle.h"

#include <string.h>

#include "trust/base/banned.h"

struct looking {
	struct cv_answers *a;
	const struct cv_looked *l;
	unsigned hits;
};

static int
say(struct looking *k, struct cv_finding *f, struct cv_err *e)
{
	if (f->where[0] == '\0')
		cv_finding_where(f, "%s", k->l->where);
	f->evidence = k->l->digest;
	return cv_answer(k->a, f, e);
}

static int
on_pickle(void *ctx, const struct cv_pickle *p, struct cv_err *e)
{
	struct looking *k = ctx;
	struct cv_finding f = cv_finding_no("model.pickle", CV_R_RULE);

	k->hits++;
	cv_finding_where(&f, "%s%s%s, byte %llu", k->l->where, p->member[0] != '\0' ? "!" : "",
			 p->member, (unsigned long long)p->offset);
	cv_finding_found(&f, "a pickle: %s%s%s", p->rule,
			 p->imports[0] != '\0' ? "; it imports " : "", p->imports);
	cv_finding_expected(&f, "no pickle: loading one runs what it says");
	return say(k, &f, e);
}

/* Nothing else is called so; what lies in it may be packed in a way of its own. */
static bool
named_pickle(const char *name)
{
	static const char *const ends[] = { ".pkl", ".pickle", ".joblib", ".dill" };

	for (size_t i = 0; i < CV_COUNT(ends); i++)
		if (cv_span_has_suffix(cv_span_str(name), ends[i]))
			return true;
	return false;
}

static int
by_name(struct looking *k, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("model.pickle", CV_R_RULE);

	cv_finding_found(&f, "a pickle by its name");
	cv_finding_expected(&f, "no pickle: loading one runs what it says");
	return say(k, &f, e);
}

int
cv_look(struct cv_answers *a, const struct cv_looked *l, const struct cv_format *format,
	struct cv_err *e)
{
	struct cv_finding f = cv_finding_no("model.pickle", CV_R_UNSUPPORTED);
	struct looking k = { .a = a, .l = l };
	uint64_t unseen = 0;

	if (cv_pickle_find(l->blob, on_pickle, &k, &unseen, e) != 0)
		return cv_fail_within(e, "%s", l->where);
	/* a strict reader accounts for every byte of these */
	if (format->kind == CV_FORMAT_SAFETENSORS || format->kind == CV_FORMAT_GGUF)
		return 0;
	if (k.hits == 0 && named_pickle(l->name))
		return by_name(&k, e);
	if (unseen == 0 && !format->sealed)
		return 0;
	cv_finding_expected(&f, "contents that can be searched for pickles");
	if (unseen > 0)
		cv_finding_found(&f, "%llu members that cannot be looked into",
				 (unsigned long long)unseen);
	else
		cv_finding_found(&f, "%s, which is not looked into", format->word);
	return say(&k, &f, e);
}
