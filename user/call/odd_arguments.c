// SPDX-License-Identifier: Apache-2.0
#include "call/odd_arguments.h"

#include <string.h>

#include "call/message.h"

#define STEP_MAX 256

/* The next step of a pointer, "~1" and "~0" read; false: there is none, or it is too long. */
static bool next_step(const char **pointer, char *step)
{
	size_t length = 0;

	if (**pointer != '/')
		return false;
	for (++*pointer; **pointer && **pointer != '/'; ++*pointer) {
		char c = **pointer;

		if (c == '~' && (*pointer)[1])
			c = *++*pointer == '1' ? '/' : '~';
		if (length == STEP_MAX - 1)
			return false;
		step[length++] = c;
	}
	step[length] = '\0';
	return true;
}

/* Of a list each item is looked at, whether the pointer names a place in it or not: as deep as the
 * reader of JSON lets a value be. */
static const char *find_along(const json_value *value, const char *pointer)
{
	char step[STEP_MAX];
	const char *const words[] = {step, NULL};
	const char *odd = NULL, *rest = pointer;

	if (!value || !next_step(&rest, step))
		return NULL;
	if (json_is_array(value)) {
		const bool index = step[0] && strspn(step, "0123456789") == strlen(step);

		json_for_each (item, value)
			if (!odd)
				odd = find_along(item, index ? rest : pointer);
		return odd;
	}
	odd = message_odd_key(value, words);
	return odd ? odd : find_along(json_member(value, step), rest);
}

const char *odd_argument_find(const struct tool *tool, const json_value *arguments)
{
	const char *odd = NULL;

	for (size_t i = 0; !odd && i < tool->argument_count; i++)
		odd = find_along(arguments, tool->arguments[i].pointer);
	for (size_t i = 0; !odd && i < tool->requires_count; i++)
		for (size_t j = 0; !odd && j < tool->requires[i].match_count; j++)
			odd = find_along(arguments, tool->requires[i].matches[j].argument_pointer);
	if (!odd && tool->sql && tool->sql->argument)
		odd = find_along(arguments, tool->sql->argument);
	return odd;
}
