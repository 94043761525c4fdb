/* SPDX-License-Identifier: Apache-2.0 */
/* The columns that functions of pg_catalog have in FROM; for from.c. */
#ifndef AGENTPOL_SQL_FUNCTION_COLUMNS_H
#define AGENTPOL_SQL_FUNCTION_COLUMNS_H

/* Ended by NULL; none: one column, called as the alias, or as the function is. NULL: not known. */
const char *const *function_columns(const char *name);

#endif
