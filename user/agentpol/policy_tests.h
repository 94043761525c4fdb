/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy tests: a file of cases, each one request or several with the verdicts that they must get,
 * beside the manifest that they are asked of. Read whole before the first case runs.
 */
#ifndef AGENTPOL_AGENTPOL_POLICY_TESTS_H
#define AGENTPOL_AGENTPOL_POLICY_TESTS_H

#include "base/error.h"
#include "json/json.h"
#include "policy/policy.h"

struct policy_case {
	const char *name;
	const json_value *requests; /* an object, or a list of them */
	const json_value *expect;   /* a verdict, or a list as long as the requests */
	const char *rule;	    /* of the last request's verdict; NULL: any */
	const char *reason;	    /* likewise */
};

struct policy_tests {
	struct json_document *document; /* owned; what the cases point into */
	struct policy *policy;		/* owned */
	char *schema_path;		/* owned: a snapshot of the server's catalog; NULL: none */
	struct policy_case *cases;	/* owned */
	size_t case_count;
};

/* Does the file say that it is one? For folders, where others are passed over. */
bool policy_tests_recognise(const char *path);
/* STATUS_UNUSABLE, with file, line and column, where it can't be used. Free it either way. */
int policy_tests_read(const char *path, struct policy_tests *tests, struct error *error) MUST_USE;
void policy_tests_free(struct policy_tests *tests);
#define _cleanup_policy_tests_ __attribute__((cleanup(policy_tests_free)))

/* The n-th request and what it is to get. */
const json_value *policy_case_request(const struct policy_case *one, size_t n);
const char *policy_case_expect(const struct policy_case *one, size_t n);
size_t policy_case_count(const struct policy_case *one);

#endif
