/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_config.c: what an image's configuration may not ask for. */
#include "sbom/found/config.h"
#include "sbom/found/tasks.h"
#include "tests/support/ask.h"
#include "tests/support/t.h"

#include "trust/base/json.h"

#include <unistd.h>

#include "trust/base/banned.h"

struct seen {
	size_t n;
	struct cv_finding f[50];
	struct cv_buf told;
};

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	T(s->n < CV_COUNT(s->f));
	s->f[s->n++] = *f;
	return 0;
}

static int
told(void *ctx, const char *name, uint64_t pos, const char *text, struct cv_err *e)
{
	struct seen *s = ctx;

	(void)e;
	if (text[0] != '\0')
		cv_buf_fmt(&s->told, "%s[%llu]=%s\n", name, (unsigned long long)pos, text);
	return 0;
}

static void
lint(struct seen *s, const char *text)
{
	const struct cv_sink sink = { .finding = see, .ctx = s };
	const struct cv_config_seen config_seen = { .seen = told, .ctx = s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_err e = { 0 };

	s->n = 0;
	s->told = CV_BUF(1 << 20);
	T_OK(cv_config_lint(cv_span_str(text), &a, &config_seen, &e), e);
}

/* The members of "config". */
static void
refused(const char *members, const char *where, const char *found)
{
	struct seen s;
	char text[1000];

	(void)snprintf(text, sizeof(text), "{\"os\":\"linux\",\"config\":{%s}}", members);
	lint(&s, text);
	if (s.n != 1 || s.f[0].outcome != CV_FAIL)
		t_fail(__FILE__, __LINE__, "%s: %zu findings", members, s.n);
	T_STR(s.f[0].check, "image.config-unsafe");
	T_HAS(s.f[0].where, where);
	T_HAS(s.f[0].found, found);
	cv_buf_free(&s.told);
}

static void
accepted(const char *text, const char *want)
{
	struct seen s;

	lint(&s, text);
	if (s.n != 1 || s.f[0].outcome != CV_PASS)
		t_fail(__FILE__, __LINE__, "%s: %s", text, s.f[0].found);
	T_STR(cv_buf_text(&s.told), want);
	cv_buf_free(&s.told);
}

static void
test_user(void)
{
	static const char *const bad[] = { "2147483648",     "4294967296",
					   "0:2147483648",   "4294967296:0",
					   "00002147483648", "99999999999999999999999",
					   "app:4294967296" };
	char text[200];

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		(void)snprintf(text, sizeof(text), "\"User\":\"%s\"", bad[i]);
		refused(text, "config.User", "wrap to root");
	}
	accepted("{\"config\":{\"User\":\"2147483647:2147483647\"}}",
		 "User[0]=2147483647:2147483647\n");
	accepted("{\"config\":{\"User\":\"0000\"}}", "User[0]=0000\n");
	accepted("{\"config\":{\"User\":\"99999999999x\"}}", "User[0]=99999999999x\n");
	accepted("{\"config\":{\"User\":\"\"}}", ""); /* root in its own container */
}

static void
test_directory(void)
{
	static const char *const bad[] = { "/proc/self/fd/8",
					   "/proc",
					   "//proc/self",
					   "/./proc/x",
					   "/sys/fs/cgroup",
					   "work",
					   "../x",
					   "/a/../proc",
					   "/a/.." };
	char text[200];

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		(void)snprintf(text, sizeof(text), "\"WorkingDir\":\"%s\"", bad[i]);
		refused(text, "config.WorkingDir", bad[i]);
	}
	accepted("{\"config\":{\"WorkingDir\":\"/process/..x\"}}", "WorkingDir[0]=/process/..x\n");
	accepted("{\"config\":{\"WorkingDir\":\"/\"}}", "WorkingDir[0]=/\n");
}

static void
test_volumes(void)
{
	static const char *const bad[] = { "/var/run/docker.sock",
					   "/run/containerd/containerd.sock",
					   "/x/podman.sock",
					   "/",
					   "//",
					   "/.",
					   "/dev",
					   "/dev/kmsg",
					   "/proc/1",
					   "/sys",
					   "/a/../../etc",
					   "data",
					   "" };
	char text[200];

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		(void)snprintf(text, sizeof(text), "\"Volumes\":{\"%s\":{}}", bad[i]);
		refused(text, "config.Volumes", "");
	}
	accepted("{\"config\":{\"Volumes\":{\"/data\":{},\"/devices\":{}}}}",
		 "Volume[0]=/data\nVolume[1]=/devices\n");
}

