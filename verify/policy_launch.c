/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_launch.c: what a launch may have. Must never find an agreement where
 * policy was silent about something that undoes the sandbox.
 */
#include "verify/policy_int.h"

#include <string.h>

#include "trust/base/limits.h"
#include "trust/base/text.h"
#include "verify/launchset.h"

#include "trust/base/banned.h"

const char *const cv_control_words[] = {
	[CV_CTL_IMAGE] = "image",
	[CV_CTL_MOUNTS] = "mounts",
	[CV_CTL_ROOT] = "read-only-root",
	[CV_CTL_CAPABILITIES] = "capabilities",
	[CV_CTL_NO_NEW_PRIVILEGES] = "no-new-privileges",
	[CV_CTL_USER] = "user",
	[CV_CTL_NAMESPACES] = "namespaces",
	[CV_CTL_MEMORY] = "memory",
	[CV_CTL_CPUS] = "cpus",
	[CV_CTL_PIDS] = "pids",
	[CV_CTL_NETWORK_NONE] = "network-none",
	[CV_CTL_EGRESS] = "egress",
	[CV_CTL_COUNT] = NULL,
};

static const char *const kinds[] = { "mcp-remote", "model-hosted", "egress", "writable",
				     "secret",     "bind",         NULL };

/* ---- reading ---- */

static int
check_accept(const char *file, const struct cv_item *item, struct cv_err *e)
{
	char kind[32] = "";
	size_t n = strcspn(item->text, ":");
	const char *near;

	if (n < sizeof(kind))
		memcpy(kind, item->text, n);
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (strcmp(kind, kinds[i]) == 0 && strlen(item->text) <= CV_MAX_GLOB &&
		    strcmp(item->text + n, ":") != 0)
			return 0;
	near = cv_word_near(kind, kinds);
	if (near != NULL && strcmp(near, kind) != 0)
		return cv_conf_at(e, file, item->pos, "found \"%s\"; did you mean \"%s%s\"?",
				  item->text, near, item->text + n);
	return cv_conf_at(e, file, item->pos,
			  "found \"%s\", want one of mcp-remote, model-hosted, egress, writable, "
			  "secret, bind, alone or with \":\" and what exactly",
			  item->text);
}

int
cv_policy_read_accept(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "accept", NULL };
	struct cv_jv accept = cv_jv_get(v, "accept");
	struct cv_items items;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_conf_items(&p->mem, accept, &items, e) != 0)
		return -1;
	for (size_t i = 0; i < items.n; i++)
		if (check_accept(cv_json_name(v.doc), &items.v[i], e) != 0)
			return -1;
	if (p->accept.v == NULL)
		p->accept = items;
	return 0;
}

static int
check_allow(const char *file, const struct cv_item *item, struct cv_err *e)
{
	static const char *const words[] = { "docker-socket", "privileged", "writable-code", NULL };
	const char *ns = "host-namespace:", *device = "device:";
	const char *near;

	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(item->text, words[i]) == 0)
			return 0;
	if (strncmp(item->text, ns, strlen(ns)) == 0)
		for (size_t i = 0; cv_ns_words[i] != NULL; i++)
			if (strcmp(item->text + strlen(ns), cv_ns_words[i]) == 0)
				return 0;
	if (strncmp(item->text, device, strlen(device)) == 0 &&
	    cv_path_wrong(item->text + strlen(device)) == NULL)
		return 0;
	near = cv_word_near(item->text, words);
	if (near != NULL)
		return cv_conf_at(e, file, item->pos, "found \"%s\"; did you mean \"%s\"?",
				  item->text, near);
	return cv_conf_at(e, file, item->pos,
			  "found \"%s\", want \"docker-socket\", \"privileged\", "
			  "\"writable-code\", \"host-namespace:\" and one of pid, net, ipc, uts, "
			  "user, or \"device:\" and its path",
			  item->text);
}

static int
read_allow(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	struct cv_items items;

	if (cv_conf_items(&p->mem, v, &items, e) != 0)
		return -1;
	for (size_t i = 0; i < items.n; i++)
		if (check_allow(cv_json_name(v.doc), &items.v[i], e) != 0)
			return -1;
	if (p->allow.v == NULL)
		p->allow = items;
	return 0;
}

static int
read_network(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	struct cv_items items;

	if (v.absent)
		return 0;
	if (cv_conf_items(&p->mem, v, &items, e) != 0)
		return -1;
	for (size_t i = 0; i < items.n; i++) {
		const char *wrong = cv_egress_wrong(items.v[i].text, true);

		if (wrong != NULL)
			return cv_conf_at(e, cv_json_name(v.doc), items.v[i].pos,
					  "found \"%s\", want \"host:port\", '*' allowed: %s",
					  items.v[i].text, wrong);
	}
	if (!p->has_network)
		p->network = items;
	p->has_network = true;
	return 0;
}

