/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify_gate.c: questions to the admission hook: what has to be denied, each
 * right in all else; then what is allowed. */
#include "tests/launch/seal.h"
#include "trust/base/clock.h"
#include "verify/gates/exec.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct host {
	struct sealed s;
	struct cv_gatecfg *gate;
	struct cv_gate_answer a;
	struct cv_buf json; /* the answer */
	int64_t now;
	struct cv_err e;
};

/* gate.json: `policies` and `more` are members; the sealer's key is believed
 * unless `keys` says otherwise. */
static void
gate_write(struct host *h, const char *policies, const char *more)
{
	cv_auto(cv_buf_free) struct cv_buf b = CV_BUF(65536);

	cv_buf_fmt(&b,
		   "{ \"schema\": \"clawverify.gate-config/1\", \"policies\": [%s],\n"
		   "\"bundle_keys\": [\"sealer.pub\"]%s }\n",
		   policies, more);
	T(b.failed == CV_R_NONE);
	t_write_file(small_path(&h->s.small, "gate.json"), b.p, b.n);
	cv_gatecfg_free(&h->gate);
	T_OK(cv_gatecfg_load(&h->gate, small_path(&h->s.small, "gate.json"), &h->e), h->e);
}

static const char *
by_path(const struct host *h)
{
	static char text[1200];

	cv_text_fmt(text, sizeof(text), "{ \"name\": \"own\", \"path\": \"%s\" }",
		    small_path(&h->s.small, "policy.json"));
	return text;
}

static void
host_make(struct host *h, const char *name)
{
	*h = (struct host){ .json = CV_BUF(CV_MAX_JSON_DOM), .now = (int64_t)time(NULL) };
	seal_good(&h->s, name);
	gate_write(h, by_path(h), "");
}

static void
host_free(struct host *h)
{
	cv_gate_answer_free(&h->a);
	cv_gatecfg_free(&h->gate);
	cv_buf_free(&h->json);
	seal_free(&h->s);
}

/* ---- questions ---- */

/* launch: the launch exactly as it was sealed, as a request. */
static json_t *
launch(struct host *h)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	json_t *v;

	T_INT(cv_conf_read(&text, AT_FDCWD, seal_at(&h->s, "launch-set.json"), CV_MAX_JSON_DOM,
			   &h->e),
	      1);
	v = json_loadb((const char *)text.p, text.n, 0, NULL);
	T(v != NULL &&
	  json_object_set_new(v, "schema", json_string("clawverify.launch-request/1")) == 0);
	return v;
}

/* question: with `patch` merged into the launch, and `outer` into the whole. */
static void
question(struct host *h, const char *patch, const char *outer, struct cv_buf *out)
{
	json_t *v, *l = launch(h), *p = json_loads(patch, 0, NULL);
	json_t *o = json_loads(outer, 0, NULL);
	char digest[CV_DIGEST_TEXT];
	const char *key;
	json_t *value;
	void *tmp;
	char *text;

	T(p != NULL && o != NULL && json_object_update_recursive(l, p) == 0);
	v = json_pack("{s:s,s:s,s:o}", "schema", CV_GATEREQ_SCHEMA, "bundle",
		      cv_digest_text(&h->s.digest, digest), "launch", l);
	T(v != NULL && json_object_update(v, o) == 0);
	json_object_foreach_safe(v, tmp, key, value) /* null in `outer` takes away */
		if (json_is_null(value)) json_object_del(v, key);
	l = json_object_get(v, "launch");
	if (l != NULL)
		json_object_foreach_safe(l, tmp, key, value) if (json_is_null(value))
			json_object_del(l, key);
	text = json_dumps(v, 0);
	T(text != NULL);
	cv_buf_reset(out);
	cv_buf_str(out, text);
	free(text);
	json_decref(v);
	json_decref(p);
	json_decref(o);
}

