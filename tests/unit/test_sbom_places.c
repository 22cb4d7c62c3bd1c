/* SPDX-License-Identifier: Apache-2.0 */
/* test_sbom_places.c: what a launch puts into an image: what would hide verified files or
 * be over the program is refused, wherever the image's links lead. */
#include "sbom/found/merge.h"
#include "sbom/found/places.h"
#include "tests/support/mktable.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "trust/base/banned.h"

struct said {
	char refused[8][CV_ERR_TEXT];
	size_t n;
	bool passed, malformed;
};

static int
see(void *ctx, const struct cv_finding *f, struct cv_err *e)
{
	struct said *s = ctx;

	(void)e;
	if (strcmp(f->check, "image.place-unsafe") != 0) {
		T_INT(f->outcome, CV_PASS);
		return 0;
	}
	if (f->outcome == CV_PASS) {
		s->passed = true;
		return 0;
	}
	T(s->n < CV_COUNT(s->refused));
	s->malformed = s->malformed || f->reason == CV_R_MALFORMED || f->reason == CV_R_LIMIT;
	(void)snprintf(s->refused[s->n++], CV_ERR_TEXT, "%s", f->found);
	return 0;
}

/* A launch in words: "m /skills" (a verified tree), "v /data" (volume), "t /tmp" (tmpfs),
 * "b /host" (bind), "e sh" and "c arg" (entry point, command), "w /app", "p /a:/b". */
static void
put(struct cv_places *p, const char *words)
{
	char copy[2048], *save = NULL;
	struct cv_err e = { 0 };

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, ";", &save); w != NULL; w = strtok_r(NULL, ";", &save)) {
		w += strspn(w, " ");
		const char *places = "mtvb", *at = strchr(places, w[0]);
		const char *programs = "ecwp";

		if (at != NULL)
			T_OK(cv_places_put(p, (enum cv_placed)(CV_PLACE_MOUNT + (at - places)),
					   w + 2, &e),
			     e);
		else if ((at = strchr(programs, w[0])) != NULL)
			T_OK(cv_places_say(
				     p, (enum cv_program)(CV_PROGRAM_ENTRYPOINT + (at - programs)),
				     w + 2, &e),
			     e);
		else
			t_fail(__FILE__, __LINE__, "\"%s\"", w);
	}
}

static struct said
judge(const char *layers, const char *launch, const char *config, uint64_t flags)
{
	struct said s = { .n = 0 };
	const struct cv_sink sink = { .finding = see, .ctx = &s };
	struct cv_answers a = CV_ANSWERS(sink);
	struct cv_merge *m = NULL;
	struct cv_places *p = NULL;
	struct cv_merge_counts c;
	struct cv_err e = { 0 };
	char copy[2048], text[2048], *save = NULL;
	uint64_t pos = 0;

	T_OK(cv_merge_open(&m, &a, &e), e);
	(void)snprintf(copy, sizeof(copy), "%s", layers);
	for (char *l = strtok_r(copy, "|", &save); l != NULL; l = strtok_r(NULL, "|", &save)) {
		int fd = mk_table(l);
		struct stat st;

		T(fstat(fd, &st) == 0);
		T_OK(cv_merge_layer(m, pos++,
				    (struct cv_blob){ .fd = fd, .len = (uint64_t)st.st_size }, &e),
		     e);
		(void)close(fd);
	}
	T_OK(cv_merge_finish(m, &c, &e), e);
	T_OK(cv_places_open(&p, flags, &e), e);
	put(p, launch);
	(void)snprintf(text, sizeof(text),
		       "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{%s},"
		       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
		       config);
	T_OK(cv_places_judge(p, cv_merge_tree(m), cv_span_str(text), &a, &e), e);
	T_OK(cv_answers_end(&a, &e), e);
	cv_places_free(&p);
	cv_merge_free(&m);
	T(s.passed == (s.n == 0));
	return s;
}

/* refused: with this text. */
static void
refused(const char *layers, const char *launch, const char *config, const char *text)
{
	struct said s = judge(layers, launch, config, CV_MERGE_LAUNCHED);

	if (s.n == 0)
		t_fail(__FILE__, __LINE__, "passed: %s; %s; %s", layers, launch, config);
	T_HAS(s.refused[0], text);
	s = judge(layers, launch, config, 0); /* the image is not what is started */
	T(s.passed);
}

