#!/bin/sh
# A restore and Pacemaker's configuration, with Pacemaker's own programs on a CIB in a file:
# the resource is left alone meanwhile, what was saved comes back, a VM that runs is refused.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=$(readlink -f "${VRMS_BACKUP:-./vrms-backup}")
needs "cibadmin crm_mon crm_resource qemu-img" "pacemaker-cli-utils qemu-utils"
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-cluster.XXXXXX")
trap 'rm -rf "$work"' EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"
export CIB_file="$work/cib.xml"

# No daemons are here to answer for the node's name, or to be waited for.
mkdir "$work/bin"
printf '#!/bin/sh\necho n1\n' >"$work/bin/crm_node"
cat >"$work/bin/crm_resource" <<END
#!/bin/sh
case " \$* " in
*" --wait "*) exec cp "$CIB_file" "$work/held.xml" ;;
esac
exec $(command -v crm_resource) "\$@"
END
chmod +x "$work/bin/crm_node" "$work/bin/crm_resource"
PATH=$work/bin:$PATH

primitive='<primitive id="vm1" class="ocf" provider="vrms" type="VirtualMachine"><utilization id="vm1-u"><nvpair id="vm1-u-m" name="hv_memory" value="MEMORY"/></utilization></primitive>'
constraint='<rsc_location id="likes" rsc="vm1" node="n1" score="50"/>'
resources() { # MEMORY
	cibadmin --empty >"$CIB_file"
	cibadmin --create --scope nodes --xml-text '<node id="1" uname="n1"/>'
	cibadmin --create --scope resources --xml-text "$(echo "$primitive" | sed "s/MEMORY/$1/")"
}
running() { # on n1, as its history says
	feature=$(sed -n 's/.*crm_feature_set="\([^"]*\)".*/\1/p' "$CIB_file" | head -n 1)
	cibadmin --create --scope status --xml-text "<node_state id='1' uname='n1' in_ccm='true' crmd='online' join='member' expected='member'><lrm id='1'><lrm_resources><lrm_resource id='vm1' type='VirtualMachine' class='ocf' provider='vrms'><lrm_rsc_op id='vm1_last_0' operation_key='vm1_start_0' operation='start' crm-debug-origin='test' crm_feature_set='$feature' transition-key='3:0:0:a' transition-magic='0:0;3:0:0:a' call-id='5' rc-code='0' op-status='0' interval='0' on_node='n1'/></lrm_resource></lrm_resources></lrm></node_state>"
}
memory() { cibadmin --query --scope resources | sed -n 's/.*name="hv_memory" value="\([0-9]*\)".*/\1/p'; }
refused() { # PART COMMAND...
	part=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		fail "not refused: $*"
	fi
	cat "$work/out"
	grep -qF -- "$part" "$work/out" || fail "no \"$part\" in: $(cat "$work/out")"
}

cat >"$work/saved.xml" <<END
<vrms-cluster-config version="1" vm="vm1" resource="vm1"><resources>$(echo "$primitive" | sed "s/MEMORY/64/")</resources><constraints>$constraint</constraints></vrms-cluster-config>
END
truncate -s 4M "$work/vda.raw"
dd if=/dev/urandom of="$work/vda.raw" bs=1M count=2 conv=notrunc status=none
"$backup" init >/dev/null
"$backup" take vm1 --image "vda=$work/vda.raw" --file "cluster.xml=$work/saved.xml" >/dev/null
"$backup" show vm1 --cluster-config | cmp - "$work/saved.xml" 2>/dev/null ||
	"$backup" show vm1 --cluster-config | head -n 1 | cmp - "$work/saved.xml"
source=$("$backup" show vm1 --json | sed -n 's/.*"source": "\([^"]*\)".*/\1/p' | head -n 1)
[ "$source" = "$work/vda.raw" ] || fail "the disk's place is '$source'"

# It changed since, and stands still: everything comes back, and Pacemaker has it again.
resources 128
"$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite --cluster-config
grep -q 'name="is-managed" value="false"' "$work/held.xml" || fail "it was not left alone meanwhile"
[ "$(memory)" = 64 ] || fail "the resource is not as it was: $(memory)"
cibadmin --query --scope constraints | grep -q 'id="likes"' || fail "the constraint is not back"
if grep -q is-managed "$CIB_file"; then
	fail "it is still unmanaged"
fi

# Gone from the cluster: made anew.
cibadmin --empty >"$CIB_file"
"$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite --cluster-config
[ "$(memory)" = 64 ] || fail "the resource is not back"

# An is-managed of somebody's own stays as it was.
resources 64
crm_resource --resource vm1 --meta --set-parameter is-managed --parameter-value true >/dev/null
"$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite >/dev/null
grep -q 'name="is-managed" value="true"' "$CIB_file" || fail "somebody's is-managed is lost"

