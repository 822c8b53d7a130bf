/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/libvirt_rpc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fakes/libvirtd.h"
#include "tests/unit/unit.h"

static const char UUID[] = "77000000-0001-4000-9000-0000000000fe";
static const uint8_t UUID_BYTES[16] = {0x77, 0, 0, 0, 0, 1, 0x40, 0, 0x90, 0, 0, 0, 0, 0, 0, 0xfe};

enum { RUNNING = 1, BOOTED = 1, UNTOUCHED = -77 };

static struct fake_libvirtd healthy(void)
{
	return (struct fake_libvirtd){.state = RUNNING, .reason = BOOTED};
}

/* Asks the fake; it has `ms` milliseconds. */
static int ask_within(struct fake_libvirtd *fake, int64_t ms, struct vrms_libvirt_answer *answer,
		      struct vrms_error *error)
{
	const struct vrms_libvirt_question question = {.uri = "qemu:///system",
						       .domain = "vm1",
						       .uuid = UUID};
	const struct vrms_clock *clock = vrms_clock_system();
	int fd = fake_libvirtd_start(fake);

	ck_assert_int_ge(fd, 0);
	*answer = (struct vrms_libvirt_answer){.state = UNTOUCHED, .reason = UNTOUCHED};
	int rc =
	    vrms_libvirt_ask(fd, &question, clock, vrms_clock_now_ms(clock) + ms, answer, error);
	close(fd);
	fake_libvirtd_join(fake);
	return rc;
}

static int ask(struct fake_libvirtd *fake, struct vrms_libvirt_answer *answer)
{
	struct vrms_error error = {{0}};
	int rc = ask_within(fake, 5000, answer, &error);

	/* Whoever fails says why. */
	ck_assert_int_eq(rc < 0, error.text[0] != '\0');
	return rc;
}

START_TEST(state_and_reason_come_through)
{
	struct fake_libvirtd fake = {.state = 3, .reason = 5};
	struct vrms_libvirt_answer answer;

	ck_assert_int_eq(ask(&fake, &answer), 0);
	ck_assert_int_eq(answer.state, 3);
	ck_assert_int_eq(answer.reason, 5);
	ck_assert_str_eq(fake.uri, "qemu:///system");
	ck_assert_mem_eq(fake.uuid, UUID_BYTES, 16);
	ck_assert_int_eq(fake.calls, FAKE_CALL_COUNT); /* the farewell is heard, too */
}
END_TEST

START_TEST(a_reply_in_single_bytes_is_understood)
{
	for (int call = 0; call < FAKE_CALL_COUNT; call++) {
		struct fake_libvirtd fake = healthy();
		struct vrms_libvirt_answer answer;

		fake.faulty = (enum fake_call)call;
		fake.fault = FAKE_DRIP;
		ck_assert_int_eq(ask(&fake, &answer), 0);
		ck_assert_int_eq(answer.state, RUNNING);
	}
}
END_TEST

START_TEST(a_reply_cut_anywhere_is_no_answer)
{
	struct fake_libvirtd good = healthy();
	struct vrms_libvirt_answer answer;

	ck_assert_int_eq(ask(&good, &answer), 0);
	for (int call = FAKE_AUTH_LIST; call <= FAKE_GET_STATE; call++) {
		for (uint32_t bytes = 0; bytes < good.reply_bytes[call]; bytes++) {
			struct fake_libvirtd fake = healthy();
			fake.faulty = (enum fake_call)call;
			fake.fault = FAKE_CUT;
			fake.argument = bytes;
			ck_assert_int_eq(ask(&fake, &answer), -ECONNRESET);
			ck_assert_int_eq(answer.state, UNTOUCHED);
		}
	}
}
END_TEST

