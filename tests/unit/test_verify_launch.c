/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_launch.c: the command for docker, word by word; an engine that lies,
 * fails or is not there (fakebin/docker); the whole command with it. */
#include "tests/launch/seal.h"
#include "verify/docker.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- words ---- */

/* A contract by hand: what each field becomes. */
struct by_hand {
	struct cv_launchset set;
	struct cv_contract contract;
	struct cv_bundle bundle;
	struct cv_docker docker;
	struct cv_args args;
	struct cv_err e;
};

static const char *const some_env[] = { "PATH=/bin",   "TOKEN=s3cret", "TZ=Mars",
					"MODE=prod-1", "UNRELATED=1",  NULL };

static void
hand(struct by_hand *h)
{
	*h = (struct by_hand){
		.set = { .agent = "small", .platform = "linux/amd64", .read_only_root = true },
		.bundle = { .path = "/b/x", .fd = -1 },
		.docker = { .program = "/bin/docker", .environ = some_env, .cancel_fd = -1 }
	};
	h->contract.set = &h->set;
	h->bundle.set = &h->set;
	T(cv_digest_of(&h->set.image.config, CV_SHA256, cv_span_str("config"), &h->e) == 0);
	T(cv_digest_of(&h->bundle.digest, CV_SHA256, cv_span_str("bundle"), &h->e) == 0);
}

static int
words(struct by_hand *h)
{
	cv_args_free(&h->args);
	return cv_docker_args(&h->args, &h->docker, &h->bundle, &h->contract, &h->set.image.config,
			      &h->e);
}

static bool
has(const struct by_hand *h, const char *word)
{
	for (size_t i = 0; i < h->args.n; i++)
		if (strcmp(h->args.v[i], word) == 0)
			return true;
	return false;
}

static bool
starts(const struct by_hand *h, const char *prefix)
{
	for (size_t i = 0; i < h->args.n; i++)
		if (strncmp(h->args.v[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

static void
command(void)
{
	static const char *const always[] = { "run",
					      "--rm",
					      "--pull=never",
					      "--platform=linux/amd64",
					      "--read-only",
					      "--cap-drop=ALL",
					      "--security-opt=no-new-privileges",
					      "--ipc=private",
					      "--network=none",
					      "--config=/b/x" };
	struct by_hand h;

	hand(&h);
	T_OK(words(&h), h.e);
	for (size_t i = 0; i < CV_COUNT(always); i++)
		if (!has(&h, always[i]))
			t_fail(__FILE__, __LINE__, "no %s", always[i]);
	T(!starts(&h, "--cap-add") && !starts(&h, "--privileged") && !starts(&h, "--device") &&
	  !starts(&h, "--pid") && !starts(&h, "--memory") && !starts(&h, "--user") &&
	  !starts(&h, "--entrypoint") && !starts(&h, "--mount") && !starts(&h, "--env"));
	T_STR(h.args.v[0], "/bin/docker");
	T(strncmp(h.args.v[h.args.n - 1], "sha256:", 7) == 0); /* the image is last */
	T(!has(&h, "--interactive") && !has(&h, "--tty"));
	h.docker.host = "unix:///x";
	h.docker.interactive = h.docker.tty = true;
	T_OK(words(&h), h.e);
	T(has(&h, "--host=unix:///x") && has(&h, "--interactive") && has(&h, "--tty"));
	cv_args_free(&h.args);
}

static void
limits_and_privileges(void)
{
	struct cv_item caps[] = { { .text = "CAP_NET_BIND_SERVICE" } };
	struct cv_item devices[] = { { .text = "/dev/kvm" } };
	struct cv_item egress[] = { { .text = "api.example.com:443" } };
	struct cv_control_state s[CV_CTL_COUNT];
	struct by_hand h;

	hand(&h);
	h.set.limits = (struct cv_limits){ .memory = 1 << 20, .cpus = 1500, .pids = 7 };
	h.set.capabilities = (struct cv_items){ caps, 1 };
	h.set.user = "1000:1000";
	h.set.workdir = "/srv";
	T_OK(words(&h), h.e);
	T(has(&h, "--memory=1048576") && has(&h, "--memory-swap=1048576") &&
	  has(&h, "--cpus=1.500") && has(&h, "--pids-limit=7") &&
	  has(&h, "--cap-add=CAP_NET_BIND_SERVICE") && has(&h, "--user=1000:1000") &&
	  has(&h, "--workdir=/srv"));
	cv_docker_controls(&h.contract, s);
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s), 0);

	/* what policy let it have: stated, and the controls say what is lost */
	h.set.devices = (struct cv_items){ devices, 1 };
	h.set.privileged = true;
	h.set.namespaces = 1u << CV_NS_PID;
	h.set.egress = (struct cv_items){ egress, 1 };
	h.set.read_only_root = false;
	h.set.limits = (struct cv_limits){ .memory = 0 };
	T_OK(words(&h), h.e);
	T(has(&h, "--device=/dev/kvm") && has(&h, "--privileged") && has(&h, "--pid=host") &&
	  has(&h, "--network=bridge") && !has(&h, "--read-only") && !starts(&h, "--memory"));
	cv_docker_controls(&h.contract, s);
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s),
	      1u << CV_CTL_ROOT | 1u << CV_CTL_CAPABILITIES | 1u << CV_CTL_NAMESPACES |
		      1u << CV_CTL_MEMORY | 1u << CV_CTL_CPUS | 1u << CV_CTL_PIDS |
		      1u << CV_CTL_NETWORK_NONE | 1u << CV_CTL_EGRESS);
	T_INT(cv_controls_missing(1u << 31, s), 1u << 31); /* one we do not know */
	h.set.namespaces = 1u << CV_NS_NET | 1u << CV_NS_IPC;
	T_OK(words(&h), h.e);
	T(has(&h, "--network=host") && has(&h, "--ipc=host") && !has(&h, "--network=bridge") &&
	  !has(&h, "--ipc=private"));
	cv_docker_controls(&h.contract, s);
	T(!s[CV_CTL_NETWORK_NONE].enforced && !s[CV_CTL_EGRESS].enforced);
	h.set.egress.n = 0; /* the host's network reaches everything */
	cv_docker_controls(&h.contract, s);
	T(!s[CV_CTL_NETWORK_NONE].enforced && !s[CV_CTL_EGRESS].enforced);
	cv_args_free(&h.args);
}