static void
ask_text(struct host *h, struct cv_span request)
{
	const struct cv_gate_in in = { .request = request,
				       .gate = h->gate,
				       .bundles = h->s.dir,
				       .now = h->now,
				       .role = { .dir = t_build(), .cancel_fd = -1 } };

	cv_gate_answer_free(&h->a);
	cv_gate_ask(&h->a, &in);
	cv_buf_reset(&h->json);
	T_OK(cv_gate_emit(&h->a, request, &h->json, &h->e), h->e);
}

static void
ask(struct host *h, const char *patch, const char *outer)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);

	question(h, patch, outer, &text);
	ask_text(h, cv_buf_span(&text));
}

static void
denied(const struct host *h, enum cv_exit code, const char *check)
{
	if (h->a.exit != code || strstr(cv_buf_text(&h->json), check) == NULL)
		t_fail(__FILE__, __LINE__, "want exit %d and %s, found %d: %s", (int)code, check,
		       (int)h->a.exit, cv_buf_text(&h->json));
	T_HAS(cv_buf_text(&h->json), code == CV_EXIT_FAIL || code == CV_EXIT_USAGE
					     ? "\"decision\":\"deny\""
					     : "\"decision\":\"retry\"");
	T_HAS(cv_buf_text(&h->json), "\"image_ids\":[]");
	T_HAS(cv_buf_text(&h->json), "\"mounts\":[]");
	T_HAS(cv_buf_text(&h->json), "\"valid_until\":null");
}

/* ---- cases ---- */

static void
allowed(void)
{
	char source[5000], other[200];
	struct host h;

	host_make(&h, "allowed");
	ask(&h, "{}", "{}");
	if (h.a.exit != CV_EXIT_PASS)
		t_fail(__FILE__, __LINE__, "%s", cv_buf_text(&h.json));
	T_HAS(cv_buf_text(&h.json), "\"decision\":\"allow\"");
	T_HAS(cv_buf_text(&h.json), "\"scope\":\"launch\"");
	T_HAS(cv_buf_text(&h.json), "\"reasons\":[]");
	T_HAS(cv_buf_text(&h.json), "/trees/llm\",\"target\":\"/models/llm\"");
	T_HAS(cv_buf_text(&h.json), "\"retry_after\":null");
	/* asking for less is fine: what is at most */
	ask(&h, "{\"limits\": {\"memory\": 1048576, \"pids\": 3}}", "{}");
	T_INT(h.a.exit, CV_EXIT_PASS);
	/* by path, and with the right sources */
	cv_text_fmt(source, sizeof(source),
		    "{\"bundle\": \"%s\", \"sources\": {\"/models/llm\": \"%s/trees/llm\"}}",
		    h.s.path, h.s.path);
	ask(&h, "{}", source);
	T_INT(h.a.exit, CV_EXIT_PASS);
	/* the policy by its bytes: what lies on the host does not matter */
	T(rename(small_path(&h.s.small, "policy.json"), small_path(&h.s.small, "away")) == 0);
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	{
		struct cv_digest d;
		char text[CV_DIGEST_TEXT];

		T_OK(cv_digest_of(&d, CV_SHA256, cv_buf_span(&h.s.policy_text), &h.e), h.e);
		cv_text_fmt(other, sizeof(other), "{ \"name\": \"p\", \"sha256\": \"%s\" }",
			    cv_digest_text(&d, text));
	}
	gate_write(&h, other, "");
	ask(&h, "{}", "{}");
	T_INT(h.a.exit, CV_EXIT_PASS);
	host_free(&h);
}

