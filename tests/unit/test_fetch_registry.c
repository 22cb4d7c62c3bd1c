/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_registry.c: real peers: docker-registry and skopeo, where they are installed. */
#include "tests/net/program.h"

/* ---- a real registry ---- */

static struct {
	pid_t pid;
	unsigned port;
} registry;

static void
registry_stop(void)
{
	if (registry.pid > 0)
		kill(registry.pid, SIGTERM);
	registry.pid = 0;
}

/* free_port: one that nobody has a moment before it is used. */
static unsigned
free_port(void)
{
	struct sockaddr_storage a = { .ss_family = AF_INET };
	socklen_t n = sizeof(a);
	uint8_t port[2];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	T(fd >= 0 && bind(fd, (struct sockaddr *)&a, 16) == 0 &&
	  getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	memcpy(port, (uint8_t *)&a + 2, 2);
	close(fd);
	return (unsigned)port[0] << 8 | port[1];
}

static void
registry_start(const char *dir)
{
	char config[400], path[300], command[500];

	if (system("command -v docker-registry skopeo >/dev/null 2>&1") != 0)
		t_skip("needs docker-registry and skopeo");
	registry.port = free_port();
	snprintf(path, sizeof(path), "%s/registry.yml", dir);
	snprintf(config, sizeof(config),
		 "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "
		 "%s/reg}}\n"
		 "http: {addr: '127.0.0.1:%u'}\n",
		 dir, registry.port);
	t_write_file(path, config, strlen(config));
	registry.pid = fork();
	if (registry.pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execlp("docker-registry", "docker-registry", "serve", path, (char *)NULL);
		_exit(127);
	}
	atexit(registry_stop);
	snprintf(command, sizeof(command),
		 "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do"
		 " (exec 3<>/dev/tcp/127.0.0.1/%u) 2>/dev/null && exit 0; sleep 0.1; done; exit 1",
		 registry.port);
	snprintf(path, sizeof(path), "%s/wait.sh", dir);
	t_write_file(path, command, strlen(command));
	snprintf(command, sizeof(command), "bash %s", path);
	if (system(command) != 0)
		t_skip("docker-registry does not start");
}

static void
put_blob(const char *dir, const void *p, size_t n, char digest[CV_DIGEST_TEXT])
{
	struct cv_err e = { 0 };
	struct cv_digest d;
	char path[400];

	T_OK(cv_digest_of(&d, CV_SHA256, cv_span(p, n), &e), e);
	cv_digest_text(&d, digest);
	snprintf(path, sizeof(path), "%s/layout/blobs/sha256/%s", dir, digest + 7);
	t_write_file(path, p, n);
}

/* make_layout: an image of one layer; returns its manifest's digest. */
static void
make_layout(const char *dir, char manifest_digest[CV_DIGEST_TEXT], char layer[CV_DIGEST_TEXT],
	    const uint8_t *bytes, size_t n)
{
	char path[300], text[2000], config[CV_DIGEST_TEXT];
	size_t config_size, manifest_size;

	snprintf(text, sizeof(text), "mkdir -p %s/layout/blobs/sha256", dir);
	T(system(text) == 0);
	put_blob(dir, bytes, n, layer);
	snprintf(text, sizeof(text),
		 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		 layer);
	config_size = strlen(text);
	put_blob(dir, text, config_size, config);
	snprintf(
		text, sizeof(text),
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
		config, config_size, layer, n);
	manifest_size = strlen(text);
	put_blob(dir, text, manifest_size, manifest_digest);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		 "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu,"
		 "\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
		 manifest_digest, manifest_size);
	snprintf(path, sizeof(path), "%s/layout/index.json", dir);
	t_write_file(path, text, strlen(text));
	snprintf(path, sizeof(path), "%s/layout/oci-layout", dir);
	t_write_file(path, "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
}

static void
real_registry(void)
{
	static uint8_t layer[20 * 512]; /* an empty archive */
	char digest[CV_DIGEST_TEXT], layer_digest[CV_DIGEST_TEXT], name[100], command[600];
	struct cv_digest d, found;
	struct cv_err e = { 0 };
	struct cv_out o;

	registry_start(t_tmpdir());
	make_layout(t_tmpdir(), digest, layer_digest, layer, sizeof(layer));
	snprintf(command, sizeof(command),
		 "skopeo copy -q --insecure-policy --preserve-digests --dest-tls-verify=false "
		 "oci:%s/layout:v1 "
		 "docker://127.0.0.1:%u/team/agent:v1 >/dev/null 2>&1",
		 t_tmpdir(), registry.port);
	T(system(command) == 0);
	plain_start();
	snprintf(name, sizeof(name), "127.0.0.1:%u/team/agent", registry.port);
	T_OK(cv_digest_parse(&d, cv_span_str(digest), &e), e);
	begin(&o, CV_T_RESOLVE, name, CV_MAX_MANIFEST);
	cv_out_str(&o, CV_TAG_REF, "v1");
	finish(&o, false, false);
	expect_done(CV_S_GIVEN);
	found = cv_frame_digest(&w.in, CV_TAG_DIGEST);
	T(cv_digest_eq(&found, &d));
	manifest(name, digest, false, 0);
	expect_done(CV_S_GIVEN);
	T_OK(cv_digest_of(&found, CV_SHA256, cv_buf_span(&got), &e), e);
	T(cv_digest_eq(&found, &d));
	manifest(name, "v2", false, 0);
	expect_done(CV_S_ABSENT);
	/* 2.8 has no referrers API: the fallback tag is looked for, and is absent */
	begin(&o, CV_T_REFERRERS, name, CV_MAX_MANIFEST);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_done(CV_S_ABSENT);
	T_OK(cv_digest_parse(&d, cv_span_str(layer_digest), &e), e);
	begin(&o, CV_T_GETBLOB, name, 1000000);
	cv_out_digest(&o, CV_TAG_DIGEST, &d);
	finish(&o, true, false);
	expect_done(CV_S_GIVEN);
	T_OK(cv_digest_of(&found, CV_SHA256, cv_buf_span(&got), &e), e);
	registry_stop();
	stop();
}

static const struct t_case cases[] = {
	{ "real-registry", real_registry },
};
T_MAIN(cases)
