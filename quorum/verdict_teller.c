/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/verdict_teller.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "quorum/verdict_line.h"

static const struct {
	const char *name, *text;
} beats[] = {
    [VRMS_BEAT_READ] = {"read", "its beat was read"},
    [VRMS_BEAT_ABSENT] = {"absent", "it has no slot in the beat area"},
    [VRMS_BEAT_UNREADABLE] = {"unreadable", "the beat area cannot be read"},
    [VRMS_BEAT_PENDING] = {"pending", "the beat area has not answered yet"},
};

static const struct {
	const char *name, *text;
} members[] = {
    [VRMS_VERDICT_MEMBER_UNKNOWN] = {"unknown", "corosync does not say whether it is a member"},
    [VRMS_VERDICT_MEMBER_OUT] = {"out", "it is no member"},
    [VRMS_VERDICT_MEMBER_IN] = {"in", "it is a member"},
};

static json_t *new_object(const struct vrms_verdict_teller *teller, const char *state,
			  int64_t now_ms, const char *text)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "target", teller->target, "action",
			 teller->action, "state", state, "at_ms", (json_int_t)now_ms, "after_ms",
			 (json_int_t)(now_ms - teller->begin_ms), "text", text);
}

void vrms_verdict_teller_begin(struct vrms_verdict_teller *teller, const char *path,
			       const char *target, const char *action, int64_t begin_ms)
{
	*teller = (struct vrms_verdict_teller){.fd = -1,
					       .target = target,
					       .action = action,
					       .begin_ms = begin_ms,
					       .beat = "",
					       .member = ""};
	if (vrms_verdict_line_open(path, &teller->fd) == 0) {
		(void)vrms_verdict_line_send(teller->fd, new_object(teller, "asked", begin_ms,
								    "is it to be fenced?"));
	}
}

static const char *name_beat(struct vrms_verdict_teller *teller,
			     const struct vrms_verdict_look *look)
{
	if (look->beat != VRMS_BEAT_READ) {
		return beats[look->beat].name;
	}
	teller->is_moving =
	    teller->is_moving || (teller->has_beat && look->sequence != teller->sequence);
	if (!teller->has_beat) {
		teller->has_beat = true;
		teller->sequence = look->sequence;
	}
	return look->is_stopped ? "stopped" : teller->is_moving ? "moving" : "read";
}

void vrms_verdict_teller_look(void *context, const struct vrms_verdict_look *look)
{
	struct vrms_verdict_teller *teller = context;
	const char *beat = name_beat(teller, look);
	const char *member = members[look->member].name;
	char text[160];

	if (teller->fd < 0 ||
	    (strcmp(beat, teller->beat) == 0 && strcmp(member, teller->member) == 0)) {
		return;
	}
	teller->beat = beat;
	teller->member = member;
	snprintf(text, sizeof(text), "%s; %s",
		 look->beat != VRMS_BEAT_READ ? beats[look->beat].text
		 : look->is_stopped           ? "its beat has said goodbye"
		 : teller->is_moving          ? "its beat moves"
					      : beats[look->beat].text,
		 members[look->member].text);
	json_t *object = new_object(teller, "seen", look->now_ms, text);

	if (object != NULL) {
		json_object_set_new(object, "beat", json_string(beat));
		json_object_set_new(object, "member", json_string(member));
		json_object_set_new(object, "sequence", json_integer((json_int_t)look->sequence));
		json_object_set_new(object, "unchanged_ms", json_integer(look->unchanged_ms));
	}
	(void)vrms_verdict_line_send(teller->fd, object);
}

void vrms_verdict_teller_end(struct vrms_verdict_teller *teller, enum vrms_verdict_answer answer,
			     enum vrms_reason reason, int64_t now_ms, const char *trouble)
{
	if (teller->fd < 0) {
		return;
	}
	json_t *object = new_object(teller, answer == VRMS_VERDICT_REFUSE ? "refused" : "done",
				    now_ms, vrms_reason_text(reason));

	if (object != NULL) {
		json_object_set_new(object, "reason", json_string(vrms_reason_name(reason)));
		if (trouble[0] != '\0') {
			json_object_set_new(object, "trouble", json_string(trouble));
		}
	}
	(void)vrms_verdict_line_send(teller->fd, object);
	vrms_closep(&teller->fd);
	teller->fd = -1;
}