/* The launch differs in one thing from what was sealed. */
static void
launches(void)
{
	static const struct {
		const char *patch, *check;
	} v[] = {
		{ "{\"image\": {\"config\": "
		  "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}}",
		  "launch.image-mismatch" },
		{ "{\"image\": {\"manifest\": "
		  "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}}",
		  "launch.image-mismatch" },
		{ "{\"image\": null}", "launch.image-mismatch" },
		{ "{\"mounts\": {\"/extra\": "
		  "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}}",
		  "launch.set-mismatch" },
		{ "{\"mounts\": {\"/models/llm\": "
		  "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}}",
		  "launch.set-mismatch" },
		{ "{\"mounts\": null}", "launch.set-mismatch" },
		{ "{\"env\": {\"LD_PRELOAD\": \"/x.so\"}}", "launch.set-mismatch" },
		{ "{\"command\": [\"sh\"]}", "launch.set-mismatch" },
		{ "{\"entrypoint\": [\"sh\"]}", "launch.set-mismatch" },
		{ "{\"user\": \"0\"}", "launch.set-mismatch" },
		{ "{\"workdir\": \"/x\"}", "launch.set-mismatch" },
		{ "{\"capabilities\": [\"CAP_SYS_ADMIN\"]}", "launch.set-mismatch" },
		{ "{\"egress\": [\"evil.example:443\"]}", "launch.set-mismatch" },
		{ "{\"secrets\": [\"TOKEN\"]}", "launch.set-mismatch" },
		{ "{\"limits\": {\"memory\": 9999999999}}", "launch.set-mismatch" },
		{ "{\"limits\": null}", "launch.set-mismatch" },
		{ "{\"read_only_root\": false}", "launch.set-mismatch" },
		{ "{\"writable\": {\"/data\": {\"kind\": \"tmpfs\", \"size\": 4096}}}",
		  "launch.set-mismatch" },
		{ "{\"privileged\": true}", "launch.privileged" },
		{ "{\"devices\": [\"/dev/kvm\"]}", "launch.device" },
		{ "{\"namespaces\": [\"pid\"]}", "launch.host-namespace" },
		{ "{\"binds\": [{\"source\": \"/var/run/docker.sock\", \"target\": \"/s\", "
		  "\"readonly\": true}]}",
		  "launch.docker-socket" },
		{ "{\"binds\": [{\"source\": \"/srv/code\", \"target\": \"/app\", "
		  "\"readonly\": false}]}",
		  "launch." },
		{ "{\"agent\": \"another\"}", "launch.set-mismatch" },
		{ "{\"platform\": \"linux/arm64\"}", "launch." },
	};
	struct host h;

	host_make(&h, "launches");
	for (size_t i = 0; i < CV_COUNT(v); i++) {
		ask(&h, v[i].patch, "{}");
		if (h.a.exit != CV_EXIT_FAIL)
			t_fail(__FILE__, __LINE__, "%s: exit %d, %s", v[i].patch, (int)h.a.exit,
			       cv_buf_text(&h.json));
		denied(&h, CV_EXIT_FAIL, v[i].check);
	}
	ask(&h, "{}", "{\"sources\": {\"/models/llm\": \"/srv/other\"}}");
	denied(&h, CV_EXIT_FAIL, "launch.set-mismatch");
	ask(&h, "{}", "{\"sources\": {\"/elsewhere\": \"/srv/other\"}}");
	denied(&h, CV_EXIT_FAIL, "launch.set-mismatch");
	ask(&h, "{}", "{}");
	T_INT(h.a.exit, CV_EXIT_PASS);
	host_free(&h);
}

