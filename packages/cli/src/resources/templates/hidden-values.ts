import type { BuildParameter } from "@slipway/api/builds/build";
import type { EvaluatedParameter } from "@slipway/api/templates/dynamic-parameters";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import { ApiError } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../command/needs.ts";

const hiddenText = "(hidden)";

/**
 * Returns the values with those replaced that the version hides (`mask_input`) or does not know; all of them if the server
 * does not evaluate its parameters.
 */
export async function withoutHidden(
  version: string,
  values: readonly BuildParameter[],
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<BuildParameter[]> {
  if (values.length === 0) return [];
  const inputs = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  let parameters: readonly EvaluatedParameter[] = [];
  try {
    const body = { id: 0, inputs };
    ({ parameters } = await client.call(evaluateParameters, { params: { version }, body, signal }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) throw error;
  }
  const shown = parameters.filter(({ styling }) => styling.mask_input !== true);
  const names = new Set(shown.map(({ name }) => name));
  return values.map(({ name, value }) => ({ name, value: names.has(name) ? value : hiddenText }));
}
