/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "san/iscsi.h"

#include <errno.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"

enum {
	PRIN_BYTES = 4096,
	PRIN_HEADER_BYTES = 8,
	VPD_BYTES = 1024,
	LOGOUT_MS = 200,
	POLL_MS = 100,
	ASCQ_NO_SUCH_LUN = 0x2500,
	ATTENTIONS_MAX = 20,
};

struct vrms_iscsi {
	struct iscsi_context *context;
	int lun;
	int64_t timeout_ms;
	bool is_broken;
	/* What the one call under way waits for; filled by the library's callback, which may come
	 * as late as when the context is destroyed. */
	bool is_over;
	int status;
	char
	    trouble[160]; /* the library's words about a failed call, before it goes on to others */
};

static void note_end(struct iscsi_context *context, int status, void *command_data, void *session_)
{
	struct vrms_iscsi *session = session_;

	(void)command_data;
	session->status = status;
	if (status != SCSI_STATUS_GOOD) {
		snprintf(session->trouble, sizeof(session->trouble), "%s",
			 iscsi_get_error(context));
		session->trouble[strcspn(session->trouble, "\r\n")] = '\0';
	}
	session->is_over = true;
}

/* The context of the next call. */
static struct vrms_iscsi *begin(struct vrms_iscsi *session)
{
	session->is_over = false;
	session->trouble[0] = '\0';
	return session;
}

/* Serves the connection until the answer is there.  0, -ETIMEDOUT, -EIO. */
static int wait_for(struct vrms_iscsi *session, int64_t timeout_ms)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + timeout_ms;

	while (!session->is_over) {
		struct pollfd fd = {.fd = iscsi_get_fd(session->context),
				    .events = (short)iscsi_which_events(session->context)};

		if (vrms_clock_now_ms(clock) >= end_ms) {
			session->is_broken = true;
			return -ETIMEDOUT;
		}
		if (poll(&fd, 1, POLL_MS) < 0 && errno != EINTR) {
			session->is_broken = true;
			return -errno;
		}
		if (iscsi_service(session->context, fd.revents) < 0) {
			session->is_broken = true;
			return session->is_over ? 0 : -EIO;
		}
	}
	return 0;
}

void vrms_iscsi_close(struct vrms_iscsi *session)
{

	if (session == NULL) {
		return;
	}
	if (session->context != NULL) {
		if (!session->is_broken && iscsi_is_logged_in(session->context) &&
		    iscsi_logout_async(session->context, note_end, begin(session)) == 0) {
			wait_for(session, LOGOUT_MS);
		}
		iscsi_destroy_context(session->context);
	}
	free(session);
}

static int set_up(struct vrms_iscsi *session, const struct vrms_iscsi_login *login,
		  const struct iscsi_url *url)
{
	struct iscsi_context *context = session->context;
	const char *user = login->user != NULL ? login->user : url->user;
	const char *password = login->user != NULL ? login->password : url->passwd;
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		return -EIO;
	}
	iscsi_set_isid_random(context, random & 0xffffff, random >> 24);
	iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
	iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE_CRC32C);
	iscsi_set_noautoreconnect(context, 1);
	session->lun = url->lun;
	if (user != NULL && user[0] != '\0' &&
	    iscsi_set_initiator_username_pwd(context, user, password != NULL ? password : "") !=
		0) {
		return -EINVAL;
	}
	return iscsi_set_targetname(context, url->target) == 0 ? 0 : -EINVAL;
}

/* libiscsi says it in words only. */
static int errno_of(const char *text)
{
	static const struct {
		const char *part;
		int error;
	} table[] = {
	    {"Authentication", -EACCES},
	    {"authentication", -EACCES},
	    {"Authorization", -EACCES},
	    {"authorization", -EACCES},
	    {"AUTH", -EACCES},
	    {"CHAP", -EACCES},
	    {"LOGICAL_UNIT_NOT_SUPP", -ENODEV},
	    {"Target not found", -ENODEV},
	    {"refused", -ECONNREFUSED},
	    {"unreachable", -EHOSTUNREACH},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(table); i++) {
		if (strstr(text, table[i].part) != NULL) {
			return table[i].error;
		}
	}
	return -EIO;
}

/* Passwords may be in the url: messages name portal, target and LUN only. */
static int complain(struct vrms_iscsi *session, const struct iscsi_url *url, int rc,
		    struct vrms_error *error)
{
	if (rc == -ETIMEDOUT) {
		return vrms_error_set(error, rc, "%s/%s/%d: no answer within %lld ms", url->portal,
				      url->target, url->lun, (long long)session->timeout_ms);
	}
	const char *text = session->trouble;
	return vrms_error_set(error, errno_of(text), "%s/%s/%d: %s", url->portal, url->target,
			      url->lun, text[0] != '\0' ? text : "the connection broke");
}

