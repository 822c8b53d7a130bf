/* command_care.c - verify, check, repair, prune, remove, rekey, unlock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backup/cli.h"
#include "backup/command_policy.h"
#include "backup/status_record.h"
#include "backup/sweep.h"
#include "backup/verify.h"

enum { THREADS = 2 };

static void print_finding(void *context, const char *text)
{
	const struct vrms_cli *cli = context;

	fprintf(cli->json ? stderr : stdout, "damaged: %s\n", text);
}

static void print_result(const struct vrms_cli *cli, const struct vrms_verify_result *result)
{
	char size[16];

	if (cli->json) {
		printf("{\"read_packs\": %" PRIu64 ", \"read_blocks\": %" PRIu64
		       ", \"read_bytes\": %" PRIu64 ", \"damaged_blocks\": %" PRIu64
		       ", \"damaged_packs\": %" PRIu64 ", \"lost_blocks\": %" PRIu64
		       ", \"damaged_points\": %" PRIu64 "}\n",
		       result->read_packs, result->read_blocks, result->read_bytes,
		       result->damaged_blocks, result->damaged_packs, result->lost_blocks,
		       result->damaged_points);
		return;
	}
	printf("read %" PRIu64 " blocks (%s) in %" PRIu64 " packs: %" PRIu64 " damaged; %" PRIu64
	       " packs or indexes damaged; %" PRIu64 " blocks lost in %" PRIu64 " points\n",
	       result->read_blocks, vrms_size_print(result->read_bytes, size), result->read_packs,
	       result->damaged_blocks, result->damaged_packs, result->lost_blocks,
	       result->damaged_points);
}

static int verify(const struct vrms_cli *cli, bool no_blocks, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_verify_result result VRMS_CLEANUP(vrms_verify_result_done) = {0};
	struct vrms_verify verify = {
	    .budget_bytes = cli->budget_bytes,
	    .only_new = cli->only_new,
	    .no_blocks = no_blocks,
	    .seed = (uint64_t)time(NULL),
	    .thread_count = cli->threads > 0 ? (unsigned int)cli->threads : THREADS,
	    .stop = cli->stop,
	    .found = print_finding,
	    .context = (void *)(uintptr_t)cli,
	};
	int64_t findings;
	/* Findings are written down, so it is a writer. */
	int rc = vrms_open_repository(cli, no_blocks ? VRMS_LOCK_READER : VRMS_LOCK_WRITER,
				      no_blocks ? "check" : "verify", &open, error);

	if (rc == 0) {
		verify.repository = open.repository;
		vrms_store_posix_forget(open.posix);
		rc = vrms_verify_run(&verify, &result, error);
	}
	if (rc == 0 && !no_blocks) {
		rc = vrms_verify_record(open.repository, &result, error);
	}
	findings = (int64_t)(result.damaged_blocks + result.damaged_packs + result.lost_blocks +
			     result.damaged_points);
	if (rc == 0 && !no_blocks) {
		rc = vrms_status_note_care(open.repository,
					   cli->budget_bytes > 0 ? VRMS_STATUS_SAMPLE
								 : VRMS_STATUS_VERIFY,
					   findings, error);
	}
	if (rc < 0) {
		return rc;
	}
	print_result(cli, &result);
	return findings > 0;
}

int vrms_command_verify(const struct vrms_cli *cli, struct vrms_error *error)
{
	return verify(cli, false, error);
}

int vrms_command_check(const struct vrms_cli *cli, struct vrms_error *error)
{
	return verify(cli, true, error);
}

int vrms_command_repair(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_repair_result result;
	int rc = vrms_open_repository(cli, VRMS_LOCK_EXCLUSIVE, "repair", &open, error);

	if (rc == 0) {
		rc = vrms_repair_run(open.repository, &result, error);
	}
	if (rc < 0) {
		return rc;
	}
	printf("index made anew; %" PRIu64 " blocks healed, %" PRIu64 " lost%s\n",
	       result.healed_blocks, result.lost_blocks,
	       result.lost_blocks > 0 ? " (the next backup that reads them heals them)" : "");
	return result.lost_blocks > 0;
}

