/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "vrms-lab demo": a cluster, VMs, power cuts under Corosync's defaults and under vrmsd, what
 * becomes of the VMs, and both settings side by side.
 */
#include "lab/demo.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "common/parse.h"
#include "lab/awake.h"
#include "lab/demo_run.h"
#include "lab/demo_san.h"

enum { NODES_DEFAULT = 3, VMS_DEFAULT = 6, CUTS_DEFAULT = 1, DETAILS_CUTS_MAX = 2 };

/* What --full stands for: enough cuts for a median. */
static const int64_t full_node_counts[] = {3, 8}, full_cut_counts[] = {8, 5};

static int64_t cuts_of(const struct vrms_demo_settings *settings, size_t size)
{
	size_t last = settings->cut_count_count - 1;

	return settings->cut_counts[size < last ? size : last];
}

static void head_cut(struct vrms_demo_run *run, enum vrms_figures_setting setting, int number,
		     int count, int64_t token_ms)
{
	char text[160];

	snprintf(text, sizeof(text), "%s, token %lld ms: power cut %d of %d",
		 vrms_figures_setting_text(setting), (long long)token_ms, number, count);
	vrms_demo_show_heading(&run->style, text);
}

static int keep_story(struct vrms_demo_run *run, enum vrms_figures_setting setting,
		      const struct vrms_figures_cut *cut)
{
	json_t *story;

	if (run->stories == NULL) {
		return 0;
	}
	story = vrms_demo_json(&run->demo);
	if (story == NULL) {
		return -ENOMEM;
	}
	json_object_set_new(story, "setting", json_string(vrms_figures_setting_word(setting)));
	json_object_set_new(story, "token_ms", json_integer(cut->token_ms));
	json_object_set_new(story, "dc", json_boolean(cut->is_dc));
	return json_array_append_new(run->stories, story) < 0 ? -ENOMEM : 0;
}