static int connect_session(struct vrms_iscsi *session, const struct vrms_iscsi_login *login,
			   struct vrms_error *error)
{
	struct iscsi_url *url = iscsi_parse_full_url(session->context, login->url);

	if (url == NULL) {
		return vrms_error_set(error, -EINVAL,
				      "a LUN is not of the form iscsi://host[:port]/target/lun");
	}
	session->timeout_ms = login->timeout_ms;
	int rc = set_up(session, login, url);
	if (rc == 0) {
		rc = iscsi_full_connect_async(session->context, url->portal, url->lun, note_end,
					      begin(session)) == 0
			 ? wait_for(session, login->timeout_ms)
			 : -EIO;
	}
	if (rc == 0 && session->status != SCSI_STATUS_GOOD) {
		rc = -EIO;
	}
	if (rc < 0) {
		session->is_broken = true;
		rc = complain(session, url, rc, error);
	}
	iscsi_destroy_url(url);
	return rc;
}

int vrms_iscsi_open(const struct vrms_iscsi_login *login, struct vrms_iscsi **ret_session,
		    struct vrms_error *error)
{
	struct vrms_iscsi *session VRMS_CLEANUP(vrms_iscsi_closep) = calloc(1, sizeof(*session));

	if (session == NULL ||
	    (session->context = iscsi_create_context(login->initiator)) == NULL) {
		return vrms_error_set(error, -ENOMEM, "no memory for a session");
	}
	int rc = connect_session(session, login, error);
	if (rc < 0) {
		return rc;
	}
	*ret_session = VRMS_TAKE(session);
	return 0;
}

static enum vrms_pr_answer answer_of(const struct vrms_iscsi *session, const struct scsi_task *task,
				     struct vrms_error *error)
{
	switch (session->status) {
	case SCSI_STATUS_GOOD:
		return VRMS_PR_GOOD;
	case SCSI_STATUS_RESERVATION_CONFLICT:
		vrms_error_set(error, 0, "reservation conflict");
		return VRMS_PR_CONFLICT;
	case SCSI_STATUS_BUSY:
	case SCSI_STATUS_TASK_SET_FULL:
		return VRMS_PR_AGAIN;
	case SCSI_STATUS_CHECK_CONDITION:
		vrms_error_set(error, 0, "%s, %s (%04x)", scsi_sense_key_str(task->sense.key),
			       scsi_sense_ascq_str(task->sense.ascq), (unsigned)task->sense.ascq);
		if (task->sense.key == SCSI_SENSE_UNIT_ATTENTION) {
			return VRMS_PR_AGAIN;
		}
		return task->sense.key == SCSI_SENSE_ILLEGAL_REQUEST &&
			       task->sense.ascq != ASCQ_NO_SUCH_LUN
			   ? VRMS_PR_UNKNOWN
			   : VRMS_PR_OTHER;
	default:
		vrms_error_set(error, 0, "%s", session->trouble);
		return VRMS_PR_LOST;
	}
}

/* Runs a task that was queued with note_end() and begin(); NULL: it could not be queued. */
static enum vrms_pr_answer finish(struct vrms_iscsi *session, struct scsi_task *task,
				  struct vrms_error *error)
{
	if (task == NULL) {
		vrms_error_set(error, 0, "%s", iscsi_get_error(session->context));
		return VRMS_PR_LOST;
	}
	int rc = wait_for(session, session->timeout_ms);
	if (rc < 0 && !session->is_over) {
		vrms_error_set(error, 0,
			       rc == -ETIMEDOUT ? "no answer in time" : "the connection broke");
		/* The task is about to be freed. */
		iscsi_scsi_cancel_all_tasks(session->context);
		return VRMS_PR_LOST;
	}
	return answer_of(session, task, error);
}

static enum vrms_pr_answer read_once(struct vrms_iscsi *session, int service_action,
				     struct scsi_task **ret_task, struct vrms_error *error)
{

	if (session->is_broken) {
		return VRMS_PR_LOST;
	}
	*ret_task = iscsi_persistent_reserve_in_task(session->context, session->lun, service_action,
						     PRIN_BYTES, note_end, begin(session));
	return finish(session, *ret_task, error);
}

static void free_task(struct scsi_task *task)
{
	if (task != NULL) {
		scsi_free_scsi_task(task);
	}
}
VRMS_DEFINE_CLEANUP(struct scsi_task *, free_task);

static enum vrms_pr_answer take_keys(struct scsi_task *task, struct vrms_pr_view *view,
				     struct vrms_error *error)
{
	const struct scsi_persistent_reserve_in_read_keys *keys = scsi_datain_unmarshall(task);

