/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step does, in words: each function takes one phrase of the language
 * (docs/SIMULATOR.md) and leaves the rest of the line.
 */
#include "script_steps.h"

#include <ctype.h>

#include "sim/mem.h"
#include "stage.h"

/* ---- actions ---- */

static bool link_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_LINK;
	if (sim_words_take(s, "up"))
		step->a = SIM_LINK_UP;
	else if (sim_words_take(s, "down"))
		step->a = SIM_LINK_DOWN;
	else if (sim_words_take(s, "dead"))
		step->a = SIM_LINK_DEAD;
	else if (sim_words_take(s, "captive"))
		step->a = SIM_LINK_CAPTIVE;
	else
		return sim_words_fail(s, "a link is up, down, dead or captive");
	return true;
}

static bool answer_action(struct sim_script *s, struct sim_step *step)
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

static bool origin_action(struct sim_script *s, struct sim_step *step)
{
	if (sim_words_take(s, "up")) {
		step->what = SIM_DO_ORIGIN_UP;
	} else if (sim_words_take(s, "down")) {
		step->what = SIM_DO_ORIGIN_DOWN;
	} else if (sim_words_take(s, "silent")) {
		step->what = SIM_DO_ORIGIN_SILENT;
	} else if (sim_words_take(s, "answers")) {
		return answer_action(s, step);
	} else if (sim_words_take(s, "loses")) {
		step->what = SIM_DO_ORIGIN_LOSE;
		step->a = 100;
		return sim_words_need(s, "answers") &&
		       (sim_words_end(s) || sim_words_number(s, &step->a));
	} else if (sim_words_take(s, "slow")) {
		step->what = SIM_DO_ORIGIN_SLOW;
		return sim_words_duration(s, &step->a);
	} else {
		return sim_words_fail(
			s, "an origin is up, down, silent or slow, answers or loses answers");
	}
	return true;
}

static bool need_path(struct sim_script *s, const char **out)
{
	if (sim_words_end(s) || s->words[s->at].text.len == 0 || s->words[s->at].text.ptr[0] != '/')
		return sim_words_fail(s, "a path is expected here, like /api/orders");
	return sim_words_text(s, "a path", out);
}

/* body of 200kB: that many bytes of text. */
static bool large_body(struct sim_script *s, const char **out)
{
	uint64_t i, size = 0;
	char *text;

	if (!sim_words_size(s, &size))
		return false;
	text = sim_alloc(size);
	for (i = 0; i < size; i++)
		text[i] = (char)('a' + (i * 7 + size + i / 512) % 26);
	*out = sim_plan_text(s->plan, text, size);
	free(text);
	return true;
}

static bool panel_action(struct sim_script *s, struct sim_step *step)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE" };
	size_t i;

	if (sim_words_take(s, "follows")) {
		step->what = SIM_DO_FOLLOW;
		return sim_words_need(s, "events");
	}
	if (sim_words_take(s, "GET")) {
		step->what = SIM_DO_GET;
		return need_path(s, &step->path);
	}
	step->what = SIM_DO_ORDER;
	for (i = 0; i < 4 && !step->method; i++)
		if (sim_words_take(s, methods[i]))
			step->method = methods[i];
	if (!step->method)
		return sim_words_fail(
			s, "a panel sends GET, POST, PUT, PATCH or DELETE, or follows events");
	if (!need_path(s, &step->path))
		return false;
	step->body = "";
	if (!sim_words_take(s, "body"))
		return true;
	if (sim_words_take(s, "of"))
		return large_body(s, &step->body);
	return sim_words_text(s, "a body", &step->body);
}

/* cut power [at write N [and at write M of the next start]] */
static bool cut_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_CUT;
	if (!sim_words_need(s, "power"))
		return false;
	if (!sim_words_take(s, "at"))
		return true;
	if (!sim_words_need(s, "write") || !sim_words_number(s, &step->a))
		return false;
	if (step->a == 0) {
		s->at--;
		return sim_words_fail(s, "writes are counted from 1");
	}
	if (!sim_words_take(s, "and"))
		return true;
	return sim_words_need(s, "at") && sim_words_need(s, "write") &&
	       sim_words_number(s, &step->b) && sim_words_need(s, "of") &&
	       sim_words_need(s, "the") && sim_words_need(s, "next") && sim_words_need(s, "start");
}

