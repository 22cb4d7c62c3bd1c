/* SPDX-License-Identifier: Apache-2.0 */
/* places.c: see places.h. Must never compare paths that are not yet taken to where they
 * lead. */
#include "sbom/found/places.h"
#include "sbom/found/config.h"
#include "sbom/found/table.h"

#include "trust/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "trust/base/banned.h"

#define CHECK        "image.place-unsafe"
#define IMAGE        0 /* beside enum cv_placed: a volume that the image declares */
#define MAX_WORDS    CV_MAX_LIST_ITEMS
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct place {
	int kind;
	char *said; /* by its text alone, without "//" and "/./" */
	char *real; /* where it leads */
	bool moved; /* a link is on the way */
};

struct word {
	enum cv_program kind;
	char *text;
};

struct cv_places {
	uint64_t flags;
	const struct cv_nodes *t;
	struct cv_answers *a;
	struct place *place;
	size_t n;
	struct word *word;
	size_t nwords;
	bool says[CV_PROGRAM_PATH + 1]; /* the launch has a word of that kind */
};

static const char *const kind_words[] = {
	[IMAGE] = "a volume that the image declares",
	[CV_PLACE_MOUNT] = "a verified tree",
	[CV_PLACE_TMPFS] = "writable",
	[CV_PLACE_VOLUME] = "a writable volume",
	[CV_PLACE_BIND] = "a directory or file of the host",
};

/* room: one more element of a list; NULL with e. */
static void *
room(void **list, size_t n, size_t size, struct cv_err *e)
{
	void *more;

	if (n >= MAX_WORDS) {
		(void)cv_fail(e, CV_R_LIMIT, "more than %d places or arguments", MAX_WORDS);
		return NULL;
	}
	more = realloc(*list, (n + 1) * size);
	if (more == NULL) {
		(void)cv_fail_memory(e);
		return NULL;
	}
	*list = more;
	return (char *)more + n * size;
}

static int
put(struct cv_places *p, int kind, const char *path, struct cv_err *e)
{
	char said[CV_MAX_PATH + 1];
	struct place *x;

	if (cv_nodes_resolve(NULL, path, said, NULL, e) != 0)
		return -1;
	for (size_t i = 0; kind == IMAGE && i < p->n; i++)
		if (strcmp(p->place[i].said, said) == 0)
			return 0;
	x = room((void **)&p->place, p->n, sizeof(*x), e);
	if (x == NULL)
		return -1;
	*x = (struct place){ .kind = kind, .said = strdup(said) };
	p->n++;
	return x->said == NULL ? cv_fail_memory(e) : 0;
}

static int
say(struct cv_places *p, enum cv_program kind, const char *text, struct cv_err *e)
{
	struct word *x = room((void **)&p->word, p->nwords, sizeof(*x), e);

	if (x == NULL)
		return -1;
	*x = (struct word){ .kind = kind, .text = strdup(text) };
	p->nwords++;
	return x->text == NULL ? cv_fail_memory(e) : 0;
}

int
cv_places_put(struct cv_places *p, enum cv_placed kind, const char *path, struct cv_err *e)
{
	return put(p, (int)kind, path, e);
}

int
cv_places_say(struct cv_places *p, enum cv_program kind, const char *text, struct cv_err *e)
{
	p->says[kind] = true;
	return say(p, kind, text, e);
}

/* ---- the image's own words ---- */

static int
seen(void *ctx, const char *name, uint64_t pos, const char *text, struct cv_err *e)
{
	static const struct {
		const char *name;
		enum cv_program kind;
	} words[] = { { "Entrypoint", CV_PROGRAM_ENTRYPOINT },
		      { "Cmd", CV_PROGRAM_COMMAND },
		      { "WorkingDir", CV_PROGRAM_WORKDIR },
		      { "Path", CV_PROGRAM_PATH } };
	struct cv_places *p = ctx;

	(void)pos;
	if (strcmp(name, "Volume") == 0)
		return put(p, IMAGE, text, e);
	for (size_t i = 0; i < CV_COUNT(words); i++) {
		enum cv_program kind = words[i].kind;
		/* a launch with its own entry point has its own arguments, or none */
		bool own = p->says[kind] ||
			   (kind == CV_PROGRAM_COMMAND && p->says[CV_PROGRAM_ENTRYPOINT]);

		if (strcmp(name, words[i].name) == 0 && text[0] != '\0' && !own)
			return say(p, kind, text, e);
	}
	return 0;
}