static void
mounts(void)
{
	struct cv_ls_mount mount[] = { { .target = "/a" }, { .target = "/b,dst=/etc" } };
	const char *sources[] = { "trees/a", "trees/b" };
	struct cv_writable writable[] = {
		{ .path = "/tmp", .kind = CV_W_TMPFS, .size = 4096 },
		{ .path = "/data", .kind = CV_W_VOLUME },
	};
	struct cv_hostbind binds[] = { { .source = "/srv/in", .target = "/in", .readonly = true },
				       { .source = "/srv/\"out\"", .target = "/out" } };
	struct by_hand h;

	hand(&h);
	h.set.mounts = mount;
	h.set.nmounts = 2;
	h.contract.sources = sources;
	h.set.writable = writable;
	h.set.nwritable = 2;
	h.set.binds = binds;
	h.set.nbinds = 2;
	(void)snprintf(h.bundle.path, sizeof(h.bundle.path), "/b,src=/x");
	T_OK(words(&h), h.e);
	T(has(&h, "--mount=type=bind,\"src=/b,src=/x/trees/a\",dst=/a,readonly"));
	T(has(&h, "--mount=type=bind,\"src=/b,src=/x/trees/b\",\"dst=/b,dst=/etc\",readonly"));
	T(has(&h, "--mount=type=tmpfs,dst=/tmp,tmpfs-size=4096,tmpfs-mode=1777"));
	T(has(&h, "--mount=type=volume,dst=/data"));
	T(has(&h, "--mount=type=bind,src=/srv/in,dst=/in,readonly"));
	T(has(&h, "--mount=type=bind,\"src=/srv/\"\"out\"\"\",dst=/out"));
	cv_args_free(&h.args);
}

