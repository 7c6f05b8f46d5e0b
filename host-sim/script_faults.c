/* SPDX-License-Identifier: Apache-2.0 */
/* The phrases that make the world worse, and better again. */
#include "script_steps.h"
#include "stage.h"

/* ---- the way out ---- */

/* link up | down | dead | bare | captive [redirect|page|511] | flaps DOWN to UP | metered | unmetered */
bool sim_script_link(struct sim_script *s, struct sim_step *step)
{
	static const char *const states[] = { "down", "up", "dead", "captive", "bare", NULL };
	static const char *const portals[] = { "redirect", "page", "511", NULL };
	int state = sim_script_one_of(s, states), portal;

	step->what = SIM_DO_LINK;
	if (state >= 0) {
		portal = state == SIM_LINK_CAPTIVE ? sim_script_one_of(s, portals) : -1;
		step->a = (uint64_t)state;
		step->b = portal < 0 ? SIM_PORTAL_REDIRECT : (uint64_t)portal;
		return true;
	}
	if (sim_words_take(s, "metered") || sim_words_take(s, "unmetered")) {
		step->what = SIM_DO_METERED;
		step->a = hf_span_eq_str(s->words[s->at - 1].text, "metered");
		return true;
	}
	if (!sim_words_take(s, "flaps"))
		return sim_words_fail(
			s,
			"a link is up, down, dead, bare, captive, metered or unmetered, or flaps");
	step->what = SIM_DO_LINK_FLAPS;
	return sim_words_duration(s, &step->a) && sim_words_need(s, "down") &&
	       sim_words_duration(s, &step->b) && sim_words_need(s, "up");
}

/* dns works | fails | slow 8s | lies */
bool sim_script_dns(struct sim_script *s, struct sim_step *step)
{
	static const char *const modes[] = { "works", "fails", "slow", "lies", NULL };
	int mode = sim_script_one_of(s, modes);

	step->what = SIM_DO_DNS;
	if (mode < 0)
		return sim_words_fail(s, "names can be looked up: dns works, fails, lies or slow");
	step->a = (uint64_t)mode;
	return mode != SIM_DNS_SLOW || sim_words_duration(s, &step->b);
}

/* uploads | answers at byte N */
static bool direction_at(struct sim_script *s, struct sim_step *step)
{
	static const char *const words[] = { "uploads", "answers", NULL };
	int direction = sim_script_one_of(s, words);

	if (direction < 0)
		return sim_words_fail(s, "uploads or answers are expected here");
	step->c = (uint64_t)direction;
	return sim_words_need(s, "at") && sim_words_need(s, "byte") &&
	       sim_words_number(s, &step->b);
}

/* network normal | latency T | jitter T | loses N% | carries SIZE | forgets |
 * fragments | doubles N% | resets DIRECTION at byte N | stalls DIRECTION at byte N */
bool sim_script_network(struct sim_script *s, struct sim_step *step)
{
	static const char *const words[] = { "normal",	  "latency", "jitter", "loses",
					     "carries",	  "forgets", "resets", "stalls",
					     "fragments", "doubles", NULL };
	int fault = sim_script_one_of(s, words);

	step->what = SIM_DO_NETWORK;
	step->a = (uint64_t)fault;
	switch (fault) {
	case SIM_NET_NORMAL:
	case SIM_NET_FORGETS:
	case SIM_NET_FRAGMENTS:
		return true;
	case SIM_NET_LATENCY:
	case SIM_NET_JITTER:
		return sim_words_duration(s, &step->b);
	case SIM_NET_LOSS:
	case SIM_NET_DOUBLES:
		return sim_words_number(s, &step->b);
	case SIM_NET_BANDWIDTH:
		return sim_words_size(s, &step->b);
	case SIM_NET_RESETS:
	case SIM_NET_STALLS:
		return direction_at(s, step);
	default:
		return sim_words_fail(s, "a network is normal, has latency or jitter, loses, "
					 "doubles, carries, forgets, resets, stalls or fragments");
	}
}

/* ---- the device ---- */

/* clock right | jumps ahead T | jumps back T | late T | with battery [ahead T | back T] */
bool sim_script_clock(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_CLOCK;
	if (sim_words_take(s, "right")) {
		step->a = SIM_CLOCK_RIGHT;
		return true;
	}
	if (sim_words_take(s, "with")) {
		step->a = SIM_CLOCK_BATTERY;
		if (!sim_words_need(s, "battery"))
			return false;
		if (sim_words_take(s, "ahead"))
			step->a = SIM_CLOCK_BATTERY_AHEAD;
		else if (sim_words_take(s, "back"))
			step->a = SIM_CLOCK_BATTERY_BACK;
		return step->a == SIM_CLOCK_BATTERY || sim_words_duration(s, &step->b);
	}
	if (sim_words_take(s, "late")) {
		step->a = SIM_CLOCK_LATE;
		return sim_words_duration(s, &step->b);
	}
	if (!sim_words_take(s, "jumps"))
		return sim_words_fail(s, "a clock is right, late or with battery, or jumps");
	if (sim_words_take(s, "back"))
		step->a = SIM_CLOCK_BACK;
	else if (sim_words_need(s, "ahead"))
		step->a = SIM_CLOCK_AHEAD;
	else
		return false;
	return sim_words_duration(s, &step->b);
}

