import { CommandError } from "./errors.ts";

/**
 * Requires that the server answers with what was asked for: a name may become a file, or part of a command that people
 * copy. Throws `CommandError` for another one. Servers ignore case.
 */
export function requireName(kind: string, answered: string, wanted: string): void {
  if (answered.toLowerCase() === wanted.toLowerCase()) return;
  const found = JSON.stringify(answered.slice(0, 100));
  throw new CommandError(`the server answered with the ${kind} ${found}, wanted ${wanted}`);
}
