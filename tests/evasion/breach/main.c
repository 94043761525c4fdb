// SPDX-License-Identifier: Apache-2.0
/*
 * Tries to break out of a policy by processes and files; see breach.h.
 *
 *   breach world FOLDER [all]    makes the scratch folder and its manifest (all: capabilities)
 *   breach suite FOLDER TIERS [--vm] [--policyd PID] [--only WORD] -- WRAPPER...
 *                                TIERS: launch, landlock, lsm, a comma between them
 *   breach batch                 makes attempts by order of the suite; WRAPPER starts it
 *   breach list                  says what there is
 */
#include "breach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct group *const groups[] = {
	&exec_group,	   &reads_group,     &rings_group,   &writes_group,	  &mounts_group,
	&namespaces_group, &bystander_group, &kernel_group,  &bpf_group,	  &sockets_group,
	&cgroups_group,	   &enforcer_group,  &lineage_group, &capabilities_group,
};

static const struct {
	const char *name;
	unsigned bit;
} tiers[] = {{"launch", BY_LAUNCH}, {"landlock", BY_LANDLOCK}, {"lsm", BY_LSM}};

const struct attempt *attempt_at(size_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (index < groups[i]->count)
			return &groups[i]->attempts[index];
		index -= groups[i]->count;
	}
	return NULL;
}

const struct attempt *attempt_find(const char *name)
{
	const struct attempt *attempt;

	for (size_t i = 0; (attempt = attempt_at(i)); i++)
		if (strcmp(attempt->name, name) == 0)
			return attempt;
	return NULL;
}

static unsigned parse_tiers(char *text)
{
	unsigned bits = 0;

	for (char *name = strtok(text, ","); name; name = strtok(NULL, ","))
		for (size_t i = 0; i < ARRAY_SIZE(tiers); i++)
			if (strcmp(tiers[i].name, name) == 0)
				bits |= tiers[i].bit;
	return bits;
}

static int list(void)
{
	const struct attempt *attempt;

	for (size_t i = 0; (attempt = attempt_at(i)); i++) {
		(void)printf("%-26s", attempt->name);
		for (size_t tier = 0; tier < ARRAY_SIZE(tiers); tier++)
			(void)printf(" %-8s",
				     attempt->claimed & tiers[tier].bit ? tiers[tier].name : "");
		(void)printf(" %s\n", attempt->what);
	}
	return 0;
}

static int suite(char **words)
{
	const char *root = words[0], *only = NULL;
	bool in_vm = false;
	unsigned bits;
	pid_t policyd = 0;

	if (!root || !words[1])
		return 2;
	bits = parse_tiers(words[1]);
	for (words += 2; *words && strcmp(*words, "--") != 0; words++) {
		if (strcmp(*words, "--vm") == 0)
			in_vm = true;
		else if (strcmp(*words, "--only") == 0 && words[1])
			only = *++words;
		else if (strcmp(*words, "--policyd") == 0 && words[1])
			policyd = atoi(*++words);
		else
			return 2;
	}
	return suite_run(root, bits, in_vm, only, policyd, *words ? words + 1 : NULL);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "batch") == 0)
		return batch_run();
	if (strcmp(command, "list") == 0)
		return list();
	if (strcmp(command, "world") == 0 && argc > 2)
		return world_make(argv[2], argc > 3) < 0 ? 2 : 0;
	if (strcmp(command, "suite") == 0)
		return suite(argv + 2);
	return 2;
}
