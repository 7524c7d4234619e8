#!/bin/sh
# Gives one container of a workload another memory limit, and waits until all of its pods run with it. Rolling back is the same with
# the former limit.
set -eu
. /opt/kubernaut/remediation.sh

required TARGET_RESOURCE_KIND "${TARGET_RESOURCE_KIND:-}"
required TARGET_RESOURCE_NAME "${TARGET_RESOURCE_NAME:-}"
required TARGET_NAMESPACE "${TARGET_NAMESPACE:-}"
required MEMORY_LIMIT_NEW "${MEMORY_LIMIT_NEW:-}"
workload "$TARGET_RESOURCE_KIND" "$TARGET_RESOURCE_NAME" "$TARGET_NAMESPACE"
case $MEMORY_LIMIT_NEW in
  *Mi) number=${MEMORY_LIMIT_NEW%Mi} new_kib=1024 ;;
  *Gi) number=${MEMORY_LIMIT_NEW%Gi} new_kib=1048576 ;;
  *) fail $WRONG_INPUT "MEMORY_LIMIT_NEW must be a number with Mi or Gi, such as 512Mi or 2Gi: '$MEMORY_LIMIT_NEW'" ;;
esac
whole_number "the number in MEMORY_LIMIT_NEW" "$number" 1 99999
new_kib=$((number * new_kib))
container=${TARGET_CONTAINER:-}
[ -z "$container" ] || kubernetes_name TARGET_CONTAINER "$container"

# read_limit: sets names, and container and limit. With several containers one must be named: which of them was killed is not guessed.
read_limit() {
  kube --namespace "$namespace" get "$resource" --output \
    "jsonpath=$mark{range .spec.template.spec.containers[*]}{.name}={.resources.limits.memory}{'\n'}{end}"
  names='' limit='' found=''
  while IFS='=' read -r name value; do
    [ -n "$name" ] || continue
    names="$names $name"
    if [ -z "$container" ] || [ "$name" = "$container" ]; then
      [ -z "$found" ] || fail $WRONG_INPUT "$subject has several containers: name one in TARGET_CONTAINER, of$names …"
      found=$name limit=${value:-none}
    fi
  done <<END
$(part_of_answer)
END
  [ -n "$found" ] || fail $NOT_THERE "$subject has no container $container, but$names"
}

# lower_than_before: whether the new limit is under the present one, where that is written in Mi or Gi, as most are.
lower_than_before() {
  case $limit in
    *[!0-9]*[!MGi]* | ?????????*) return 1 ;;
    *Mi) [ "$new_kib" -lt $((${limit%Mi} * 1024)) ] ;;
    *Gi) [ "$new_kib" -lt $((${limit%Gi} * 1048576)) ] ;;
    *) return 1 ;;
  esac
}

which_cluster
read_limit
container=$found before=$limit
say "Target: container $container of $subject, memory limit from $before to $MEMORY_LIMIT_NEW"
if [ "$before" = "$MEMORY_LIMIT_NEW" ]; then
  say "It has that limit already: nothing to change"
else
  if lower_than_before; then say "This is less than before: right for a rollback only"; fi
  kube --namespace "$namespace" set resources "$resource" --containers="$container" --limits="memory=$MEMORY_LIMIT_NEW"
  say "Changed; pods are being replaced"
fi
# At its end it has waited for every pod of the new limit to be ready, and for the old ones to be gone.
say "::group::Rollout"
rolled_out=0
kubectl --namespace "$namespace" rollout status "$resource" --timeout="${WAIT_SECONDS}s" || rolled_out=$?
say "::endgroup::"
[ $rolled_out = 0 ] ||
  fail $NOT_SETTLED "the limit is $MEMORY_LIMIT_NEW, but the new pods are not ready; the log above says why. To go back: $before"
read_limit
[ "$limit" = "$MEMORY_LIMIT_NEW" ] || fail $IN_THE_WAY "the limit is $limit again: something else sets it, such as GitOps or an operator"
say "Done: memory limit $before -> $MEMORY_LIMIT_NEW"
report "{\"container\":\"$container\",\"previous_limit\":\"$before\",\"new_limit\":\"$MEMORY_LIMIT_NEW\"}"