/* ---- judging ---- */

static bool
under(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return n == 1 || (strncmp(path, dir, n) == 0 && path[n] == '/');
}

static bool
covers(const char *dir, const char *path)
{
	return strcmp(dir, path) == 0 || under(path, dir);
}

static int
refuse(struct cv_places *p, const struct place *x, const char *want, const char *what,
       const char *other, struct cv_err *e)
{
	struct cv_finding f = cv_finding_no(CHECK, CV_R_RULE);

	if (x->moved)
		cv_finding_found(&f, "%s, which is %s in the image, %s %s", x->said, x->real, what,
				 other);
	else
		cv_finding_found(&f, "%s %s %s", x->said, what, other);
	cv_finding_expected(&f, "%s", want);
	cv_finding_where(&f, "%s: %s", kind_words[x->kind], x->said);
	return cv_answer(p->a, &f, e);
}

/* hides: would x, mounted by an engine, be over what is at m, or part of it? */
static bool
hides(const struct place *x, const struct place *m)
{
	if (covers(m->real, x->real))
		return true;
	return under(m->real, x->real) && (x->moved || m->moved);
}

static int
judge_place(struct cv_places *p, const struct place *x, struct cv_err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct place *y = &p->place[i];

		if (y == x)
			continue;
		if (y->kind == CV_PLACE_MOUNT && hides(x, y)) {
			if (refuse(p, x, "verified files that nothing covers",
				   "hides the verified tree at", y->said, e) != 0)
				return -1;
		} else if ((y->kind == CV_PLACE_VOLUME || y->kind == CV_PLACE_BIND) &&
			   under(x->said, y->said)) {
			if (refuse(p, x, "a place that no link can lead away",
				   "lies in what nobody verified:", y->said, e) != 0)
				return -1;
		}
	}
	return 0;
}

/* code: something that is run is there, if the image has it. */
static int
code(struct cv_places *p, const char *path, const char *what, bool *found, struct cv_err *e)
{
	char real[CV_MAX_PATH + 1];
	uint32_t node;

	*found = false;
	if (cv_nodes_resolve(p->t, path, real, &node, e) != 0)
		return -1;
	if (node == CV_NODE_NONE || node == p->t->root || !cv_nodes_filled(p->t, node))
		return 0;
	*found = true;
	for (size_t i = 0; i < p->n; i++) {
		const struct place *x = &p->place[i];
		char text[CV_MAX_PATH + 64];

		cv_text_fmt(text, sizeof(text), "%s %s", what, path);
		if (x->kind != CV_PLACE_MOUNT && covers(x->real, real) &&
		    refuse(p, x, "a program that stays as it was verified", "covers", text, e) != 0)
			return -1;
	}
	return 0;
}

/* in_path: the directories that are searched, as far as the program is found. */
static int
in_path(struct cv_places *p, const char *path, const char *program, struct cv_err *e)
{
	char name[CV_MAX_PATH + 1];
	bool found = false;

	while (!found) {
		size_t n = strcspn(path, ":");

		if (n > 0 && n < CV_MAX_PATH) {
			cv_text_fmt(name, sizeof(name), "%.*s/%s", (int)n, path, program);
			if (code(p, name, "the program", &found, e) != 0)
				return -1;
		}
		if (path[n] == '\0')
			return 0;
		path += n + 1;
	}
	return 0;
}

static const char *
only(const struct cv_places *p, enum cv_program kind, const char *otherwise)
{
	for (size_t i = 0; i < p->nwords; i++)
		if (p->word[i].kind == kind)
			return p->word[i].text;
	return otherwise;
}