static void
passes(const char *layers, const char *launch, const char *config)
{
	struct said s = judge(layers, launch, config, CV_MERGE_LAUNCHED);

	if (s.n > 0)
		t_fail(__FILE__, __LINE__, "%s; %s; %s: %s", layers, launch, config, s.refused[0]);
}

#define VOLUME(path) "\"Volumes\":{\"" path "\":{}}"

static void
links(void)
{
	/* a link to the mount, in the last component, in one before, relative, over two, by a
	 * higher layer, and through ".." */
	refused("s var/state>/skills/pdf", "m /skills/pdf; v /var/state", "",
		"/var/state, which is /skills/pdf in the image, hides the verified tree at "
		"/skills/pdf");
	refused("s var/state>/skills/pdf", "m /skills/pdf; t /var/state", "", "hides");
	refused("s var/state>/skills/pdf", "m /skills/pdf; b /var/state", "", "hides");
	refused("s var>/skills", "m /skills/pdf; v /var/pdf", "", "which is /skills/pdf");
	refused("d var; s var/state>../skills/pdf", "m /skills/pdf; v /var/state", "", "hides");
	refused("s a>b; s b>/skills", "m /skills/pdf; v /a/pdf", "", "which is /skills/pdf");
	refused("d var/state|w var/state|s var/state>/skills/pdf", "m /skills/pdf; v /var/state",
		"", "hides");
	refused("d x; s x/up>..", "m /skills/pdf; v /x/up/skills/pdf", "", "hides");
	refused("s a>/skills/pdf/../pdf/./", "m /skills/pdf; v /a", "", "hides");
	/* below the mount, and above it */
	refused("s a>/skills/pdf/scripts", "m /skills/pdf; v /a", "", "which is /skills/pdf/");
	refused("s a>/skills", "m /skills/pdf; v /a", "", "which is /skills in");
	refused("s skills>/opt", "m /skills/pdf; v /opt", "", "/opt hides");
	refused("s skills>/opt", "m /skills/pdf; v /opt/pdf", "", "/opt/pdf hides");
	/* a link to the root shows everything */
	refused("s a>/", "m /skills/pdf; v /a", "", "which is / in the image");
	/* the link was taken away again, or leads elsewhere, or is below a file */
	passes("s var/state>/skills/pdf|w var/state", "m /skills/pdf; v /var/state", "");
	passes("s var/state>/skills/pdf|w var/state|d var/state", "m /skills/pdf; v /var/state",
	       "");
	passes("s var/run>/run; d run", "m /skills/pdf; t /var/run", "");
	passes("f a; s b>/skills", "m /skills/pdf; v /a/b", "");
	passes("d skills/pdf", "m /skills/pdf; v /skills/pdfs; v /state", "");
}

static void
circles(void)
{
	struct said s = judge("s a>b; s b>a", "m /skills/pdf; v /a/x", "", CV_MERGE_LAUNCHED);

	T(s.n == 1 && s.malformed);
	T_HAS(s.refused[0], "links");
	s = judge("s a>b; s b>c", "m /skills/pdf; v /a/x", "", CV_MERGE_LAUNCHED);
	T(s.passed);
}

static void
volumes(void)
{
	refused("d skills", "m /skills/pdf", VOLUME("/skills/pdf/scripts"),
		"/skills/pdf/scripts hides the verified tree at /skills/pdf");
	refused("d skills", "m /skills/pdf", VOLUME("/skills//pdf/./scripts/"), "hides");
	refused("s v>/skills/pdf", "m /skills/pdf", VOLUME("/v"), "which is /skills/pdf");
	refused("s v>/skills", "m /skills/pdf", VOLUME("/v"), "which is /skills");
	/* what the launch covers itself is no volume; above, the mount comes later */
	passes("d skills", "m /skills/pdf", VOLUME("/skills/pdf"));
	passes("d skills", "m /skills/pdf", VOLUME("/skills/pdf/"));
	passes("d skills", "m /skills/pdf", VOLUME("/skills"));
	passes("d skills; d data", "m /skills/pdf; v /data", VOLUME("/data"));
	passes("d skills; d data", "m /skills/pdf", VOLUME("/data"));
}