static int
read_max(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	struct cv_limits max;

	if (cv_conf_limits(v, &max, e) != 0)
		return -1;
	p->max.memory = p->max.memory > 0 ? p->max.memory : max.memory;
	p->max.cpus = p->max.cpus > 0 ? p->max.cpus : max.cpus;
	p->max.pids = p->max.pids > 0 ? p->max.pids : max.pids;
	return 0;
}

static int
read_controls(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	unsigned mask = 0;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > 0 && cv_conf_mask(v, cv_control_words, &mask, e) != 0)
		return -1;
	if (!p->has_controls)
		p->required_controls = mask;
	p->has_controls = true;
	return 0;
}

int
cv_policy_read_launch(struct cv_policy *p, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = {
		"allow", "limits", "capabilities", "network", "required_controls", NULL
	};
	struct cv_jv caps = cv_jv_get(v, "capabilities");
	struct cv_items items;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    read_allow(p, cv_jv_get(v, "allow"), e) != 0 ||
	    read_max(p, cv_jv_get(v, "limits"), e) != 0)
		return -1;
	if (cv_conf_capabilities(&p->mem, caps, &items, e) != 0)
		return -1;
	if (!caps.absent && !p->has_capabilities) {
		p->capabilities = items;
		p->has_capabilities = true;
	}
	if (read_network(p, cv_jv_get(v, "network"), e) != 0)
		return -1;
	return read_controls(p, cv_jv_get(v, "required_controls"), e);
}

/* ---- asking ---- */

bool
cv_policy_accepts(const struct cv_policy *p, const char *what)
{
	size_t kind = strcspn(what, ":");

	for (size_t i = 0; i < p->accept.n; i++) {
		const char *pattern = p->accept.v[i].text;
		size_t n = strcspn(pattern, ":");

		if (n != kind || strncmp(pattern, what, n) != 0)
			continue;
		if (pattern[n] == '\0' || (what[n] == ':' && cv_glob(pattern + n, what + n)))
			return true;
	}
	return false;
}

bool
cv_policy_allows(const struct cv_policy *p, const char *what)
{
	return cv_items_has(&p->allow, what);
}

/* ---- the agent's launch ---- */

struct asking {
	const struct cv_policy *p;
	const struct cv_launch *l;
	int (*fn)(void *ctx, const struct cv_finding *f, struct cv_jpos pos, struct cv_err *e);
	void *ctx;
};

static int
refuse(const struct asking *q, const char *check, struct cv_jpos pos, const char *expected,
       const char *found, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(check, CV_R_RULE);

	cv_finding_expected(&f, "%s", expected);
	cv_finding_found(&f, "%s", found);
	return q->fn(q->ctx, &f, pos, e);
}