/* argument: the whole of it as a path, and each absolute path inside, as in
 * {"sh", "-c", "exec /app/run --config=/app/c"}. */
static int
argument(struct cv_places *p, const char *text, const char *dir, struct cv_err *e)
{
	char path[CV_MAX_PATH + 1];
	bool found;

	if (text[0] != '\0' && strlen(text) + strlen(dir) + 1 < sizeof(path)) {
		cv_text_fmt(path, sizeof(path), "%s%s%s", text[0] == '/' ? "" : dir,
			    text[0] == '/' ? "" : "/", text);
		if (code(p, path, "what is run is", &found, e) != 0)
			return -1;
		if (found)
			return 0;
	}
	while ((text = strchr(text, '/')) != NULL) {
		size_t n = strcspn(text, " \t\n;&|()<>'\"`$=,:");

		if (n < sizeof(path)) {
			cv_text_fmt(path, sizeof(path), "%.*s", (int)n, text);
			if (code(p, path, "what is run is", &found, e) != 0)
				return -1;
		}
		text += n;
	}
	return 0;
}

static int
judge_program(struct cv_places *p, struct cv_err *e)
{
	const char *dir = only(p, CV_PROGRAM_WORKDIR, "/");
	bool first = true, found;

	if ((p->flags & CV_MERGE_CODE_WRITABLE) != 0)
		return 0;
	if (code(p, dir, "the working directory", &found, e) != 0)
		return -1;
	for (int kind = CV_PROGRAM_ENTRYPOINT; kind <= CV_PROGRAM_COMMAND; kind++)
		for (size_t i = 0; i < p->nwords; i++) {
			const char *text = p->word[i].text;

			if ((int)p->word[i].kind != kind)
				continue;
			if (first && strchr(text, '/') == NULL) {
				if (in_path(p, only(p, CV_PROGRAM_PATH, PATH_DEFAULT), text, e) !=
				    0)
					return -1;
			} else if (argument(p, text, dir, e) != 0) {
				return -1;
			}
			first = false;
		}
	return 0;
}

static int
judge(struct cv_places *p, struct cv_span config, struct cv_err *e)
{
	const struct cv_config_seen s = { .seen = seen, .ctx = p };
	char real[CV_MAX_PATH + 1];

	if (cv_config_lint(config, NULL, &s, e) != 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		struct place *x = &p->place[i];

		if (cv_nodes_resolve(p->t, x->said, real, NULL, e) != 0)
			return -1;
		x->moved = strcmp(real, x->said) != 0;
		x->real = strdup(real);
		if (x->real == NULL)
			return cv_fail_memory(e);
	}
	for (size_t i = 0; i < p->n; i++)
		if (p->place[i].kind != CV_PLACE_MOUNT && judge_place(p, &p->place[i], e) != 0)
			return -1;
	return judge_program(p, e);
}

int
cv_places_judge(struct cv_places *p, const struct cv_nodes *t, struct cv_span config,
		struct cv_answers *a, struct cv_err *e)
{
	static const char *const checks[] = { CHECK, NULL };
	struct cv_err why = { 0 };

	p->t = t;
	p->a = a;
	if ((p->flags & CV_MERGE_LAUNCHED) != 0 && judge(p, config, &why) != 0) {
		if (cv_answers_about_content(why.reason))
			return cv_answer_err(a, CHECK, "config", &why, e);
		if (e != NULL)
			*e = why;
		return -1;
	}
	return cv_answers_pass(a, checks, e);
}

int
cv_places_open(struct cv_places **ret, uint64_t flags, struct cv_err *e)
{
	struct cv_places *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return cv_fail_memory(e);
	p->flags = flags;
	*ret = p;
	return 0;
}

void
cv_places_free(struct cv_places **p)
{
	if (*p == NULL)
		return;
	for (size_t i = 0; i < (*p)->n; i++) {
		free((*p)->place[i].said);
		free((*p)->place[i].real);
	}
	for (size_t i = 0; i < (*p)->nwords; i++)
		free((*p)->word[i].text);
	free((*p)->place);
	free((*p)->word);
	free(*p);
	*p = NULL;
}
