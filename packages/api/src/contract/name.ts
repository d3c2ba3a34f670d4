const namePattern = /^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$/;
const reservedNames: ReadonlySet<string> = new Set(["new", "create"]);

/** The maximum length of the name of a user, template or workspace, in characters. */
export const maxNameLength = 32;

/**
 * Returns the problem with the name of a user, template or workspace, or undefined (docs/protocol/clients.md §1.1).
 * The text gives the actual value and the required one.
 */
export function nameProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > maxNameLength) {
    return `must have 1 to ${maxNameLength} characters, found ${name.length}`;
  }
  if (!namePattern.test(name)) {
    return `must be letters and digits with single dashes between them, found "${name}"`;
  }
  return reservedNames.has(name) ? `must not be "${name}", which is reserved` : undefined;
}
