/* fence_dummy.c - the smallest fence agent: a node is on while a file of its name exists.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/file.h"
#include "ocf/fence.h"

struct dummy_config {
	const char *folder;
	int method;
	bool stuck;
	bool no_on;
};

static const char *const methods[] = {"onoff", "cycle", NULL};

static const struct vrms_param params[] = {
    {
	.name = "folder",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, folder, const char *),
	.required = true,
	.option = 'f',
	.long_option = "directory",
	.obsoletes = "dir",
	.shortdesc = "Folder with a file for each node that is on",
	.longdesc = "Holds a file for each node that is on.",
    },
    {
	.name = "method",
	.type = VRMS_PARAM_CHOICE,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, method, int),
	.choices = methods,
	.fallback = "onoff",
	.shortdesc = "How",
	.longdesc = "Has no effect.",
    },
    {
	.name = "stuck",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, stuck, bool),
	.shortdesc = "Off says yes and does nothing",
	.longdesc = "Makes off a lie.",
    },
    {
	.name = "no_on",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, no_on, bool),
	.shortdesc = "On fails",
	.longdesc = "Makes on fail.",
    },
};

static void path_of(const struct vrms_fence_call *call, const struct dummy_config *config,
		    char *path, size_t size)
{
	snprintf(path, size, "%s/%s", config->folder, call->plug);
}

static int run_off(const struct vrms_fence_call *call, const void *config_,
		   struct vrms_error *error)
{
	const struct dummy_config *config = config_;
	char path[256];

	path_of(call, config, path, sizeof(path));
	if (!config->stuck && unlink(path) < 0 && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	return VRMS_FENCE_OK;
}

static int run_on(const struct vrms_fence_call *call, const void *config_, struct vrms_error *error)
{
	const struct dummy_config *config = config_;
	char path[256];

	path_of(call, config, path, sizeof(path));
	if (config->no_on) {
		return vrms_error_set(error, -EIO, "%s: no power", call->plug);
	}
	return vrms_file_write(path, "", 0, 0600, error);
}

static int run_status(const struct vrms_fence_call *call, const void *config_,
		      struct vrms_error *error)
{
	char path[256];

	(void)error;
	path_of(call, config_, path, sizeof(path));
	return access(path, F_OK) == 0 ? VRMS_FENCE_OK : VRMS_FENCE_IS_OFF;
}

static int run_monitor(const struct vrms_fence_call *call, const void *config_,
		       struct vrms_error *error)
{
	const struct dummy_config *config = config_;

	(void)call;
	if (access(config->folder, W_OK) < 0) {
		return vrms_error_errno(error, -errno, "%s", config->folder);
	}
	return VRMS_FENCE_OK;
}

static int run_list(const struct vrms_fence_call *call, const void *config_,
		    struct vrms_error *error)
{
	const struct dummy_config *config = config_;
	DIR *dir = opendir(config->folder);

	(void)call;
	if (dir == NULL) {
		return vrms_error_errno(error, -errno, "%s", config->folder);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.') {
			printf("%s,\n", entry->d_name);
		}
	}
	closedir(dir);
	return VRMS_FENCE_OK;
}

static const struct vrms_fence_action actions[] = {
    {.name = "off", .run = run_off, .needs_plug = true},
    {.name = "on", .run = run_on, .needs_plug = true},
    {.name = "status", .run = run_status, .needs_plug = true},
    {.name = "monitor", .run = run_monitor},
    {.name = "list", .run = run_list},
    {.name = "validate-all"},
    {.name = "metadata"},
};

static const struct vrms_fence_agent agent = {
    .name = "fence_dummy",
    .version = "0.1.0",
    .shortdesc = "Fence agent for tests of the library",
    .longdesc = "Switches files.  It exists for the tests.",
    .vendor_url = "https://www.clusterlabs.org/",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .default_action = "reboot",
    .config_size = sizeof(struct dummy_config),
    .man_examples = ".Dl fence_dummy -o off -n n1 --directory=/tmp/x\n",
    .man_see_also = ".Xr stonith_admin 8\n",
};

int main(int argc, char **argv)
{
	return vrms_fence_main(&agent, argc, argv);
}