static bool disk_action(struct sim_script *s, struct sim_step *step)
{
	if (sim_words_take(s, "full"))
		step->what = SIM_DO_DISK_FULL;
	else if (sim_words_take(s, "free"))
		step->what = SIM_DO_DISK_FREE;
	else
		return sim_words_fail(s, "a disk is full or free");
	return true;
}

static bool reboot_action(struct sim_script *s, struct sim_step *step)
{
	step->what = SIM_DO_REBOOT_AFTER;
	if (sim_words_take(s, "by")) {
		step->a = SIM_NEVER;
		return sim_words_need(s, "hand");
	}
	return sim_words_need(s, "after") && sim_words_duration(s, &step->a);
}

/* ---- expectations ---- */

static bool expect_statuses(struct sim_script *s, struct sim_step *step)
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

static bool expect_what(struct sim_script *s, struct sim_step *step)
{
	if (sim_words_take(s, "origin")) {
		step->what = SIM_DO_EXPECT_RECEIVED;
		return sim_words_need(s, "received") && sim_words_number(s, &step->a);
	}
	if (sim_words_take(s, "delivered")) {
		step->what = SIM_DO_EXPECT_DELIVERED;
		return sim_words_number(s, &step->a);
	}
	if (sim_words_take(s, "order")) {
		step->what = SIM_DO_EXPECT_ORDER_KEPT;
		return sim_words_need(s, "kept");
	}
	if (sim_words_take(s, "lost")) {
		step->what = SIM_DO_EXPECT_LOST;
		return sim_words_number(s, &step->a);
	}
	if (sim_words_take(s, "duplicated")) {
		step->what = SIM_DO_EXPECT_DUPLICATED;
		return sim_words_need(s, "effects") && sim_words_number(s, &step->a);
	}
	if (sim_words_take(s, "queue")) {
		step->what = SIM_DO_EXPECT_QUEUE_EMPTY;
		return sim_words_need(s, "empty");
	}
	if (sim_words_take(s, "every")) {
		step->what = SIM_DO_EXPECT_ANSWERS;
		return sim_words_need(s, "answer");
	}
	if (sim_words_take(s, "power")) {
		step->what = SIM_DO_EXPECT_CUTS;
		return sim_words_need(s, "cuts") && sim_words_number(s, &step->a);
	}
	if (!sim_words_end(s) && isdigit((unsigned char)s->words[s->at].text.ptr[0]))
		return expect_statuses(s, step);
	return sim_words_fail(
		s, "a status is expected here, or: origin received, delivered, order kept, "
		   "lost, duplicated effects, queue empty, every answer, power cuts");
}

static bool expect_action(struct sim_script *s, struct sim_step *step)
{
	if (!expect_what(s, step))
		return false;
	if (sim_words_take(s, "within"))
		return sim_words_duration(s, &step->within_us);
	if (sim_words_take(s, "by"))
		return sim_words_moment(s, &step->by_us);
	return true;
}

bool sim_script_action(struct sim_script *s, struct sim_step *step)
{
	if (sim_words_take(s, "link"))
		return link_action(s, step);
	if (sim_words_take(s, "origin"))
		return origin_action(s, step);
	if (sim_words_take(s, "panel"))
		return panel_action(s, step);
	if (sim_words_take(s, "cut"))
		return cut_action(s, step);
	if (sim_words_take(s, "reboot"))
		return reboot_action(s, step);
	if (sim_words_take(s, "expect"))
		return expect_action(s, step);
	if (sim_words_take(s, "disk"))
		return disk_action(s, step);
	if (sim_words_take(s, "boot")) {
		step->what = SIM_DO_BOOT;
		return true;
	}
	if (sim_words_take(s, "wait")) {
		step->what = SIM_DO_WAIT;
		return sim_words_duration(s, &step->a);
	}
	if (sim_words_take(s, "note")) {
		step->what = SIM_DO_NOTE;
		return sim_words_text(s, "a text", &step->body);
	}
	return sim_words_fail(
		s, "a step begins with link, origin, panel, disk, cut, boot, reboot, wait, "
		   "note or expect");
}
