// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policyd/resolvers.h"

static void assert_servers(const char *text, const char *wanted)
{
	struct resolvers resolvers;
	char found[512] = "", address[ADDRESS_TEXT_MAX];
	size_t used = 0;

	resolvers_parse(text, &resolvers);
	assert_true(resolvers.known);
	for (size_t i = 0; i < resolvers.count; i++) {
		address_format(&resolvers.addresses[i], address);
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s", i ? " " : "",
					 address);
	}
	assert_string_equal(found, wanted);
}

static void assert_search(const char *text, const char *wanted)
{
	struct resolvers resolvers;
	char found[2048] = "";
	size_t used = 0;

	resolvers_parse(text, &resolvers);
	for (size_t i = 0; i < resolvers.search_count; i++)
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s", i ? " " : "",
					 resolvers.search[i]);
	assert_string_equal(found, wanted);
}

static void servers_are_read_in_both_families(void **state)
{
	(void)state;
	assert_servers("nameserver 10.0.0.1\nnameserver 2001:db8::1\n", "10.0.0.1 2001:db8::1");
	assert_servers("nameserver\t10.0.0.1", "10.0.0.1");
	assert_servers("  nameserver   10.0.0.1  \r\n", "10.0.0.1");
	assert_servers("nameserver fe80::1%eth0\n", "fe80::1");
	assert_servers("nameserver ::ffff:10.0.0.1\n", "10.0.0.1");
	assert_servers("nameserver 10.0.0.1 # the first\n", "10.0.0.1");
}

static void what_is_no_server_is_passed_over(void **state)
{
	(void)state;
	assert_servers("# nameserver 10.0.0.1\n; nameserver 10.0.0.2\nnameserver 10.0.0.3\n",
		       "10.0.0.3");
	assert_servers("nameservers 10.0.0.1\nnameserver dns.example\nnameserver 10.0.0.256\n"
		       "nameserver 10.0.0.0/8\nnameserver 10.0.0.2\n",
		       "10.0.0.2");
	assert_servers("nameserver\n10.0.0.1\nnameserver 10.0.0.2\n", "10.0.0.2");
	assert_servers("options nameserver 10.0.0.1\nnameserver 10.0.0.2\n", "10.0.0.2");
	assert_servers("NAMESERVER 10.0.0.1\nnameserver 10.0.0.2\n", "10.0.0.2");
}

/* resolv.conf(5) */
static void without_a_server_it_is_this_host(void **state)
{
	(void)state;
	assert_servers("", "127.0.0.1");
	assert_servers("search example\n", "127.0.0.1");
	assert_servers("nameserver nonsense\n", "127.0.0.1");
	assert_servers("\n\n\n", "127.0.0.1");
}

static void there_is_an_end_to_servers(void **state)
{
	char text[4096];
	size_t used = 0;

	(void)state;
	for (int i = 1; i <= 3 * RESOLVERS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "nameserver 10.0.0.%d\n",
					 i);
	assert_servers(text, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 "
			     "10.0.0.8");
}

static void search_domains_are_names_in_lower_case(void **state)
{
	(void)state;
	assert_search("search corp.example svc.example\n", "corp.example svc.example");
	assert_search("search Corp.EXAMPLE. \t svc.example.\n", "corp.example svc.example");
	assert_search("domain corp.example\n", "corp.example");
	assert_search("search\n", "");
	assert_search("", "");
}

static void the_last_line_of_search_domains_counts(void **state)
{
	(void)state;
	assert_search("search a.example\nsearch b.example c.example\n", "b.example c.example");
	assert_search("search a.example b.example\ndomain c.example\n", "c.example");
	assert_search("domain c.example\nsearch a.example b.example\n", "a.example b.example");
}

static void what_is_no_domain_is_passed_over(void **state)
{
	(void)state;
	assert_search("search . a.example\n", "a.example");
	assert_search("search a..example .b.example c/d b_c.example -\n", "b_c.example -");
	assert_search("search a.example\0b.example\n", "a.example");
}

static void there_is_an_end_to_search_domains(void **state)
{
	char text[1024] = "search ";

	(void)state;
	assert_search("search a b c d e f g h\n", "a b c d e f");
	/* One that is too long to be any name ends the list: it can't be told from its parts. */
	memset(text + 7, 'x', 600);
	assert_search(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_read_in_both_families),
		cmocka_unit_test(what_is_no_server_is_passed_over),
		cmocka_unit_test(without_a_server_it_is_this_host),
		cmocka_unit_test(there_is_an_end_to_servers),
		cmocka_unit_test(search_domains_are_names_in_lower_case),
		cmocka_unit_test(the_last_line_of_search_domains_counts),
		cmocka_unit_test(what_is_no_domain_is_passed_over),
		cmocka_unit_test(there_is_an_end_to_search_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
