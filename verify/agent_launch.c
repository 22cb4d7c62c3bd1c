/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_launch.c: the launch section of agent.json. Must never let a launcher
 * understand more than was written: no path, name or host that two programs
 * could take differently. Whether the agent may have it is policy's question.
 */
#include "verify/agent_int.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/limits.h"

#include "trust/base/banned.h"

#define MIN_MEMORY (6 * CV_MIB) /* moby daemon_unix.go, linuxMinMemory */
#define MAX_MEMORY (1024 * 1024 * CV_GIB)
#define MAX_PIDS   4194304 /* the kernel's PID_MAX_LIMIT */

const char *const cv_writable_words[] = { "tmpfs", "volume", NULL };
const char *const cv_ns_words[] = { "pid", "net", "ipc", "uts", "user", NULL };

/* capability(7), as of Linux 5.9; CAP_LAST_CAP has not moved since */
const char *const cv_capability_words[] = {
	"CAP_AUDIT_CONTROL",   "CAP_AUDIT_READ",   "CAP_AUDIT_WRITE",
	"CAP_BLOCK_SUSPEND",   "CAP_BPF",          "CAP_CHECKPOINT_RESTORE",
	"CAP_CHOWN",           "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",          "CAP_FSETID",       "CAP_IPC_LOCK",
	"CAP_IPC_OWNER",       "CAP_KILL",         "CAP_LEASE",
	"CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",    "CAP_MAC_OVERRIDE",
	"CAP_MKNOD",           "CAP_NET_ADMIN",    "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",   "CAP_NET_RAW",      "CAP_PERFMON",
	"CAP_SETFCAP",         "CAP_SETGID",       "CAP_SETPCAP",
	"CAP_SETUID",          "CAP_SYSLOG",       "CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",        "CAP_SYS_CHROOT",   "CAP_SYS_MODULE",
	"CAP_SYS_NICE",        "CAP_SYS_PACCT",    "CAP_SYS_PTRACE",
	"CAP_SYS_RAWIO",       "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",  "CAP_WAKE_ALARM",   NULL
};

/* ---- names ---- */

static bool
env_name(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 128 || (*s >= '0' && *s <= '9'))
		return false;
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static bool
user_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 128 && *s != '-' && *s != ':' &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:") ==
		       n &&
	       strchr(s, ':') == strrchr(s, ':');
}

/* under: is path `dir` itself or below it? */
static bool
under(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 1);
}

/* target_wrong: places that are the launcher's own. */
static const char *
target_wrong(const char *path)
{
	if (strcmp(path, "/") == 0)
		return "the whole root";
	if (under(path, "/proc") || under(path, "/sys"))
		return "a place of the kernel";
	if (under(path, "/dev") && !under(path, "/dev/shm"))
		return "a place of the kernel";
	return NULL;
}

/* read_target: the key of a map from places inside the sandbox. */
static int
read_target(const struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	const char *path = cv_jv_key(v), *wrong = cv_path_wrong(path);

	if (wrong != NULL)
		return cv_conf_at(e, g->file, cv_jv_key_pos(v),
				  "found \"%s\", want an absolute path in the sandbox: %s", path,
				  wrong);
	wrong = target_wrong(path);
	if (wrong != NULL)
		return cv_conf_at(e, g->file, cv_jv_key_pos(v),
				  "found \"%s\", %s, want another place in the sandbox", path,
				  wrong);
	return 0;
}

/* open_map: room for the members of an optional object. */
static int
open_map(struct cv_agent *g, struct cv_jv v, void **ret, size_t size, struct cv_err *e)
{
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu members, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	*ret = cv_mem_get(&g->mem, cv_jv_len(v), size, e);
	return *ret != NULL ? 0 : -1;
}

/* ---- environment ---- */

