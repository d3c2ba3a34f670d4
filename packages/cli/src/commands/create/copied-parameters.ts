import { type BuildParameter, listBuildParameters } from "@slipway/api";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { findWorkspace } from "../../resources/workspaces/workspace-reference.ts";

/** Returns the values of another workspace's last build; none without another workspace. */
export async function copiedParameters(
  from: string | undefined,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<readonly BuildParameter[]> {
  if (from === undefined) return [];
  const { latest_build } = await findWorkspace(client, from, signal);
  return client.call(listBuildParameters, { params: { build: latest_build.id }, signal });
}

/** Returns the given values, and the copied ones of parameters that are not given. */
export function withCopied(
  given: readonly BuildParameter[],
  copied: readonly BuildParameter[],
): readonly BuildParameter[] {
  const names = new Set(given.map(({ name }) => name));
  return [...given, ...copied.filter(({ name }) => !names.has(name))];
}
