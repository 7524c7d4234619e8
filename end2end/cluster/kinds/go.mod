// Definitions of kinds that this cluster does not have: OpenShift's Route, the Prometheus Operator's ServiceMonitor, the policy-controller's
// ClusterImagePolicy. Only their YAML is read; nothing is compiled.
module kubernaut.invalid/cluster/kinds

go 1.25.0

require (
	github.com/openshift/api v0.0.0-20260213204242-d34f11c515b3
	github.com/prometheus-operator/prometheus-operator v0.85.0
	github.com/sigstore/policy-controller v0.13.1
)
