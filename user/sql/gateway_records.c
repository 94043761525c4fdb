// SPDX-License-Identifier: Apache-2.0
/*
 * What policyd is told. Records wait for it in bounded memory, of which no policy has more than is
 * still free: one that fills its part leaves room for others. Long before that its sessions are not
 * read any more; a record that finds no room all the same is counted, and the count told. All else
 * is small, and no more than a few for each connection that is let in.
 */
#include "sql/gateway_internal.h"

static size_t free_bytes(const struct gateway *gateway)
{
	return RECORD_BYTES_MAX - gateway->record_bytes;
}

void gateway_tell(struct gateway *gateway, const struct guard_message *head, const void *tail)
{
	if (!gateway->link || packets_send(gateway->link, head, tail, NULL, 0) >= 0)
		return;
	gateway->lost = true;
	(void)event_base_loopbreak(gateway->base);
}

bool gateway_is_behind(const struct gateway *gateway)
{
	return packets_queued(gateway->link) - gateway->record_bytes > LINK_BYTES_MAX;
}

void gateway_record(struct guarded *guarded, uint64_t relay, const char *text, size_t length)
{
	struct gateway *gateway = guarded->gateway;
	const struct guard_message head = {.type = GUARD_RECORD,
					   .length = (uint32_t)length,
					   .ref = relay,
					   .value = guarded->ref};
	int sent = -1;

	if (text && length <= GUARD_TAIL_MAX &&
	    guarded->record_bytes + 2 * packet_cost(&head) <= free_bytes(gateway))
		sent = packets_send(gateway->link, &head, text, NULL, 0);
	if (sent < 0)
		guarded->records_lost++;
	if (sent != 0)
		return;
	guarded->record_bytes += packet_cost(&head);
	gateway->record_bytes += packet_cost(&head);
	if (guarded->record_bytes > free_bytes(gateway) / 8)
		guarded->held_up = true;
}

void gateway_record_sent(struct gateway *gateway, const struct guard_message *head)
{
	struct guarded *guarded = gateway_find_policy(gateway, head->value);
	const size_t cost = packet_cost(head);

	gateway->record_bytes -= cost;
	if (!guarded)
		return;
	/* A former policy's of that number are none of its own. */
	guarded->record_bytes -= cost < guarded->record_bytes ? cost : guarded->record_bytes;
	if (!guarded->held_up || guarded->record_bytes > free_bytes(gateway) / 16)
		return;
	guarded->held_up = false;
	guarded_tell_lost(guarded);
	relays_resume(gateway, guarded);
}

void guarded_tell_lost(struct guarded *guarded)
{
	const struct guard_message head = {
		.type = GUARD_LOST, .ref = guarded->ref, .value = guarded->records_lost};

	if (guarded->records_lost)
		gateway_tell(guarded->gateway, &head, NULL);
	guarded->records_lost = 0;
}
