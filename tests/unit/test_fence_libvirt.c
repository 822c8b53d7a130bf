/* fence_libvirt: the verdict, and the deeds at libvirt's own test driver.
 *
 * A test holds a connection of its own open: the driver's made-up host lives as long as one is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agents/fence_libvirt.h"
#include "tests/unit/unit.h"

enum { TIME_MS = 10000 };

static const char DRIVER[] = "test:///default"; /* has one domain, "test", and it runs */
static const char DEAD[] = "qemu+unix:///system?socket=/nowhere/libvirt-sock";

/* In the place of libvirt's: at a host whose URI ends in this, the lookup fails for another reason
 * than that there is no such domain.  A connection that breaks just then does that. */
static const char *broken = NULL;

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name)
{
	virDomainPtr (*lookup)(virConnectPtr, const char *);
	char *uri VRMS_CLEANUP(vrms_freep) = virConnectGetURI(connection);
	bool is_broken = broken != NULL && uri != NULL && strstr(uri, broken) != NULL;

	*(void **)&lookup = dlsym(RTLD_NEXT, "virDomainLookupByName");
	return lookup(is_broken ? NULL : connection, name);
}

/* In the place of libvirt's: every domain stands still while it is handed over. */
static bool is_handed_over;

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned int flags)
{
	int (*get)(virDomainPtr, int *, int *, unsigned int);

	*(void **)&get = dlsym(RTLD_NEXT, "virDomainGetState");
	int rc = get(domain, state, reason, flags);
	if (is_handed_over) {
		*state = VIR_DOMAIN_PAUSED;
		*reason = VIR_DOMAIN_PAUSED_MIGRATION;
	}
	return rc;
}

/* In the place of libvirt's: the image of saved memory cannot be removed. */
static bool keeps_images;

int virDomainManagedSaveRemove(virDomainPtr domain, unsigned int flags)
{
	int (*remove_image)(virDomainPtr, unsigned int);

	*(void **)&remove_image = dlsym(RTLD_NEXT, "virDomainManagedSaveRemove");
	return remove_image(keeps_images ? NULL : domain, flags);
}

static void be_quiet(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

static virConnectPtr begin(void)
{
	virSetErrorFunc(NULL, be_quiet);
	virConnectPtr connection = virConnectOpen(DRIVER);
	ck_assert_ptr_nonnull(connection);
	return connection;
}

static int64_t soon(int64_t ms)
{
	return vrms_clock_now_ms(vrms_clock_system()) + ms;
}

static int off_within(int64_t ms, const char *uris, const char *domain, bool single_host,
		      struct vrms_error *error)
{
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done);

	ck_assert_int_eq(vrms_outers_init(&outers, uris, single_host, error), 0);
	return vrms_outers_off(&outers, domain, vrms_clock_system(), soon(ms), error);
}

static int off(const char *uris, const char *domain, bool single_host, struct vrms_error *error)
{
	return off_within(4000, uris, domain, single_host, error);
}

static int on(const char *uris, const char *domain, bool single_host, struct vrms_error *error)
{
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done);

	ck_assert_int_eq(vrms_outers_init(&outers, uris, single_host, error), 0);
	return vrms_outers_on(&outers, domain, vrms_clock_system(), soon(TIME_MS), error);
}

static bool is_active(virConnectPtr connection)
{
	virDomainPtr domain = virDomainLookupByName(connection, "test");
	bool result = virDomainIsActive(domain) == 1;

	(void)virDomainFree(domain);
	return result;
}

START_TEST(silence_proves_nothing)
{
	static const struct {
		enum vrms_outer_answer answers[2];
		enum vrms_outer_verdict two_hosts, one_host;
	} rows[] = {
	    {{VRMS_OUTER_ON, VRMS_OUTER_SILENT}, VRMS_VERDICT_ON, VRMS_VERDICT_ON},
	    {{VRMS_OUTER_OFF, VRMS_OUTER_ON}, VRMS_VERDICT_ON, VRMS_VERDICT_ON},
	    {{VRMS_OUTER_OFF, VRMS_OUTER_OFF}, VRMS_VERDICT_OFF, VRMS_VERDICT_OFF},
	    {{VRMS_OUTER_OFF, VRMS_OUTER_ABSENT}, VRMS_VERDICT_OFF, VRMS_VERDICT_OFF},
	    {{VRMS_OUTER_OFF, VRMS_OUTER_SILENT}, VRMS_VERDICT_UNKNOWN, VRMS_VERDICT_OFF},
	    {{VRMS_OUTER_ABSENT, VRMS_OUTER_SILENT}, VRMS_VERDICT_UNKNOWN, VRMS_VERDICT_ABSENT},
	    {{VRMS_OUTER_ABSENT, VRMS_OUTER_ABSENT}, VRMS_VERDICT_ABSENT, VRMS_VERDICT_ABSENT},
	    {{VRMS_OUTER_SILENT, VRMS_OUTER_SILENT}, VRMS_VERDICT_UNKNOWN, VRMS_VERDICT_UNKNOWN},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		ck_assert_int_eq(vrms_outer_judge(rows[i].answers, 2, false), rows[i].two_hosts);
		ck_assert_int_eq(vrms_outer_judge(rows[i].answers, 2, true), rows[i].one_host);
	}
}
END_TEST