/* What cannot be understood. */
static void
malformed(void)
{
	static const char *const texts[] = {
		"",
		"garbage",
		"{",
		"[]",
		"null",
		"{}",
		"{\"schema\": \"clawverify.gate-request/1\"}",
		"{\"schema\": \"clawverify.gate-request/2\", \"bundle\": \"/x\", \"image\": \"y\"}",
		"{\"schema\": \"clawverify.gate-request/1\", \"bundle\": \"/x\"}",
		"{\"schema\": \"clawverify.gate-request/1\", \"schema\": \"x\", \"bundle\": "
		"\"/x\"}",
		"{\"schema\": \"clawverify.gate-request/1\", \"bundle\": \"/x\", \"image\": \"a\", "
		"\"launch\": {}}",
		"{\"schema\": \"clawverify.gate-request/1\", \"bundle\": \"../x\", \"image\": "
		"\"a\"}",
		"{\"schema\": \"clawverify.gate-request/1\", \"bundle\": \"md5:00\", \"image\": "
		"\"a\"}",
		"{\"schema\": \"clawverify.gate-request/1\", \"bundle\": 7, \"image\": \"a\"}",
		"\xff\xfe{}",
	};
	static const char *const outers[] = {
		"{\"launch\": []}",
		"{\"launch\": {\"schema\": \"clawverify.launch-request/2\"}}",
		"{\"launch\": {\"schema\": \"clawverify.launch-request/1\", \"users\": \"0\"}}",
		"{\"enforced\": [\"everything\"]}",
		"{\"sources\": []}",
		"{\"Launch\": {}}",
		"{\"policy\": \"/etc/mine.json\"}",
		"{\"image\": \"agent:latest\", \"launch\": null}",
		"{\"image\": 7, \"launch\": null}",
	};
	cv_auto(cv_buf_free) struct cv_buf deep = CV_BUF(CV_MIB);
	struct host h;

	host_make(&h, "malformed");
	for (size_t i = 0; i < CV_COUNT(texts); i++) {
		ask_text(&h, cv_span_str(texts[i]));
		denied(&h, CV_EXIT_USAGE, "gate.malformed");
	}
	for (size_t i = 0; i < CV_COUNT(outers); i++) {
		ask(&h, "{}", outers[i]);
		denied(&h, CV_EXIT_USAGE, "gate.malformed");
	}
	for (size_t i = 0; i < 100000; i++)
		cv_buf_byte(&deep, '[');
	ask_text(&h, cv_buf_span(&deep));
	denied(&h, CV_EXIT_USAGE, "gate.malformed");
	host_free(&h);
}

/* Bundles that do not count. */
static void
bundles(void)
{
	cv_auto(cv_signkey_free) struct cv_signkey *k = NULL;
	cv_auto(cv_mem_free) struct cv_mem mem = { 0 };
	struct cv_key other;
	struct host h;
	char text[5000];

	host_make(&h, "bundles");
	ask(&h, "{}",
	    "{\"bundle\": "
	    "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}");
	denied(&h, CV_EXIT_FAIL, "bundle.untrusted");
	ask(&h, "{}", "{\"bundle\": \"/nonexistent\"}");
	denied(&h, CV_EXIT_FAIL, "bundle.untrusted");
	/* found under the name of another */
	cv_text_fmt(text, sizeof(text), "%s/sha256-%064d", h.s.dir, 7);
	T(rename(h.s.path, text) == 0);
	cv_text_fmt(h.s.path, sizeof(h.s.path), "%s", text);
	cv_text_fmt(text, sizeof(text), "{\"bundle\": \"sha256:%064d\"}", 7);
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.changed");
	/* by path too; under a name that says no digest, the rest is judged */
	cv_text_fmt(text, sizeof(text), "{\"bundle\": \"%s\"}", h.s.path);
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.changed");
	cv_text_fmt(text, sizeof(text), "%s/moved", h.s.dir);
	T(rename(h.s.path, text) == 0);
	cv_text_fmt(h.s.path, sizeof(h.s.path), "%s", text);
	cv_text_fmt(text, sizeof(text), "{\"bundle\": \"%s\"}", h.s.path);

	h.now = h.s.run.res->valid_until;
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.expired");
	h.now = h.s.run.res->now - CV_CLOCK_SKEW - 1;
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.expired");
	h.now = h.s.run.res->now;

	seal_key(&k, &other, &mem, small_path(&h.s.small, "stranger"));
	T(rename(small_path(&h.s.small, "sealer.pub"), small_path(&h.s.small, "kept.pub")) == 0);
	T(rename(small_path(&h.s.small, "stranger.pub"), small_path(&h.s.small, "sealer.pub")) ==
	  0);
	gate_write(&h, by_path(&h), "");
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.untrusted");
	T(rename(small_path(&h.s.small, "kept.pub"), small_path(&h.s.small, "sealer.pub")) == 0);
	gate_write(&h, by_path(&h), "");

	T(chmod(h.s.dir, 0777) == 0);
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.untrusted");
	T(chmod(h.s.dir, 0700) == 0);

	T(chmod(seal_at(&h.s, "trees/sums/SKILL.md"), 0644) == 0);
	small_flip(seal_at(&h.s, "trees/sums/SKILL.md"), 3);
	T(chmod(seal_at(&h.s, "trees/sums/SKILL.md"), 0444) == 0);
	ask(&h, "{}", text);
	denied(&h, CV_EXIT_FAIL, "bundle.changed");
	T(chmod(seal_at(&h.s, "trees/sums/SKILL.md"), 0644) == 0);
	small_flip(seal_at(&h.s, "trees/sums/SKILL.md"), 3);
	T(chmod(seal_at(&h.s, "trees/sums/SKILL.md"), 0444) == 0);
	ask(&h, "{}", text);
	T_INT(h.a.exit, CV_EXIT_PASS);
	host_free(&h);
}