/* Values that are not bound, and secrets, never come onto the command line. */
static void
environment(void)
{
	struct cv_ls_env env[] = { { .name = "A", .rule = CV_BOUND, .value = "x y" },
				   { .name = "MODE", .rule = CV_PREFIX, .value = "prod-" },
				   { .name = "NOT_SET", .rule = CV_FREE },
				   { .name = "TZ", .rule = CV_FREE } };
	struct cv_item secrets[] = { { .text = "TOKEN" } };
	cv_auto(cv_args_free) struct cv_args out = { 0 };
	struct by_hand h;

	hand(&h);
	h.set.env = env;
	h.set.nenv = CV_COUNT(env);
	h.set.secrets = (struct cv_items){ secrets, 1 };
	T_OK(words(&h), h.e);
	T(has(&h, "--env=A=x y") && has(&h, "--env=MODE") && has(&h, "--env=TZ") &&
	  has(&h, "--env=TOKEN"));
	T(!starts(&h, "--env=NOT_SET") && !starts(&h, "--env=UNRELATED"));
	for (size_t i = 0; i < h.args.n; i++)
		T(strstr(h.args.v[i], "s3cret") == NULL && strstr(h.args.v[i], "Mars") == NULL);
	T_OK(cv_docker_env(&out, &h.docker, &h.contract, &h.e), h.e);
	cv_args_free(&h.args);
	h.args = out;
	out = (struct cv_args){ 0 };
	T(has(&h, "TOKEN=s3cret") && has(&h, "TZ=Mars") && has(&h, "MODE=prod-1") &&
	  has(&h, "PATH=/bin") && !starts(&h, "UNRELATED") && !starts(&h, "A="));
	T_OK(cv_docker_env(&out, &h.docker, NULL, &h.e), h.e);
	cv_args_free(&h.args);
	h.args = out;
	out = (struct cv_args){ 0 };
	T(!starts(&h, "TOKEN") && !starts(&h, "TZ"));

	env[1].value = "test-";
	T_NO(words(&h), h.e, CV_R_USAGE);
	env[1].value = "prod-";
	secrets[0].text = "NO_SUCH_SECRET";
	T_NO(words(&h), h.e, CV_R_USAGE);
	T_HAS(h.e.text, "NO_SUCH_SECRET");
	cv_args_free(&h.args);
}

static void
program(void)
{
	struct cv_item one[] = { { .text = "/bin/agent" }, { .text = "-c" }, { .text = "x y" } };
	struct cv_item command_[] = { { .text = "--privileged" } };
	struct by_hand h;
	size_t n;

	hand(&h);
	h.set.has_entrypoint = h.set.has_command = true;
	h.set.entrypoint = (struct cv_items){ one, 3 };
	h.set.command = (struct cv_items){ command_, 1 };
	T_OK(words(&h), h.e);
	n = h.args.n;
	T(has(&h, "--entrypoint=/bin/agent"));
	T(strncmp(h.args.v[n - 4], "sha256:", 7) == 0); /* what follows is the container's */
	T_STR(h.args.v[n - 3], "-c");
	T_STR(h.args.v[n - 2], "x y");
	T_STR(h.args.v[n - 1], "--privileged");
	h.set.has_entrypoint = false;
	h.set.command.n = 0;
	T_NO(words(&h), h.e, CV_R_UNSUPPORTED);
	cv_args_free(&h.args);
}

/* ---- an engine ---- */

static char fake[1024]; /* directory of the CLI that is told what to do */

static void
fake_make(const char *name)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(65536);
	const char *root = getenv("CV_ROOT");
	struct cv_err e;
	char path[1100];

	cv_text_fmt(path, sizeof(path), "%s/tests/fakebin/docker", root != NULL ? root : ".");
	if (cv_conf_read(&text, AT_FDCWD, path, 65536, &e) != 1)
		t_skip("%s is not there: run from the source directory, or set CV_ROOT", path);
	cv_text_fmt(fake, sizeof(fake), "%s/%s", t_tmpdir(), name);
	T(mkdir(fake, 0700) == 0);
	cv_text_fmt(path, sizeof(path), "%s/docker", fake);
	t_write_file(path, text.p, text.n);
	T(chmod(path, 0700) == 0);
}

static const char *
fake_at(const char *name)
{
	static char path[4][1100];
	static unsigned turn;
	char *out = path[turn++ % 4];

	cv_text_fmt(out, 1100, "%s/%s", fake, name);
	return out;
}

static void
fake_say(const char *name, const char *text)
{
	t_write_file(fake_at(name), text, strlen(text));
}

