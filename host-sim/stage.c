/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#define KIOSK_IP  0xc0000201u /* 192.0.2.1 */
#define SHOP_IP	  0xcb00710au /* 203.0.113.10 */
#define CHECK_IP  0xc6336407u /* 198.51.100.7 */
#define PORTAL_IP 0xc6336401u /* 198.51.100.1 */

static const char default_config[] = "[agent]\n"
				     "listen    = 127.0.0.1:8480\n"
				     "control   = /run/holdfast/control.sock\n"
				     "state-dir = /var/lib/holdfast\n"
				     "\n"
				     "[origin shop]\n"
				     "url  = http://shop.example\n"
				     "host = shop.localhost\n"
				     "\n"
				     "[worker kiosk]\n"
				     "origin   = shop\n"
				     "scope    = /\n"
				     "manifest = " SIM_MANIFEST_PATH "\n"
				     "\n"
				     "[probe]\n"
				     "url    = http://check.example/generate_204\n"
				     "status = 204\n";

#define ROUTE(name)                                                                            \
	"{ \"condition\": { \"urlPattern\": \"/api/" name "\", \"requestMethod\": \"POST\" }," \
	"  \"source\": \"network\","                                                           \
	"  \"queue\": { \"tag\": \"" name "\", \"lane\": \"" name "\","                        \
	"             \"order\": \"block\", \"expect\": [200, 201] } }"

static const char default_manifest[] =
	"{ \"name\": \"kiosk\", \"version\": \"1.0.0\", \"routes\": [" ROUTE("orders") "," ROUTE(
		"payments") "," ROUTE("reports") "] }";

void sim_stage_init(struct sim_stage *s, const struct sim_stage_options *opt)
{
	memset(s, 0, sizeof(*s));
	sim_world_init(&s->world, opt->seed, opt->trace);
	sim_net_init(&s->net, &s->world);
	sim_dns_init(&s->dns, &s->net);
	sim_ledger_init(&s->ledger, &s->world);
	s->link = SIM_LINK_UP;
	s->kiosk = sim_device_create(&s->world, &s->net, &s->dns, "kiosk", KIOSK_IP, opt->guest);
	sim_device_file(s->kiosk, SIM_CONFIG_PATH, opt->config ? opt->config : default_config);
	sim_device_file(s->kiosk, SIM_MANIFEST_PATH,
			opt->manifest ? opt->manifest : default_manifest);
	s->panel = sim_panel_create(s->kiosk, &s->ledger, "shop.localhost:8480");
	s->shop = sim_origin_create(&s->net, &s->ledger, SIM_ORIGIN_SHOP, "shop.example", SHOP_IP);
	s->check =
		sim_origin_create(&s->net, &s->ledger, SIM_ORIGIN_CHECK, "check.example", CHECK_IP);
	s->portal = sim_origin_create(&s->net, &s->ledger, SIM_ORIGIN_PORTAL, "portal.example",
				      PORTAL_IP);
	s->net.portal = sim_origin_node(s->portal);
}

void sim_stage_finish(struct sim_stage *s)
{
	s->kiosk->reboot_after_us = SIM_NEVER;
	sim_panel_destroy(s->panel);
	sim_device_destroy(s->kiosk);
	sim_origin_destroy(s->shop);
	sim_origin_destroy(s->check);
	sim_origin_destroy(s->portal);
	sim_net_finish(&s->net);
	sim_ledger_finish(&s->ledger);
	sim_world_finish(&s->world);
}

void sim_stage_link(struct sim_stage *s, enum sim_link link)
{
	struct sim_node *n = s->kiosk->node;

	if (link == s->link)
		return;
	s->link = link;
	s->link_changes++;
	n->black_hole = link == SIM_LINK_DEAD;
	n->captive = link == SIM_LINK_CAPTIVE;
	if (n->link_up != (link != SIM_LINK_DOWN))
		sim_device_link(s->kiosk, link != SIM_LINK_DOWN);
	else
		sim_device_network_changed(s->kiosk);
}

void sim_stage_heal(struct sim_stage *s)
{
	static const struct sim_origin_mood well;

	sim_device_cut_at(s->kiosk, 0, 0);
	sim_disk_capacity(s->kiosk->disk, UINT64_MAX);
	sim_stage_link(s, SIM_LINK_UP);
	s->dns.broken = false;
	sim_origin_node(s->shop)->black_hole = false;
	sim_origin_up(s->shop, true);
	sim_origin_mood(s->shop, &well);
	sim_net_changed(&s->net);
	sim_device_boot(s->kiosk);
}
