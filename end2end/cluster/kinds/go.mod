// Definitions of kinds that this cluster does not have: OpenShift's Route, the Prometheus Operator's ServiceMonitor. Only their YAML is
// read; nothing is compiled.
module kubernaut.invalid/cluster/kinds

go 1.25.0

require (
	github.com/openshift/api v0.0.0-20260213204242-d34f11c515b3
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