static void
test_labels(void)
{
	refused("\"Labels\":{\"containerd.io/restart.loguri\":\"binary:///bin/sh\"}",
		"config.Labels", "restart monitor");
	refused("\"Labels\":{\"a\":\"b\",\"containerd.io/restart.status\":\"running\"}",
		"config.Labels", "restart monitor");
	accepted("{\"config\":{\"Labels\":{\"org.opencontainers.image.title\":\"x\"}}}",
		 "Label[0]=org.opencontainers.image.title\n");
}

static void
test_document(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{\"config\":[]}",
		"{\"config\":{\"User\":1}}",
		"{\"config\":{\"Volumes\":1}}",
		"{\"config\":{\"Cmd\":\"sh\"}}",
		"{\"config\":{\"Cmd\":[1]}}",
		"{\"config\":{\"User\":\"a\",\"User\":\"b\"}}",
		"{\"config\":{\"user\":\"a\"}}",
		"{\"Config\":{\"User\":\"4294967296\"}}",
		"{\"config\":{\"volumes\":{\"/var/run/docker.sock\":{}}}}",
		"{\"config\":{}}x",
	};

	for (size_t i = 0; i < CV_COUNT(bad); i++) {
		struct seen s;

		lint(&s, bad[i]);
		if (s.n != 1 || s.f[0].outcome != CV_FAIL)
			t_fail(__FILE__, __LINE__, "%s", bad[i]);
		cv_buf_free(&s.told);
	}
}

static void
test_good(void)
{
	accepted("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		 "\"diff_ids\":[]},\"config\":{\"Hostname\":\"\",\"User\":\"node\",\"Env\":["
		 "\"PATH=/usr/"
		 "bin\",\"API_KEY=secret\",\"EMPTY\"],\"Entrypoint\":[\"node\",\"x.js\"],"
		 "\"Cmd\":null,\"WorkingDir\":\"/app\",\"ExposedPorts\":{\"80/tcp\":{}},"
		 "\"Healthcheck\":{\"Interval\":30000000000}}}",
		 "User[0]=node\nWorkingDir[0]=/app\nEntrypoint[0]=node\nEntrypoint[1]=x.js\n"
		 "Path[0]=/usr/bin\nEnv[0]=PATH\nEnv[1]=API_KEY\nEnv[2]=EMPTY\nExposedPort[0]=80/tcp\n");
	accepted("{\"os\":\"linux\"}", "");
	accepted("{\"os\":\"linux\",\"config\":null}", "");
}

static void
test_task(void)
{
	static const char text[] = "{\"config\":{\"User\":\"node\",\"Cmd\":[\"sh\"],\"Volumes\":"
				   "{\"/var/run/docker.sock\":{}}}}";
	struct ask *k = ask_open(&cv_task_config, cv_json_warm);
	int fd = t_memfd(text, strlen(text));
	struct cv_out *o = ask_frame(k, CV_K_TASK);

	cv_out_u64(o, CV_TAG_TASK, CV_T_CONFIG);
	cv_out_blob(o, CV_TAG_BLOB, (struct cv_blob){ .fd = fd, .len = strlen(text) });
	ask_send(k);
	ask_run(k);
	if (!k->done)
		t_fail(__FILE__, __LINE__, "%s", k->e.text);
	T_INT(ask_no(k, "image.config-unsafe"), 1);
	T_INT(k->nfindings, 1);
	T_INT(k->nfacts, 3);
	T_STR(k->fact[0].name, "User");
	T_STR(k->fact[0].text, "node");
	ask_close(&k);
	(void)close(fd);
}

static const struct t_case cases[] = {
	{ "users", test_user },
	{ "the working directory", test_directory },
	{ "volumes", test_volumes },
	{ "labels", test_labels },
	{ "broken documents", test_document },
	{ "good ones", test_good },
	{ "the task", test_task },
};
T_MAIN(cases)