	/* A key that was not returned might be the victim's. */
	if (keys == NULL || keys->num_keys < 0 || keys->num_keys > VRMS_PR_KEYS_MAX ||
	    keys->additional_length > VRMS_PR_KEYS_MAX * sizeof(uint64_t) ||
	    (size_t)task->datain.size < PRIN_HEADER_BYTES + keys->additional_length) {
		vrms_error_set(error, 0, "READ KEYS: not readable, or more than %d keys",
			       VRMS_PR_KEYS_MAX);
		return VRMS_PR_OTHER;
	}
	view->key_count = (size_t)keys->num_keys;
	view->generation = keys->prgeneration;
	memcpy(view->keys, keys->keys, view->key_count * sizeof(view->keys[0]));
	return VRMS_PR_GOOD;
}

static enum vrms_pr_answer take_reservation(struct scsi_task *task, struct vrms_pr_view *view,
					    struct vrms_error *error)
{
	const struct scsi_persistent_reserve_in_read_reservation *held =
	    scsi_datain_unmarshall(task);

	if (held == NULL) {
		vrms_error_set(error, 0, "READ RESERVATION: not readable");
		return VRMS_PR_OTHER;
	}
	view->is_reserved = held->reserved != 0;
	view->holder = view->is_reserved ? held->reservation_key : 0;
	view->type = view->is_reserved ? held->pr_type : 0;
	return VRMS_PR_GOOD;
}

enum vrms_pr_answer vrms_iscsi_pr_read(struct vrms_iscsi *session, struct vrms_pr_view *ret_view,
				       struct vrms_error *error)
{
	static enum vrms_pr_answer (*const takers[])(struct scsi_task *, struct vrms_pr_view *,
						     struct vrms_error *) = {
	    [SCSI_PERSISTENT_RESERVE_READ_KEYS] = take_keys,
	    [SCSI_PERSISTENT_RESERVE_READ_RESERVATION] = take_reservation,
	};
	struct vrms_pr_view view = {.key_count = 0};

	for (int action = 0; action < (int)VRMS_COUNT_OF(takers); action++) {
		struct scsi_task *task VRMS_CLEANUP(free_taskp) = NULL;
		enum vrms_pr_answer answer = read_once(session, action, &task, error);

		if (answer == VRMS_PR_GOOD) {
			answer = takers[action](task, &view, error);
		}
		if (answer != VRMS_PR_GOOD) {
			return answer;
		}
	}
	*ret_view = view;
	return VRMS_PR_GOOD;
}

enum vrms_pr_answer vrms_iscsi_pr_write(struct vrms_iscsi *session, const struct vrms_pr_step *step,
					struct vrms_error *error)
{
	static const int actions[] = {
	    [VRMS_PR_REGISTER] = SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY,
	    [VRMS_PR_RESERVE] = SCSI_PERSISTENT_RESERVE_RESERVE,
	    [VRMS_PR_PREEMPT] = SCSI_PERSISTENT_RESERVE_PREEMPT,
	    [VRMS_PR_UNREGISTER] = SCSI_PERSISTENT_RESERVE_REGISTER,
	};
	bool is_register = step->kind == VRMS_PR_REGISTER;
	struct scsi_persistent_reserve_out_basic data = {
	    .reservation_key = is_register ? 0 : step->key,
	    .service_action_reservation_key = is_register ? step->key : step->subject,
	    .aptpl = is_register && step->aptpl,
	};
	struct scsi_task *task VRMS_CLEANUP(free_taskp) = NULL;
	int action = actions[step->kind];

	if (session->is_broken) {
		return VRMS_PR_LOST;
	}
	if (step->kind == VRMS_PR_PREEMPT && step->abort) {
		action = SCSI_PERSISTENT_RESERVE_PREEMPT_AND_ABORT;
	}
	task = iscsi_persistent_reserve_out_task(session->context, session->lun, action,
						 SCSI_PERSISTENT_RESERVE_SCOPE_LU, VRMS_PR_WERO,
						 &data, note_end, begin(session));
	return finish(session, task, error);
}

enum vrms_pr_answer vrms_iscsi_probe(struct vrms_iscsi *session, struct vrms_error *error)
{
	unsigned char cdb[10] = {SCSI_OPCODE_WRITE10};
	struct scsi_task *task VRMS_CLEANUP(free_taskp) =
	    scsi_create_task(sizeof(cdb), cdb, SCSI_XFER_NONE, 0);

	if (session->is_broken || task == NULL ||
	    iscsi_scsi_command_async(session->context, session->lun, task, note_end, NULL,
				     begin(session)) != 0) {
		return VRMS_PR_LOST;
	}
	return finish(session, task, error);
}