static void print_reasons(const struct vrms_point *point, uint32_t reasons)
{
	char time[24];

	printf("%-6s %s@%" PRIu64 "  %s ", reasons != 0 ? "keep" : "remove", point->vm,
	       point->sequence, vrms_time_print(point->time_s, time));
	for (enum vrms_keep rule = 0; rule < VRMS_KEEP_COUNT; rule++) {
		if ((reasons & 1U << rule) != 0) {
			printf(" %s", vrms_keep_name(rule));
		}
	}
	printf("\n");
}

static int64_t utc_offset_s(void)
{
	time_t now = time(NULL);
	struct tm parts;

	return localtime_r(&now, &parts) != NULL ? parts.tm_gmtoff : 0;
}

/* The command line's rules, or those of the VM's policy: without one everything stays. */
static struct vrms_retention find_rules(const struct vrms_cli *cli,
					const struct vrms_policies *policies, const char *vm)
{
	struct vrms_retention retention = {{0}};
	const struct vrms_policy *policy =
	    policies != NULL ? vrms_policies_find(policies, vm) : NULL;

	if (policies != NULL) {
		return policy != NULL ? vrms_policy_retention(policy) : retention;
	}
	for (enum vrms_keep rule = 0; rule < VRMS_KEEP_COUNT; rule++) {
		retention.keep[rule] = (uint32_t)cli->keep[rule];
	}
	return retention;
}

/* Judges the points first .. first + count - 1, which are of one VM. */
static int judge_vm(const struct vrms_retention *retention, const struct vrms_point *points,
		    size_t count, bool tells_all, bool *ret_removes)
{
	struct vrms_retention_point *rows = calloc(count + 1, sizeof(*rows));

	if (rows == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		rows[i].sequence = points[i].sequence;
		rows[i].time_s = points[i].time_s;
	}
	vrms_retention_apply(retention, utc_offset_s(), rows, count);
	for (size_t i = 0; i < count; i++) {
		ret_removes[i] = rows[i].reasons == 0;
		if (tells_all || ret_removes[i]) {
			print_reasons(&points[i], rows[i].reasons);
		}
	}
	free(rows);
	return 0;
}

static int judge(const struct vrms_cli *cli, const struct vrms_policies *policies,
		 const struct vrms_point_list *list, bool *removes)
{
	int rc = 0;

	for (size_t first = 0, count; first < list->count && rc == 0; first += count) {
		const char *vm = list->points[first].vm;

		count = 1;
		while (first + count < list->count &&
		       strcmp(list->points[first + count].vm, vm) == 0) {
			count++;
		}
		if (policies != NULL || cli->argument_count == 0 ||
		    strcmp(cli->arguments[0], vm) == 0) {
			struct vrms_retention rules = find_rules(cli, policies, vm);

			rc = judge_vm(&rules, &list->points[first], count, policies == NULL,
				      removes + first);
		}
	}
	return rc;
}

/* Removes the points and leaves in the list what stays, in front. */
static int remove_points(const struct vrms_cli *cli, struct vrms_repository *repository,
			 struct vrms_point_list *list, const bool *removes,
			 struct vrms_error *error)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < list->count && rc == 0; i++) {
		struct vrms_point moved = list->points[i];

		if (!removes[i]) {
			list->points[i] = list->points[kept];
			list->points[kept++] = moved;
		} else if (!cli->dry_run) {
			rc = vrms_point_remove(repository, &list->points[i], error);
		}
	}
	return rc < 0 ? rc : (int)kept;
}