START_TEST(silence_anywhere_ends_at_the_deadline)
{
	for (int call = FAKE_AUTH_LIST; call <= FAKE_GET_STATE; call++) {
		for (uint32_t bytes = 0; bytes < 32; bytes += 13) {
			struct fake_libvirtd fake = healthy();
			struct vrms_libvirt_answer answer;
			struct vrms_error error = {{0}};
			int64_t start_ms = vrms_clock_now_ms(vrms_clock_system());

			fake.faulty = (enum fake_call)call;
			fake.fault = FAKE_HANG;
			fake.argument = bytes;
			ck_assert_int_eq(ask_within(&fake, 50, &answer, &error), -ETIMEDOUT);
			ck_assert_int_eq(answer.state, UNTOUCHED);
			int64_t spent_ms = vrms_clock_now_ms(vrms_clock_system()) - start_ms;
			ck_assert_int_ge(spent_ms, 49);
			ck_assert_int_lt(spent_ms, 5000);
		}
	}
}
END_TEST

/* The farewell is a courtesy: what came before it counts. */
START_TEST(a_broken_farewell_spoils_nothing)
{
	struct fake_libvirtd fake = healthy();
	struct vrms_libvirt_answer answer;

	fake.faulty = FAKE_CLOSE;
	fake.fault = FAKE_CUT;
	ck_assert_int_eq(ask(&fake, &answer), 0);
	ck_assert_int_eq(answer.state, RUNNING);
}
END_TEST

START_TEST(header_words_must_be_right)
{
	static const struct {
		uint32_t at, value;
	} wrong[] = {
	    {0, 0}, {0, 4},  {0, 27}, {0, 4097}, {0, 0x7fffffff}, {0, UINT32_MAX}, {4, 0x20008087},
	    {8, 2}, {12, 3}, {16, 0}, {16, 2},   {20, 99},        {24, 2},         {24, 7},
	};

	for (int call = FAKE_AUTH_LIST; call <= FAKE_GET_STATE; call++) {
		for (size_t i = 0; i < VRMS_COUNT_OF(wrong); i++) {
			struct fake_libvirtd fake = healthy();
			struct vrms_libvirt_answer answer;

			fake.faulty = (enum fake_call)call;
			fake.fault = FAKE_WORD;
			fake.argument = wrong[i].at;
			fake.value = wrong[i].value;
			ck_assert_int_eq(ask(&fake, &answer), -EBADMSG);
			ck_assert_int_eq(answer.state, UNTOUCHED);
		}
	}
}
END_TEST

/* A flipped bit in a header or in the list of log-ins is never taken for an answer; one that
 * makes the message longer than it is can only end at the deadline. */
START_TEST(no_flipped_bit_makes_an_answer)
{
	for (int call = FAKE_AUTH_LIST; call <= FAKE_GET_STATE; call++) {
		uint32_t bytes = call == FAKE_AUTH_LIST ? 36 : 28;
		for (uint32_t bit = 0; bit < bytes * 8; bit++) {
			struct fake_libvirtd fake = healthy();
			struct vrms_libvirt_answer answer;
			struct vrms_error error = {{0}};

			fake.faulty = (enum fake_call)call;
			fake.fault = FAKE_FLIP;
			fake.argument = bit;
			ck_assert_int_lt(ask_within(&fake, 20, &answer, &error), 0);
			ck_assert_int_eq(answer.state, UNTOUCHED);
		}
	}
}
END_TEST

START_TEST(trailing_bytes_are_another_form)
{
	for (int call = FAKE_AUTH_LIST; call <= FAKE_GET_STATE; call++) {
		struct fake_libvirtd fake = healthy();
		struct vrms_libvirt_answer answer;

		fake.faulty = (enum fake_call)call;
		fake.fault = FAKE_TRAILING;
		ck_assert_int_eq(ask(&fake, &answer), -EBADMSG);
	}
}
END_TEST

