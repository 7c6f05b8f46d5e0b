/* SPDX-License-Identifier: Apache-2.0 */
#include "story_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "stage.h"

__attribute__((format(printf, 3, 4))) static void say(struct sim_said *out, enum sim_tone tone,
						      const char *fmt, ...)
{
	size_t n = strlen(out->text);
	va_list ap;

	out->tone = tone;
	va_start(ap, fmt);
	vsnprintf(out->text + n, sizeof(out->text) - n, fmt, ap);
	va_end(ap);
}

static void say_good(struct sim_said *out, const char *relief, const char *text)
{
	say(out, SIM_TONE_GOOD, "%s", text);
	out->relief = relief;
}

/* ---- the way out ---- */

static void link_words(const struct sim_step *step, struct sim_said *out)
{
	switch ((enum sim_link)step->a) {
	case SIM_LINK_UP:
		say_good(out, "after the network was back", "The network works again.");
		break;
	case SIM_LINK_DOWN:
		say(out, SIM_TONE_BAD, "Somebody pulls the network cable.");
		break;
	case SIM_LINK_DEAD:
		say(out, SIM_TONE_BAD,
		    "The network goes silent: the cable is in, but nothing comes through.");
		break;
	case SIM_LINK_BARE:
		say(out, SIM_TONE_BAD, "The network gives no address any more: the cable is in.");
		break;
	case SIM_LINK_CAPTIVE:
		say(out, SIM_TONE_BAD,
		    "The network asks for a login: a portal answers every request.");
		break;
	}
}

static void dns_words(const struct sim_step *step, struct sim_said *out)
{
	switch ((enum sim_dns_mode)step->a) {
	case SIM_DNS_WORKS:
		say_good(out, "after names were found again", "Names are found again.");
		break;
	case SIM_DNS_FAILS:
		say(out, SIM_TONE_BAD, "No name is found any more.");
		break;
	case SIM_DNS_SLOW:
		say(out, SIM_TONE_BAD, "Names take their time to be found.");
		break;
	case SIM_DNS_LIES:
		say(out, SIM_TONE_BAD, "Names lead to somebody else.");
		break;
	}
}

static void network_words(const struct sim_step *step, struct sim_said *out)
{
	static const char *const bad[] = {
		[SIM_NET_LATENCY] = "The way to the shop gets longer.",
		[SIM_NET_JITTER] = "The way to the shop gets uneven.",
		[SIM_NET_LOSS] = "The network loses packets.",
		[SIM_NET_BANDWIDTH] = "The network gets narrow.",
		[SIM_NET_FORGETS] = "A router forgets the connections that stand.",
		[SIM_NET_RESETS] = "Something resets connections on the way.",
		[SIM_NET_STALLS] = "Connections stall on the way.",
		[SIM_NET_FRAGMENTS] = "What is sent arrives in pieces.",
		[SIM_NET_DOUBLES] = "Datagrams come twice.",
	};

	if (step->a == SIM_NET_NORMAL)
		say_good(out, "after the network was well", "The network is well again.");
	else
		say(out, SIM_TONE_BAD, "%s", bad[step->a]);
}

/* ---- the device ---- */

static void clock_words(const struct sim_step *step, struct sim_said *out)
{
	char span[32];

	sim_span_text(step->b, span);
	switch ((enum sim_clock_fault)step->a) {
	case SIM_CLOCK_RIGHT:
		say(out, SIM_TONE_GOOD, "The clock is set right.");
		break;
	case SIM_CLOCK_AHEAD:
		say(out, SIM_TONE_BAD, "The clock jumps %s ahead.", span);
		break;
	case SIM_CLOCK_BACK:
		say(out, SIM_TONE_BAD, "The clock jumps %s back.", span);
		break;
	case SIM_CLOCK_LATE:
		say(out, SIM_TONE_PLAIN, "The time comes %s after the network.", span);
		break;
	case SIM_CLOCK_BATTERY:
		say(out, SIM_TONE_PLAIN, "The clock has a battery.");
		break;
	case SIM_CLOCK_BATTERY_AHEAD:
		say(out, SIM_TONE_BAD, "The clock has a battery, which is %s ahead.", span);
		break;
	case SIM_CLOCK_BATTERY_BACK:
		say(out, SIM_TONE_BAD, "The clock has a battery, which is %s behind.", span);
		break;
	}
}

static void disk_words(const struct sim_step *step, struct sim_said *out)
{
	switch ((enum sim_disk_fault)step->a) {
	case SIM_DISK_NORMAL:
		say(out, SIM_TONE_GOOD, "The disk is well again.");
		break;
	case SIM_DISK_FULL:
		say(out, SIM_TONE_BAD, "The disk is full.");
		break;
	case SIM_DISK_FREE:
		say(out, SIM_TONE_GOOD, "There is room on the disk again.");
		break;
	case SIM_DISK_SLOW:
		say(out, SIM_TONE_BAD, "The disk gets slow.");
		break;
	case SIM_DISK_FAILS:
	case SIM_DISK_FAILS_AT:
		say(out, SIM_TONE_BAD, "The disk has errors.");
		break;
	case SIM_DISK_ROTS:
		say(out, SIM_TONE_BAD, "Bits on the disk turn over.");
		break;
	}
}