# It breaks off half way: nobody may start it.
resources 64
cp "$work/vda.raw" "$work/before.raw"
refused "stays unmanaged" sh -c 'trap "" XFSZ; ulimit -f 2000; exec "$@"' sh \
	"$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite --cluster-config
grep -q 'name="is-managed" value="false"' "$CIB_file" || fail "Pacemaker may start what is half restored"

# It runs: refused, nothing is changed.
resources 64
running
cp "$CIB_file" "$work/cib.before"
cp "$work/before.raw" "$work/vda.raw"
refused "VM 'vm1' runs on node 'n1'" \
	"$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite
ln -s vda.raw "$work/link.raw"
refused "VM 'vm1' runs on node 'n1'" \
	"$backup" restore vm1 --disk "vda=$work/link.raw" --format raw --overwrite
cmp "$work/vda.raw" "$work/before.raw"
cmp "$CIB_file" "$work/cib.before"
# It may run: the partition has no quorum, or Pacemaker is stopped on this host.
resources 64
sed -i '1s/<cib /<cib have-quorum="0" dc-uuid="1" /' "$CIB_file"
cp "$CIB_file" "$work/cib.before"
refused "this partition has no quorum" \
	"$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite
stopped() { # COMMAND...: on a host where Pacemaker is stopped, its CIB on the disk
	VRMS_CIB="$work/cib.before" CIB_file="$work/none" "$@"
}
refused "Pacemaker does not answer on this host" \
	stopped "$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite
cmp "$work/vda.raw" "$work/before.raw"
cmp "$CIB_file" "$work/cib.before"
cibadmin --empty >"$work/cib.before"
stopped "$backup" restore vm1 --disk "vda=$work/vda.raw" --format raw --overwrite >/dev/null
# Another place is another matter.
resources 64
running
"$backup" restore vm1 --disk "vda=$work/new.raw" --format raw >/dev/null
cmp "$work/new.raw" "$work/before.raw"
refused "not with --name" "$backup" restore vm1 --name vm9 --output "$work/n" --cluster-config

# Whose is the backup of a VM?  libvirt's own test driver has the VMs; we are n1.
vm() { # NAME RUNSTATE: 1 runs, 5 is off
	cat >"$work/node.xml" <<END
<node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
<name>$1</name><memory>8192</memory><os><type>hvm</type></os>
<test:runstate>$2</test:runstate></domain></node>
END
}
cluster() { # QUORUM COORDINATOR [NODE where the VM runs]
	resources 64
	cibadmin --create --scope nodes --xml-text '<node id="2" uname="n2"/>'
	[ -z "${3:-}" ] || running
	sed -i "1s/<cib /<cib have-quorum=\"$1\" dc-uuid=\"$2\" /" "$CIB_file"
	[ "${3:-}" != 2 ] || sed -i "/<status>/,\$s/id=\"1\"/id=\"2\"/; /<status>/,\$s/n1/n2/" "$CIB_file"
}
printf '%s\n' "repository = $work/repository" "connect = test://$work/node.xml" \
	'[vm vm1 lone]' 'full = daily' >"$work/backup.conf"
due() { "$backup" schedule run --dry-run --config "$work/backup.conf"; }
is_ours() { [ -n "$(due)" ] || fail "$1: is not taken here"; }
is_not_ours() { [ -z "$(due)" ] || fail "$1: is taken here"; }
where() { "$backup" schedule next --config "$work/backup.conf" | sed -n "s/^vm1 *\([^ ]*\).*/\1/p"; }
rm -r "$VRMS_BACKUP_REPOSITORY"
"$backup" init >/dev/null

vm vm1 1
cluster 1 1 1
is_ours "a VM that runs here"
cluster 1 2 1
is_ours "a VM that runs here, the coordinator elsewhere"
cluster 0 1 1
is_not_ours "a VM that runs here, without quorum"
vm vm1 5
cluster 1 2 2
is_not_ours "a VM that is off here and runs on n2"
[ "$(where)" = n2 ] || fail "it runs on '$(where)'"
cluster 1 1 2
is_not_ours "the same, the coordinator here"
cluster 1 1
is_ours "a VM that is off everywhere, the coordinator here"
cluster 1 2
is_not_ours "a VM that is off everywhere, the coordinator elsewhere"
# It started elsewhere in the last moment: by hand too nobody reads its disks behind its back.
vm vm1 5
cluster 1 1 2
sed -i "s|<os>|<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$work/vda.raw'/><target dev='vda'/></disk></devices><os>|" "$work/node.xml"
refused "VM 'vm1' runs on node 'n2'" "$backup" take vm1 --connect "test://$work/node.xml"
echo "the cluster's configuration, and whose a backup is: as it should be"
