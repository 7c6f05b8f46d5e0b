/* SPDX-License-Identifier: Apache-2.0 */
/* The phrases that say what must be. */
#include <ctype.h>

#include "script_steps.h"

static bool statuses(struct sim_script *s, struct sim_step *step)
{
	uint64_t status;
	size_t i = 0;

	step->what = SIM_DO_EXPECT_ANSWER;
	do {
		if (!sim_words_number(s, &status))
			return false;
		if (status > 599 || i == SIM_STATUSES) {
			s->at--;
			return sim_words_fail(s, "up to %d statuses below 600 are expected here",
					      SIM_STATUSES);
		}
		step->status[i++] = (uint16_t)status;
	} while (sim_words_take(s, "or"));
	return true;
}

/* idle for T: until then, nothing else is waited for. */
static bool idle(struct sim_script *s, struct sim_step *step)
{
	return sim_words_need(s, "for") && sim_words_duration(s, &step->a);
}

static bool at_most_bytes(struct sim_script *s, struct sim_step *step)
{
	return sim_words_need(s, "at") && sim_words_need(s, "most") && sim_words_size(s, &step->a);
}

static bool at_most(struct sim_script *s, struct sim_step *step)
{
	return sim_words_need(s, "at") && sim_words_need(s, "most") &&
	       sim_words_number(s, &step->a);
}

static bool at_least(struct sim_script *s, struct sim_step *step)
{
	return sim_words_need(s, "at") && sim_words_need(s, "least") &&
	       sim_words_number(s, &step->a);
}

/* fetched PATH N */
static bool fetched(struct sim_script *s, struct sim_step *step)
{
	return sim_words_text(s, "a path", &step->path) && sim_words_number(s, &step->a);
}

static bool a_text(struct sim_script *s, struct sim_step *step)
{
	return sim_words_text(s, "a text", &step->body);
}

/* page VERSION [from cache | origin] */
static bool page(struct sim_script *s, struct sim_step *step)
{
	static const char *const whose[] = { "cache", "origin", NULL };
	int who;

	if (!sim_words_number(s, &step->a) || !sim_words_take(s, "from"))
		return !s->failed;
	who = sim_script_one_of(s, whose);
	step->b = (uint64_t)who + 1;
	return who >= 0 || sim_words_fail(s, "a page is from cache or origin");
}

/* A word, a second one, then a number or what @rest takes. */
static const struct claim {
	const char *word, *second;
	enum sim_do what;
	bool number;
	bool (*rest)(struct sim_script *s, struct sim_step *step);
} claims[] = {
	{ "received", NULL, SIM_DO_EXPECT_RECEIVED, true, NULL },
	{ "delivered", NULL, SIM_DO_EXPECT_DELIVERED, true, NULL },
	{ "order", "kept", SIM_DO_EXPECT_ORDER_KEPT, false, NULL },
	{ "lost", NULL, SIM_DO_EXPECT_LOST, true, NULL },
	{ "duplicated", "effects", SIM_DO_EXPECT_DUPLICATED, true, NULL },
	{ "queue", "empty", SIM_DO_EXPECT_QUEUE_EMPTY, false, NULL },
	{ "every", "answer", SIM_DO_EXPECT_ANSWERS, false, NULL },
	{ "power", "cuts", SIM_DO_EXPECT_CUTS, true, NULL },
	{ "process", "restarts", SIM_DO_EXPECT_RESTARTS, true, NULL },
	{ "attempts", NULL, SIM_DO_EXPECT_ATTEMPTS, false, at_most },
	{ "events", NULL, SIM_DO_EXPECT_EVENTS, false, at_least },
	{ "idle", NULL, SIM_DO_EXPECT_IDLE, false, idle },
	{ "metered", NULL, SIM_DO_EXPECT_METERED, false, at_most_bytes },
	{ "fetched", NULL, SIM_DO_EXPECT_FETCHED, false, fetched },
	{ "page", NULL, SIM_DO_EXPECT_PAGE, false, page },
	{ "logged", NULL, SIM_DO_EXPECT_LOG, false, a_text },
	{ "heard", NULL, SIM_DO_EXPECT_HEARD, false, a_text },
	{ "stale", NULL, SIM_DO_EXPECT_STALE, false, NULL },
};

/* held N [for REASON], and the other states. */
static bool state(struct sim_script *s, struct sim_step *step)
{
	static const char *const states[] = { "queued", "inflight",  "held", "settled",
					      "dead",	"cancelled", NULL };
	int at = sim_script_one_of(s, states);

	if (at < 0)
		return false;
	step->what = SIM_DO_EXPECT_STATE;
	step->body = states[at];
	if (sim_words_number(s, &step->a) && sim_words_take(s, "for"))
		(void)sim_words_text(s, "a reason", &step->path);
	return true;
}

static bool claim(struct sim_script *s, struct sim_step *step)
{
	const struct claim *c;
	size_t i;

	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		c = &claims[i];
		if (!sim_words_take(s, c->word))
			continue;
		step->what = c->what;
		if (c->second && !sim_words_need(s, c->second))
			return false;
		if (c->rest)
			return c->rest(s, step);
		return !c->number || sim_words_number(s, &step->a);
	}
	if (state(s, step))
		return !s->failed;
	if (!sim_words_end(s) && isdigit((unsigned char)s->words[s->at].text.ptr[0]))
		return statuses(s, step);
	return sim_words_fail(
		s,
		"a status is expected here, or: origin received, delivered, order kept, "
		"lost, duplicated effects, queue empty, every answer, power cuts, process "
		"restarts, attempts, events, idle, metered, fetched, page, logged, heard, stale, or a state");
}

/* expect [DEVICE] [origin [NAME]] CLAIM [within T | by TIME] */
bool sim_script_expect(struct sim_script *s, struct sim_step *step)
{
	(void)sim_script_device(s, &step->device);
	if (sim_words_take(s, "origin"))
		(void)sim_script_origin_name(s, &step->origin);
	if (!claim(s, step))
		return false;
	if (sim_words_take(s, "within"))
		return sim_words_duration(s, &step->within_us);
	if (sim_words_take(s, "by"))
		return sim_words_moment(s, &step->by_us);
	return true;
}
