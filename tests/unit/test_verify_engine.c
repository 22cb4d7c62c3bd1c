/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_verify_engine.c: whole runs over a small agent with the real workers:
 * each thing that can be wrong, alone, in an agent that is right in all else.
 */
#include "tests/engine/run.h"

#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>

static void
good(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "good");
	run_verify(&r);
	run_passes(&r);
	T_INT(run_artifact(&r, "runtime")->basis, CV_BASIS_SIGNED);
	T_INT(run_artifact(&r, "llm")->basis, CV_BASIS_PINNED);
	T_INT(run_artifact(&r, "runtime")->nlayers, 2);
	T(cv_digest_eq(&run_artifact(&r, "runtime")->digest, &s.image));
	T_INT(run_artifact(&r, "sums")->counts.unanswered, 0);
	run_end(&s, &r);
}

static void
a_hundred_times(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "hundred");
	for (int i = 0; i < 20; i++) {
		run_verify(&r);
		run_passes(&r);
	}
	run_end(&s, &r);
}

/* ---- one byte ---- */

static void
write_text(const char *path, const char *text)
{
	t_write_file(path, text, strlen(text));
}

static const char *
blob_path(const struct small *s, const struct cv_digest *d)
{
	char text[CV_DIGEST_TEXT], name[256];

	cv_text_fmt(name, sizeof(name), "image/blobs/sha256/%s", cv_digest_text(d, text) + 7);
	return small_path(s, name);
}

/* Each byte alone, with a store that has never seen the good one. */
static void
one_byte(void)
{
	static const struct {
		const char *file, *artifact, *check;
	} cases[] = {
		{ "model/model.safetensors", "llm", "lock.digest-mismatch" },
		{ "model/config.json", "llm", "lock.digest-mismatch" },
		{ "skill/SKILL.md", "sums", "lock.digest-mismatch" },
		{ "skill/scripts/run.sh", "sums", "lock.digest-mismatch" },
		{ "system.md", "prompt", "lock.digest-mismatch" },
	};
	struct small s;
	struct run r;

	run_begin(&s, &r, "byte");
	for (size_t i = 0; i < CV_COUNT(cases); i++) {
		small_flip(small_path(&s, cases[i].file), -3);
		run_verify(&r);
		run_says_no(&r, CV_FAIL, cases[i].artifact, cases[i].check);
		T(run_said(r.res, cases[i].artifact, "basis.insufficient") != NULL);
		small_flip(small_path(&s, cases[i].file), -3);
		run_verify(&r);
		run_passes(&r);
	}
	run_end(&s, &r);
}

/* empty_store: as on another machine. */
static void
empty_store(struct run *r)
{
	static unsigned n;
	char dir[1200];

	cv_store_close(&r->store);
	cv_text_fmt(dir, sizeof(dir), "%s.%u", r->store_dir, ++n);
	T_OK(cv_store_open(&r->store, dir, 0, &r->e), r->e);
	r->rq.store = r->store;
}

static void
one_byte_of_the_image(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "image-byte");
	for (int i = 0; i < 3; i++) {
		const struct cv_digest *d = i < 2 ? &s.layer[i] : &s.image;

		empty_store(&r);
		small_flip(blob_path(&s, d), 20);
		run_verify(&r);
		run_says_no(&r, CV_FAIL, "runtime", "fetch.digest-mismatch");
		small_flip(blob_path(&s, d), 20);
	}
	empty_store(&r);
	run_verify(&r);
	run_passes(&r);
	run_end(&s, &r);
}

static void
a_file_more(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "more");
	write_text(small_path(&s, "skill/EXTRA.md"), "more\n");
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "sums", "lock.digest-mismatch");
	T_HAS(run_said(r.res, "sums", "lock.digest-mismatch")->note, "EXTRA.md was added");
	T(unlink(small_path(&s, "skill/EXTRA.md")) == 0);
	T(chmod(small_path(&s, "skill/SKILL.md"), 0755) == 0);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "sums", "lock.digest-mismatch");
	run_end(&s, &r);
}

/* ---- contents ---- */

static void
pickle_beside_the_weights(void)
{
	static const char pickle[] = "\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system"
				     "\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.";
	struct small s;
	struct run r;

	run_begin(&s, &r, "pickle");
	t_write_file(small_path(&s, "model/extra.bin"), pickle, sizeof(pickle) - 1);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "llm", "model.pickle");
	T(run_said(r.res, "llm", "lock.digest-mismatch") != NULL);
	run_mode(&r, CV_MODE_LOCK); /* not even when nothing is pinned yet */
	run_says_no(&r, CV_FAIL, "llm", "model.pickle");
	run_end(&s, &r);
}

static void
hidden_text(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "hidden");
	write_text(small_path(&s, "system.md"), "You are careful.\xe2\x80\x8b\n");
	run_mode(&r, CV_MODE_LOCK);
	run_says_no(&r, CV_FAIL, "prompt", "text.hidden-unicode");
	run_end(&s, &r);
}

/* ---- local files ---- */

