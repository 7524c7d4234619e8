#!/bin/sh
# Scales a workload down, so that its node has memory again. Rolling back is the same with the former number.
set -eu
. /opt/kubernaut/remediation.sh

required TARGET_RESOURCE_KIND "${TARGET_RESOURCE_KIND:-}"
required TARGET_RESOURCE_NAME "${TARGET_RESOURCE_NAME:-}"
required TARGET_NAMESPACE "${TARGET_NAMESPACE:-}"
required SCALE_TARGET_REPLICAS "${SCALE_TARGET_REPLICAS:-}"
case $TARGET_RESOURCE_KIND in
  DaemonSet) fail $WRONG_INPUT "a DaemonSet has a pod on each node and cannot be scaled: choose a Deployment or a StatefulSet" ;;
esac
workload "$TARGET_RESOURCE_KIND" "$TARGET_RESOURCE_NAME" "$TARGET_NAMESPACE"
whole_number SCALE_TARGET_REPLICAS "$SCALE_TARGET_REPLICAS" 0 100

which_cluster
say "Target: $subject, to $SCALE_TARGET_REPLICAS replicas"
scale_to "$SCALE_TARGET_REPLICAS"
[ "$before" -ge "$SCALE_TARGET_REPLICAS" ] || say "These are more than before: right for a rollback only"
stays_scaled "$SCALE_TARGET_REPLICAS"
say "Done: $SCALE_TARGET_REPLICAS replicas"
report "{\"previous_replicas\":$before,\"final_replicas\":$SCALE_TARGET_REPLICAS}"