/* One cut, from the token that the setting leads to, to the verdict. */
static int do_cut(struct vrms_demo_run *run, enum vrms_figures_setting setting, int number,
		  int count, struct vrms_figures *figures, struct vrms_error *error)
{
	struct vrms_demo_style style = run->style;
	struct vrms_figures_cut cut;
	int64_t token_ms = 0;
	int rc = vrms_demo_settle(run, error);

	rc = rc < 0 ? rc : vrms_demo_tune(run, setting, &token_ms, error);
	if (rc < 0) {
		return rc;
	}
	head_cut(run, setting, number, count, token_ms);
	if (count > DETAILS_CUTS_MAX) {
		run->style.out = NULL; /* one line a cut is enough */
	}
	rc = vrms_demo_cut(run, number, error);
	if (rc == 0) {
		vrms_demo_show_heading(&run->style, "Afterwards");
		vrms_demo_show_load(&run->style, &run->demo, true);
		vrms_demo_show_heading(&run->style, "What the guests say");
		vrms_demo_show_verdict(&run->style, &run->demo);
	}
	run->style = style;
	if (rc < 0) {
		return rc;
	}
	vrms_figures_cut_read(&cut, &run->demo.timeline, token_ms);
	cut.is_dc = run->demo.is_dc;
	vrms_figures_add(figures, setting, &cut);
	vrms_demo_show_cut(&run->style, figures, &cut);
	if (keep_story(run, setting, &cut) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return 0;
}

/* All cuts of one setting; false in *all_recovered when one VM of one of them did not come back. */
static int do_setting(struct vrms_demo_run *run, enum vrms_figures_setting setting, int count,
		      struct vrms_figures *figures, bool *all_recovered, struct vrms_error *error)
{
	for (int number = 1; number <= count; number++) {
		int rc = do_cut(run, setting, number, count, figures, error);

		if (rc < 0) {
			return rc;
		}
		*all_recovered = *all_recovered && run->demo.recovered;
		bool is_last = number == count && setting == VRMS_FIGURES_TUNED;

		rc = is_last ? 0 : vrms_demo_rejoin(run, error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int do_size(struct vrms_demo_run *run, size_t size, struct vrms_figures *figures,
		   bool *all_recovered, struct vrms_error *error)
{
	const struct vrms_demo_settings *settings = run->settings;
	int count = (int)cuts_of(settings, size);

	figures->node_count = (int)settings->node_counts[size];
	figures->vm_count = size == 0 ? (int)settings->vm_count : 0;
	int rc = vrms_demo_bring_up(run, figures->node_count, figures->vm_count, error);

	for (int setting = 0; rc == 0 && setting < VRMS_FIGURES_SETTING_COUNT; setting++) {
		rc = do_setting(run, setting, count, figures, all_recovered, error);
	}
	return vrms_demo_take_down(run, rc, error);
}

static int print_json(const struct vrms_demo_run *run, const struct vrms_figures *figures,
		      bool all_recovered, struct vrms_error *error)
{
	json_t *list = json_array();

	for (size_t size = 0; size < run->settings->size_count; size++) {
		json_array_append_new(list, vrms_demo_json_figures(&figures[size]));
	}
	json_t *story = json_pack("{s:O, s:o, s:b}", "cuts", run->stories, "clusters", list,
				  "recovered", all_recovered);
	int rc = story != NULL ? json_dumpf(story, stdout, JSON_INDENT(2)) : -1;

	json_decref(story);
	if (rc < 0) {
		return vrms_error_set(error, -ENOMEM, "the story cannot be printed");
	}
	putchar('\n');
	return 0;
}

static int tell(struct vrms_demo_run *run, bool *all_recovered, struct vrms_error *error)
{
	size_t size_count = run->settings->size_count;
	struct vrms_figures *figures VRMS_CLEANUP(vrms_freep) =
	    calloc(VRMS_DEMO_SIZES_MAX, sizeof(*figures));
	int rc = figures == NULL ? vrms_error_set(error, -ENOMEM, "out of memory") : 0;

	for (size_t size = 0; rc == 0 && size < size_count; size++) {
		rc = do_size(run, size, &figures[size], all_recovered, error);
	}
	if (rc < 0) {
		return rc;
	}
	vrms_demo_show_heading(&run->style, "Side by side");
	for (size_t size = 0; size < size_count; size++) {
		vrms_demo_show_figures(&run->style, &figures[size]);
	}
	return run->settings->json ? print_json(run, figures, *all_recovered, error) : 0;
}

static void complete(struct vrms_demo_settings *settings)
{
	if (settings->size_count == 0) {
		settings->node_counts[settings->size_count++] = NODES_DEFAULT;
	}
	if (settings->cut_count_count == 0) {
		settings->cut_counts[settings->cut_count_count++] = CUTS_DEFAULT;
	}
	if (!settings->has_vm_count) {
		settings->vm_count = VMS_DEFAULT;
	}
}

static int run_demo(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		    struct vrms_error *error)
{
	struct vrms_demo_settings *settings = memory;
	struct vrms_lab_context own = *context;
	struct vrms_demo_run *run VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*run));
	bool all_recovered = true;

	(void)argc;
	(void)argv;
	if (run == NULL) {
		vrms_error_set(error, -ENOMEM, "out of memory");
		return VRMS_LAB_EXIT_FAILED;
	}
	static const struct vrms_demo_settings plain; /* zeros, the padding too */
	bool is_plain = memcmp(settings, &plain, sizeof(plain)) == 0;
	complete(settings);
	if (own.place.name == NULL) {
		own.place.name = "demo"; /* a lab of the user's own stays as it is */
	}
	run->context = &own;
	run->settings = settings;
	if (settings->json) {
		run->stories = json_array();
	} else {
		vrms_demo_style_init(&run->style, stdout);
	}
	struct vrms_error may_sleep;
	int awake VRMS_CLEANUP(vrms_closep) = vrms_lab_stay_awake(VRMS_LAB_AWAKE_PATH, &may_sleep);

	if (awake < 0) {
		vrms_lab_complain(may_sleep.text); /* a warning: it goes on */
	}
	int rc = tell(run, &all_recovered, error);

	json_decref(run->stories);
	if (rc == 0 && all_recovered && is_plain) {
		rc = vrms_demo_san_play_if_possible(&own, &run->style, error);
	}
	return rc == 0 && all_recovered ? VRMS_LAB_EXIT_OK : VRMS_LAB_EXIT_FAILED;
}

/* "3,8" */
static int read_list(const char *value, int64_t least, int64_t most, int64_t *numbers,
		     size_t *ret_count, struct vrms_error *error)
{
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(value);
	char *state = NULL;

	if (copy == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	*ret_count = 0;
	for (const char *word = strtok_r(copy, ",", &state); word != NULL;
	     word = strtok_r(NULL, ",", &state)) {
		if (*ret_count == VRMS_DEMO_SIZES_MAX) {
			return vrms_error_set(error, -ERANGE, "\"%s\": at most %d numbers", value,
					      VRMS_DEMO_SIZES_MAX);
		}
		int rc = vrms_int_parse(word, least, most, &numbers[*ret_count], error);

		if (rc < 0) {
			return rc;
		}
		(*ret_count)++;
	}
	return *ret_count > 0 ? 0 : vrms_error_set(error, -EINVAL, "\"%s\": no number", value);
}

static void set_full(struct vrms_demo_settings *settings)
{
	settings->size_count = VRMS_COUNT_OF(full_node_counts);
	settings->cut_count_count = VRMS_COUNT_OF(full_cut_counts);
	memcpy(settings->node_counts, full_node_counts, sizeof(full_node_counts));
	memcpy(settings->cut_counts, full_cut_counts, sizeof(full_cut_counts));
}

static int set_option(void *memory, const char *name, const char *value, struct vrms_error *error)
{
	struct vrms_demo_settings *settings = memory;

	if (strcmp(name, "nodes") == 0) {
		return read_list(value, 2, 16, settings->node_counts, &settings->size_count, error);
	}
	if (strcmp(name, "cuts") == 0) {
		return read_list(value, 1, VRMS_FIGURES_CUTS_MAX, settings->cut_counts,
				 &settings->cut_count_count, error);
	}
	if (strcmp(name, "vms") == 0) {
		settings->has_vm_count = true;
		return vrms_int_parse(value, 0, VRMS_DEMO_VMS_MAX, &settings->vm_count, error);
	}
	if (strcmp(name, "token") == 0) {
		return vrms_int_parse(value, 100, 60000, &settings->token_ms, error);
	}
	if (strcmp(name, "agent") == 0) {
		return vrms_lab_agent_parse(value, &settings->agent, error);
	}
	if (strcmp(name, "full") == 0) {
		set_full(settings);
	} else if (strcmp(name, "json") == 0) {
		settings->json = true;
	} else if (strcmp(name, "shared") == 0) {
		settings->is_shared = true;
	} else {
		settings->keep = true;
	}
	return 0;
}

static const struct vrms_lab_option options[] = {
    {'n', "nodes", "COUNT[,COUNT...]", "clusters of so many nodes, 2..16 (default: 3)"},
    {0, "cuts", "COUNT[,COUNT...]", "power cuts in each setting (default: 1)"},
    {0, "full", NULL, "8 cuts at 3 nodes, 5 at 8: about 25 minutes"},
    {0, "vms", "COUNT", "virtual machines, 0..32 (default: 6); with 0, no libvirtd"},
    {0, "token", "MS", "the configured token (default: Corosync's 3000 + 650 a node beyond two)"},
    {'a', "agent", "AGENT", "vrms (default) or heartbeat, to compare"},
    {0, "shared", NULL, "other labs run beside these: no real-time priority"},
    {0, "json", NULL, "tell the story in JSON, at the end"},
    {0, "keep", NULL, "leave the labs as they are then"},
};

static const struct vrms_lab_command command = {
    .name = "demo",
    .arguments = "",
    .summary = "Cut the power of nodes and watch their virtual machines come back elsewhere.",
    .details = "A lab of its own (\"demo\") is brought up and taken down again.  The power is cut\n"
	       "with vrmsd's tuning off (Corosync's defaults) and on, and what both took is told\n"
	       "side by side.  Of several clusters the first has virtual machines; the others\n"
	       "have no libvirtd.  The exit status is 0 only when after every cut the node was\n"
	       "fenced and every guest counted again on a node that has power, however long that\n"
	       "took.",
    .options = options,
    .option_count = VRMS_COUNT_OF(options),
    .run = run_demo,
    .set_option = set_option,
    .settings_size = sizeof(struct vrms_demo_settings),
};

const struct vrms_lab_command *vrms_lab_demo_command(void)
{
	return &command;
}