/* Policies that this host does not accept. */
static void
policies(void)
{
	struct host h;

	host_make(&h, "policies");
	gate_write(&h, "", "");
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	gate_write(&h, "{ \"name\": \"x\", \"path\": \"/nonexistent/policy.json\" }", "");
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	gate_write(&h,
		   "{ \"name\": \"x\", \"sha256\": "
		   "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\" }",
		   "");
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	/* named, but changed since the bundle was sealed */
	gate_write(&h, by_path(&h), "");
	small_policy(&h.s.small, "", "", "\"valid_for\": \"1h\",\n");
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	small_policy(&h.s.small, "", "", "");
	/* named by its path alone, and others can write it */
	T(chmod(small_path(&h.s.small, "policy.json"), 0666) == 0);
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	T(chmod(small_path(&h.s.small, "policy.json"), 0644) == 0);
	gate_write(&h, by_path(&h), ", \"min_version\": 7");
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	gate_write(&h, by_path(&h), ", \"final\": { \"/confinement\": \"required\" }");
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	gate_write(&h, by_path(&h), "");
	ask(&h, "{}", "{}");
	T_INT(h.a.exit, CV_EXIT_PASS);
	host_free(&h);
}

/* A policy that nobody named, signed: by whom, what, and as what. */
static void
signed_policies(void)
{
	cv_auto(cv_signkey_free) struct cv_signkey *k = NULL, *stranger = NULL;
	cv_auto(cv_mem_free) struct cv_mem mem = { 0 };
	struct cv_key key, other;
	struct host h;
	const struct {
		struct cv_signkey **by;
		const char *type, *add;
		bool good;
	} v[] = {
		{ &k, CV_POLICY_PAYLOAD, "", true },
		{ &stranger, CV_POLICY_PAYLOAD, "", false },
		{ &k, "application/vnd.in-toto+json", "", false },
		{ &k, CV_POLICY_PAYLOAD, " ", false },
	};

	host_make(&h, "signed");
	seal_key(&k, &key, &mem, small_path(&h.s.small, "security"));
	seal_key(&stranger, &other, &mem, small_path(&h.s.small, "stranger"));
	gate_write(&h, "", ", \"policy_signers\": [\"security.pub\"]");
	ask(&h, "{}", "{}"); /* not signed at all */
	denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	for (size_t i = 0; i < CV_COUNT(v); i++) {
		cv_auto(cv_buf_free) struct cv_buf what = CV_BUF(CV_MAX_HUMAN_FILE);

		cv_buf_add(&what, h.s.policy_text.p, h.s.policy_text.n);
		cv_buf_str(&what, v[i].add);
		cv_buf_reset(&h.s.policy_signed);
		T_OK(cv_dsse_sign(*v[i].by, v[i].type, cv_buf_span(&what), &h.s.policy_signed,
				  &h.e),
		     h.e);
		T_OK(seal_try(&h.s), h.s.e);
		gate_write(&h, "", ", \"policy_signers\": [\"security.pub\"]");
		ask(&h, "{}", "{}");
		if (!v[i].good) {
			denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
			continue;
		}
		T_INT(h.a.exit, CV_EXIT_PASS);
		gate_write(&h, "", ""); /* signed by somebody whom this host does not name */
		ask(&h, "{}", "{}");
		denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
		gate_write(&h, "", ", \"policy_signers\": [\"security.pub\"], \"min_version\": 2");
		ask(&h, "{}", "{}");
		denied(&h, CV_EXIT_USAGE, "policy.not-authorised");
	}
	host_free(&h);
}

