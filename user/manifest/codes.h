/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codes of the reader's errors, in one place: a code is never used for another meaning and
 * never renumbered, since people filter by it. Used by the files of manifest/ and by check's SARIF.
 */
#ifndef AGENTPOL_MANIFEST_CODES_H
#define AGENTPOL_MANIFEST_CODES_H

#include <stddef.h>

#include "json/json.h"

/* M001 to M004 and M025 are those of any JSON: json/json.h. */
#define CODE_UNKNOWN_KEY   "M005"
#define CODE_MISSING_KEY   "M006"
#define CODE_TYPE	   "M007"
#define CODE_EMPTY	   "M008"
#define CODE_RANGE	   "M009"
#define CODE_WORD	   "M010"
#define CODE_TARGET	   "M011"
#define CODE_NEEDS_PORTS   "M012"
#define CODE_HOST_BITS	   "M013"
#define CODE_PORT	   "M014"
#define CODE_QUANTITY	   "M015"
#define CODE_NAME	   "M016"
#define CODE_PATH	   "M017"
#define CODE_UNKNOWN_NAME  "M018"
#define CODE_CONTRADICTION "M019"
#define CODE_UNKNOWN_TOOL  "M020"
#define CODE_CYCLE	   "M021"
#define CODE_POINTER	   "M022"
#define CODE_SQL	   "M023"
#define CODE_UNSUPPORTED   "M024"
#define CODE_SCHEMA	   "M026"

struct manifest_code {
	const char *code;
	const char *name;    /* stable, for SARIF */
	const char *summary; /* one sentence */
};
extern const struct manifest_code manifest_codes[];
extern const size_t manifest_code_count;

#endif