static bool
fake_heard(const char *name, const char *what)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(16 * CV_MIB);
	struct cv_err e;

	return cv_conf_read(&text, AT_FDCWD, fake_at(name), 16 * CV_MIB, &e) == 1 &&
	       strstr(cv_buf_text(&text), what) != NULL;
}

struct engine {
	struct sealed s;
	struct cv_bundle *b;
	struct cv_docker d;
	char config[CV_DIGEST_TEXT], manifest[CV_DIGEST_TEXT];
	const char *env[3];
	char program[1100], path[1200];
};

static void
engine_make(struct engine *g, const char *name)
{
	const char *check;

	seal_good(&g->s, name);
	T_OK(seal_open(&g->s, &g->b, &check), g->s.e);
	fake_make(small_path(&g->s.small, "fake") + strlen(t_tmpdir()) + 1);
	cv_text_fmt(g->program, sizeof(g->program), "%s/docker", fake);
	cv_text_fmt(g->path, sizeof(g->path), "PATH=%s:/usr/bin:/bin", fake);
	g->env[0] = g->path;
	g->env[1] = g->env[2] = NULL;
	g->d = (struct cv_docker){ .program = g->program, .environ = g->env, .cancel_fd = -1 };
	cv_digest_text(&g->b->set->image.config, g->config);
	cv_digest_text(&g->b->set->image.manifest, g->manifest);
}

static void
engine_free(struct engine *g)
{
	cv_bundle_close(&g->b);
	seal_free(&g->s);
}

static void
refused(struct engine *g, enum cv_reason reason, const char *check)
{
	struct cv_digest id;
	const char *said = NULL;

	T_NO(cv_docker_image(&g->d, g->b, &id, &said, &g->s.e), g->s.e, reason);
	T_STR(said != NULL ? said : "none", check);
}

static void
engines_that_refuse(void)
{
	struct engine g;
	struct cv_digest id;
	char missing[4096];

	engine_make(&g, "refuse");
	fake_say("down", "");
	refused(&g, CV_R_UNREACHABLE, "none");
	T_HAS(g.s.e.text, "Cannot connect");
	T(unlink(fake_at("down")) == 0);

	/* nothing there before, nothing after */
	refused(&g, CV_R_DIGEST, "launch.image-mismatch");
	/* another image answers to the id: before and after loading */
	fake_say("id", "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n");
	refused(&g, CV_R_DIGEST, "launch.image-mismatch");
	T(unlink(fake_at("id")) == 0);
	fake_say("id-after",
		 "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n");
	refused(&g, CV_R_DIGEST, "launch.image-mismatch");
	fake_say("id", "agent:latest\n");
	refused(&g, CV_R_UNREACHABLE, "none");
	T(unlink(fake_at("id")) == 0);
	fake_say("load-fails", "");
	refused(&g, CV_R_IO, "none");
	T_HAS(g.s.e.text, "no space left on device");
	T(unlink(fake_at("load-fails")) == 0);

	/* the programs that are not there */
	g.d.program = fake_at("no-such-docker");
	refused(&g, CV_R_UNREACHABLE, "none");
	T_NO(cv_docker_find(missing, NULL, ":.:relative:/nonexistent", &g.s.e), g.s.e,
	     CV_R_UNREACHABLE);
	T_NO(cv_docker_find(missing, NULL, NULL, &g.s.e), g.s.e, CV_R_UNREACHABLE);
	T_NO(cv_docker_find(missing, "docker", fake, &g.s.e), g.s.e, CV_R_UNREACHABLE);
	g.d.program = g.program;
	fake_say("id-after", g.config);
	T_OK(cv_docker_image(&g.d, g.b, &id, &(const char *){ NULL }, &g.s.e), g.s.e);
	engine_free(&g);
}

