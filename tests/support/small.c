/* SPDX-License-Identifier: Apache-2.0 */
/* small.c: see small.h. */
#include "tests/support/small.h"

#include "tests/support/t.h"
#include "trust/base/limits.h"
#include "trust/base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
must(bool yes)
{
	if (!yes)
		abort();
}

const char *
small_path(const struct small *s, const char *name)
{
	static _Thread_local char path[4][1024];
	static _Thread_local unsigned turn;
	char *out = path[turn++ % 4];

	cv_text_fmt(out, 1024, "%s/%s", s->dir, name);
	return out;
}

static void
text_file(const struct small *s, const char *name, const char *text)
{
	t_write_file(small_path(s, name), text, strlen(text));
}

static void
make_image(struct small *s)
{
	struct cv_buf one = CV_BUF(CV_MIB), two = CV_BUF(CV_MIB);
	struct cv_span layer[2];

	f_tar_file(&one, "etc/os-release", cv_span_str("ID=small\n"));
	f_tar_end(&one);
	f_tar_file(&two, "srv/agent", cv_span_str("an agent\n"));
	f_tar_end(&two);
	layer[0] = cv_buf_span(&one);
	layer[1] = cv_buf_span(&two);
	must(cv_digest_of(&s->layer[0], CV_SHA256, layer[0], NULL) == 0 &&
	     cv_digest_of(&s->layer[1], CV_SHA256, layer[1], NULL) == 0);
	s->image = f_image(&s->store, "linux/amd64", layer, 2);
	f_sign_image(&s->store, s->key, s->image, F_BUNDLE);
	f_sign_image(&s->store, s->key, s->image, F_LEGACY);
	must(mkdir(small_path(s, "image"), 0755) == 0);
	f_layout_write(&s->store, small_path(s, "image"), s->image, "v1");
	cv_buf_free(&one);
	cv_buf_free(&two);
}

static void
make_model(const struct small *s)
{
	static const char header[] =
		"{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	const size_t pad = 7 - (sizeof(header) - 2) % 8;
	struct cv_buf b = CV_BUF(4096);

	cv_buf_u64le(&b, sizeof(header) - 1 + pad);
	cv_buf_add(&b, header, sizeof(header) - 1);
	cv_buf_add(&b, "       ", pad); /* the data begins at a multiple of 8 */
	cv_buf_add(&b, "\0\0\x80\x3f\0\0\0\x40", 8);
	must(mkdir(small_path(s, "model"), 0755) == 0);
	t_write_file(small_path(s, "model/model.safetensors"), b.p, b.n);
	text_file(s, "model/config.json", "{\"hidden_size\": 2}\n");
	cv_buf_free(&b);
}

static void
make_skill(const struct small *s)
{
	must(mkdir(small_path(s, "skill"), 0755) == 0 &&
	     mkdir(small_path(s, "skill/scripts"), 0755) == 0);
	text_file(s, "skill/SKILL.md",
		  "---\nname: sums\ndescription: adds numbers\n---\nAdd the numbers.\n");
	text_file(s, "skill/scripts/run.sh", "#!/bin/sh\necho $(($1 + $2))\n");
	must(chmod(small_path(s, "skill/scripts/run.sh"), 0755) == 0);
	text_file(s, "system.md", "You are careful.\n");
}

void
small_policy(const struct small *s, const char *image_rule, const char *other_rule,
	     const char *more)
{
	struct cv_buf b = CV_BUF(64 * 1024);
	const char *p;

	cv_buf_str(&b, "{ \"schema\": \"clawverify.policy/1\", \"name\": \"small\",\n"
		       "\"confinement\": \"best-effort\",\n"
		       "\"signers\": { \"acme\": { \"keys\": [\"");
	for (p = f_key_pem(s->key); *p != '\0'; p++) {
		if (*p == '\n')
			cv_buf_str(&b, "\\n");
		else
			cv_buf_byte(&b, (uint8_t)*p);
	}
	cv_buf_fmt(&b,
		   "\"] } },\n\"rules\": [\n"
		   "{ \"name\": \"images\", \"match\": { \"type\": \"image\" },\n  %s },\n"
		   "{ \"name\": \"others\", %s } ],\n%s\n\"default\": \"reject\" }\n",
		   image_rule[0] != '\0' ? image_rule
					 : "\"basis\": [\"signed\"], \"signed_by\": [\"acme\"]",
		   other_rule[0] != '\0' ? other_rule : "\"basis\": [\"pinned\"]", more);
	must(b.failed == CV_R_NONE);
	t_write_file(small_path(s, "policy.json"), b.p, b.n);
	cv_buf_free(&b);
}

void
small_make(struct small *s, const char *dir)
{
	*s = (struct small){ .key = f_key_new(F_P256) };
	cv_text_fmt(s->dir, sizeof(s->dir), "%s", dir);
	must(mkdir(dir, 0755) == 0);
	make_image(s);
	make_model(s);
	make_skill(s);
	small_policy(s, "", "", "");
	text_file(s, "agent.json",
		  "{ \"schema\": \"clawverify.agent/1\", \"name\": \"small\",\n"
		  "\"policy\": \"policy.json\",\n"
		  "\"artifacts\": {\n"
		  "  \"runtime\": { \"type\": \"image\", \"ref\": \"oci-layout:image:v1\", "
		  "\"platform\": \"linux/amd64\" },\n"
		  "  \"llm\": { \"type\": \"model\", \"path\": \"model\" },\n"
		  "  \"sums\": { \"type\": \"skill\", \"path\": \"skill\" },\n"
		  "  \"prompt\": { \"type\": \"prompt\", \"path\": \"system.md\" } },\n"
		  "\"launch\": { \"image\": \"runtime\",\n"
		  "  \"mounts\": { \"/models/llm\": \"llm\", \"/skills/sums\": \"sums\" },\n"
		  "  \"limits\": { \"memory\": \"256MiB\", \"cpus\": 1, \"pids\": 64 } } }\n");
}

void
small_free(struct small *s)
{
	f_key_free(&s->key);
	f_store_free(&s->store);
}

void
small_flip(const char *path, long at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t where;
	uint8_t b;

	must(fd >= 0);
	where = at >= 0 ? at : lseek(fd, 0, SEEK_END) + at;
	must(pread(fd, &b, 1, where) == 1);
	b ^= 1;
	must(pwrite(fd, &b, 1, where) == 1 && close(fd) == 0);
}