static void
policy_expires(void)
{
	struct host h;
	char until[CV_TIME_TEXT], more[100];

	host_make(&h, "expires");
	cv_text_fmt(more, sizeof(more), "\"expires\": \"%s\",\n", cv_time_text(h.now + 60, until));
	small_policy(&h.s.small, "", "", more);
	run_policy(&h.s.run);
	cv_buf_reset(&h.s.policy_text);
	T_INT(cv_conf_read(&h.s.policy_text, AT_FDCWD, small_path(&h.s.small, "policy.json"),
			   CV_MAX_HUMAN_FILE, &h.e),
	      1);
	seal_verify(&h.s);
	T_OK(seal_try(&h.s), h.s.e);
	ask(&h, "{}", "{}");
	T_INT(h.a.exit, CV_EXIT_PASS);
	T_HAS(cv_buf_text(&h.json), until); /* the earlier of the two ends */
	h.now += 60;
	ask(&h, "{}", "{}");
	T_INT(h.a.exit, CV_EXIT_FAIL);
	host_free(&h);
}

static void
required_controls(void)
{
	struct host h;

	host_make(&h, "controls");
	small_policy(&h.s.small, "", "",
		     "\"launch\": {\"required_controls\": [\"image\", \"egress\"]},\n");
	run_policy(&h.s.run);
	seal_verify(&h.s);
	T_OK(seal_try(&h.s), h.s.e);
	ask(&h, "{}", "{}");
	denied(&h, CV_EXIT_FAIL, "launch.control-unenforced");
	ask(&h, "{}", "{\"enforced\": [\"image\", \"memory\"]}");
	denied(&h, CV_EXIT_FAIL, "launch.control-unenforced");
	ask(&h, "{}", "{\"enforced\": []}");
	denied(&h, CV_EXIT_FAIL, "launch.control-unenforced");
	ask(&h, "{}", "{\"enforced\": [\"image\", \"egress\"]}");
	T_INT(h.a.exit, CV_EXIT_PASS);
	host_free(&h);
}

static void
image_only(void)
{
	char outer[300], text[CV_DIGEST_TEXT];
	const struct cv_r_artifact *runtime;
	struct host h;

	host_make(&h, "image");
	runtime = &h.s.run.res->artifacts[0];
	while (strcmp(runtime->name, "runtime") != 0)
		runtime++;
	ask(&h, "{}",
	    "{\"launch\": null, \"image\": "
	    "\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"}");
	denied(&h, CV_EXIT_FAIL, "launch.image-mismatch");
	T_HAS(cv_buf_text(&h.json), "\"scope\":\"image-only\"");
	cv_text_fmt(outer, sizeof(outer), "{\"launch\": null, \"image\": \"%s\"}",
		    cv_digest_text(&runtime->config, text));
	ask(&h, "{}", outer);
	T_INT(h.a.exit, CV_EXIT_PASS);
	T_HAS(cv_buf_text(&h.json), "\"scope\":\"image-only\"");
	T_HAS(cv_buf_text(&h.json), "\"mounts\":[]");
	host_free(&h);
}