static void
engine_loads(void)
{
	struct engine g;
	struct cv_digest id;
	const char *check;
	struct stat st;

	engine_make(&g, "loads");
	fake_say("id-after", g.config);
	T_OK(cv_docker_image(&g.d, g.b, &id, &check, &g.s.e), g.s.e);
	T(cv_digest_eq(&id, &g.b->set->image.config));
	T(fake_heard("log", "load --quiet"));
	T(!fake_heard("env", "UNRELATED"));
	/* a tar that others read too */
	{
		char cmd[2400];

		cv_text_fmt(cmd, sizeof(cmd),
			    "mkdir %s && tar -C %s -xf %s && cd %s && diff -r . %s >/dev/null",
			    fake_at("x"), fake_at("x"), fake_at("loaded"), fake_at("x"),
			    seal_at(&g.s, "oci"));
		T_INT(system(cmd), 0);
	}
	/* it is there now: nothing is loaded again */
	T(unlink(fake_at("loaded")) == 0);
	T_OK(cv_docker_image(&g.d, g.b, &id, &check, &g.s.e), g.s.e);
	T(stat(fake_at("loaded"), &st) != 0);
	/* an engine with containerd's store calls it by its manifest */
	fake_say("id", g.manifest);
	T_OK(cv_docker_image(&g.d, g.b, &id, &check, &g.s.e), g.s.e);
	T(cv_digest_eq(&id, &g.b->set->image.manifest));
	engine_free(&g);
}

/* A blob changed between opening and loading: the archive is never finished. */
static void
changed_while_loading(void)
{
	struct engine g;
	char blob[256];

	engine_make(&g, "changing");
	cv_text_fmt(blob, sizeof(blob), "oci/blobs/sha256/%s", g.config + 7);
	T(chmod(seal_at(&g.s, blob), 0644) == 0);
	small_flip(seal_at(&g.s, blob), 5);
	fake_say("id-after", g.config);
	refused(&g, CV_R_DIGEST, "bundle.changed");
	T(access(fake_at("id"), F_OK) != 0); /* load did not end well */
	engine_free(&g);
}

static void
what_an_engine_can_do(void)
{
	struct engine g;
	struct cv_control_state s[CV_CTL_COUNT] = { 0 };

	engine_make(&g, "able");
	for (size_t i = 0; i < CV_CTL_COUNT; i++)
		s[i].enforced = true;
	T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s), 0);
	fake_say("info", "true false true \n");
	T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s), 1u << CV_CTL_CPUS);
	fake_say("volumes", "/data\n/tmp\n\n");
	T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s),
	      1u << CV_CTL_CPUS | 1u << CV_CTL_ROOT);
	fake_say("volumes", "/tmp\n\n");
	s[CV_CTL_ROOT].enforced = true; /* what the launch has writable anyway */
	{
		struct cv_writable w = { .path = "/tmp", .kind = CV_W_TMPFS };

		g.b->set->writable = &w;
		g.b->set->nwritable = 1;
		T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
		g.b->set->writable = NULL;
		g.b->set->nwritable = 0;
	}
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s), 1u << CV_CTL_CPUS);
	fake_say("volumes", "/skills\n/skills/pdf\n/skills/pdf-x\n");
	{ /* at the mount or above it hides nothing */
		struct cv_ls_mount m = { .target = "/skills/pdf" }, *was = g.b->set->mounts;
		size_t n = g.b->set->nmounts;

		g.b->set->mounts = &m;
		g.b->set->nmounts = 1;
		T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
		T(s[CV_CTL_MOUNTS].enforced);
		fake_say("volumes", "/skills/pdf/scripts\n");
		T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
		T(!s[CV_CTL_MOUNTS].enforced);
		g.b->set->mounts = was;
		g.b->set->nmounts = n;
	}
	s[CV_CTL_ROOT].enforced = s[CV_CTL_MOUNTS].enforced = true;
	fake_say("volumes", "\n");
	fake_say("info", "\n");
	T_OK(cv_docker_able(&g.d, g.b, &g.b->set->image.config, s, &g.s.e), g.s.e);
	T_INT(cv_controls_missing((1u << CV_CTL_COUNT) - 1, s),
	      1u << CV_CTL_CPUS | 1u << CV_CTL_MEMORY | 1u << CV_CTL_PIDS);
	engine_free(&g);
}

/* ---- the whole command ---- */