START_TEST(off_is_off_and_on_is_on)
{
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();

	ck_assert(is_active(connection));
	ck_assert_int_eq(off(DRIVER, "test", false, &error), 0);
	ck_assert(!is_active(connection));
	ck_assert_int_eq(off(DRIVER, "test", false, &error), 0);
	ck_assert_int_eq(on(DRIVER, "test", false, &error), 0);
	ck_assert(is_active(connection));
	ck_assert_int_eq(on(DRIVER, "test", false, &error), 0);
	(void)virConnectClose(connection);
}
END_TEST

START_TEST(a_domain_that_nobody_knows_is_not_off)
{
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();

	ck_assert_int_eq(off(DRIVER, "node9", false, &error), -ENODEV);
	ck_assert_str_eq(error.text, "no domain \"node9\" at test:///default");
	ck_assert_int_eq(on(DRIVER, "node9", false, &error), -ENODEV);
	(void)virConnectClose(connection);
}
END_TEST

START_TEST(a_uuid_is_a_plug_too)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();
	virDomainPtr domain = virDomainLookupByName(connection, "test");

	ck_assert_int_eq(virDomainGetUUIDString(domain, uuid), 0);
	(void)virDomainFree(domain);
	ck_assert_int_eq(off(DRIVER, uuid, false, &error), 0);
	ck_assert(!is_active(connection));
	(void)virConnectClose(connection);
}
END_TEST

START_TEST(either_host_answers_but_only_a_deed_makes_up_for_silence)
{
	char uris[128];
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();

	(void)snprintf(uris, sizeof(uris), "%s, %s", DEAD, DRIVER);
	ck_assert_int_eq(off(uris, "test", false, &error), 0); /* was on: destroyed */
	ck_assert(!is_active(connection));
	ck_assert_int_eq(off(uris, "test", false, &error), -EIO); /* the other may run it */
	ck_assert_ptr_nonnull(strstr(error.text, "test: not known to be off: qemu+unix"));
	ck_assert_int_eq(on(uris, "test", false, &error), -EIO);
	ck_assert(!is_active(connection));
	ck_assert_int_eq(off(uris, "test", true, &error), 0);
	ck_assert_int_eq(on(uris, "test", true, &error), 0);
	ck_assert(is_active(connection));
	(void)virConnectClose(connection);
}
END_TEST

/* The host that says nothing may be the one that has got it. */
START_TEST(the_end_of_one_that_was_handed_over_proves_nothing_of_the_other_host)
{
	char uris[128];
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();

	(void)snprintf(uris, sizeof(uris), "%s, %s", DEAD, DRIVER);
	is_handed_over = true;
	ck_assert_int_eq(off(uris, "test", false, &error), -EIO);
	ck_assert_ptr_nonnull(strstr(error.text, "test: not known to be off: qemu+unix"));
	ck_assert(!is_active(connection));
	ck_assert_int_eq(on(uris, "test", true, &error), 0);
	ck_assert_int_eq(off(DRIVER, "test", false, &error), 0); /* all hosts have answered */
	(void)virConnectClose(connection);
}
END_TEST

/* libvirt-guests saves the memory of what runs when its host is shut down, and libvirt goes on from
 * there at the next start: with all that ran on the node when it was fenced. */
START_TEST(a_node_that_was_saved_boots_and_does_not_wake_up)
{
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();
	virDomainPtr domain = virDomainLookupByName(connection, "test");
	int state, reason;

	ck_assert_int_eq(virDomainManagedSave(domain, 0), 0);
	ck_assert_int_eq(virDomainHasManagedSaveImage(domain, 0), 1);
	ck_assert_int_eq(off(DRIVER, "test", false, &error), 0);
	ck_assert_int_eq(virDomainHasManagedSaveImage(domain, 0), 0);

	ck_assert_int_eq(virDomainCreate(domain), 0);
	ck_assert_int_eq(virDomainManagedSave(domain, 0), 0);
	ck_assert_int_eq(on(DRIVER, "test", false, &error), 0);
	ck_assert_int_eq(virDomainGetState(domain, &state, &reason, 0), 0);
	ck_assert_int_eq(state, VIR_DOMAIN_RUNNING);
	ck_assert_int_eq(reason, VIR_DOMAIN_RUNNING_BOOTED);

	ck_assert_int_eq(virDomainManagedSave(domain, 0), 0);
	keeps_images = true;
	ck_assert_int_eq(off(DRIVER, "test", false, &error), -EIO);
	ck_assert_int_eq(on(DRIVER, "test", false, &error), -EIO);
	ck_assert(!is_active(connection));
	(void)virDomainFree(domain);
	(void)virConnectClose(connection);
}
END_TEST