static void print_id(const struct scsi_inquiry_device_designator *found,
		     char id[VRMS_ISCSI_ID_BYTES])
{
	static const char *const prefixes[] = {
	    [SCSI_DESIGNATOR_TYPE_T10_VENDORT_ID] = "t10.",
	    [SCSI_DESIGNATOR_TYPE_EUI_64] = "eui.",
	    [SCSI_DESIGNATOR_TYPE_NAA] = "naa.",
	};
	size_t used =
	    (size_t)snprintf(id, VRMS_ISCSI_ID_BYTES, "%s", prefixes[found->designator_type]);
	bool is_text = found->designator_type == SCSI_DESIGNATOR_TYPE_T10_VENDORT_ID;

	for (int i = 0; i < found->designator_length && used + 3 < VRMS_ISCSI_ID_BYTES; i++) {
		unsigned char byte = (unsigned char)found->designator[i];

		if (!is_text) {
			used += (size_t)snprintf(id + used, 3, "%02x", byte);
		} else if (byte > ' ' && byte < 0x7f) {
			id[used++] = (char)byte;
		} else if (id[used - 1] != '.' && id[used - 1] != '_' && byte != '\0') {
			id[used++] = '_';
		}
	}
	while (is_text && used > 0 && id[used - 1] == '_') {
		used--;
	}
	id[used] = '\0';
}

/* The numbers of the types rise with their worth: T10 1, EUI-64 2, NAA 3. */
static const struct scsi_inquiry_device_designator *best_of(
    const struct scsi_inquiry_device_identification *page)
{
	const struct scsi_inquiry_device_designator *best = NULL;

	for (const struct scsi_inquiry_device_designator *one = page->designators; one != NULL;
	     one = one->next) {
		if (one->association == SCSI_ASSOCIATION_LOGICAL_UNIT &&
		    one->designator_type >= SCSI_DESIGNATOR_TYPE_T10_VENDORT_ID &&
		    one->designator_type <= SCSI_DESIGNATOR_TYPE_NAA &&
		    (best == NULL || one->designator_type > best->designator_type)) {
			best = one;
		}
	}
	return best;
}

/* Sends it until no unit attention comes any more. */
static enum vrms_pr_answer inquire(struct vrms_iscsi *session, struct scsi_task **ret_task,
				   struct vrms_error *error)
{
	enum vrms_pr_answer answer = VRMS_PR_AGAIN;

	for (int i = 0; i < ATTENTIONS_MAX && answer == VRMS_PR_AGAIN; i++) {

		free_task(*ret_task);
		*ret_task = iscsi_inquiry_task(session->context, session->lun, 1,
					       SCSI_INQUIRY_PAGECODE_DEVICE_IDENTIFICATION,
					       VPD_BYTES, note_end, begin(session));
		answer = finish(session, *ret_task, error);
	}
	return answer;
}

int vrms_iscsi_identify(struct vrms_iscsi *session, char id[VRMS_ISCSI_ID_BYTES],
			struct vrms_error *error)
{
	struct scsi_task *task VRMS_CLEANUP(free_taskp) = NULL;

	if (inquire(session, &task, error) != VRMS_PR_GOOD) {
		return vrms_error_wrap(error, -EIO, "INQUIRY");
	}
	const struct scsi_inquiry_device_identification *page = scsi_datain_unmarshall(task);
	const struct scsi_inquiry_device_designator *best = page != NULL ? best_of(page) : NULL;
	if (best == NULL) {
		return vrms_error_set(error, -ENODATA, "the LUN has no identifier");
	}
	print_id(best, id);
	return 0;
}

int vrms_iscsi_read(struct vrms_iscsi *session, struct vrms_error *error)
{
	enum vrms_pr_answer answer = VRMS_PR_AGAIN;

	for (int i = 0; i < ATTENTIONS_MAX && answer == VRMS_PR_AGAIN; i++) {
		unsigned char cdb[10] = {SCSI_OPCODE_READ10, [8] = 1};
		struct scsi_task *task VRMS_CLEANUP(free_taskp) =
		    scsi_create_task(sizeof(cdb), cdb, SCSI_XFER_READ, VRMS_ISCSI_BLOCK_MAX);

		if (session->is_broken || task == NULL ||
		    iscsi_scsi_command_async(session->context, session->lun, task, note_end, NULL,
					     begin(session)) != 0) {
			return vrms_error_set(error, -EIO, "the connection broke");
		}
		answer = finish(session, task, error);
	}
	return answer == VRMS_PR_GOOD ? 0 : vrms_error_wrap(error, -EIO, "READ");
}
