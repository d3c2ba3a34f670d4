import type { JsonObject } from "@slipway/runtime";

import { References } from "./references.ts";

const parameter = /(^|\.)data\.coder_parameter\.[^.]+$/;
/** The data on which a parameter of a form may depend. */
const source = /(^|\.)data\.(coder_parameter|coder_workspace_owner)\.[^.]+$/;
const maxListed = 5;

/**
 * Returns a warning for each parameter that other values decide, by the addresses of both: forms show it as a plan with all
 * defaults has it. Dependencies through locals are not found.
 */
export function dependencyWarnings(plan: JsonObject): readonly string[] {
  const references = new References(plan);
  return references.addresses
    .filter((address) => parameter.test(address))
    .flatMap((address) => {
      const named = [...references.of(address), ...references.ofCount(address)];
      const sources = [...new Set(named)].filter((one) => one !== address && source.test(one));
      if (sources.length === 0) return [];
      const listed = sources.slice(0, maxListed).join(", ");
      return [
        `${address} depends on ${listed}: forms show it as it is with the defaults of all parameters`,
      ];
    });
}