/* disk full | free | slow T | normal | fails at operation N | fails N% | rots N */
bool sim_script_disk(struct sim_script *s, struct sim_step *step)
{
	static const char *const words[] = {
		"normal", "full", "free", "slow", "fails", "rots", NULL
	};
	int fault = sim_script_one_of(s, words);

	step->what = SIM_DO_DISK;
	step->a = (uint64_t)fault;
	switch (fault) {
	case SIM_DISK_NORMAL:
	case SIM_DISK_FULL:
	case SIM_DISK_FREE:
		return true;
	case SIM_DISK_SLOW:
		return sim_words_duration(s, &step->b);
	case SIM_DISK_ROTS:
		return sim_words_number(s, &step->b);
	case SIM_DISK_FAILS:
		if (!sim_words_take(s, "at"))
			return sim_words_number(s, &step->b);
		step->a = SIM_DISK_FAILS_AT;
		return sim_words_need(s, "operation") && sim_words_number(s, &step->b);
	default:
		return sim_words_fail(s, "a disk is normal, full, free or slow, fails or rots");
	}
}

/* memory fails at allocation N */
bool sim_script_memory(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_MEMORY;
	return sim_words_need(s, "fails") && sim_words_need(s, "at") &&
	       sim_words_need(s, "allocation") && sim_words_number(s, &step->a);
}

/* process killed | hangs | crashes N times after T */
bool sim_script_process(struct sim_script *s, struct sim_step *step)
{
	static const char *const words[] = { "killed", "hangs", "crashes", NULL };
	int fault = sim_script_one_of(s, words);

	step->what = SIM_DO_PROCESS;
	step->a = (uint64_t)fault;
	if (fault < 0)
		return sim_words_fail(s, "a process is killed, hangs or crashes");
	if (fault != SIM_PROCESS_CRASHES)
		return true;
	return sim_words_number(s, &step->b) && sim_words_need(s, "times") &&
	       sim_words_need(s, "after") && sim_words_duration(s, &step->c);
}

/* ---- origins ---- */

static bool answers(struct sim_script *s, struct sim_step *step)
{
	uint64_t us = 0;

	if (sim_words_take(s, "with")) {
		step->what = SIM_DO_ORIGIN_LARGE;
		return sim_words_size(s, &step->a);
	}
	step->what = SIM_DO_ORIGIN_ANSWER;
	if (sim_words_take(s, "normally"))
		return true;
	if (!sim_words_number(s, &step->a))
		return false;
	if (step->a < 300 || step->a > 599) {
		s->at--;
		return sim_words_fail(s, "an origin refuses with 300 to 599");
	}
	if (sim_words_take(s, "retry-after")) {
		if (!sim_words_duration(s, &us))
			return false;
		step->b = us / SIM_US_PER_S;
	}
	return true;
}

/* answers [N%] */
static bool some_answers(struct sim_script *s, struct sim_step *step, enum sim_do what)
{
	step->what = what;
	step->a = 100;
	return sim_words_need(s, "answers") && (sim_words_end(s) || sim_words_number(s, &step->a));
}

static bool certificate(struct sim_script *s, struct sim_step *step)
{
	static const char *const words[] = { "good", "expired", "wrong", "untrusted", NULL };
	int cert = sim_script_one_of(s, words);

	if (cert < 0)
		return sim_words_fail(s, "a certificate is good, expired, wrong or untrusted");
	step->what = SIM_DO_ORIGIN_CERT;
	step->a = (uint64_t)cert;
	return true;
}

bool sim_script_origin(struct sim_script *s, struct sim_step *step)
{
	static const char *const words[] = { "up",	    "down",    "silent",    "slow",
					     "answers",	    "garbles", "breaks",    "loses",
					     "certificate", "wants",   "publishes", "has",
					     NULL };

	(void)sim_script_origin_name(s, &step->origin);
	switch (sim_script_one_of(s, words)) {
	case 0:
		step->what = SIM_DO_ORIGIN_UP;
		return true;
	case 1:
		step->what = SIM_DO_ORIGIN_DOWN;
		return true;
	case 2:
		step->what = SIM_DO_ORIGIN_SILENT;
		return true;
	case 3:
		step->what = SIM_DO_ORIGIN_SLOW;
		return sim_words_duration(s, &step->a);
	case 4:
		return answers(s, step);
	case 5:
		return some_answers(s, step, SIM_DO_ORIGIN_GARBLE);
	case 6:
		return some_answers(s, step, SIM_DO_ORIGIN_CUTS);
	case 7:
		return some_answers(s, step, SIM_DO_ORIGIN_LOSE);
	case 8:
		return certificate(s, step);
	case 9:
		step->what = SIM_DO_ORIGIN_TOKENS;
		return sim_words_need(s, "tokens") && sim_words_need(s, "for") &&
		       sim_words_duration(s, &step->a);
	case 10:
		step->what = SIM_DO_ORIGIN_PUBLISH;
		return true;
	case 11:
		step->what = SIM_DO_ORIGIN_VALUE;
		return sim_words_text(s, "a value", &step->body) && sim_words_need(s, "at") &&
		       sim_words_text(s, "a path", &step->path);
	default:
		return sim_words_fail(s, "an origin is up, down, silent or slow, answers, or "
					 "loses, breaks or garbles answers, has a certificate, "
					 "wants tokens, publishes, or has a value at a path");
	}
}
