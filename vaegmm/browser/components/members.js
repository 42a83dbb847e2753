// The stored z that belong to a component.

/**
 * List a component's members, the most typical of it first.
 *
 * @param {Model} model
 * @param {number} component
 * @returns {number[]}  indices of the stored z that it is the most responsible for, by their
 *   density under it, falling
 */
export function membersOf({ latents, mixture, dimension }, component) {
  const members = [];
  latents.components.forEach((k, index) => {
    if (k === component) members.push(index);
  });
  const density = new Map(
    members.map((index) => {
      mixture.point.set(latents.z.subarray(index * dimension, (index + 1) * dimension));
      return [index, mixture.logJoint(component, -Infinity)];
    }),
  );
  return members.sort((a, b) => density.get(b) - density.get(a));
}

/** Components grouped by what they are called, labels rising, the unnamed last; large ones first. */
export function groupsOf({ componentNames, weights }) {
  const groups = new Map();
  componentNames.forEach((label, k) => groups.set(label, [...(groups.get(label) ?? []), k]));
  return [...groups]
    .sort(([a], [b]) => (a < 0 ? 1 : b < 0 ? -1 : a - b))
    .map(([label, members]) => ({ label, members: members.sort((a, b) => weights[b] - weights[a]) }));
}
