type Labels = Readonly<Record<string, string>>;

/** Encodes a filter by labels, for the lists of all kinds of objects. */
export function labelFilters(labels: Labels): string {
  return JSON.stringify({ label: Object.entries(labels).map((pair) => pair.join("=")) });
}

/** Returns whether an object of a filtered list has all labels: podman lists volumes that have any of them. */
export function hasLabels(found: { readonly labels: Labels }, labels: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => found.labels[name] === value);
}
