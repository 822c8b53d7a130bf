/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "vrms-lab demo-san", and what the demo says where it cannot be played.
 */
#include "lab/demo_san.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>

#include "lab/requirements.h"
#include "lab/setup.h"

int vrms_demo_san_check(struct vrms_error *error)
{
	static const char pattern[] = "/usr/lib/*/qemu/block-iscsi.so";
	const struct vrms_lab_setup setup = {.has_libvirt = true, .has_iscsi = true};
	glob_t found = {0};
	int rc = vrms_lab_requirements_check(&setup, error);

	if (rc == 0 && glob(pattern, 0, NULL, &found) != 0) {
		rc =
		    vrms_error_set(error, -ENOENT,
				   "QEMU has no iscsi:// disks (Debian package: qemu-block-extra)");
	}
	globfree(&found);
	return rc;
}

int vrms_demo_san_play_if_possible(const struct vrms_lab_context *context,
				   const struct vrms_demo_style *style, struct vrms_error *error)
{
	struct vrms_error missing = {.text = ""};

	if (vrms_demo_san_check(&missing) < 0) {
		vrms_demo_show_note(style, "The second act, with disks on a SAN, is left out:");
		vrms_demo_show_note(style, missing.text);
		return 0;
	}
	return vrms_demo_san_play(context, style, error);
}

static int run_demo_san(const struct vrms_lab_context *context, void *settings, int argc,
			char **argv, struct vrms_error *error)
{
	struct vrms_demo_style style;

	(void)settings;
	(void)argc;
	(void)argv;
	vrms_demo_style_init(&style, stdout);
	int rc = vrms_demo_san_check(error);
	rc = rc < 0 ? rc : vrms_demo_san_play(context, &style, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_demo_san_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "demo-san",
	    .arguments = "",
	    .summary = "The demo's second act: a power controller that dies with its host",
	    .details = "The power fence gets no answer, the topology falls to the storage, which\n"
		       "cuts the node off; its VMs come back elsewhere.  Then the storage is the\n"
		       "first level, and the power follows.  Needs tgt and qemu-block-extra.",
	    .run = run_demo_san,
	};

	return &command;
}