static int
env_value(struct cv_env *env, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "prefix", "free", NULL };
	struct cv_jv prefix = cv_jv_get(v, "prefix"), free_ = cv_jv_get(v, "free");
	bool yes;

	env->rule = CV_BOUND;
	if (cv_jv_type(v) == CV_J_STRING)
		return cv_jv_text(v, &env->value, e);
	if (cv_jv_type(v) != CV_J_OBJECT)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "\"%s\" is %s, want its value, {\"prefix\": \"...\"} or "
				  "{\"free\": true}",
				  env->name, cv_jv_type_word(v));
	if (cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (prefix.absent == free_.absent)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "\"%s\" has %s, want one of \"prefix\" and "
				  "\"free\"",
				  env->name, prefix.absent ? "neither" : "both");
	if (!prefix.absent) {
		env->rule = CV_PREFIX;
		return cv_jv_str(prefix, &env->value, e);
	}
	env->rule = CV_FREE;
	if (cv_jv_bool(free_, &yes, e) != 0)
		return -1;
	return yes ? 0 : cv_jv_fail(free_, e, CV_R_CONFIG, "found false, want true");
}

static int
by_env(const void *a, const void *b)
{
	return strcmp(((const struct cv_env *)a)->name, ((const struct cv_env *)b)->name);
}

static int
read_env(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;
	void *room = NULL;

	if (open_map(g, v, &room, sizeof(*l->env), e) != 0)
		return -1;
	l->env = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_env *env = &l->env[l->nenv++];

		env->name = cv_jv_key(i);
		env->pos = cv_jv_key_pos(i);
		if (!env_name(env->name))
			return cv_conf_at(e, g->file, env->pos,
					  "found \"%s\", want a name of letters, digits and '_'",
					  env->name);
		if (env_value(env, i, e) != 0)
			return -1;
	}
	if (l->nenv > 0)
		qsort(l->env, l->nenv, sizeof(*l->env), by_env);
	return 0;
}

static int
read_secrets(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;

	if (cv_conf_items(&g->mem, v, &l->secrets, e) != 0)
		return -1;
	for (size_t i = 0; i < l->secrets.n; i++) {
		const struct cv_item *s = &l->secrets.v[i];
		const struct cv_env key = { .name = s->text };

		if (!env_name(s->text))
			return cv_conf_at(e, g->file, s->pos,
					  "found \"%s\", want a name of letters, digits and '_'",
					  s->text);
		if (l->nenv > 0 && bsearch(&key, l->env, l->nenv, sizeof(key), by_env) != NULL)
			return cv_conf_at(
				e, g->file, s->pos,
				"found \"%s\" in \"secrets\" and in \"env\", want it in one",
				s->text);
	}
	return 0;
}

/* ---- places ---- */

static int
by_target(const void *a, const void *b)
{
	return strcmp(((const struct cv_mount *)a)->target, ((const struct cv_mount *)b)->target);
}

static int
read_mount(struct cv_agent *g, struct cv_mount *m, struct cv_jv v, struct cv_err *e)
{
	const char *name;

	m->target = cv_jv_key(v);
	m->pos = cv_jv_key_pos(v);
	if (read_target(g, v, e) != 0 || cv_jv_str(v, &name, e) != 0)
		return -1;
	m->artifact = cv_agent_find(g, name);
	if (m->artifact == NULL)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", want the name of an artifact",
				  name);
	if (m->artifact->type == CV_A_IMAGE || !cv_artifact_covered(m->artifact))
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "found %s \"%s\", want an artifact that has files to mount",
				  cv_atype_word(m->artifact->type), name);
	return 0;
}

static int
read_mounts(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;
	void *room = NULL;

	if (open_map(g, v, &room, sizeof(*l->mounts), e) != 0)
		return -1;
	l->mounts = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (read_mount(g, &l->mounts[l->nmounts++], i, e) != 0)
			return -1;
	if (l->nmounts > 0)
		qsort(l->mounts, l->nmounts, sizeof(*l->mounts), by_target);
	/* a tree has no room for a mount point that is not in it; what is below
	 * another in bytewise order need not be its neighbour ("/a", "/a-b", "/a/b") */
	for (size_t i = 0; i < l->nmounts; i++)
		for (size_t k = i + 1; k < l->nmounts; k++)
			if (under(l->mounts[k].target, l->mounts[i].target))
				return cv_conf_at(e, g->file, l->mounts[k].pos,
						  "found \"%s\" below \"%s\", want mounts that do "
						  "not hold one another",
						  l->mounts[k].target, l->mounts[i].target);
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct cv_writable *)a)->path, ((const struct cv_writable *)b)->path);
}

