/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: see server.h. */
#include "tests/support/server.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* run: a shell command that must succeed; false if it does not. */
static bool run(const char *fmt, ...) cv_printf(1, 2);

static bool
run(const char *fmt, ...)
{
	char command[4096];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	rc = system(command);
	return WIFEXITED(rc) && WEXITSTATUS(rc) == 0;
}

static void
make_certificates(struct t_server *s, const char *dir)
{
	snprintf(s->ca, sizeof(s->ca), "%s/ca.pem", dir);
	if (!run("cd %s && exec >/dev/null 2>&1 &&"
		 " openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650"
		 " -subj '/CN=test authority' -keyout ca.key -out ca.pem &&"
		 " openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
		 " -subj '/CN=localhost' -keyout leaf.key -out leaf.csr &&"
		 " echo subjectAltName=DNS:localhost >leaf.ext &&"
		 " openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial"
		 " -days 3650 -extfile leaf.ext -out leaf.pem",
		 dir))
		t_skip("openssl(1) cannot make a certificate here");
}

/* spawn: its standard input stays open on our side until we end. */
static void
spawn(struct t_server *s, char *const argv[])
{
	posix_spawn_file_actions_t fa;
	int in[2], out[2];
	char line[64] = "";
	pid_t pid;
	FILE *f;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    posix_spawn_file_actions_init(&fa) != 0 ||
	    posix_spawn_file_actions_adddup2(&fa, in[0], 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&fa, out[1], 1) != 0)
		abort();
	if (posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ) != 0)
		t_skip("%s cannot be started", argv[0]);
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]);
	close(out[1]);
	f = fdopen(out[0], "r");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL ||
	    sscanf(line, "%u %u %u", &s->main, &s->other, &s->tls) != 3)
		t_skip("tests/net/server.py does not start (Python 3 with ssl is needed)");
	fclose(f);
}

void
t_server_start(struct t_server *s, const char *script, const char *root, bool tls)
{
	char cert[300], key[300], rules[300];
	const char *dir = t_tmpdir();
	const char *argv[16] = { "python3", "tests/net/server.py", "--log", s->log };
	char **unconst;
	size_t n = 4;

	snprintf(s->log, sizeof(s->log), "%s/requests.log", dir);
	if (root != NULL) {
		argv[n++] = "--root";
		argv[n++] = root;
	}
	if (tls) {
		make_certificates(s, dir);
		snprintf(cert, sizeof(cert), "%s/leaf.pem", dir);
		snprintf(key, sizeof(key), "%s/leaf.key", dir);
		argv[n++] = "--tls";
		argv[n++] = cert;
		argv[n++] = key;
	}
	if (script != NULL) {
		snprintf(rules, sizeof(rules), "%s/rules.json", dir);
		t_write_file(rules, script, strlen(script));
		argv[n++] = rules;
	}
	argv[n] = NULL;
	memcpy(&unconst, &(const char **){ argv }, sizeof(unconst));
	spawn(s, unconst);
}

unsigned
t_server_count(const struct t_server *s, const char *part, ...)
{
	char line[8192];
	const char *at, *p;
	unsigned n = 0;
	va_list ap;
	FILE *f = fopen(s->log, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		va_start(ap, part);
		for (at = line, p = part; at != NULL && p != NULL; p = va_arg(ap, const char *))
			if ((at = strstr(at, p)) != NULL)
				at += strlen(p);
		va_end(ap);
		n += at != NULL;
	}
	if (f != NULL)
		fclose(f);
	return n;
}

uint8_t
t_pattern(size_t at)
{
	size_t i = at % 65521;

	return (uint8_t)((i * i + i / 7) & 255);
}
