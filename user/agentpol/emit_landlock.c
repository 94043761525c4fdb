// SPDX-License-Identifier: Apache-2.0
/* `agentpol compile --emit landlock`: file and exec lists as Landlock's rights. */
#include "agentpol/emit.h"
#include "compile/landlock.h"

/* The names of the rights, each through `print`. */
static void each_right(uint64_t rights, void (*print)(const char *name, void *context),
		       void *context)
{
	for (size_t i = 0; i < landlock_right_count; i++)
		if (rights & landlock_rights[i].bit)
			print(landlock_rights[i].name, context);
}

static void print_name(const char *name, void *context)
{
	(void)context;
	(void)printf(" %s", name);
}

static int print_grant(const struct landlock_grant *grant, void *context, struct error *error)
{
	(void)context;
	(void)error;
	(void)printf("allow %s (%s%s/%zu):", grant->path, grant->scope->pointer, grant->pointer,
		     grant->index);
	each_right(grant->rights, print_name, NULL);
	(void)putchar('\n');
	return 0;
}

static void print_hidden(const struct scope *scope)
{
	for (size_t i = 0; i < scope->files.deny.count; i++)
		(void)printf("hide %s (%s/files/deny/%zu)\n", scope->files.deny.items[i],
			     scope->pointer, i);
}

static int print_text(const struct policy *policy, const struct tool *tool,
		      const struct landlock_domain *domain, struct error *error)
{
	(void)printf("take:");
	each_right(domain->files, print_name, NULL);
	(void)printf("\nscope: signal\n");
	if (landlock_each_grant(policy, tool, domain, print_grant, NULL, error) != 0)
		return -1;
	print_hidden(&policy->agent);
	if (tool)
		print_hidden(&tool->scope);
	for (size_t i = 0; i < landlock_right_count; i++)
		if (landlock_rights[i].without && (domain->files & landlock_rights[i].bit))
			(void)printf("before ABI %d: %s\n", landlock_rights[i].abi,
				     landlock_rights[i].without);
	(void)printf("before ABI %d: processes outside can be signalled\n", LANDLOCK_ABI_KNOWN);
	return 0;
}

static void write_name(const char *name, void *context)
{
	json_string(context, name);
}

static void write_rights(struct json_writer *writer, const char *key, uint64_t rights)
{
	json_key(writer, key);
	json_open_array(writer);
	each_right(rights, write_name, writer);
	json_close_array(writer);
}

static void write_pointer(struct json_writer *writer, const struct scope *scope, const char *list,
			  size_t index)
{
	char pointer[256];

	(void)snprintf(pointer, sizeof(pointer), "%s%s/%zu", scope->pointer, list, index);
	json_key_string(writer, "rule", pointer);
}

static int write_grant(const struct landlock_grant *grant, void *context, struct error *error)
{
	struct json_writer *writer = context;

	(void)error;
	json_open_object(writer);
	json_key_string(writer, "path", grant->path);
	write_pointer(writer, grant->scope, grant->pointer, grant->index);
	write_rights(writer, "rights", grant->rights);
	json_close_object(writer);
	return 0;
}

static void write_hidden(struct json_writer *writer, const struct scope *scope)
{
	for (size_t i = 0; i < scope->files.deny.count; i++) {
		json_open_object(writer);
		json_key_string(writer, "path", scope->files.deny.items[i]);
		write_pointer(writer, scope, "/files/deny", i);
		json_close_object(writer);
	}
}

/* One line of "older": what a kernel before that ABI lets happen. */
static void write_older(struct json_writer *writer, int abi, const char *without)
{
	json_open_object(writer);
	json_key_unsigned(writer, "before", (uint64_t)abi);
	json_key_string(writer, "what", without);
	json_close_object(writer);
}

static int print_document(const struct policy *policy, const struct tool *tool,
			  const struct landlock_domain *domain, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	json_key_unsigned(&writer, "abi", LANDLOCK_ABI_KNOWN);
	write_rights(&writer, "handled", domain->files);
	json_key(&writer, "scoped");
	json_open_array(&writer);
	json_string(&writer, "signal");
	json_close_array(&writer);
	json_key(&writer, "allow");
	json_open_array(&writer);
	if (landlock_each_grant(policy, tool, domain, write_grant, &writer, error) != 0)
		return -1;
	json_close_array(&writer);
	json_key(&writer, "hide");
	json_open_array(&writer);
	write_hidden(&writer, &policy->agent);
	if (tool)
		write_hidden(&writer, &tool->scope);
	json_close_array(&writer);
	json_key(&writer, "older");
	json_open_array(&writer);
	for (size_t i = 0; i < landlock_right_count; i++)
		if (landlock_rights[i].without && (domain->files & landlock_rights[i].bit))
			write_older(&writer, landlock_rights[i].abi, landlock_rights[i].without);
	write_older(&writer, LANDLOCK_ABI_KNOWN, "processes outside can be signalled");
	json_close_array(&writer);
	json_close_object(&writer);
	json_newline(&writer);
	return emit_json(&writer, error);
}

int emit_landlock(const struct policy *policy, const struct tool *tool,
		  const struct compile_options *options, struct error *error)
{
	struct landlock_domain domain;

	landlock_domain_of(policy, LANDLOCK_ABI_KNOWN, &domain);
	return options->json ? print_document(policy, tool, &domain, error)
			     : print_text(policy, tool, &domain, error);
}