static int
read_writable_item(struct cv_agent *g, struct cv_writable *w, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "kind", "size", NULL };
	const struct cv_mount key = { .target = w->path };
	struct cv_jv size = cv_jv_get(v, "size");
	size_t kind;

	if (read_target(g, v, e) != 0 || cv_jv_want(v, CV_J_OBJECT, e) != 0 ||
	    cv_jv_keys(v, keys, e) != 0 ||
	    cv_jv_choice(cv_jv_get(v, "kind"), cv_writable_words, &kind, e) != 0)
		return -1;
	w->kind = (enum cv_writable_kind)(kind + 1);
	if (size.absent && w->kind == CV_W_TMPFS)
		return cv_jv_fail(v, e, CV_R_CONFIG,
				  "tmpfs \"%s\" has no \"size\", want one like \"64MiB\"", w->path);
	if (!size.absent && cv_conf_size(size, &w->size, e) != 0)
		return -1;
	if (g->launch.nmounts > 0 &&
	    bsearch(&key, g->launch.mounts, g->launch.nmounts, sizeof(key), by_target) != NULL)
		return cv_conf_at(e, g->file, w->pos,
				  "found \"%s\" in \"writable\" and in \"mounts\", want it in one",
				  w->path);
	return 0;
}

static int
read_writable(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;
	void *room = NULL;

	if (open_map(g, v, &room, sizeof(*l->writable), e) != 0)
		return -1;
	l->writable = room;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i)) {
		struct cv_writable *w = &l->writable[l->nwritable++];

		w->path = cv_jv_key(i);
		w->pos = cv_jv_key_pos(i);
		if (read_writable_item(g, w, i, e) != 0)
			return -1;
	}
	if (l->nwritable > 0)
		qsort(l->writable, l->nwritable, sizeof(*l->writable), by_path);
	return 0;
}

static bool
target_taken(const struct cv_launch *l, const struct cv_hostbind *b)
{
	const struct cv_mount mount = { .target = b->target };
	const struct cv_writable writable = { .path = b->target };

	for (const struct cv_hostbind *k = l->binds; k < b; k++)
		if (strcmp(k->target, b->target) == 0)
			return true;
	return (l->nmounts > 0 &&
		bsearch(&mount, l->mounts, l->nmounts, sizeof(mount), by_target) != NULL) ||
	       (l->nwritable > 0 &&
		bsearch(&writable, l->writable, l->nwritable, sizeof(writable), by_path) != NULL);
}

static int
read_bind(struct cv_agent *g, struct cv_hostbind *b, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "source", "target", "readonly", NULL };
	struct cv_jv target = cv_jv_get(v, "target"), ro = cv_jv_get(v, "readonly");
	const char *wrong;

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0 ||
	    cv_conf_absolute(cv_jv_get(v, "source"), &b->source, e) != 0 ||
	    cv_conf_absolute(target, &b->target, e) != 0)
		return -1;
	b->pos = cv_jv_pos(v);
	b->readonly = true;
	if (!ro.absent && cv_jv_bool(ro, &b->readonly, e) != 0)
		return -1;
	wrong = target_wrong(b->target);
	if (wrong != NULL)
		return cv_jv_fail(target, e, CV_R_CONFIG,
				  "found \"%s\", %s, want another place in the sandbox", b->target,
				  wrong);
	if (target_taken(&g->launch, b))
		return cv_jv_fail(target, e, CV_R_CONFIG,
				  "found \"%s\" twice, want each place once", b->target);
	return 0;
}