/* What could not be found out is to be asked again, and is no allow. */
static void
no_worker(void)
{
	cv_auto(cv_buf_free) struct cv_buf text = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_gate_in in;
	struct host h;

	host_make(&h, "noworker");
	question(&h, "{}", "{}", &text);
	in = (struct cv_gate_in){ .request = cv_buf_span(&text),
				  .gate = h.gate,
				  .bundles = h.s.dir,
				  .now = h.now,
				  .role = { .dir = t_tmpdir(), .cancel_fd = -1 } };
	cv_gate_ask(&h.a, &in);
	T(h.a.exit == CV_EXIT_UNKNOWN || h.a.exit == CV_EXIT_INTERNAL);
	T_OK(cv_gate_emit(&h.a, in.request, &h.json, &h.e), h.e);
	T_HAS(cv_buf_text(&h.json), "\"decision\":\"retry\"");
	T_HAS(cv_buf_text(&h.json), "\"retry_after\":60");
	host_free(&h);
}

static void
same_question_same_id(void)
{
	cv_auto(cv_buf_free) struct cv_buf first = CV_BUF(CV_MAX_JSON_DOM);
	struct host h;

	host_make(&h, "ids");
	ask(&h, "{\"privileged\": true}", "{}");
	cv_buf_add(&first, h.json.p, h.json.n);
	ask(&h, "{\"privileged\": true}", "{}");
	T_STR(cv_buf_text(&h.json), cv_buf_text(&first));
	ask(&h, "{\"user\": \"0\"}", "{}");
	T(strcmp(cv_buf_text(&h.json), cv_buf_text(&first)) != 0);
	host_free(&h);
}

/* The zero value, and reasons of every kind, are no allow. */
static void
answers(void)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(CV_MAX_JSON_DOM);
	struct cv_gate_answer a = { 0 };
	struct cv_err e;

	T_OK(cv_gate_emit(&a, cv_span_str(""), &out, &e), e);
	T(strstr(cv_buf_text(&out), "allow") == NULL);
	for (enum cv_reason r = CV_R_NONE; r < CV_R_COUNT; r++) {
		struct cv_err why = { .reason = r };

		a = (struct cv_gate_answer){ 0 };
		cv_gate_no(&a, "gate.malformed", &why);
		T(a.exit != CV_EXIT_PASS);
		cv_buf_reset(&out);
		T_OK(cv_gate_emit(&a, cv_span_str(""), &out, &e), e);
		T(strstr(cv_buf_text(&out), "allow") == NULL);
	}
	/* fail outweighs unknown, in either order; reasons beyond the room count */
	a = (struct cv_gate_answer){ 0 };
	for (int i = 0; i < 2 * CV_GATE_MAX_REASONS; i++) {
		struct cv_err why = { .reason = i == 20 ? CV_R_RULE : CV_R_UNREACHABLE };

		cv_gate_no(&a, NULL, &why);
	}
	T_INT(a.exit, CV_EXIT_FAIL);
	T_INT(a.more, CV_GATE_MAX_REASONS);
}

/* ---- standard input ---- */

static void
reading(void)
{
	cv_auto(cv_buf_free) struct cv_buf out = CV_BUF(CV_GATE_MAX_REQUEST);
	struct cv_err e;
	int p[2], status;
	pid_t pid;

	T(pipe(p) == 0);
	T_NO(cv_hook_read(p[0], cv_mono_ms() + 50, &out, &e), e, CV_R_DEADLINE);
	T(write(p[1], "{}", 2) == 2);
	T_NO(cv_hook_read(p[0], cv_mono_ms() + 50, &out, &e), e, CV_R_DEADLINE); /* no end */
	cv_buf_reset(&out);
	T(write(p[1], "{}", 2) == 2);
	close(p[1]);
	T_OK(cv_hook_read(p[0], cv_mono_ms() + 1000, &out, &e), e);
	T_STR(cv_buf_text(&out), "{}");
	close(p[0]);

	T(pipe(p) == 0);
	pid = fork();
	T(pid >= 0);
	if (pid == 0) { /* without end */
		char chunk[4096] = { ' ' };

		close(p[0]);
		while (write(p[1], chunk, sizeof(chunk)) > 0)
			;
		_exit(0);
	}
	close(p[1]);
	cv_buf_reset(&out);
	T_NO(cv_hook_read(p[0], cv_mono_ms() + 10000, &out, &e), e, CV_R_LIMIT);
	close(p[0]);
	T(waitpid(pid, &status, 0) == pid);
}

