# What the playbooks and actions in shell share. Sourced, not run. Writes no file but OUTPUTS_PATH: the root filesystem may be read-only.
# shellcheck shell=sh
# shellcheck disable=SC2034 # some of what stands here is only read by who sources it

LC_ALL=C # so that [a-z] means these 26 letters
export LC_ALL

# Exit codes, the same in all of them; README.md lists them. 1 is everything else.
WRONG_INPUT=2 NOT_THERE=3 NO_RIGHT=4 NOT_SETTLED=5 IN_THE_WAY=6

say() { printf '%s\n' "$*"; }

# fail CODE WORDS…: the last line of the log says what is wrong and what mends it.
fail() {
  code=$1
  shift
  printf 'ERROR: %s\n' "$*" >&2
  exit "$code"
}

# A cancel and a time limit send SIGTERM to everything in the step, kubectl too. What has been done stays done.
trap 'printf "ERROR: ended by a signal; what stands above has been done\n" >&2; exit 143' TERM INT HUP

# A shell hears of a signal only after its child's end, but at once while it waits.
pause() {
  sleep "$1" &
  wait "$!"
}

# report JSON: what came of it, for the page of the run.
report() { [ -z "${OUTPUTS_PATH:-}" ] || printf %s "$1" >"$OUTPUTS_PATH"; }

# --- what is given ------------------------------------------------------------------------------------------------------------

# The console has checked all of it; an image is also run by hand, and by those who know no schema.

# required NAME VALUE: a variable that must be set and not empty.
required() { [ -n "$2" ] || fail $WRONG_INPUT "$1 is missing: give it in the environment"; }

# kubernetes_name WHAT TEXT: a name of an object or a namespace. None of them can be taken for an option.
kubernetes_name() {
  case $2 in
    '' | *[!a-z0-9.-]* | [.-]* | *[.-]) fail $WRONG_INPUT "$1 is no name of Kubernetes: '$2'" ;;
  esac
  [ ${#2} -le 253 ] || fail $WRONG_INPUT "$1 is longer than 253 characters"
}

# whole_number WHAT TEXT LEAST MOST
whole_number() {
  case $2 in
    '' | *[!0-9]* | 0?* | ??????*) fail $WRONG_INPUT "$1 is no whole number from $3 to $4: '$2'" ;;
  esac
  if [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then fail $WRONG_INPUT "$1 is not within $3 to $4: $2"; fi
}

# How long to wait until what was changed has settled, and how long it must then stay so. A registration sets them as hidden parameters.
WAIT_SECONDS=${WAIT_SECONDS:-180} STABLE_SECONDS=${STABLE_SECONDS:-10}
whole_number WAIT_SECONDS "$WAIT_SECONDS" 1 3600
whole_number STABLE_SECONDS "$STABLE_SECONDS" 0 600

begin_waiting() { deadline=$(($(date +%s) + WAIT_SECONDS)); }
time_is_left() { [ "$(date +%s)" -lt "$deadline" ]; }

# --- the cluster ----------------------------------------------------------------------------------------------------------------

# The file is there only if the run has a kubeconfig for another cluster; kubectl would warn of it each time.
if [ -n "${KUBECONFIG:-}" ] && [ ! -e "$KUBECONFIG" ]; then unset KUBECONFIG; fi

which_cluster() {
  if [ -n "${KUBECONFIG:-}" ]; then say "Cluster: that of $KUBECONFIG"; else say "Cluster: this one, as the pod's service account"; fi
}

# attempt ARGUMENTS…: kubectl, its answer in $answer together with what it says beside it. Ends where trying again is no use.
# No --request-timeout: with it kubectl no longer finds the pod's own account. It notices a silent server by itself within a minute.
attempt() {
  if answer=$(kubectl "$@" 2>&1); then return 0; fi
  case $answer in
    *'(NotFound)'*) fail $NOT_THERE "the cluster does not have it: $answer" ;;
  esac
  unless_refused
  return 1
}

