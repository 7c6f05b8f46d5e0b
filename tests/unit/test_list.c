/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
	int value;
	struct hf_list node;
};

static int value_of(struct hf_list *node)
{
	return hf_container_of(node, struct item, node)->value;
}

static void gives_nodes_in_the_order_they_were_pushed(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 };
	struct hf_list head;

	(void)state;
	hf_list_init(&head);
	hf_list_push(&head, &b.node);
	hf_list_push(&head, &c.node);
	hf_list_push_front(&head, &a.node);
	assert_int_equal(value_of(hf_list_pop(&head)), 1);
	assert_int_equal(value_of(hf_list_pop(&head)), 2);
	assert_int_equal(value_of(hf_list_pop(&head)), 3);
	assert_null(hf_list_pop(&head));
	assert_true(hf_list_empty(&head));
}

static void removing_twice_is_harmless(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 };
	struct hf_list head;

	(void)state;
	hf_list_init(&head);
	hf_list_push(&head, &a.node);
	hf_list_push(&head, &b.node);
	hf_list_remove(&a.node);
	hf_list_remove(&a.node);
	assert_int_equal(value_of(hf_list_first(&head)), 2);
}

static void loops_while_nodes_are_removed(void **state)
{
	struct item items[4] = { { .value = 0 } };
	struct hf_list head, *it, *tmp;
	int i, seen = 0;

	(void)state;
	hf_list_init(&head);
	for (i = 0; i < 4; i++)
		hf_list_push(&head, &items[i].node);
	hf_list_for(it, tmp, &head) {
		hf_list_remove(it);
		seen++;
	}
	assert_int_equal(seen, 4);
	assert_true(hf_list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_nodes_in_the_order_they_were_pushed),
		cmocka_unit_test(removing_twice_is_harmless),
		cmocka_unit_test(loops_while_nodes_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