/* The command itself: an answer on standard output, whatever comes. */
static void
whole_command(void)
{
	static const struct {
		const char *input, *args, *says;
		int exit;
	} v[] = {
		{ "good", "--gate gate.json --out bundles", "\"decision\":\"allow\"", 0 },
		{ "garbage", "--gate gate.json --out bundles", "gate.malformed", 2 },
		{ "good", "--gate none.json --out bundles", "policy.not-authorised", 2 },
		{ "huge", "--gate gate.json --out bundles", "gate.malformed", 2 },
	};
	cv_auto(cv_buf_free) struct cv_buf good = CV_BUF(CV_MAX_JSON_DOM);
	cv_auto(cv_buf_free) struct cv_buf huge = CV_BUF(3 * CV_GATE_MAX_REQUEST);
	struct host h;
	char cmd[4000];

	cv_text_fmt(cmd, sizeof(cmd), "%s/clawverify", t_build());
	if (access(cmd, X_OK) != 0)
		t_skip("%s is not built", cmd);
	host_make(&h, "command");
	question(&h, "{}", "{}", &good);
	t_write_file(small_path(&h.s.small, "good"), good.p, good.n);
	t_write_file(small_path(&h.s.small, "garbage"), "\x01\x02", 2);
	while (huge.n < 2 * CV_GATE_MAX_REQUEST)
		cv_buf_str(&huge, "          ");
	t_write_file(small_path(&h.s.small, "huge"), huge.p, huge.n);
	T(symlink(h.s.dir, small_path(&h.s.small, "bundles")) == 0);
	for (size_t i = 0; i < CV_COUNT(v); i++) {
		int status;

		cv_text_fmt(cmd, sizeof(cmd),
			    "case %s in /*) b=%s;; *) b=$PWD/%s;; esac; cd %s && HOME=. "
			    "XDG_STATE_HOME=$PWD $b/clawverify hook exec %s <%s >out 2>err",
			    t_build(), t_build(), t_build(), h.s.small.dir, v[i].args, v[i].input);
		status = system(cmd);
		T(WIFEXITED(status));
		T_INT(WEXITSTATUS(status), v[i].exit);
		cv_buf_reset(&h.json);
		T_INT(cv_conf_read(&h.json, AT_FDCWD, small_path(&h.s.small, "out"), 65536, &h.e),
		      1);
		T_HAS(cv_buf_text(&h.json), v[i].says);
		T_HAS(cv_buf_text(&h.json), "\"schema\":\"clawverify.gate/1\"");
	}
	/* a gate.json that others may write decides nothing */
	T(chmod(small_path(&h.s.small, "gate.json"), 0666) == 0);
	T(WEXITSTATUS(system(cmd)) == 2);
	host_free(&h);
}

static const struct t_case cases[] = {
	{ "allowed", allowed },
	{ "launches that differ in one thing", launches },
	{ "malformed questions", malformed },
	{ "bundles that do not count", bundles },
	{ "policies that are not accepted", policies },
	{ "signed policies", signed_policies },
	{ "a policy that ends", policy_expires },
	{ "required controls", required_controls },
	{ "an image alone", image_only },
	{ "no worker: retry", no_worker },
	{ "the same question has the same id", same_question_same_id },
	{ "answers are never allow by accident", answers },
	{ "reading a request", reading },
	{ "the whole command", whole_command },
};
T_MAIN(cases)
