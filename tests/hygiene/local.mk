# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rules of the house, checked: each script first proves that it can fail.

HYGIENE_TESTS = \
	tests/hygiene/documents.sh \
	tests/hygiene/headers.sh \
	tests/hygiene/includes.sh \
	tests/hygiene/metadata.sh \
	tests/hygiene/mutations.sh \
	tests/hygiene/options.sh \
	tests/hygiene/pure.sh \
	tests/hygiene/style.sh

TESTS      += $(HYGIENE_TESTS)
EXTRA_DIST += $(HYGIENE_TESTS) tests/hygiene/mutations.list

# The programs of the fakes are there so that there is always something to look at.
AM_TESTS_ENVIRONMENT = \
	PURE_ARCHIVES='$(PURE_ARCHIVES)'; export PURE_ARCHIVES; \
	OCF_AGENTS='$(OCF_AGENTS) tests/fakes/ocf_dummy'; export OCF_AGENTS; \
	FENCE_AGENTS='$(FENCE_AGENTS) tests/fakes/fence_dummy'; export FENCE_AGENTS; \
	INSTALLED='$(bin_PROGRAMS) $(sbin_PROGRAMS) $(fence_PROGRAMS) $(vrmsagent_PROGRAMS)'; \
	MAN_PAGES='$(dist_man_MANS) $(nodist_man_MANS)'; export INSTALLED MAN_PAGES; \
	NM='$(NM)' AR='$(AR)' CC='$(CC)' XMLLINT='$(XMLLINT)' MANDOC='$(MANDOC)'; \
	export NM AR CC XMLLINT MANDOC; \
	SANITIZE_CFLAGS='$(SANITIZE_CFLAGS)'; export SANITIZE_CFLAGS; \
	HEADER_CFLAGS='$(HEADER_CFLAGS)'; export HEADER_CFLAGS;

# What any header may need from outside.
HEADER_CFLAGS = -D_GNU_SOURCE -I$(top_builddir) -std=gnu11 $(WARN_CFLAGS) $(CHECK_CFLAGS) \
	$(QB_CFLAGS) $(XML_CFLAGS) $(JANSSON_CFLAGS) $(LIBVIRT_CFLAGS) $(PACEMAKER_CFLAGS)