static int
clawverify(const struct engine *g, const char *args, struct cv_buf *out)
{
	char cmd[9000], line[1100];
	struct cv_err e;
	int status;

	cv_text_fmt(line, sizeof(line), "%s/out", fake);
	cv_text_fmt(cmd, sizeof(cmd),
		    "PATH=%s:/usr/bin:/bin HOME=%s XDG_STATE_HOME=%s XDG_CACHE_HOME=%s "
		    "%s/clawverify launch --key %s %s >%s 2>&1",
		    fake, g->s.small.dir, g->s.small.dir, g->s.small.dir, t_build(),
		    small_path(&g->s.small, "sealer.key"), args, line);
	status = system(cmd);
	cv_buf_reset(out);
	T(cv_conf_read(out, AT_FDCWD, line, 65536, &e) >= 0);
	T(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
need_program(void)
{
	char path[1100];

	cv_text_fmt(path, sizeof(path), "%s/clawverify", t_build());
	if (access(path, X_OK) != 0)
		t_skip("%s is not built", path);
	if (access("/etc/clawverify/gate.json", F_OK) == 0)
		t_skip("this host has a gate.json of its own");
}

static void
whole_command(void)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);
	struct engine g;
	struct stat st;
	char args[5000];

	need_program();
	engine_make(&g, "whole");
	fake_say("id-after", g.config);
	cv_text_fmt(args, sizeof(args), "--print %s", g.s.path);
	T_INT(clawverify(&g, args, &out), 0);
	T_HAS(cv_buf_text(&out), "--pull=never");
	T(stat(fake_at("log"), &st) != 0); /* nothing was started */

	T_INT(clawverify(&g, g.s.path, &out), 0);
	T_HAS(cv_buf_text(&out), "container output");
	T_HAS(cv_buf_text(&out), "enforced");
	T(fake_heard("run", g.config) && fake_heard("run", "--pull=never"));
	fake_say("run-exit", "77");
	T_INT(clawverify(&g, g.s.path, &out), 77); /* the container's own */

	T(unlink(fake_at("run")) == 0);
	cv_text_fmt(args, sizeof(args), "%s --with podman", g.s.path);
	T_INT(clawverify(&g, args, &out), 2);
	fake_say("id", "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
	T_INT(clawverify(&g, g.s.path, &out), 1);
	T_HAS(cv_buf_text(&out), "launch.image-mismatch");
	fake_say("down", "");
	T_INT(clawverify(&g, g.s.path, &out), 3);
	T(unlink(fake_at("down")) == 0);
	fake_say("id", g.config);
	T(chmod(g.s.dir, 0777) == 0);
	T_INT(clawverify(&g, g.s.path, &out), 1);
	T_HAS(cv_buf_text(&out), "others may write there");
	T(chmod(g.s.dir, 0700) == 0);
	T(chmod(seal_at(&g.s, "trees/sums/SKILL.md"), 0644) == 0);
	small_flip(seal_at(&g.s, "trees/sums/SKILL.md"), 3);
	T(chmod(seal_at(&g.s, "trees/sums/SKILL.md"), 0444) == 0);
	T_INT(clawverify(&g, g.s.path, &out), 1);
	T_HAS(cv_buf_text(&out), "bundle.changed");
	T_INT(clawverify(&g, "/nonexistent", &out), 2);
	T(stat(fake_at("run"), &st) != 0);
	engine_free(&g);
}

/* A bundle whose policy wants what docker cannot do. */
static void
required_control(void)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);
	cv_auto(cv_buf_free) struct cv_buf agent = CV_BUF(65536);
	struct engine g;
	struct stat st;
	const char *p;

	need_program();
	engine_make(&g, "required");
	T_INT(cv_conf_read(&agent, AT_FDCWD, small_path(&g.s.small, "agent.json"), 65536, &g.s.e),
	      1);
	p = strstr(cv_buf_text(&agent), "\"limits\"");
	T(p != NULL);
	{
		cv_auto(cv_buf_free) struct cv_buf more = CV_BUF(65536);

		cv_buf_add(&more, agent.p, (size_t)((const uint8_t *)p - agent.p));
		cv_buf_str(&more, "\"network\": [\"api.example.com:443\"],\n");
		cv_buf_str(&more, p);
		t_write_file(small_path(&g.s.small, "agent.json"), more.p, more.n);
	}
	for (unsigned required = 0; required < 2; required++) {
		small_policy(&g.s.small, "", "",
			     required ? "\"uncovered\": {\"accept\": [\"egress\"]},\n\"launch\": "
					"{\"required_controls\": [\"egress\"]},\n"
				      : "\"uncovered\": {\"accept\": [\"egress\"]},\n");
		cv_agent_free(&g.s.run.agent);
		T_OK(cv_agent_load(&g.s.run.agent, small_path(&g.s.small, "agent.json"), &g.s.e),
		     g.s.e);
		g.s.run.rq.agent = g.s.run.agent;
		run_policy(&g.s.run);
		seal_verify(&g.s);
		T_OK(seal_try(&g.s), g.s.e);
		fake_say("id", g.config);
		T_INT(clawverify(&g, g.s.path, &out), required ? 1 : 0);
		if (required)
			T_HAS(cv_buf_text(&out), "launch.control-unenforced");
		else
			T_HAS(cv_buf_text(&out), "unenforced  docker cannot filter");
		T(required ? stat(fake_at("run"), &st) != 0 : unlink(fake_at("run")) == 0);
	}
	engine_free(&g);
}

