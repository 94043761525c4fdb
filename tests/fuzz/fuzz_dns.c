// SPDX-License-Identifier: Apache-2.0
/*
 * DNS messages as the kernel's programs read them (bpf/dns.h, the same code): any bytes, as a
 * question that wants to leave and as an answer that came. Besides memory errors it looks for what
 * would be an opening: a name that the two readers see differently, a walk that does not end.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/dns.h"

#define KEY 0x5eedULL
/* More than the kernel's programs take; a walk ends by itself. */
#define STEPS_MAX (65536 * 2)

static struct message message;
static struct name name;

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_name(void)
{
	struct dns_owner owner = {.key = KEY, .at = DNS_HEADER_BYTES};

	require(name.length > 0 && name.length <= 253);
	require(strlen(name.text) == name.length);
	for (uint32_t i = 0; i < name.length; i++)
		require(name.text[i] == '.' ||
			host_bytes[(uint8_t)name.text[i]] == (uint8_t)name.text[i]);
	/* What is granted, and what an answer's owner is compared with, are one. */
	require(dns_hash_name(&message, &owner));
	require(owner.hash == name.hash);
}

static void check_key(void)
{
	struct name_key key;

	(void)name_fill_key(&name, 7, &key);
	require(key.policy_id == 7 && key.prefix_bits <= 8 * (4 + NAME_KEY_BYTES));
	for (uint32_t i = 0; i < name.length && i < NAME_KEY_BYTES; i++)
		require(key.name[i] == (uint8_t)name.text[name.length - 1 - i]);
	require(name_cost(&name, 0) >= NAME_BITS_A_TOKEN);
}

static void read_as_query(void)
{
	struct dns_question question = {0};

	if (!dns_read_query(&message, KEY, &name, &question))
		return;
	check_name();
	check_key();
	/* One question, and nothing that is not understood behind it. */
	require(message_be16(&message, 4) == 1 && message_be16(&message, 6) == 0);
	require(question.end <= message.length);
	if (message_be16(&message, 10) == 0)
		require(question.end == message.length);
}

static void read_as_answer(void)
{
	struct dns_question question = {0};
	struct dns_address address;
	struct dns_walk walk;
	uint32_t steps = 0;
	int step;

	if (!dns_read_question(&message, true, KEY, &name, &question))
		return;
	check_name();
	dns_walk_begin(&message, &name, &question, KEY, &walk);
	while ((step = dns_walk_step(&message, &walk, &address)) != DNS_STEP_END) {
		require(++steps < STEPS_MAX);
		if (step == DNS_STEP_ADDRESS && walk.hint_bytes == 0)
			require(walk.at <= message.length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > MESSAGE_PIECE)
		return 0;
	memcpy(message.bytes, data, size);
	message.length = (uint32_t)size;
	read_as_query();
	read_as_answer();
	return 0;
}
