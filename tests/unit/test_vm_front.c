/* vm_front as a program, against a fake libvirtd on libvirt's own socket path: in a mount namespace
 * of its own, where /run/libvirt is empty.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agents/vm_cache.h"
#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"
#include "tests/fakes/libvirtd.h"
#include "tests/unit/unit.h"

enum { FULL_AGENT_SPOKE = 42 };

static char root[64], config[128], state[160];
static struct vrms_child_result result;

/* Stands for the full agent: says how it was called and ends with a code of its own. */
static void put_full_agent(void)
{
	static const char script[] =
	    "#!/bin/sh\n"
	    "echo \"full $1 level=$OCF_CHECK_LEVEL timeout=$OCF_RESKEY_CRM_meta_timeout\"\n"
	    "exit 42\n";
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/vm-agent", root);
	ck_assert_int_eq(vrms_file_write(path, script, sizeof(script) - 1, 0700, NULL), 0);
}

static void put_cache(const char *uri)
{
	char variable[160];
	struct vrms_vm_cache cache = {.domain = "vm1",
				      .uuid = "77000000-0000-4000-9000-000000000001"};

	(void)snprintf(variable, sizeof(variable), "OCF_RESKEY_config=%s", config);
	char *environment[] = {variable, NULL};
	strcpy(cache.config, config);
	strcpy(cache.uri, uri);
	ck_assert_int_eq(vrms_vm_config_identify(config, &cache.config_id, NULL), 0);
	ck_assert_int_eq(vrms_vm_cache_write(state, &cache, environment, NULL), 0);
}

static void begin(void)
{
	strcpy(root, "/tmp/vrms-front-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	(void)snprintf(config, sizeof(config), "%s/vm1.xml", root);
	(void)snprintf(state, sizeof(state), "%s/VirtualMachine-vm1.state", root);
	ck_assert_int_eq(vrms_file_write(config, "<domain/>", 9, 0600, NULL), 0);
	put_full_agent();
	ck_assert_int_eq(setenv("VRMS_LIBEXECDIR", root, 1), 0);
	ck_assert_int_eq(setenv("HA_RSCTMP", root, 1), 0);
	ck_assert_int_eq(setenv("OCF_RESOURCE_INSTANCE", "vm1", 1), 0);
	ck_assert_int_eq(setenv("OCF_RESKEY_config", config, 1), 0);
	ck_assert_int_eq(setenv("OCF_RESKEY_CRM_meta_timeout", "5000", 1), 0);
	put_cache("qemu:///system");
}

static void end(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s' /run/libvirt/*", root);
	ck_assert_int_eq(system(command), 0);
}

/* A daemon on a socket, for as long as the test lives. */
static void serve(const char *path, const struct fake_libvirtd *model)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	if (model == NULL) {
		return; /* a stuck one: the kernel takes the connection, nobody answers */
	}
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			struct fake_libvirtd fake = *model;
			fake.fd = accept(listener, NULL, NULL);
			fake_libvirtd_serve(&fake);
		}
	}
	close(listener);
}

static void serve_state(int domain_state, int reason)
{
	struct fake_libvirtd model = {.state = domain_state, .reason = reason};

	serve("/run/libvirt/libvirt-sock-ro", &model);
}

/* Runs the front; returns its exit code and leaves its output in `result`. */
static int front(const char *action)
{
	const char *const argv[] = {FRONT_PROGRAM, action, NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 20000};

	vrms_child_result_done(&result);
	ck_assert_int_eq(vrms_child_run(&spec, &result, NULL), 0);
	return result.exit_code;
}

START_TEST(a_running_domain_needs_no_full_agent)
{
	begin();
	serve_state(1, 1);
	ck_assert_int_eq(front("monitor"), 0);
	ck_assert_str_eq(result.output, "");
	ck_assert_str_eq(result.errors, "");
	ck_assert_int_eq(front("status"), 0);
	ck_assert_int_eq(setenv("OCF_CHECK_LEVEL", "0", 1), 0);
	ck_assert_int_eq(front("monitor"), 0);
	end();
}
END_TEST

START_TEST(the_drivers_own_daemon_is_asked_first)
{
	struct fake_libvirtd model = {.state = 1, .reason = 1};

	begin();
	serve_state(5, 1);
	serve("/run/libvirt/virtqemud-sock-ro", &model);
	ck_assert_int_eq(front("monitor"), 0);
	end();
}
END_TEST