static void
unverified(void)
{
	refused("d data", "m /skills/pdf; v /data; v /data/x", "",
		"/data/x lies in what nobody verified: /data");
	refused("d data", "m /skills/pdf; b /data; t /data/x/y", "", "lies in");
	refused("d data", "v /data", VOLUME("/data/x"), "lies in");
	passes("d data", "m /skills/pdf; t /data; v /data/x", "");
	passes("d data", "m /skills/pdf; v /data; v /data-x", "");
}

#define ENTRY(list) "\"Entrypoint\":[" list "]"

static void
program(void)
{
	const char *app = "d app; f app/run; d app/data; f usr/bin/node; f usr/bin/python3";

	refused(app, "v /app", ENTRY("\"/app/run\""), "covers what is run is /app/run");
	refused(app, "", ENTRY("\"/app/run\"") "," VOLUME("/app"), "/app covers");
	refused(app, "v /app", ENTRY("\"app/run\""), "covers");
	refused(app, "v /app", ENTRY("\"./run\"") ",\"WorkingDir\":\"/app\"", "covers");
	refused(app, "v /app", ENTRY("\"node\",\"/app/run\""), "covers");
	refused(app, "v /app", ENTRY("\"node\"") ",\"Cmd\":[\"run\"],\"WorkingDir\":\"/app\"",
		"covers");
	refused(app, "v /app", ENTRY("\"/bin/sh\",\"-c\",\"exec '/app/run' x\""), "covers");
	refused(app, "v /app", ENTRY("\"node\",\"--require=/app/run\""), "covers");
	refused(app, "v /app", ENTRY("\"node\"") ",\"WorkingDir\":\"/app\"", "working directory");
	refused("s prog>/app/run; d app; f app/run", "v /app", ENTRY("\"/prog\""), "covers");
	refused("s app>/srv; d srv; f srv/run", "v /srv", ENTRY("\"/app/run\""), "covers");
	/* PATH: to where it is found */
	refused("d opt/bin; f opt/bin/tool", "v /opt/bin",
		ENTRY("\"tool\"") ",\"Env\":[\"PATH=/opt/bin:/bin\"]", "the program /opt/bin/tool");
	refused(app, "v /usr/bin", ENTRY("\"node\""), "the program /usr/bin/node");
	/* the launch's own words count instead */
	refused(app, "v /app; e /app/run", ENTRY("\"node\""), "covers");
	refused(app, "v /app; c /app/run", ENTRY("\"node\""), "covers");
	refused(app, "v /app; w /app", "\"WorkingDir\":\"/\"", "working directory");
	refused("f x/tool", "v /x; p /x; e tool", "\"Env\":[\"PATH=/bin\"]", "the program");
	passes(app, "v /app; e /usr/bin/node", ENTRY("\"/app/run\""));
	passes(app, "v /app; e node; c x", "\"Cmd\":[\"/app/run\"]");
	passes(app, "v /app; e node", "\"Cmd\":[\"/app/run\"]");
	passes(app, "v /app; w /usr", "\"WorkingDir\":\"/app\"");
	/* beside the program, below it, and where the image has nothing */
	passes(app, "v /app/data", ENTRY("\"/app/run\"") ",\"WorkingDir\":\"/app\"");
	passes("f usr/bin/minio; d data", "v /data", ENTRY("\"minio\",\"server\",\"/data\""));
	passes("f usr/bin/node", "v /work", ENTRY("\"node\"") ",\"WorkingDir\":\"/work\"");
	passes(app, "m /app", ENTRY("\"/app/run\""));
	T(judge(app, "v /app", ENTRY("\"/app/run\""), CV_MERGE_LAUNCHED | CV_MERGE_CODE_WRITABLE)
		  .passed);
	/* ... which does not let anything cover a verified tree */
	T(!judge("s a>/skills/pdf", "m /skills/pdf; v /a", "",
		 CV_MERGE_LAUNCHED | CV_MERGE_CODE_WRITABLE)
		   .passed);
}

static void
config(void)
{
	struct said s =
		judge("d a", "v /a", "\"Volumes\":{\"/a\":{}},\"Volumes\":{}", CV_MERGE_LAUNCHED);

	T(s.n == 1);
	s = judge("d a", "v /a", "\"Volumes\":7", CV_MERGE_LAUNCHED);
	T(s.n == 1);
}

static const struct t_case cases[] = {
	{ "links", links },           { "circles", circles }, { "volumes", volumes },
	{ "unverified", unverified }, { "program", program }, { "config", config },
};

T_MAIN(cases)