static int
read_binds(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;

	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_ARRAY, e) != 0)
		return -1;
	if (cv_jv_len(v) > CV_MAX_LIST_ITEMS)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %zu elements, want at most %d",
				  cv_jv_len(v), CV_MAX_LIST_ITEMS);
	l->binds = cv_mem_get(&g->mem, cv_jv_len(v), sizeof(*l->binds), e);
	if (l->binds == NULL)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (read_bind(g, &l->binds[l->nbinds++], i, e) != 0)
			return -1;
	return 0;
}

/* ---- limits, network, privileges ---- */

int
cv_conf_limits(struct cv_jv v, struct cv_limits *ret, struct cv_err *e)
{
	static const char *const keys[] = { "memory", "cpus", "pids", NULL };
	struct cv_jv memory = cv_jv_get(v, "memory"), cpus = cv_jv_get(v, "cpus");
	struct cv_jv pids = cv_jv_get(v, "pids");

	*ret = (struct cv_limits){ 0 };
	if (v.absent)
		return 0;
	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	if (!memory.absent && cv_conf_size(memory, &ret->memory, e) != 0)
		return -1;
	if (!memory.absent && (ret->memory < MIN_MEMORY || ret->memory > MAX_MEMORY))
		return cv_jv_fail(
			memory, e, CV_R_CONFIG,
			"found %llu bytes, want 6MiB, which is the least that engines take, "
			"to 1024TiB",
			(unsigned long long)ret->memory);
	if (!cpus.absent && cv_conf_cpus(cpus, &ret->cpus, e) != 0)
		return -1;
	if (pids.absent)
		return 0;
	if (cv_jv_u64(pids, MAX_PIDS, &ret->pids, e) != 0)
		return -1;
	return ret->pids > 0 ? 0
			     : cv_jv_fail(pids, e, CV_R_CONFIG, "found 0, want at least 1 process");
}

int
cv_conf_capabilities(struct cv_mem *m, struct cv_jv v, struct cv_items *ret, struct cv_err *e)
{
	size_t which;

	if (cv_conf_items(m, v, ret, e) != 0)
		return -1;
	for (struct cv_jv i = cv_jv_first(v); !i.absent; i = cv_jv_next(i))
		if (cv_jv_choice(i, cv_capability_words, &which, e) != 0)
			return -1;
	return 0;
}

static int
read_network(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_items *egress = &g->launch.egress;

	if (cv_conf_items(&g->mem, v, egress, e) != 0)
		return -1;
	for (size_t i = 0; i < egress->n; i++) {
		const char *wrong = cv_egress_wrong(egress->v[i].text, false);

		if (wrong != NULL)
			return cv_conf_at(e, g->file, egress->v[i].pos,
					  "found \"%s\", want \"host:port\": %s", egress->v[i].text,
					  wrong);
	}
	return 0;
}

static int
read_devices(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_items *devices = &g->launch.devices;

	if (cv_conf_items(&g->mem, v, devices, e) != 0)
		return -1;
	for (size_t i = 0; i < devices->n; i++) {
		const char *path = devices->v[i].text, *wrong = cv_path_wrong(path);

		if (wrong == NULL && (!under(path, "/dev") || strcmp(path, "/dev") == 0))
			wrong = "it is not below /dev";
		/* the separator of launchers' device options */
		if (wrong == NULL && strchr(path, ':') != NULL)
			wrong = "it has a ':'";
		if (wrong != NULL)
			return cv_conf_at(e, g->file, devices->v[i].pos,
					  "found \"%s\", want a device like \"/dev/kvm\": %s", path,
					  wrong);
	}
	return 0;
}

static int
read_privileges(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;
	struct cv_jv ro = cv_jv_get(v, "read_only_root"), privileged = cv_jv_get(v, "privileged");
	struct cv_jv ns = cv_jv_get(v, "namespaces");

	l->read_only_root = true;
	if (!ro.absent && cv_jv_bool(ro, &l->read_only_root, e) != 0)
		return -1;
	l->privileged_pos = cv_jv_pos(privileged.absent ? v : privileged);
	if (!privileged.absent && cv_jv_bool(privileged, &l->privileged, e) != 0)
		return -1;
	l->namespaces_pos = cv_jv_pos(ns.absent ? v : ns);
	if (!ns.absent && cv_conf_mask(ns, cv_ns_words, &l->namespaces, e) != 0)
		return -1;
	if (cv_conf_capabilities(&g->mem, cv_jv_get(v, "capabilities"), &l->capabilities, e) != 0)
		return -1;
	return read_devices(g, cv_jv_get(v, "devices"), e);
}

