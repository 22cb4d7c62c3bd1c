/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c: see claims.h. */
#include "trust/base/claims.h"
#include "trust/base/auto.h"

#include <string.h>

#include "trust/base/banned.h"

static const unsigned numbers[] = { 2,  3,  4,  5,  6,  9,  10, 11, 12, 13, 14,
				    15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };
const char *const cv_claim_words[] = { "github_workflow_trigger",
				       "github_workflow_sha",
				       "github_workflow_name",
				       "github_workflow_repository",
				       "github_workflow_ref",
				       "build_signer_uri",
				       "build_signer_digest",
				       "runner_environment",
				       "source_repository_uri",
				       "source_repository_digest",
				       "source_repository_ref",
				       "source_repository_id",
				       "source_repository_owner_uri",
				       "source_repository_owner_id",
				       "build_config_uri",
				       "build_config_digest",
				       "build_trigger",
				       "run_invocation_uri",
				       "source_repository_visibility",
				       "deployment_environment",
				       "token_subject",
				       NULL };

_Static_assert(CV_COUNT(numbers) + 1 == CV_COUNT(cv_claim_words), "a word for each number");

const char *
cv_claim_word(unsigned number)
{
	for (size_t i = 0; i < CV_COUNT(numbers); i++)
		if (numbers[i] == number)
			return cv_claim_words[i];
	return NULL;
}

unsigned
cv_claim_number(const char *word)
{
	for (size_t i = 0; i < CV_COUNT(numbers); i++)
		if (strcmp(cv_claim_words[i], word) == 0)
			return numbers[i];
	return 0;
}
