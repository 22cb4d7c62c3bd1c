/* SPDX-License-Identifier: Apache-2.0 */
/* files_config.c: see files_config.h. Must never take a configuration that it could
 * not read for one that asks for nothing. */
#include "sbom/found/files_config.h"
#include "sbom/claimed/stream.h"

#include <string.h>

#include "trust/base/banned.h"

static const char *
base_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

static bool
is_modules(const char *name)
{
	return strcmp(base_name(name), "modules.json") == 0;
}

bool
cv_files_is_config(const char *name)
{
	static const char *const names[] = { "model_index.json", "modules.json" };
	const char *base = base_name(name);

	for (size_t i = 0; i < CV_COUNT(names); i++)
		if (strcmp(base, names[i]) == 0)
			return true;
	return cv_span_has_suffix(cv_span_str(base), "config.json");
}

/* A class of sentence_transformers, which is what modules.json is for. */
static bool
foreign_type(struct cv_js *js)
{
	struct cv_buf b = CV_BUF(4096);
	bool foreign;

	cv_js_string(js, &b);
	foreign = !cv_js_failed(js) && strncmp(cv_buf_text(&b), "sentence_transformers.", 22) != 0;
	cv_buf_free(&b);
	return foreign;
}

/* Anything but a plain false or null asks. */
static const char *
member(struct cv_js *js, const char *key, bool modules)
{
	static const char *const asks[] = { "auto_map", "custom_pipelines", "custom_generate",
					    "trust_remote_code" };
	enum cv_js_type type = cv_js_peek(js);

	if (modules && strcmp(key, "type") == 0 && type == CV_JS_STRING)
		return foreign_type(js) ? "type" : NULL;
	for (size_t i = 0; i < CV_COUNT(asks); i++)
		if (strcmp(key, asks[i]) == 0 && type != CV_JS_NULL) {
			bool no = cv_js_is_false(js);

			cv_js_skip(js);
			return no ? NULL : asks[i];
		}
	cv_js_skip(js);
	return NULL;
}

static void
object(struct cv_js *js, bool modules, const char **found)
{
	const char *key;

	cv_js_object(js);
	while ((key = cv_js_key(js)) != NULL) {
		const char *one = member(js, key, modules);

		if (one != NULL && *found == NULL)
			*found = one;
	}
}

int
cv_files_config(const char **key, const char *name, struct cv_blob blob, struct cv_err *e)
{
	struct cv_js *js = NULL;
	bool modules = is_modules(name);
	int rc;

	*key = NULL;
	if (blob.len > CV_FILES_CONFIG_MAX)
		return cv_fail(e, CV_R_LIMIT, "%s: %llu bytes, want at most %u", name,
			       (unsigned long long)blob.len, CV_FILES_CONFIG_MAX);
	if (cv_js_open_blob(&js, name, blob, CV_JS_PYTHON, e) != 0)
		return -1;
	if (cv_js_peek(js) == CV_JS_ARRAY) {
		cv_js_array(js);
		while (cv_js_more(js))
			if (cv_js_peek(js) == CV_JS_OBJECT)
				object(js, modules, key);
			else
				cv_js_skip(js);
	} else if (cv_js_peek(js) == CV_JS_OBJECT) {
		object(js, modules, key);
	} else {
		cv_js_skip(js);
	}
	rc = cv_js_end(js, e);
	cv_js_free(&js);
	return rc;
}
