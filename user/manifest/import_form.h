/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a file the list of tools is, and whose form its tools have. Called by import.c. */
#ifndef AGENTPOL_MANIFEST_IMPORT_FORM_H
#define AGENTPOL_MANIFEST_IMPORT_FORM_H

#include "manifest/import.h"
#include "manifest/reader.h"

/* The list in what an API or a server answers, with the reader's pointer at it; NULL after an
 * error. */
const json_value *import_find_list(struct reader *reader, const json_value *root);
/* Sets *found to the form that all tools of the list have; false, and an error, where they have
 * several or none that is clear. A list of hosted tools alone leaves *found. */
bool import_detect_form(struct reader *reader, const json_value *list, enum import_form *found);
/* A tool that the provider runs or defines itself: it has a type, and no schema in the list. */
bool import_is_hosted(const json_value *tool);

#endif