START_TEST(every_other_action_is_the_full_agents)
{
	static const char *const actions[] = {"start",      "stop",         "meta-data",
					      "migrate_to", "validate-all", "reload-agent",
					      "usage",      "--man",        ""};

	begin();
	serve_state(1, 1);
	for (size_t i = 0; i < VRMS_COUNT_OF(actions); i++) {
		char expected[64];
		ck_assert_int_eq(front(actions[i]), FULL_AGENT_SPOKE);
		(void)snprintf(expected, sizeof(expected), "full %s level= timeout=5000\n",
			       actions[i]);
		ck_assert_str_eq(result.output, expected);
	}
	end();
}
END_TEST

START_TEST(a_deeper_monitor_is_the_full_agents)
{
	begin();
	serve_state(1, 1);
	ck_assert_int_eq(setenv("OCF_CHECK_LEVEL", "10", 1), 0);
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	ck_assert_str_eq(result.output, "full monitor level=10 timeout=5000\n");
	ck_assert_int_eq(unsetenv("OCF_CHECK_LEVEL"), 0);
	ck_assert_int_eq(setenv("OCF_RESKEY_monitor_scripts", "/bin/check", 1), 0);
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	end();
}
END_TEST

START_TEST(any_other_state_is_the_full_agents)
{
	static const struct {
		int state, reason;
	} states[] = {{3, 5}, {5, 1}, {5, 3}, {6, 0}, {3, 10}, {3, 6}};

	for (size_t i = 0; i < VRMS_COUNT_OF(states); i++) {
		begin();
		serve_state(states[i].state, states[i].reason);
		ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
		end();
	}
}
END_TEST

START_TEST(without_a_valid_cache_it_is_the_full_agents)
{
	begin();
	serve_state(1, 1);
	put_cache("qemu+ssh://elsewhere/system");
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	put_cache("qemu:///system");
	ck_assert_int_eq(front("monitor"), 0);
	ck_assert_int_eq(setenv("OCF_RESKEY_on_io_error", "resume", 1), 0);
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	ck_assert_int_eq(unsetenv("OCF_RESKEY_on_io_error"), 0);
	ck_assert_int_eq(unlink(state), 0);
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	end();
}
END_TEST

START_TEST(no_daemon_and_no_such_domain_are_the_full_agents)
{
	struct fake_libvirtd model = {.faulty = FAKE_GET_STATE,
				      .fault = FAKE_ERROR,
				      .argument = 42};

	begin();
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	serve("/run/libvirt/libvirt-sock-ro", &model);
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	end();
}
END_TEST

START_TEST(a_stuck_daemon_costs_a_fifth_of_the_time_and_no_more)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int timeout_ms = 0;

	begin();
	serve("/run/libvirt/libvirt-sock-ro", NULL);
	int64_t start_ms = vrms_clock_now_ms(clock);
	ck_assert_int_eq(front("monitor"), FULL_AGENT_SPOKE);
	int64_t spent_ms = vrms_clock_now_ms(clock) - start_ms;
	ck_assert_int_ge(spent_ms, 999);
	ck_assert_int_lt(spent_ms, 4000);
	/* And the full agent knows that it is gone. */
	ck_assert_int_eq(sscanf(result.output, "full monitor level= timeout=%d", &timeout_ms), 1);
	ck_assert_int_le(timeout_ms, 4000);
	ck_assert_int_gt(timeout_ms, 5000 - (int)spent_ms - 100);
	end();
}
END_TEST

START_TEST(a_missing_full_agent_is_not_installed)
{
	begin();
	ck_assert_int_eq(setenv("VRMS_LIBEXECDIR", "/nonexistent", 1), 0);
	ck_assert_int_eq(front("start"), 5);
	ck_assert_str_eq(result.errors, "ocf-exit-reason:/nonexistent/vm-agent: No such file or "
					"directory; the installation is incomplete\n");
	end();
}
END_TEST

/* An empty /run/libvirt that only this program and its children see. */
static int hide_libvirt(void)
{
	int kind = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;

	if (unshare(kind) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || mkdir("/run/libvirt", 0755) < 0) {
		return -errno;
	}
	return 0;
}

int main(void)
{
	const TTest *const tests[] = {a_running_domain_needs_no_full_agent,
				      the_drivers_own_daemon_is_asked_first,
				      every_other_action_is_the_full_agents,
				      a_deeper_monitor_is_the_full_agents,
				      any_other_state_is_the_full_agents,
				      without_a_valid_cache_it_is_the_full_agents,
				      no_daemon_and_no_such_domain_are_the_full_agents,
				      a_stuck_daemon_costs_a_fifth_of_the_time_and_no_more,
				      a_missing_full_agent_is_not_installed};

	int rc = hide_libvirt();
	if (rc < 0) {
		printf("skipped: a mount namespace of its own is not allowed here: %s\n",
		       strerror(-rc));
		return 77;
	}
	return unit_run("vm_front", tests, VRMS_COUNT_OF(tests));
}
