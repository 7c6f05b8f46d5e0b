/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store answers every write of a registration with an error, for hours: neither
 * manager tries without a pause, nobody is told of what did not become durable, and
 * when the medium is well again each registration is fired as before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "holdfast/err.h"
#include "lib/reg_rig.h"

#define MINUTE UINT64_C(60000)
#define HOUR   (60 * MINUTE)
/* Of @n registrations, each with two writes and then a pause of 5 s. */
#define TRIES(ms, n) (2 * (n) * ((ms) / 5000))

void __real_hf_store_registration(struct hf_store *s, struct hf_store_registration *r);
void __wrap_hf_store_registration(struct hf_store *s, struct hf_store_registration *r);

static struct regrig rig;
static unsigned writes; /* that were asked for while they fail */
static int fails;	/* what they are answered with, 0: they work */

struct late {
	struct hf_job job;
	struct hf_store_registration *row;
	int err;
};

static void no_run(struct hf_job *job)
{
	(void)job;
}

static void late_done(struct hf_job *job)
{
	struct late *l = hf_container_of(job, struct late, job);
	struct hf_store_op *op = &l->row->op;
	int err = l->err;

	free(l);
	op->done(op, err);
}

/* The error comes on a later turn, as the store's own do. */
void __wrap_hf_store_registration(struct hf_store *s, struct hf_store_registration *r)
{
	struct hf_port *port = &rig.q.store.port.port;
	struct late *l;

	if (!fails) {
		__real_hf_store_registration(s, r);
		return;
	}
	writes++;
	l = calloc(1, sizeof(*l));
	assert_non_null(l);
	l->job = (struct hf_job){ .run = no_run, .done = late_done };
	l->row = r;
	l->err = fails;
	port->job_submit(port, &l->job);
}

static int set_up(void **state)
{
	(void)state;
	fails = 0;
	writes = 0;
	regrig_init(&rig);
	rig.q.origin[0].up = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fails = 0;
	regrig_finish(&rig);
	return 0;
}

/* Until the errors end. */
static void pass_with(int err, uint64_t ms)
{
	writes = 0;
	fails = err;
	qrig_advance(&rig.q, ms);
	fails = 0;
}

static const int errors[] = { HF_EIO, HF_EFULL };

static void periodic_registrations_wait_out_a_bad_medium(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct hf_periodic_figures f;
		uint32_t runs;

		assert_int_equal(regrig_periodic(&rig, "menu", HOUR), 0);
		assert_int_equal(regrig_periodic(&rig, "page", HOUR), 0);
		runs = regrig_figures(&rig, "menu").runs;
		pass_with(errors[i], 5 * HOUR);
		assert_in_range(writes, 1, TRIES(5 * HOUR, 2));
		qrig_advance(&rig.q, 3 * HOUR);
		f = regrig_figures(&rig, "menu");
		assert_non_null(f.state);
		assert_true(f.runs > runs);
		assert_non_null(regrig_figures(&rig, "page").state);
		regrig_restart(&rig);
		assert_non_null(regrig_figures(&rig, "menu").state);
		assert_non_null(regrig_figures(&rig, "page").state);
	}
}

static void answer_ill(void *user, struct hf_exchange *x, struct fake_answer_to *out)
{
	(void)user;
	(void)x;
	*out = (struct fake_answer_to){ .status = 500 };
}

static void one_off_registrations_wait_out_a_bad_medium(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		unsigned hits;

		rig.q.origin[0].answer = answer_ill;
		assert_int_equal(regrig_sync(&rig, "orders"), 0);
		qrig_advance(&rig.q, MINUTE);
		assert_string_equal(regrig_tag(&rig, "orders").state, "waiting");
		hits = regrig_hits(&rig);
		pass_with(errors[i], 5 * HOUR);
		assert_in_range(writes, 1, TRIES(5 * HOUR, 1));
		/* an event that could not be marked was not fired */
		assert_int_equal(regrig_hits(&rig), hits);
		assert_non_null(regrig_tag(&rig, "orders").state);
		regrig_restart(&rig);
		assert_non_null(regrig_tag(&rig, "orders").state);
		rig.q.origin[0].answer = NULL;
		qrig_advance(&rig.q, HOUR);
		assert_null(regrig_tag(&rig, "orders").state);
	}
}

/* What cannot be made durable is refused, and leaves nothing behind. */
static void a_registration_is_refused_while_the_medium_is_bad(void **state)
{
	(void)state;
	fails = HF_EIO;
	assert_int_equal(regrig_sync(&rig, "later"), HF_EIO);
	assert_int_equal(regrig_periodic(&rig, "menu", HOUR), HF_EIO);
	qrig_advance(&rig.q, 3 * HOUR);
	fails = 0;
	assert_null(regrig_tag(&rig, "later").state);
	assert_null(regrig_figures(&rig, "menu").state);
	assert_int_equal(regrig_hits(&rig), 0);
	regrig_restart(&rig);
	assert_null(regrig_tag(&rig, "later").state);
	assert_null(regrig_figures(&rig, "menu").state);
}

/* The end of an event cannot be stored: it is fired again, and then it is over. */
static void an_end_that_is_not_stored_is_not_the_end(void **state)
{
	(void)state;
	rig.q.origin[0].up = false;
	assert_int_equal(regrig_sync(&rig, "orders"), 0);
	qrig_advance(&rig.q, MINUTE);
	assert_non_null(regrig_tag(&rig, "orders").state);
	pass_with(HF_EIO, HOUR);
	rig.q.origin[0].up = true;
	qrig_advance(&rig.q, HOUR);
	assert_null(regrig_tag(&rig, "orders").state);
	regrig_restart(&rig);
	assert_null(regrig_tag(&rig, "orders").state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(periodic_registrations_wait_out_a_bad_medium),
		TEST(one_off_registrations_wait_out_a_bad_medium),
		TEST(a_registration_is_refused_while_the_medium_is_bad),
		TEST(an_end_that_is_not_stored_is_not_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