/* ---- what runs ---- */

static int
read_image(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	const char *name;

	if (cv_jv_str(v, &name, e) != 0)
		return -1;
	g->launch.image = cv_agent_find(g, name);
	if (g->launch.image == NULL)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found \"%s\", want the name of an artifact",
				  name);
	if (g->launch.image->type != CV_A_IMAGE)
		return cv_jv_fail(v, e, CV_R_CONFIG, "found %s \"%s\", want an image",
				  cv_atype_word(g->launch.image->type), name);
	return 0;
}

static int
read_process(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	struct cv_launch *l = &g->launch;
	struct cv_jv command = cv_jv_get(v, "command"), entry = cv_jv_get(v, "entrypoint");
	struct cv_jv dir = cv_jv_get(v, "workdir"), user = cv_jv_get(v, "user");

	l->has_command = !command.absent;
	l->has_entrypoint = !entry.absent;
	if (cv_conf_texts(&g->mem, command, &l->command, e) != 0 ||
	    cv_conf_texts(&g->mem, entry, &l->entrypoint, e) != 0)
		return -1;
	/* an engine takes an empty list for none, and would run the image's own words */
	if (l->has_command && l->command.n == 0)
		return cv_jv_fail(
			command, e, CV_R_CONFIG,
			"found an empty list, want at least one word; leave \"command\" out "
			"for the image's own, or name an \"entrypoint\"");
	if (l->has_entrypoint && l->entrypoint.n == 0 && !l->has_command)
		return cv_jv_fail(entry, e, CV_R_CONFIG,
				  "found an empty list and no \"command\", so nothing would run");
	if (!dir.absent && cv_conf_absolute(dir, &l->workdir, e) != 0)
		return -1;
	if (user.absent)
		return 0;
	if (cv_jv_str(user, &l->user, e) != 0)
		return -1;
	return user_name(l->user) ? 0
				  : cv_jv_fail(user, e, CV_R_CONFIG,
					       "found \"%s\", want a user like \"1000\", "
					       "\"1000:1000\" or \"app\"",
					       l->user);
}

int
cv_agent_launch(struct cv_agent *g, struct cv_jv v, struct cv_err *e)
{
	static const char *const keys[] = { "image",      "command",      "entrypoint",
					    "workdir",    "user",         "env",
					    "mounts",     "writable",     "network",
					    "limits",     "capabilities", "read_only_root",
					    "secrets",    "privileged",   "devices",
					    "namespaces", "binds",        NULL };
	struct cv_jv limits = cv_jv_get(v, "limits"), network = cv_jv_get(v, "network");

	if (cv_jv_want(v, CV_J_OBJECT, e) != 0 || cv_jv_keys(v, keys, e) != 0)
		return -1;
	g->launch.pos = cv_jv_pos(v);
	g->launch.limits_pos = cv_jv_pos(limits.absent ? v : limits);
	g->launch.network_pos = cv_jv_pos(network.absent ? v : network);
	if (read_image(g, cv_jv_get(v, "image"), e) != 0 || read_process(g, v, e) != 0 ||
	    read_env(g, cv_jv_get(v, "env"), e) != 0 ||
	    read_secrets(g, cv_jv_get(v, "secrets"), e) != 0)
		return -1;
	if (read_mounts(g, cv_jv_get(v, "mounts"), e) != 0 ||
	    read_writable(g, cv_jv_get(v, "writable"), e) != 0 ||
	    read_binds(g, cv_jv_get(v, "binds"), e) != 0)
		return -1;
	if (read_network(g, network, e) != 0 || cv_conf_limits(limits, &g->launch.limits, e) != 0)
		return -1;
	return read_privileges(g, v, e);
}