static int sweep(const struct vrms_cli *cli, struct vrms_repository *repository,
		 const struct vrms_point_list *list, size_t count, struct vrms_error *error)
{
	struct vrms_sweep sweep = {
	    .repository = repository,
	    .points = list->points,
	    .point_count = count,
	    .is_dry_run = cli->dry_run,
	    .is_forced = cli->force,
	    .live_pct_min = (unsigned int)cli->live_pct,
	};
	struct vrms_sweep_result result = {0};
	char freed[16], live[16];
	int rc = vrms_sweep_run(&sweep, &result, error);

	if (rc < 0) {
		return rc;
	}
	printf("%s %s: %u packs removed, %u rewritten; %s in use\n",
	       cli->dry_run ? "would free" : "freed", vrms_size_print(result.freed_bytes, freed),
	       result.removed_packs, result.rewritten_packs,
	       vrms_size_print(result.live_bytes, live));
	if (result.missing_blocks > 0) {
		fprintf(stderr, "vrms-backup: %" PRIu64 " blocks are missing: run \"verify\"\n",
			result.missing_blocks);
	}
	return result.missing_blocks > 0;
}

int vrms_care_prune(const struct vrms_cli *cli, const struct vrms_policies *policies,
		    struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	bool *removes VRMS_CLEANUP(vrms_freep) = NULL;
	int kept, rc = vrms_open_repository(cli, VRMS_LOCK_EXCLUSIVE, "prune", &open, error);

	if (rc == 0) {
		rc = vrms_points_read(open.repository, NULL, &list, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (list.damaged_count > 0 && !cli->force) {
		return vrms_error_set(error, -EBADMSG,
				      "%s; what it needs is unknown, so nothing is freed (--force)",
				      list.damaged[0]);
	}
	removes = calloc(list.count + 1, sizeof(*removes));
	if (removes == NULL || judge(cli, policies, &list, removes) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	kept = remove_points(cli, open.repository, &list, removes, error);
	rc = kept < 0 ? kept : sweep(cli, open.repository, &list, (size_t)kept, error);
	if (rc >= 0 && !cli->dry_run) {
		int noted = vrms_status_note_care(open.repository, VRMS_STATUS_PRUNE, rc, error);

		rc = noted < 0 ? noted : rc;
	}
	return rc;
}

int vrms_command_prune(const struct vrms_cli *cli, struct vrms_error *error)
{
	return vrms_care_prune(cli, NULL, error);
}

int vrms_command_remove(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	int rc = vrms_open_repository(cli, VRMS_LOCK_EXCLUSIVE, "remove", &open, error);

	if (rc == 0) {
		rc = vrms_point_read(open.repository, cli->arguments[0], &point, error);
	}
	if (rc == 0 && !cli->dry_run) {
		rc = vrms_point_remove(open.repository, &point, error);
	}
	if (rc == 0) {
		printf("%s %s@%" PRIu64 "\n", cli->dry_run ? "would remove" : "removed", point.vm,
		       point.sequence);
	}
	return rc;
}

int vrms_command_rekey(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_secret secret;
	int rc =
	    vrms_cli_secret(cli->new_key_file, cli->new_key_command, &text, &secret.size, error);

	if (rc == 0 && text == NULL) {
		rc = vrms_error_set(error, -EINVAL, "which new key? (--new-key-file)");
	}
	if (rc == 0) {
		rc = vrms_open_repository(cli, VRMS_LOCK_EXCLUSIVE, "rekey", &open, error);
	}
	if (rc == 0) {
		secret.data = text;
		rc = vrms_repository_rekey(open.repository, &secret, error);
	}
	if (rc == 0) {
		printf("only the new key opens '%s' now\n", cli->repository);
	}
	return rc;
}

int vrms_command_unlock(const struct vrms_cli *cli, struct vrms_error *error)
{
	int rc;

	if (cli->repository == NULL) {
		return vrms_error_set(error, -EINVAL, "which repository? (--repository)");
	}
	rc = vrms_lock_break_all(cli->repository, error);
	if (rc >= 0) {
		printf("%d locks removed\n", rc);
	}
	return rc < 0 ? rc : 0;
}
