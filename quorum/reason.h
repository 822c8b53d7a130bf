/* reason.h - why a decision was taken: one table for the log, the journal, the tests and the
 * manual.
 *
 * Pure.  The cores name a reason; its text is the operator's sentence.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_REASON_H
#define VRMS_QUORUM_REASON_H

/* X(NAME, "text"): the text completes "token 300 ms: ..." or "vm1 failed: ...". */
#define VRMS_REASONS(X)                                                                           \
	X(NONE, "no reason")                                                                      \
	/* tuner: what one node needs */                                                          \
	X(TUNER_OFF, "tuning is switched off")                                                    \
	X(TUNER_WARMING_UP, "too little has been measured yet")                                   \
	X(TUNER_STALE, "a measurement has stopped")                                               \
	X(TUNER_BUDGET, "the shortest token within the false-alarm budget")                       \
	X(TUNER_RECENT_STALL, "a recent stall came near the token")                               \
	X(TUNER_LOAD_ANNOUNCED, "load has been announced")                                        \
	X(TUNER_KNOCK, "the ring was given up and formed again: a node may be joining")           \
	X(TUNER_DISTURBED, "the ring broke and formed again without a loss")                      \
	X(TUNER_FALSE_LOSS, "a node was lost that was alive")                                     \
	X(TUNER_FLOOR, "measurements allow less than the floor")                                  \
	X(TUNER_LINKS, "a dead link must not cost its node: knet notices it only after its ping " \
		       "time-out")                                                                \
	X(TUNER_CONFIGURED, "measurements need the configured value or more")                     \
	/* agreement: what the cluster does */                                                    \
	X(AGREE_UNCOVERED, "a member runs no vrmsd")                                              \
	X(AGREE_UNREPORTED, "a member has not said yet what it needs")                            \
	X(AGREE_NO_QUORUM, "the partition has no quorum")                                         \
	X(AGREE_DETACHED, "the cluster cannot be reached")                                        \
	X(AGREE_LEAVING, "vrmsd is stopping")                                                     \
	/* membership */                                                                          \
	X(MEMBER_JOINED, "joined the membership")                                                 \
	X(MEMBER_LOST, "left the membership without a word")                                      \
	X(MEMBER_LEFT, "left the membership after saying so")                                     \
	X(MEMBER_BACK_SAME_BOOT, "came back without a reboot")                                    \
	X(MEMBER_BACK_NEW_BOOT, "came back after a restart")                                      \
	X(MEMBER_FENCED, "was fenced")                                                            \
	X(QUORUM_GAINED, "the partition has quorum")                                              \
	X(QUORUM_LOST, "the partition has lost quorum")                                           \
	X(RING_REFORMED, "the ring formed again with the same members")                           \
	X(RING_BROKE, "the token had been lost, though no member was")                            \
	/* verdict */                                                                             \
	X(VERDICT_SILENT, "the beat is silent")                                                   \
	X(VERDICT_REBOOTED, "the target has booted anew since it was asked for")                  \
	X(VERDICT_RETURNED, "the target is a member again and its beat is fresh")                 \
	X(VERDICT_MEMBER, "the target is a member: the fence has another cause than silence")     \
	X(VERDICT_GRACE_OVER, "the beat is fresh but the target did not return in time")          \
	X(VERDICT_UNREADABLE, "the beat area cannot be read")                                     \
	X(VERDICT_NO_SLOT, "the target has no slot in the beat area")                             \
	/* virtual machines */                                                                    \
	X(VM_DIED, "its QEMU process ended")                                                      \
	X(VM_STOPPED_FAILED, "the hypervisor says that it failed")                                \
	X(VM_STOPPED_CRASHED, "it crashed")                                                       \
	X(VM_STOPPED_DESTROYED, "it was destroyed")                                               \
	X(VM_STOPPED_SHUTDOWN, "it shut itself down")                                             \
	X(VM_IO_ERROR, "it is paused by an I/O error")                                            \
	X(VM_IO_NO_SPACE, "it is paused because its storage is full")                             \
	X(VM_WATCHDOG, "its watchdog fired")                                                      \
	X(VM_PANICKED, "its kernel panicked")                                                     \
	X(VM_MEMORY_FAILURE, "it was hit by a memory failure")                                    \
	X(VM_POSTCOPY_FAILED, "its post-copy migration failed")                                   \
	X(VM_FOUND_GONE, "it was gone when the hypervisor could be asked again")                  \
	X(VM_RUNNING, "it runs")                                                                  \
	X(VM_CONFIRMED, "the hypervisor confirms the failure")                                    \
	X(VM_BUSY, "the cluster is stopping, starting or moving it")                              \
	X(VM_NOT_MANAGED, "the cluster does not mean it to run here")                             \
	X(VM_FLAPPING, "it has failed too often in too short a time: left to the monitor")        \
	X(VM_REPORT_FAILED, "Pacemaker could not be told; trying again")                          \
	X(VM_REPORT_LATE, "Pacemaker has been told after all")

#define VRMS_REASON_ENUM(name, text) VRMS_REASON_##name,
enum vrms_reason { VRMS_REASONS(VRMS_REASON_ENUM) VRMS_REASON_COUNT };
#undef VRMS_REASON_ENUM

/* "QUORUM_LOST": for journals and tests; "UNKNOWN" outside the table. */
const char *vrms_reason_name(enum vrms_reason reason);

/* "the partition has lost quorum": for people; "unknown reason" outside the table. */
const char *vrms_reason_text(enum vrms_reason reason);

#endif
