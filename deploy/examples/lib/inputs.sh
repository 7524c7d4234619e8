# How the actions in shell read their inputs: JSON, held against the contract in the image. Sourced after remediation.sh; needs jq.
# shellcheck shell=sh

# read_inputs: sets inputs. From ACTION_INPUTS; without it from standard input, as in the seed's Task.
read_inputs() {
  inputs=${ACTION_INPUTS:-}
  [ -n "$inputs" ] || inputs=$(cat)
  # The contract is written in the part of YAML that is JSON, so that it can be read here: what is promised is what is checked.
  faults=$(printf %s "$inputs" | jq -r --slurp --slurpfile contract /action-contract.yaml -f /opt/kubernaut/inputs.jq 2>&1) ||
    fail $WRONG_INPUT "the inputs are no JSON: $faults"
  [ -z "$faults" ] || fail $WRONG_INPUT "the inputs are not as action-contract.yaml says: $faults"
}

# input NAME: as text; empty when it was not given.
input() { printf %s "$inputs" | jq -r --arg name "$1" '.[$name] // empty | if type == "number" then floor else . end'; }