/* Under a gate.json: its keys, its policies, its program, its engine. */
static void
under_a_gate(void)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(65536);
	struct engine g;
	char gate[3000], args[12000];

	need_program();
	engine_make(&g, "gate");
	fake_say("id", g.config);
	for (unsigned named = 0; named < 2; named++) {
		cv_text_fmt(gate, sizeof(gate),
			    "{ \"schema\": \"clawverify.gate-config/1\", \"bundle_keys\": "
			    "[\"sealer.pub\"], \"policies\": [{ \"name\": \"own\", \"path\": "
			    "\"%s\" }],\n"
			    "\"adapters\": [{ \"name\": \"docker\", \"program\": \"%s\", \"host\": "
			    "\"unix:///run/its.sock\" }] }\n",
			    named ? small_path(&g.s.small, "policy.json")
				  : "/nonexistent/policy.json",
			    g.program);
		t_write_file(small_path(&g.s.small, "gate.json"), gate, strlen(gate));
		cv_text_fmt(args, sizeof(args), "--gate %s %s", small_path(&g.s.small, "gate.json"),
			    g.s.path);
		T_INT(clawverify(&g, args, &out), named ? 0 : 2);
		if (!named)
			T_HAS(cv_buf_text(&out), "policy.not-authorised");
		else
			T(fake_heard("log", "--host=unix:///run/its.sock"));
		T((access(fake_at("run"), F_OK) == 0) == (named != 0));
	}
	T(unlink(fake_at("run")) == 0);
	cv_text_fmt(args, sizeof(args), "--gate %s --host unix:///run/mine.sock %s",
		    small_path(&g.s.small, "gate.json"), g.s.path);
	T_INT(clawverify(&g, args, &out), 2);
	cv_text_fmt(args, sizeof(args), "--gate %s %s", small_path(&g.s.small, "none.json"),
		    g.s.path);
	T_INT(clawverify(&g, args, &out), 2);
	/* the key on the command line is not asked for: the gate's are others */
	cv_text_fmt(
		gate, sizeof(gate),
		"{ \"schema\": \"clawverify.gate-config/1\", \"policies\": [{ \"name\": \"own\", "
		"\"path\": \"%s\" }] }\n",
		small_path(&g.s.small, "policy.json"));
	t_write_file(small_path(&g.s.small, "gate.json"), gate, strlen(gate));
	cv_text_fmt(args, sizeof(args), "--gate %s %s", small_path(&g.s.small, "gate.json"),
		    g.s.path);
	T_INT(clawverify(&g, args, &out), 1);
	T_HAS(cv_buf_text(&out), "bundle.untrusted");
	T(access(fake_at("run"), F_OK) != 0);
	engine_free(&g);
}

static const struct t_case cases[] = {
	{ "the command, always", command },
	{ "limits and privileges", limits_and_privileges },
	{ "mounts", mounts },
	{ "environment and secrets", environment },
	{ "entrypoint and command", program },
	{ "engines that refuse or lie", engines_that_refuse },
	{ "an engine that loads", engine_loads },
	{ "a blob that changes while it is loaded", changed_while_loading },
	{ "limits that the engine cannot enforce", what_an_engine_can_do },
	{ "the whole command", whole_command },
	{ "a required control", required_control },
	{ "under a gate.json", under_a_gate },
};
T_MAIN(cases)