/* The last question before the deadline may have been too late for any answer. */
START_TEST(a_reason_is_worth_more_than_that_there_was_no_time)
{
	struct vrms_error error = {.text = ""};
	struct vrms_outers outers = {.count = 2};

	outers.hosts[0].rc = vrms_error_set(&outers.hosts[0].error, -ETIMEDOUT, "late");
	outers.hosts[1].rc = vrms_error_set(&outers.hosts[1].error, -EIO, "broken");
	ck_assert_int_eq(vrms_outers_complain(&outers, "test", &error), -EIO);
	ck_assert_str_eq(error.text, "test: not known to be off: broken");
	outers.hosts[1].rc = 0;
	ck_assert_int_eq(vrms_outers_complain(&outers, "test", &error), -EIO);
	ck_assert_str_eq(error.text, "test: not known to be off: late");
}
END_TEST

START_TEST(a_lookup_that_fails_is_no_absence)
{
	static const char xml[] = "<node><domain type='test'><name>test</name>"
				  "<memory>8192</memory><os><type>hvm</type></os></domain></node>";
	char path[] = "/tmp/vrms-outer-XXXXXX", uris[128];
	struct vrms_error error = {.text = ""};
	virConnectPtr connection = begin();
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, xml, sizeof(xml) - 1), (ssize_t)sizeof(xml) - 1);
	ck_assert_int_eq(close(fd), 0);
	(void)snprintf(uris, sizeof(uris), "%s, test://%s", DRIVER, path);
	ck_assert_int_eq(off(DRIVER, "test", false, &error), 0);
	broken = path; /* it runs there */
	ck_assert_int_eq(off(uris, "test", false, &error), -EIO);
	ck_assert_ptr_nonnull(strstr(error.text, "test: not known to be off: test:///tmp"));
	ck_assert_int_eq(on(uris, "test", false, &error), -EIO);
	ck_assert(!is_active(connection));
	broken = NULL;
	ck_assert_int_eq(off(uris, "test", false, &error), 0);
	ck_assert_int_eq(unlink(path), 0);
	(void)virConnectClose(connection);
}
END_TEST

/* A daemon that takes the connection and never answers. */
START_TEST(a_host_that_hangs_is_given_up)
{
	char folder[] = "/tmp/vrms-outer-XXXXXX", uri[256];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct vrms_error error = {.text = ""};
	ck_assert_ptr_nonnull(begin());

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	(void)snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s,%s", address.sun_path,
		       DRIVER);
	int64_t begin_ms = soon(0);
	ck_assert_int_eq(off_within(25000, uri, "test", false, &error), 0);
	ck_assert_int_lt(soon(0) - begin_ms, 20000); /* the deed was enough */
	ck_assert_int_eq(off(uri, "test", false, &error), -EIO);
	ck_assert_ptr_nonnull(strstr(error.text, "does not answer in time"));
	ck_assert_int_lt(soon(0) - begin_ms, 50000);
	begin_ms = soon(0);
	struct vrms_outers outers;
	ck_assert_int_eq(vrms_outers_init(&outers, uri, false, &error), 0);
	vrms_outers_ask(&outers, VRMS_OUTER_LIST, NULL, -1, vrms_clock_system(), soon(20000));
	ck_assert_ptr_nonnull(strstr(outers.hosts[1].names, "test "));
	ck_assert_int_lt(soon(0) - begin_ms, 8000); /* any list is enough */
	unlink(address.sun_path);
	rmdir(folder);
	_exit(0); /* the thread hangs in libvirt */
}
END_TEST

START_TEST(uris_are_a_list)
{
	struct vrms_error error = {.text = ""};
	struct vrms_outers outers;

	ck_assert_int_eq(vrms_outers_init(&outers, "a, b c", false, &error), 0);
	ck_assert_uint_eq(outers.count, 3);
	ck_assert_str_eq(outers.hosts[2].uri, "c");
	vrms_outers_done(&outers);
	ck_assert_int_eq(vrms_outers_init(&outers, " ,", false, &error), -EINVAL);
	vrms_outers_done(&outers);
	ck_assert_int_eq(vrms_outers_init(&outers, "1 2 3 4 5 6 7 8 9", false, &error), -EINVAL);
	vrms_outers_done(&outers);
}
END_TEST

UNIT_MAIN("fence_libvirt", silence_proves_nothing, off_is_off_and_on_is_on,
	  a_domain_that_nobody_knows_is_not_off, a_uuid_is_a_plug_too,
	  either_host_answers_but_only_a_deed_makes_up_for_silence,
	  the_end_of_one_that_was_handed_over_proves_nothing_of_the_other_host,
	  a_node_that_was_saved_boots_and_does_not_wake_up,
	  a_reason_is_worth_more_than_that_there_was_no_time, a_lookup_that_fails_is_no_absence,
	  a_host_that_hangs_is_given_up, uris_are_a_list)
