// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdarg.h>
#include <string.h>

int error_set(struct error *error, enum exit_status status, const char *format, ...)
{
	va_list arguments;

	error->status = status;
	va_start(arguments, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return -1;
}

int error_set_errno(struct error *error, enum exit_status status, int errno_value,
		    const char *format, ...)
{
	va_list arguments;
	int length;

	error->status = status;
	va_start(arguments, format);
	length = vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(error->text))
		(void)snprintf(error->text + length, sizeof(error->text) - (size_t)length, ": %s",
			       strerror(errno_value));
	return -1;
}

int error_wrap(struct error *error, const char *format, ...)
{
	char inner[ERROR_TEXT_MAX];
	va_list arguments;
	int length;

	memcpy(inner, error->text, sizeof(inner));
	va_start(arguments, format);
	length = vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(error->text))
		(void)snprintf(error->text + length, sizeof(error->text) - (size_t)length, ": %s",
			       inner);
	return -1;
}
