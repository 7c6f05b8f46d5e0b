/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link watch, in a network namespace of its own with a tap device as the
 * cable. Where the kernel gives no namespace or no tap, only the first report
 * is tested.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "port/linux/port_linux.h"

#define TURNS 100

struct fixture {
	struct hf_port_linux *linux_port;
	struct hf_port *port;
	int links;
	enum hf_link link;
	uint64_t at_ms;
	int tap, control;
};

static void on_link(void *user, enum hf_link link)
{
	struct fixture *f = user;

	f->links++;
	f->link = link;
	f->at_ms = f->port->boottime_ms(f->port);
}

static void on_nothing(void *user)
{
	(void)user;
}

static const struct hf_port_events events = {
	.on_wake = on_nothing,
	.on_link = on_link,
	.on_clock = on_nothing,
};

static void set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(hf_port_linux_create(NULL, &f->linux_port), 0);
	f->port = hf_port_linux_port(f->linux_port);
	f->port->events_user = f;
	f->port->events = &events;
}

static void turns(struct fixture *f, int n)
{
	for (int i = 0; i < n; i++)
		hf_port_linux_turn(f->linux_port, 10);
}

static void wait_links(struct fixture *f, int links)
{
	for (int i = 0; i < TURNS && f->links < links; i++)
		hf_port_linux_turn(f->linux_port, 10);
	assert_int_equal(f->links, links);
}

/* A new namespace with a cable, unplugged; false where that is not to be had. */
static bool open_cable(struct fixture *f, const char *name)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	if (unshare(CLONE_NEWNET))
		return false;
	f->control = socket(AF_INET, SOCK_DGRAM, 0);
	f->tap = open("/dev/net/tun", O_RDWR);
	strcpy(req.ifr_name, name);
	return f->tap >= 0 && f->control >= 0 && !ioctl(f->tap, TUNSETIFF, &req);
}

static void set_address(struct fixture *f, const char *name, uint32_t ip)
{
	struct ifreq req = { 0 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };

	strcpy(req.ifr_name, name);
	in4.sin_addr.s_addr = htonl(ip);
	memcpy(&req.ifr_addr, &in4, sizeof(in4));
	assert_int_equal(ioctl(f->control, SIOCSIFADDR, &req), 0);
}

static void give_address(struct fixture *f, const char *name, uint8_t last)
{
	set_address(f, name, 0xc0000200u + last); /* 192.0.2.x */
}

static void plug(struct fixture *f, const char *name, bool in)
{
	struct ifreq req = { 0 };

	strcpy(req.ifr_name, name);
	req.ifr_flags = in ? IFF_UP : 0;
	assert_int_equal(ioctl(f->control, SIOCSIFFLAGS, &req), 0);
}

static void the_link_is_told_once_after_the_start(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(f.links, 0);
	wait_links(&f, 1);
	turns(&f, 5);
	assert_int_equal(f.links, 1);
	assert_true(hf_port_linux_destroy(f.linux_port));
}

static void a_cable_is_noticed(void **state)
{
	uint64_t before;
	struct fixture f, none = { 0 };

	(void)state;
	if (!open_cable(&none, "hf0"))
		skip();
	set_up(&f);
	f.tap = none.tap;
	f.control = none.control;
	wait_links(&f, 1);
	assert_int_equal(f.link, HF_LINK_DOWN);

	before = f.port->boottime_ms(f.port);
	plug(&f, "hf0", true);
	give_address(&f, "hf0", 1);
	wait_links(&f, 2);
	assert_int_equal(f.link, HF_LINK_UP);
	assert_true(f.at_ms - before <= 300);

	plug(&f, "hf0", false); /* flaps are one change */
	plug(&f, "hf0", true);
	plug(&f, "hf0", false);
	wait_links(&f, 3);
	assert_int_equal(f.link, HF_LINK_DOWN);
	turns(&f, 40);
	assert_int_equal(f.links, 3);

	plug(&f, "hf0", true);
	wait_links(&f, 4);
	turns(&f, 40);
	before = (uint64_t)f.links;
	give_address(&f, "hf0", 2); /* another network */
	wait_links(&f, (int)before + 1);
	assert_int_equal(f.link, HF_LINK_UP);

	close(f.tap); /* the device goes away */
	wait_links(&f, (int)before + 2);
	assert_int_equal(f.link, HF_LINK_DOWN);
	close(f.control);
	assert_true(hf_port_linux_destroy(f.linux_port));
}

/* Turns until @link is told. */
static void wait_for(struct fixture *f, enum hf_link link)
{
	for (int i = 0; i < 5 * TURNS && f->link != link; i++)
		hf_port_linux_turn(f->linux_port, 10);
	assert_int_equal(f->link, link);
}

