import { objectOf, textOf } from "@slipway/runtime";

import { isUserName } from "./passwd.ts";

/** The sources of the variables of a dev container. */
export interface MetadataSource {
  /** The label `devcontainer.metadata`; empty if there is none. */
  readonly metadata: string;
  /** The variables of the container, as `NAME=value`. */
  readonly containerEnvironment: readonly string[];
}

/** The limits on the variables that an image or a configuration adds to a session. */
const maxVariables = 256;
const maxValueLength = 32 * 1024;

/** The PATH that engines give to containers without one. */
const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const name = /^[A-Za-z_]\w*$/;
const reference = /\$\{(containerEnv|localEnv):([A-Za-z_]\w*)(?::([^}]*))?\}/g;

/**
 * Returns the variables that the `remoteEnv` of a dev container adds to the processes of its users (docs/protocol/agent.md
 * §8.8): later entries of the metadata override earlier ones, and null is empty. References to the container's
 * environment are replaced. Those to the environment of the workspace are empty: an image, which has metadata too, must
 * not read its secrets.
 */
export function remoteVariables({
  metadata,
  containerEnvironment,
}: MetadataSource): Readonly<Record<string, string>> {
  const inside = new Map([["PATH", standardPath]]);
  for (const entry of containerEnvironment) {
    const end = entry.indexOf("=");
    inside.set(entry.slice(0, end), entry.slice(end + 1));
  }
  const variables = new Map<string, string>();
  for (const entry of entriesOf(metadata)) {
    for (const [key, value] of Object.entries(objectOf(objectOf(entry)["remoteEnv"]))) {
      if (!name.test(key) || variables.size >= maxVariables) continue;
      const text = typeof value === "string" ? value : "";
      const expanded = text.replaceAll(
        reference,
        (_match, scope: string, variable: string, standard: string = "") =>
          (scope === "containerEnv" ? inside.get(variable) : undefined) ?? standard,
      );
      variables.set(key, expanded.slice(0, maxValueLength));
    }
  }
  return Object.fromEntries(variables);
}

function entriesOf(metadata: string): readonly unknown[] {
  if (metadata === "") return [];
  try {
    const parsed: unknown = JSON.parse(metadata);
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch {
    // Not a dev container's: a session needs no variables.
    return [];
  }
}

/** Returns the user of a dev container's processes, by the last entry of the metadata that names one; empty if none does. */
export function remoteUser(metadata: string): string {
  const users = entriesOf(metadata).map((entry) => objectOf(entry)["remoteUser"]);
  const found = users.findLast((user) => typeof user === "string" && isUserName(user));
  return textOf(found);
}
