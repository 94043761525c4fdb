// SPDX-License-Identifier: Apache-2.0
#include "policy/verdict_json.h"

static void write_hint(struct json_writer *writer, const struct verdict *verdict)
{
	json_key(writer, "hint");
	json_open_object(writer);
	json_key_string(writer, "op", verdict->hint_op);
	json_key_string(writer, "path", verdict->hint_path);
	if (verdict->hint_value[0]) {
		json_key(writer, "value");
		json_verbatim(writer, verdict->hint_value);
	}
	json_close_object(writer);
}

static void write_assumes(struct json_writer *writer, const struct verdict *verdict,
			  const struct strings *assumes)
{
	const size_t count = assumes ? assumes->count : 0;

	if (!verdict->assumes[0] && count == 0)
		return;
	json_key(writer, "assumes");
	json_open_array(writer);
	if (verdict->assumes[0])
		json_string(writer, verdict->assumes);
	for (size_t i = 0; i < count; i++)
		json_string(writer, assumes->items[i]);
	json_close_array(writer);
}

void verdict_write(struct json_writer *writer, const struct verdict *verdict,
		   const struct strings *assumes)
{
	json_key_string(writer, "verdict", verdict_name(verdict->kind));
	if (verdict->reason)
		json_key_string(writer, "reason", verdict->reason);
	if (verdict->rule[0])
		json_key_string(writer, "rule", verdict->rule);
	if (verdict->message[0])
		json_key_string(writer, "message", verdict->message);
	if (verdict->hint_op[0])
		write_hint(writer, verdict);
	write_assumes(writer, verdict, assumes);
}
