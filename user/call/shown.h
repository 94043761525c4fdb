/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call's arguments as others may see them: their shape for the log, which must hold no secret of
 * an agent, and the whole with what looks like a secret masked, for the person who is asked.
 */
#ifndef AGENTPOL_CALL_SHOWN_H
#define AGENTPOL_CALL_SHOWN_H

#include "base/json_write.h"
#include "json/json.h"

/* Keys and types, and how long a string or a list is; bounded, "cut" tells where more is. NULL: {}.
 */
void shown_write_shape(struct json_writer *writer, const json_value *arguments);
/* All of it, but for values whose key says that they are secret. NULL: {}. */
void shown_write_masked(struct json_writer *writer, const json_value *arguments);

#endif