# unless_refused: ends where $answer is a refusal. Not every command of kubectl says the reason in brackets.
unless_refused() {
  case $answer in
    *'forbidden: User '*' cannot '* | *'(Unauthorized)'*)
      fail $NO_RIGHT "the cluster refuses this account. Grant what rbac.yaml of this image lists, in the target's namespace. $answer"
      ;;
    *' is forbidden: '* | *'(Forbidden)'* | *'denied the request'*) fail $IN_THE_WAY "a rule of the cluster forbids it: $answer" ;;
  esac
}

# kube ARGUMENTS…: the same where a failure is the end.
kube() { attempt "$@" || fail 1 "$answer"; }

# part_of_answer: what a template beginning with the mark has printed. kubectl may say things beside it, about other APIs being ill.
mark='answer:'
part_of_answer() { printf %s "${answer##*"$mark"}"; }

# workload KIND NAME NAMESPACE: what the functions below act on.
workload() {
  case $1 in
    Deployment | StatefulSet | DaemonSet) ;;
    *) fail $WRONG_INPUT "the kind must be Deployment, StatefulSet or DaemonSet, not '$1'" ;;
  esac
  kubernetes_name "the target's name" "$2"
  kubernetes_name "the target's namespace" "$3"
  case $1 in
    Deployment) resource=deployments.apps/$2 ;;
    StatefulSet) resource=statefulsets.apps/$2 ;;
    DaemonSet) resource=daemonsets.apps/$2 ;;
  esac
  subject="$1 $2 in $3" namespace=$3
}

# read_replicas: sets wanted, present, ready and whether the controller has seen the newest spec. Fails as attempt does.
read_replicas() {
  attempt --namespace "$namespace" get "$resource" --output \
    "jsonpath=$mark{.metadata.generation}|{.status.observedGeneration}|{.spec.replicas}|{.status.replicas}|{.status.readyReplicas}" ||
    return 1
  IFS='|' read -r generation observed wanted present ready <<END
$(part_of_answer)
END
  wanted=${wanted:-1} present=${present:-0} ready=${ready:-0}
}

# scale_to REPLICAS: scales the workload, and waits until it has exactly as many pods and all are ready. Sets before. Done already
# is done: it may be a second try.
scale_to() {
  read_replicas || fail 1 "$answer"
  before=$wanted
  say "$subject has $before replicas, $ready of them ready"
  if [ "$before" -eq "$1" ]; then
    say "It is to have $1: nothing to change"
  else
    # On what was just read only: a count that somebody else has changed meanwhile is not overwritten.
    kube --namespace "$namespace" scale "$resource" --current-replicas="$before" --replicas="$1"
    say "Scaled from $before to $1"
  fi
  begin_waiting
  seen=
  while :; do
    if read_replicas; then
      [ "$wanted" -eq "$1" ] ||
        fail $IN_THE_WAY "$subject is to have $wanted replicas again, not $1: something else sets them, such as a HorizontalPodAutoscaler or GitOps"
      [ "$seen" = "$present $ready" ] || say "$present pods, $ready ready"
      seen="$present $ready"
      if [ "$generation" = "$observed" ] && [ "$present" -eq "$1" ] && [ "$ready" -eq "$1" ]; then return 0; fi
    else
      say "$answer" >&2
    fi
    time_is_left || fail $NOT_SETTLED "scaled to $1, but after $WAIT_SECONDS s there are $present pods with $ready ready. To go back: $before replicas"
    pause 2
  done
}

# stays_scaled REPLICAS: whoever else sets the number does so within seconds.
stays_scaled() {
  say "Watching for $STABLE_SECONDS s whether it stays so"
  pause "$STABLE_SECONDS"
  read_replicas || fail 1 "$answer"
  [ "$wanted" -eq "$1" ] ||
    fail $IN_THE_WAY "$subject is to have $wanted replicas again, not $1: something else sets them, such as a HorizontalPodAutoscaler or GitOps"
  [ "$ready" -eq "$1" ] || fail $NOT_SETTLED "$ready of $1 pods are still ready. To go back: $before replicas"
}
