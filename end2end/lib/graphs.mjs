// Step lists of any size: layered random graphs, the same for the same seed.

/** A step list of `nodes` steps in `layers` layers; about `edges` edges, each from a layer to a later one, mostly the next. */
export function steps(nodes, layers, edges, { seed = 42, image = 'registry.example.org/actions/tidy:v1' } = {}) {
  let state = seed;
  const random = () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
  const layerOf = (node) => Math.floor((node * layers) / nodes);
  const first = (layer) => Math.ceil((layer * nodes) / layers);
  const pick = (layer) => first(layer) + Math.floor(random() * (first(layer + 1) - first(layer)));
  const after = Array.from({ length: nodes }, () => new Set());
  for (let node = first(1); node < nodes; node += 1) after[node].add(pick(layerOf(node) - 1));
  for (let more = edges - nodes; more > 0; more -= 1) {
    const node = first(1) + Math.floor(random() * (nodes - first(1)));
    after[node].add(pick(Math.max(0, layerOf(node) - 1 - Math.floor(random() * 3))));
  }
  const name = (node) => `task-${String(node).padStart(4, '0')}`;
  return {
    workflowType: 'layered-graph',
    reason: `A graph of ${nodes} steps`,
    steps: after.map((before, node) => ({
      name: name(node),
      actionType: 'kubernetes/tidy_up',
      image,
      inputs: {},
      runAfter: [...before].map(name),
    })),
  };
}
