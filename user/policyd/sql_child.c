// SPDX-License-Identifier: Apache-2.0
#include "policyd/sql_child.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool parse_uid(const char *text, uid_t *uid)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*uid = (uid_t)number;
	return end != text && *end == '\0' && number > 0 && number < UINT32_MAX;
}

bool sql_child_main(int argc, char **argv, int *status)
{
	struct sql_child child = {0};
	bool guard = argc > 1 && strcmp(argv[1], "sql-guard-child") == 0;
	int i;

	if (!guard && !(argc > 1 && strcmp(argv[1], "sql-parser-child") == 0))
		return false;
	for (i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--uid") == 0 && !parse_uid(argv[i + 1], &child.uid))
			break;
		if (strcmp(argv[i], "--root") == 0)
			child.root = argv[i + 1];
	}
	*status = STATUS_UNUSABLE;
	if (i != argc || child.uid == 0 || !child.root)
		(void)fprintf(stderr, "%s: is started by policyd, not by hand\n", argv[1]);
	else
		*status = guard ? guard_child_run(&child) : parser_child_run(&child);
	return true;
}