static int
ask_privileges(const struct asking *q, struct cv_err *e)
{
	const struct cv_launch *l = q->l;
	char text[512];

	if (l->privileged && !cv_policy_allows(q->p, "privileged") &&
	    refuse(q, "launch.privileged", l->privileged_pos, "not privileged", "privileged", e) !=
		    0)
		return -1;
	for (size_t i = 0; i < CV_NS_COUNT; i++) {
		if ((l->namespaces & 1u << i) == 0)
			continue;
		cv_text_fmt(text, sizeof(text), "host-namespace:%s", cv_ns_words[i]);
		if (!cv_policy_allows(q->p, text) &&
		    refuse(q, "launch.host-namespace", l->namespaces_pos, "a namespace of its own",
			   text, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < l->devices.n; i++) {
		cv_text_fmt(text, sizeof(text), "device:%s", l->devices.v[i].text);
		if (!cv_policy_allows(q->p, text) && refuse(q, "launch.device", l->devices.v[i].pos,
							    "no device of the host", text, e) != 0)
			return -1;
	}
	return 0;
}

/* meet: is one of two places the other, or below it? */
static bool
meet(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t less = n < m ? n : m;

	return strncmp(a, b, less) == 0 &&
	       (n == m || less <= 1 || (n < m ? b[less] : a[less]) == '/');
}

/* code_at: what of the agent would be found at this place, NULL nothing. */
static const char *
code_at(const struct cv_launch *l, const char *path)
{
	static const char *const system[] = { "/bin",   "/boot", "/etc",  "/lib", "/lib32",
					      "/lib64", "/opt",  "/sbin", "/usr" };
	const struct cv_items *run[] = { &l->entrypoint, &l->command };

	for (size_t i = 0; i < l->nmounts; i++)
		if (meet(path, l->mounts[i].target))
			return l->mounts[i].target;
	for (size_t i = 0; i < CV_COUNT(system); i++)
		if (meet(path, system[i]))
			return system[i];
	for (size_t i = 0; i < CV_COUNT(run); i++)
		if (run[i]->n > 0 && run[i]->v[0].text[0] == '/' && meet(path, run[i]->v[0].text))
			return run[i]->v[0].text;
	return NULL;
}

static int
ask_code(const struct asking *q, const char *path, struct cv_jpos pos, struct cv_err *e)
{
	const char *code = code_at(q->l, path);
	char text[512];

	if (code == NULL || cv_policy_allows(q->p, "writable-code"))
		return 0;
	cv_text_fmt(text, sizeof(text), "%s can be written, and %s is there", path, code);
	return refuse(q, "launch.writable-code", pos, "code that stays as it was verified", text,
		      e);
}

static int
ask_places(const struct asking *q, struct cv_err *e)
{
	const struct cv_launch *l = q->l;
	char text[512];

	for (size_t i = 0; i < l->nwritable; i++)
		if (ask_code(q, l->writable[i].path, l->writable[i].pos, e) != 0)
			return -1;
	for (size_t i = 0; i < l->nbinds; i++) {
		const struct cv_hostbind *b = &l->binds[i];

		if (cv_launch_socket(b->source) && !cv_policy_allows(q->p, "docker-socket") &&
		    refuse(q, "launch.docker-socket", b->pos, "no container engine's socket",
			   b->source, e) != 0)
			return -1;
		/* files of the host that can be written: nobody knows what they
		 * are, or will be; read-only ones are "uncovered" */
		if (!b->readonly && !cv_policy_allows(q->p, "writable-code")) {
			cv_text_fmt(text, sizeof(text), "%s of the host, writable, as %s",
				    b->source, b->target);
			if (refuse(q, "launch.writable-code", b->pos,
				   "files of the host only to read", text, e) != 0)
				return -1;
		} else if (b->readonly && code_at(l, b->target) != NULL &&
			   !cv_policy_allows(q->p, "writable-code")) {
			cv_text_fmt(text, sizeof(text), "%s of the host over %s", b->source,
				    code_at(l, b->target));
			if (refuse(q, "launch.writable-code", b->pos,
				   "code that stays as it was verified", text, e) != 0)
				return -1;
		}
	}
	if (!l->read_only_root && (q->p->required_controls & 1u << CV_CTL_ROOT) != 0)
		return refuse(q, "launch.control-unenforced", l->pos, "\"read_only_root\": true",
			      "a root file system that can be written", e);
	return 0;
}

static int
ask_limit(const struct asking *q, enum cv_control control, uint64_t asked, uint64_t max,
	  struct cv_err *e)
{
	const char *word = cv_control_words[control];
	bool required = (q->p->required_controls & 1u << control) != 0;
	char want[128], found[128];

	if (asked == 0 ? max == 0 && !required : max == 0 || asked <= max)
		return 0;
	if (max == 0)
		cv_text_fmt(want, sizeof(want), "a limit of %s", word);
	else
		cv_text_fmt(want, sizeof(want), "%s at most %llu%s", word, (unsigned long long)max,
			    control == CV_CTL_CPUS ? " thousandths" : "");
	if (asked == 0)
		cv_text_fmt(found, sizeof(found), "no limit of %s", word);
	else
		cv_text_fmt(found, sizeof(found), "%s %llu%s", word, (unsigned long long)asked,
			    control == CV_CTL_CPUS ? " thousandths" : "");
	return refuse(q, "launch.limits", q->l->limits_pos, want, found, e);
}

static int
ask_lists(const struct asking *q, struct cv_err *e)
{
	const struct cv_launch *l = q->l;

	for (size_t i = 0; q->p->has_capabilities && i < l->capabilities.n; i++)
		if (!cv_items_has(&q->p->capabilities, l->capabilities.v[i].text) &&
		    refuse(q, "launch.capability", l->capabilities.v[i].pos,
			   "a capability that policy grants", l->capabilities.v[i].text, e) != 0)
			return -1;
	for (size_t i = 0; q->p->has_network && i < l->egress.n; i++) {
		bool granted = false;

		for (size_t k = 0; k < q->p->network.n; k++)
			granted = granted || cv_glob(q->p->network.v[k].text, l->egress.v[i].text);
		if (!granted &&
		    refuse(q, "launch.network", l->egress.v[i].pos, "an address that policy grants",
			   l->egress.v[i].text, e) != 0)
			return -1;
	}
	return 0;
}

int
cv_policy_launch(const struct cv_policy *p, const struct cv_agent *a,
		 int (*fn)(void *ctx, const struct cv_finding *f, struct cv_jpos pos,
			   struct cv_err *e),
		 void *ctx, struct cv_err *e)
{
	const struct asking q = { .p = p, .l = &a->launch, .fn = fn, .ctx = ctx };

	if (!a->has_launch)
		return 0;
	if (ask_privileges(&q, e) != 0 || ask_places(&q, e) != 0 || ask_lists(&q, e) != 0)
		return -1;
	if (ask_limit(&q, CV_CTL_MEMORY, a->launch.limits.memory, p->max.memory, e) != 0 ||
	    ask_limit(&q, CV_CTL_CPUS, a->launch.limits.cpus, p->max.cpus, e) != 0)
		return -1;
	return ask_limit(&q, CV_CTL_PIDS, a->launch.limits.pids, p->max.pids, e);
}