static void
unsafe_files(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct small s;
	struct run r;
	int fd;

	run_begin(&s, &r, "unsafe");
	T(mkfifo(small_path(&s, "skill/pipe"), 0644) == 0);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "sums", "file.unsafe");
	T(unlink(small_path(&s, "skill/pipe")) == 0);

	cv_text_fmt(a.sun_path, sizeof(a.sun_path), "%s", small_path(&s, "skill/s"));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	T(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	run_verify(&r);
	close(fd);
	run_says_no(&r, CV_FAIL, "sums", "file.unsafe");
	T(unlink(small_path(&s, "skill/s")) == 0);

	T(symlink("/etc/passwd", small_path(&s, "skill/out")) == 0);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "sums", "file.unsafe");
	T(unlink(small_path(&s, "skill/out")) == 0);

	T(rename(small_path(&s, "system.md"), small_path(&s, "real.md")) == 0);
	T(symlink("real.md", small_path(&s, "system.md")) == 0);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "prompt", "file.unsafe");
	run_end(&s, &r);
}

static void
absent_files(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "absent");
	T(unlink(small_path(&s, "system.md")) == 0);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "prompt", "fetch.absent");
	T(rename(small_path(&s, "image"), small_path(&s, "moved")) == 0);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "fetch.absent");
	run_end(&s, &r);
}

/* ---- signatures ---- */

static void
other_key(void)
{
	struct small s;
	struct run r;
	struct f_key *own;

	run_begin(&s, &r, "key");
	own = s.key;
	s.key = f_key_new(F_P256);
	small_policy(&s, "", "", "");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "basis.insufficient");
	T(run_said(r.res, "runtime", "sig.untrusted-key") != NULL ||
	  run_said(r.res, "runtime", "sig.invalid") != NULL);
	f_key_free(&s.key);
	s.key = own;
	run_end(&s, &r);
}

static void
unsigned_image(void)
{
	struct small s;
	struct run r;
	char dir[1024];

	small_make(&s, run_dir("unsigned"));
	f_store_free(&s.store);
	{
		struct cv_buf tar = CV_BUF(1 << 20);
		struct cv_span layer;

		f_tar_file(&tar, "a", cv_span_str("a"));
		f_tar_end(&tar);
		layer = cv_buf_span(&tar);
		s.image = f_image(&s.store, "linux/amd64", &layer, 1);
		cv_buf_free(&tar);
	}
	cv_text_fmt(dir, sizeof(dir), "%s", small_path(&s, "image"));
	f_layout_write(&s.store, dir, s.image, "v1");
	run_open(&r, &s);
	run_mode(&r, CV_MODE_LOCK);
	run_says_no(&r, CV_FAIL, "runtime", "sig.absent");
	T(run_said(r.res, "runtime", "basis.insufficient") != NULL);
	/* nothing vouches for it: its layers were not looked at */
	T(run_artifact(&r, "runtime")->counts.unanswered > 8);
	small_policy(&s, "\"basis\": [\"signed\", \"pinned\"], \"signed_by\": [\"acme\"]", "", "");
	run_policy(&r);
	run_mode(&r, CV_MODE_LOCK);
	run_passes(&r); /* the same, where the lock is enough */
	T_INT(run_artifact(&r, "runtime")->basis, CV_BASIS_PINNED);
	run_end(&s, &r);
}

static void
threshold(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "threshold");
	/* the one key under two names would be refused by the policy's reader, so
	 * two signatures by one signer have to be one */
	small_policy(&s, "\"basis\": [\"signed\"], \"signed_by\": [\"acme\"], \"threshold\": 1", "",
		     "");
	run_policy(&r);
	run_verify(&r);
	run_passes(&r);
	T(run_artifact(&r, "runtime")->nsigners >= 2);
	run_end(&s, &r);
}

static void
attestation_wanted(void)
{
	struct small s;
	struct run r;
	char dir[1024];

	run_begin(&s, &r, "attest");
	small_policy(
		&s,
		"\"basis\": [\"signed\"], \"signed_by\": [\"acme\"],\n"
		"\"attestations\": [ { \"predicate_type\": \"https://slsa.dev/provenance/v1\" } ]",
		"", "");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "sig.attestation-absent");
	f_attest_image(&s.store, s.key, s.image, "https://slsa.dev/provenance/v1", "{}", F_BUNDLE);
	cv_text_fmt(dir, sizeof(dir), "%s", small_path(&s, "image"));
	f_layout_write(&s.store, dir, s.image, "v1");
	run_verify(&r);
	run_passes(&r);
	run_end(&s, &r);
}

static void
sbom_wanted(void)
{
	struct small s;
	struct run r;

	run_begin(&s, &r, "sbom");
	small_policy(&s,
		     "\"basis\": [\"signed\"], \"signed_by\": [\"acme\"],\n"
		     "\"sbom\": { \"required\": true }",
		     "", "");
	run_policy(&r);
	run_verify(&r);
	run_says_no(&r, CV_FAIL, "runtime", "sbom.absent");
	T(run_said(r.res, "runtime", "vuln.index-absent") != NULL);
	run_end(&s, &r);
}

static const struct t_case cases[] = {
	{ "one byte of a file", one_byte },
	{ "one byte of the image", one_byte_of_the_image },
	{ "a file more, a mode changed", a_file_more },
	{ "a pickle beside the weights", pickle_beside_the_weights },
	{ "text that nobody sees", hidden_text },
	{ "fifos, sockets, links", unsafe_files },
	{ "what is not there", absent_files },
	{ "another key", other_key },
	{ "an unsigned image", unsigned_image },
	{ "two signatures by one signer", threshold },
	{ "an attestation is wanted", attestation_wanted },
	{ "an SBOM is wanted", sbom_wanted },
	{ "a good agent", good },
	{ "again and again", a_hundred_times },
};
T_MAIN(cases)
