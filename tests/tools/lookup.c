// SPDX-License-Identifier: Apache-2.0
/* lookup NAME: its addresses, one a line, as the C library's resolver finds them. For tests, which
 * build it with more than one C library. */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found, *at;
	char text[64];
	int result;

	if (argc != 2)
		return 2;
	result = getaddrinfo(argv[1], NULL, &wanted, &found);
	if (result != 0) {
		puts(gai_strerror(result));
		return 1;
	}
	for (at = found; at; at = at->ai_next)
		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0,
				NI_NUMERICHOST) == 0)
			puts(text);
	freeaddrinfo(found);
	return 0;
}