START_TEST(a_missing_domain_is_told_from_other_errors)
{
	static const struct {
		uint32_t code;
		int rc;
	} errors[] = {{42, -ENOMEDIUM}, {1, -EREMOTEIO}, {38, -EREMOTEIO}, {0, -EREMOTEIO}};

	for (size_t i = 0; i < VRMS_COUNT_OF(errors); i++) {
		struct fake_libvirtd fake = healthy();
		struct vrms_libvirt_answer answer;
		struct vrms_error error = {{0}};

		fake.faulty = FAKE_GET_STATE;
		fake.fault = FAKE_ERROR;
		fake.argument = errors[i].code;
		ck_assert_int_eq(ask_within(&fake, 5000, &answer, &error), errors[i].rc);
		ck_assert_str_eq(error.text, "libvirtd: oops");
	}
}
END_TEST

START_TEST(an_error_with_a_lying_length_is_broken)
{
	struct fake_libvirtd fake = healthy();
	struct vrms_libvirt_answer answer;

	fake.faulty = FAKE_OPEN;
	fake.fault = FAKE_BAD_ERROR;
	ck_assert_int_eq(ask(&fake, &answer), -EBADMSG);
}
END_TEST

START_TEST(a_wanted_log_in_is_left_to_the_library)
{
	struct fake_libvirtd fake = healthy();
	struct vrms_libvirt_answer answer;

	fake.faulty = FAKE_AUTH_LIST;
	fake.fault = FAKE_WORD;
	fake.argument = 32; /* the first of the list */
	fake.value = 2;     /* polkit */
	ck_assert_int_eq(ask(&fake, &answer), -EACCES);
	ck_assert_int_eq(fake.calls, 1);
}
END_TEST

START_TEST(bad_questions_are_refused)
{
	static const char *const uuids[] = {"", "77000000-0001-4000-9000-0000000000f",
					    "77000000-0001-4000-9000-0000000000fe0",
					    "77000000x0001-4000-9000-0000000000fe",
					    "7700000g-0001-4000-9000-0000000000fe"};

	for (size_t i = 0; i < VRMS_COUNT_OF(uuids); i++) {
		struct fake_libvirtd fake = healthy();
		const struct vrms_libvirt_question question = {.uri = "qemu:///system",
							       .domain = "vm1",
							       .uuid = uuids[i]};
		const struct vrms_clock *clock = vrms_clock_system();
		struct vrms_libvirt_answer answer;
		int fd = fake_libvirtd_start(&fake);

		ck_assert_int_eq(vrms_libvirt_ask(fd, &question, clock,
						  vrms_clock_now_ms(clock) + 1000, &answer, NULL),
				 -EINVAL);
		close(fd);
		fake_libvirtd_join(&fake);
	}
}
END_TEST

START_TEST(the_first_socket_that_exists_is_used)
{
	char path[] = "/tmp/vrms-rpc-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	ck_assert_ptr_nonnull(mkdtemp(path));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	const char *const sockets[] = {"/nonexistent/sock", address.sun_path, NULL};

	/* Nobody listens: a dead daemon's socket is not passed over. */
	ck_assert_int_eq(vrms_libvirt_connect(sockets, NULL), -ECONNREFUSED);
	ck_assert_int_eq(listen(listener, 1), 0);
	int fd = vrms_libvirt_connect(sockets, NULL);
	ck_assert_int_ge(fd, 0);
	close(fd);
	close(listener);
	unlink(address.sun_path);
	ck_assert_int_eq(vrms_libvirt_connect(sockets, NULL), -ENOENT);
	rmdir(path);
}
END_TEST

UNIT_MAIN("libvirt_rpc", state_and_reason_come_through, a_reply_in_single_bytes_is_understood,
	  a_reply_cut_anywhere_is_no_answer, silence_anywhere_ends_at_the_deadline,
	  a_broken_farewell_spoils_nothing, header_words_must_be_right,
	  no_flipped_bit_makes_an_answer, trailing_bytes_are_another_form,
	  a_missing_domain_is_told_from_other_errors, an_error_with_a_lying_length_is_broken,
	  a_wanted_log_in_is_left_to_the_library, bad_questions_are_refused,
	  the_first_socket_that_exists_is_used)
