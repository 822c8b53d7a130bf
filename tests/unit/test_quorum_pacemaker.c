/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vm-watch's side that speaks to Pacemaker, with a CIB and a controller of this file.
 */
#include "quorum/pacemaker.h"

#include <crm/cib.h>
#include <crm/common/ipc_controld.h>
#include <crm/common/xml.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "quorum/vm_line.h"
#include "tests/unit/unit.h"

static pcmk_ipc_callback_t on_event;
static void *event_context;
static int controller; /* its address is the connection's */
static unsigned fail_count;
static int fail_rc;
static char config[64];

/* ---- Pacemaker */

static int sign_on(cib_t *cib, const char *name, enum cib_conn_type type)
{
	(void)cib;
	(void)name;
	(void)type;
	return 0;
}

static int sign_off(cib_t *cib)
{
	(void)cib;
	return 0;
}

static int notify_of_end(cib_t *cib, void (*function)(gpointer context))
{
	(void)cib;
	(void)function;
	return 0;
}

static int notify_of_changes(cib_t *cib, const char *event,
			     void (*function)(const char *event, xmlNode *message))
{
	(void)cib;
	(void)event;
	(void)function;
	return 0;
}

static int query(cib_t *cib, const char *section, xmlNode **ret_tree, int options)
{
	char text[2048];

	(void)cib;
	(void)section;
	(void)options;
	snprintf(text, sizeof(text),
		 "<cib><configuration><nodes><node id='1' uname='node1'/></nodes><resources>"
		 "<primitive id='r1' class='ocf' provider='vrms' type='VirtualMachine'>"
		 "<instance_attributes id='a'><nvpair id='a1' name='config' value='%s'/>"
		 "</instance_attributes></primitive></resources></configuration><status>"
		 "<node_state id='1' uname='node1'><lrm id='1'><lrm_resources>"
		 "<lrm_resource id='r1'><lrm_rsc_op id='r1_last_0' operation='start' "
		 "op-status='0' rc-code='0' call-id='12'/></lrm_resource></lrm_resources></lrm>"
		 "</node_state></status></cib>",
		 config);
	*ret_tree = string2xml(text);
	return 0;
}

cib_t *cib_new_no_shadow(void)
{
	static cib_api_operations_t commands = {.signon = sign_on,
						.signoff = sign_off,
						.set_connection_dnotify = notify_of_end,
						.add_notify_callback = notify_of_changes,
						.query = query};
	static cib_t cib = {.cmds = &commands};

	return &cib;
}

void cib_delete(cib_t *cib)
{
	(void)cib;
}

int pcmk_new_ipc_api(pcmk_ipc_api_t **api, enum pcmk_ipc_server server)
{
	(void)server;
	*api = (pcmk_ipc_api_t *)&controller;
	return 0;
}

void pcmk_register_ipc_callback(pcmk_ipc_api_t *api, pcmk_ipc_callback_t function, void *context)
{
	(void)api;
	on_event = function;
	event_context = context;
}

int pcmk_connect_ipc(pcmk_ipc_api_t *api, enum pcmk_ipc_dispatch dispatch_type)
{
	(void)api;
	(void)dispatch_type;
	return 0;
}

int pcmk_controld_api_node_info(pcmk_ipc_api_t *api, uint32_t node)
{
	pcmk_controld_api_reply_t reply = {.reply_type = pcmk_controld_reply_info,
					   .data.node_info.uname = "node1"};

	(void)node;
	on_event(api, pcmk_ipc_event_reply, CRM_EX_OK, &reply, event_context);
	return 0;
}

int pcmk_controld_api_fail(pcmk_ipc_api_t *api, const char *node, const char *router,
			   const char *resource, const char *long_id, const char *standard,
			   const char *provider, const char *type)
{
	(void)api;
	(void)router;
	(void)long_id;
	ck_assert_str_eq(node, "node1");
	ck_assert_str_eq(resource, "r1");
	ck_assert_str_eq(standard, "ocf");
	ck_assert_str_eq(provider, "vrms");
	ck_assert_str_eq(type, "VirtualMachine");
	fail_count++;
	return fail_rc;
}

/* ---- vm-watch */

/* Lets the main loop run until nothing is left to do, and gives the last word of that kind. */
static bool hear(int line, enum vrms_vm_word_kind kind, struct vrms_vm_word *ret_word)
{
	struct vrms_vm_word word;
	bool is_heard = false;

	while (g_main_context_iteration(NULL, FALSE)) {
	}
	while (vrms_vm_line_receive(line, &word) == 0) {
		if (word.kind == kind) {
			*ret_word = word;
			is_heard = true;
		}
	}
	return is_heard;
}

static struct vrms_pacemaker *start(int *ret_line)
{
	static const char domain[] = "<domain type='qemu'><name>vm1</name></domain>";
	struct vrms_pacemaker *pacemaker;
	struct vrms_vm_word word = {.domain = ""};
	int fds[2];

	snprintf(config, sizeof(config), "test_quorum_pacemaker.%d.xml", (int)getpid());
	ck_assert_int_eq(vrms_file_write(config, domain, strlen(domain), 0600, NULL), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(vrms_pacemaker_start(fds[0], &pacemaker, NULL), 0);
	*ret_line = fds[1];
	ck_assert(hear(fds[1], VRMS_VM_WORD_RESOURCE, &word));
	unlink(config);
	ck_assert_str_eq(word.domain, "vm1");
	ck_assert(word.resource.is_meant);
	return pacemaker;
}

START_TEST(an_incident_that_is_told_twice_is_one_failure)
{
	struct vrms_vm_word word;
	int line;
	struct vrms_pacemaker *pacemaker = start(&line);

	vrms_pacemaker_fail(pacemaker, "vm1", 1);
	vrms_pacemaker_fail(pacemaker, "vm1", 1); /* vrmsd had no answer for a second */
	ck_assert(hear(line, VRMS_VM_WORD_REPORTED, &word));
	ck_assert(word.yes);
	ck_assert_msg(fail_count == 1, "the fail count would be %u", fail_count);
	vrms_pacemaker_fail(pacemaker, "vm1", 2);
	ck_assert(hear(line, VRMS_VM_WORD_REPORTED, &word));
	ck_assert_uint_eq(fail_count, 2);
}
END_TEST

START_TEST(a_report_that_the_controller_did_not_take_is_made_again)
{
	struct vrms_vm_word word;
	int line;
	struct vrms_pacemaker *pacemaker = start(&line);

	fail_rc = ENOTCONN;
	vrms_pacemaker_fail(pacemaker, "vm1", 1);
	ck_assert(hear(line, VRMS_VM_WORD_REPORTED, &word));
	ck_assert(!word.yes);
	ck_assert_str_ne(word.text, "");
	fail_rc = 0;
	vrms_pacemaker_fail(pacemaker, "vm1", 1);
	ck_assert(hear(line, VRMS_VM_WORD_REPORTED, &word));
	ck_assert(word.yes);
	ck_assert_uint_eq(fail_count, 2);
}
END_TEST

UNIT_MAIN("quorum_pacemaker", an_incident_that_is_told_twice_is_one_failure,
	  a_report_that_the_controller_did_not_take_is_made_again)
