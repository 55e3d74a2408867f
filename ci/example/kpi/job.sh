#!/bin/sh
# A simulation job on a worker node where nothing of Mendel is installed: curl and the coreutils
# fetch the model that an alias points at, check it, and report what was produced with it.
#
#   job.sh MODEL ALIAS FILE PLATFORM EVENTS OUTPUT -- COMMAND…
#   job.sh lhcb/efficiency production libefficiency.so x86_64_v2-el9-gcc12-opt 1000 \
#     /lhcb/MC/2018/00212345_00000001_1.sim -- ci/example/kpi/simulate
#
# COMMAND is the simulation: it is run with the model's file, the number of events and the file to
# write. OUTPUT is the logical name of what it writes, which is the event's id: a job that is run
# again writes the same file and counts once.
#
# MENDEL_URL and MENDEL_TOKEN (of scope kpi) say where the server is; KPI, NAMESPACE, EXPERIMENT,
# CAMPAIGN, SITE and EVIDENCE what the event says. They go into JSON as they are: no quotes in them.
set -eu

if [ $# -lt 8 ] || [ "$7" != -- ]; then
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
model=$1 alias=$2 file=$3 platform=$4 events=$5 output=$6
shift 7
: "${MENDEL_URL:?}" "${MENDEL_TOKEN:?}" "${KPI:?}" "${NAMESPACE:?}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The token in a file: arguments of a process are read by everybody on the node.
(umask 077 && printf 'Authorization: Bearer %s\n' "$MENDEL_TOKEN" > "$scratch/auth")
curl_mendel() {
  curl --silent --show-error --retry 5 --retry-connrefused --header "@$scratch/auth" "$@"
}

# An alias moves; Mendel-Reference says which version these bytes are, and is what is reported.
curl_mendel --fail --dump-header "$scratch/headers" --output "$scratch/$file" \
  "$MENDEL_URL/api/v1/models/$model/versions/$alias/files/$file?platform=$platform"
header() {
  tr -d '\r' < "$scratch/headers" | sed -n "s/^$1: *//Ip" | tail -n 1
}
reference=$(header Mendel-Reference)
digest=$(header Mendel-Digest)

# Other bytes give other physics, and nobody notices: they are checked before they are used.
expected=$(header Repr-Digest | sed 's/^sha-256=:\(.*\):$/\1/' | base64 --decode | od -An -tx1 | tr -d ' \n')
echo "$expected  $scratch/$file" | sha256sum --check --quiet
echo "simulating $events events with $reference ($digest)"

started=$(date +%s)
"$@" "$scratch/$file" "$events" "$scratch/output"
seconds=$(($(date +%s) - started))

cat > "$scratch/event.json" <<EVENT
{"kpi": "$KPI", "namespace": "$NAMESPACE", "event_id": "$output", "value": $events,
 "occurred_at": "$(date --utc +%Y-%m-%dT%H:%M:%SZ)", "model": "$reference",
 "subject": {"experiment": "${EXPERIMENT:-none}", "campaign": "${CAMPAIGN:-none}", "site": "${SITE:-none}"},
 "evidence": ["${EVIDENCE:-$MENDEL_URL}"], "resources": {"cpu_seconds": $seconds}}
EVENT
answer=$(curl_mendel --fail-with-body --header 'Content-Type: application/json' \
  --data-binary "@$scratch/event.json" "$MENDEL_URL/api/v1/kpi-events")
case $answer in
  *'"rejected":[]'*) echo "reported $output" ;;
  *'"status":409'*) echo "$output was reported by an earlier attempt, and counts once" ;;
  *) echo "$answer" >&2; exit 1 ;;
esac