static void process_words(const struct sim_step *step, struct sim_said *out)
{
	switch ((enum sim_process_fault)step->a) {
	case SIM_PROCESS_KILLED:
		say(out, SIM_TONE_BAD, "The agent's process is killed.");
		break;
	case SIM_PROCESS_HANGS:
		say(out, SIM_TONE_BAD, "The agent's process hangs.");
		break;
	case SIM_PROCESS_CRASHES:
		say(out, SIM_TONE_BAD, "The agent's process crashes again and again.");
		break;
	}
}

/* ---- origins ---- */

static void answer_words(const struct sim_step *step, struct sim_said *out)
{
	if (step->a == 0) {
		say_good(out, "after the shop was back", "The shop answers normally again.");
		return;
	}
	say(out, SIM_TONE_BAD, "The shop has trouble: it answers %u", (unsigned)step->a);
	if (step->b)
		say(out, SIM_TONE_BAD, " and asks to come back in %u s.", (unsigned)step->b);
	else
		say(out, SIM_TONE_BAD, ".");
}

static void lost_words(const struct sim_step *step, struct sim_said *out)
{
	if (step->a == 0)
		say_good(out, "after the shop was back", "The shop's answers arrive again.");
	else
		say(out, SIM_TONE_BAD, "The shop does what it is asked, but its answers %s.",
		    step->what == SIM_DO_ORIGIN_LOSE ? "get lost" :
		    step->what == SIM_DO_ORIGIN_CUTS ? "break off" :
						       "cannot be read");
}

static void origin_words(const struct sim_step *step, struct sim_said *out)
{
	switch (step->what) {
	case SIM_DO_ORIGIN_UP:
		say_good(out, "after the shop was back", "The shop's server runs again.");
		break;
	case SIM_DO_ORIGIN_DOWN:
		say(out, SIM_TONE_BAD, "The shop's server is stopped.");
		break;
	case SIM_DO_ORIGIN_SILENT:
		say(out, SIM_TONE_BAD, "The shop's server falls silent.");
		break;
	case SIM_DO_ORIGIN_ANSWER:
		answer_words(step, out);
		break;
	case SIM_DO_ORIGIN_LARGE:
		say(out, SIM_TONE_PLAIN, "The shop's answers are %s.",
		    step->a ? "large" : "short again");
		break;
	case SIM_DO_ORIGIN_CERT:
		say(out, step->a ? SIM_TONE_BAD : SIM_TONE_GOOD, "The shop's certificate is %s.",
		    step->a ? "not good" : "good");
		break;
	case SIM_DO_ORIGIN_TOKENS:
		say(out, SIM_TONE_PLAIN, "The shop wants a token with each order.");
		break;
	case SIM_DO_ORIGIN_PUBLISH:
		say(out, SIM_TONE_PLAIN, "The shop publishes a new edition.");
		break;
	case SIM_DO_ORIGIN_VALUE:
		say(out, SIM_TONE_PLAIN, "%s is \"%s\" now.", step->path, step->body);
		break;
	case SIM_DO_ORIGIN_SLOW:
		say(out, step->a ? SIM_TONE_BAD : SIM_TONE_GOOD, "The shop is %s.",
		    step->a ? "slow" : "quick again");
		break;
	default:
		lost_words(step, out);
		break;
	}
}

/* ---- all of them ---- */

static void device_words(const struct sim_step *step, struct sim_said *out)
{
	switch (step->what) {
	case SIM_DO_LINK:
		link_words(step, out);
		break;
	case SIM_DO_LINK_FLAPS:
		say(out, SIM_TONE_BAD, "The network comes and goes.");
		break;
	case SIM_DO_DNS:
		dns_words(step, out);
		break;
	case SIM_DO_NETWORK:
		network_words(step, out);
		break;
	case SIM_DO_CLOCK:
		clock_words(step, out);
		break;
	case SIM_DO_DISK:
		disk_words(step, out);
		break;
	case SIM_DO_MEMORY:
		say(out, SIM_TONE_BAD, "There will be no memory for one allocation.");
		break;
	case SIM_DO_PROCESS:
		process_words(step, out);
		break;
	default:
		break;
	}
}

void sim_story_words(const struct sim_step *step, struct sim_said *out)
{
	memset(out, 0, sizeof(*out));
	if (step->origin && strcmp(step->origin, "shop") != 0)
		snprintf(out->text, sizeof(out->text), "(%s) ", step->origin);
	else if (step->device && step->what != SIM_DO_NOTE)
		snprintf(out->text, sizeof(out->text), "(%s) ", step->device);
	if (step->what == SIM_DO_NOTE)
		say(out, SIM_TONE_PLAIN, "%s", step->body);
	else if (step->what == SIM_DO_AIR)
		say(out, step->a == SIM_NET_NORMAL ? SIM_TONE_GOOD : SIM_TONE_BAD, "%s",
		    step->a == SIM_NET_NORMAL ? "The sensors are heard well again." :
						"The sensors are badly heard.");
	else if (step->what == SIM_DO_RELEASE)
		say(out, SIM_TONE_PLAIN, "Release %u of the app is out.", (unsigned)step->a);
	else if (step->what == SIM_DO_ALL_WELL)
		say_good(out, "after the last fault", "Everything works again, to stay.");
	else if (step->what >= SIM_DO_ORIGIN_UP && step->what < SIM_DO_ORDER)
		origin_words(step, out);
	else if (step->what < SIM_DO_ORIGIN_UP)
		device_words(step, out);
}
