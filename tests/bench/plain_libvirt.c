/* plain_libvirt.c - the least that a C program needs for start, monitor and stop through
 * libvirt.so: the floor under every agent that links it.
 *
 * usage: plain_libvirt start|monitor|stop NAME XML-FILE
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"

static int start(virConnectPtr connection, const char *path)
{
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;

	if (vrms_file_read(path, 1 << 20, &xml, NULL, NULL) < 0) {
		return -1;
	}
	virDomainPtr domain = virDomainCreateXML(connection, xml, 0);
	return domain == NULL ? -1 : virDomainFree(domain);
}

static int with_domain(virConnectPtr connection, const char *action, const char *name)
{
	int state;
	virDomainPtr domain = virDomainLookupByName(connection, name);

	if (domain == NULL) {
		return -1;
	}
	int rc = strcmp(action, "stop") == 0 ? virDomainDestroy(domain)
					     : virDomainGetState(domain, &state, NULL, 0);
	(void)virDomainFree(domain);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: plain_libvirt start|monitor|stop NAME XML-FILE\n", stderr);
		return 2;
	}
	virConnectPtr connection = virConnectOpen("qemu:///system");
	if (connection == NULL) {
		return 1;
	}
	int rc = strcmp(argv[1], "start") == 0 ? start(connection, argv[3])
					       : with_domain(connection, argv[1], argv[2]);
	(void)virConnectClose(connection);
	return rc < 0 ? 1 : 0;
}
