import type { RequestTarget } from "@slipway/sdk/http";

import { CommandError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

/** The nouns of a path's parameters, by the segment before it or else by its name. */
const nouns: Readonly<Record<string, string>> = {
  agent: "agent",
  build: "build",
  devcontainer: "dev container",
  file: "file",
  job: "job",
  key: "token",
  "login-providers": "login provider",
  notification: "notification",
  number: "build",
  organization: "organization",
  provider: "external auth provider",
  run: "run",
  template: "template",
  templates: "template",
  tokens: "token",
  user: "user",
  version: "template version",
  versions: "template version",
  workspace: "workspace",
};

/** Values that stand for the caller and for things that exist on every server: these are never missing. */
const certain: ReadonlySet<string> = new Set(["me", "default"]);

/** Returns the error for something that is unknown or invisible: its kind and its name. */
export function notFoundError(thing: string, hint?: string): CommandError {
  return new CommandError(notFoundText(thing), {
    exitCode: exitCodes.notFound,
    ...(hint === undefined ? {} : { hint }),
  });
}

export function notFoundText(thing: string): string {
  return `${thing} does not exist or is not visible to you`;
}

/** Names the subject of a request, such as "user ann" or "token ci of user ann"; undefined if it has none. */
export function targetThing({ path, params }: RequestTarget): string | undefined {
  const things: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    const name = segment.startsWith(":") ? segment.slice(1) : undefined;
    const value = name === undefined ? undefined : params[name];
    if (name === undefined || value === undefined || certain.has(value)) continue;
    const noun = nouns[segments[index - 1] ?? ""] ?? nouns[name];
    if (noun !== undefined) things.push(`${noun} ${value}`);
  }
  return things.length === 0 ? undefined : things.slice(-2).toReversed().join(" of ");
}

/**
 * Requires the server's answer to have the requested name: a name may become a file, or part of a command that people
 * copy. Throws `CommandError` for another one. Servers ignore case.
 */
export function requireName(kind: string, answered: string, wanted: string): void {
  if (answered.toLowerCase() === wanted.toLowerCase()) return;
  const found = JSON.stringify(answered.slice(0, 100));
  throw new CommandError(`the server answered with the ${kind} ${found}, wanted ${wanted}`);
}