static void begin_in_namespace(struct fixture *f, const char *name, const char *left_out)
{
	struct fixture cable = { 0 };

	if (!open_cable(&cable, name))
		skip();
	set_up(f);
	hf_port_linux_leave_out(f->linux_port, left_out);
	f->tap = cable.tap;
	f->control = cable.control;
	wait_links(f, 1);
	assert_int_equal(f->link, HF_LINK_DOWN);
}

static void end(struct fixture *f)
{
	close(f->tap);
	close(f->control);
	assert_true(hf_port_linux_destroy(f->linux_port));
}

/* One it gives itself (169.254.0.0/16, fe80::/10) reaches nothing beyond the link. */
static void carrier_without_an_address_is_told_apart(void **state)
{
	struct fixture f;

	(void)state;
	begin_in_namespace(&f, "hf1", NULL);
	plug(&f, "hf1", true);
	wait_for(&f, HF_LINK_BARE);
	set_address(&f, "hf1", 0xa9fe0102);
	turns(&f, 40);
	assert_int_equal(f.link, HF_LINK_BARE);
	give_address(&f, "hf1", 1);
	wait_for(&f, HF_LINK_UP);
	set_address(&f, "hf1", 0); /* the lease has run out */
	wait_for(&f, HF_LINK_BARE);
	plug(&f, "hf1", false);
	wait_for(&f, HF_LINK_DOWN);
	end(&f);
}

static void an_interface_that_is_left_out_is_no_link(void **state)
{
	struct fixture f;

	(void)state;
	begin_in_namespace(&f, "veth7", "docker*, br-????????????,veth* ");
	plug(&f, "veth7", true);
	give_address(&f, "veth7", 1);
	turns(&f, 50);
	assert_int_equal(f.links, 1);
	hf_port_linux_leave_out(f.linux_port, "docker*, eth, veth");
	give_address(&f, "veth7", 2);
	wait_for(&f, HF_LINK_UP);
	end(&f);
}

/* ---- what networkd says of a captive portal ---- */

static void write_link(const char *folder, const char *name, const char *text)
{
	char path[128], made[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/.#%s", folder, name);
	snprintf(made, sizeof(made), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(rename(path, made), 0);
}

static void wait_for_api(struct fixture *f, const char *uri)
{
	const char *seen = NULL;
	int links = f->links;

	for (int i = 0; i < 5 * TURNS; i++) {
		seen = f->port->captive_api(f->port);
		if (f->links > links && (uri ? seen && strcmp(seen, uri) == 0 : !seen))
			return;
		hf_port_linux_turn(f->linux_port, 10);
	}
	fail_msg("the API is %s, not %s", seen ? seen : "none", uri ? uri : "none");
}

static void what_networkd_knows_of_a_portal_is_told(void **state)
{
	static char folder[] = "/tmp/hf-links-XXXXXX";
	char path[64], long_line[3000];
	struct hf_port_linux_options opt = { .links_folder = folder };
	struct fixture f = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_link(folder, "7", "OPER_STATE=routable\nCAPTIVE_PORTAL=https://a.example/api\n");
	assert_int_equal(hf_port_linux_create(&opt, &f.linux_port), 0);
	f.port = hf_port_linux_port(f.linux_port);
	f.port->events_user = &f;
	f.port->events = &events;
	wait_for_api(&f, "https://a.example/api");
	write_link(folder, "3", "CAPTIVE_PORTAL=urn:ietf:params:capport:unrestricted\nMTU=1500\n");
	wait_for_api(&f, "urn:ietf:params:capport:unrestricted");
	memset(long_line, 'x', sizeof(long_line) - 1);
	memcpy(long_line, "CAPTIVE_PORTAL=", 15);
	long_line[sizeof(long_line) - 1] = '\0';
	write_link(folder, "3", long_line);
	wait_for_api(&f, "https://a.example/api");
	write_link(folder, "7", "NOT_CAPTIVE_PORTAL=x\n");
	wait_for_api(&f, NULL);
	assert_true(hf_port_linux_destroy(f.linux_port));
	snprintf(path, sizeof(path), "%s/3", folder);
	remove(path);
	snprintf(path, sizeof(path), "%s/7", folder);
	remove(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_link_is_told_once_after_the_start),
		cmocka_unit_test(a_cable_is_noticed),
		cmocka_unit_test(carrier_without_an_address_is_told_apart),
		cmocka_unit_test(an_interface_that_is_left_out_is_no_link),
		cmocka_unit_test(what_networkd_knows_of_a_portal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
