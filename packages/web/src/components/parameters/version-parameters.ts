import type { DynamicParametersResponse } from "@slipway/api/templates/dynamic-parameters";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import { useQuery } from "@tanstack/react-query";

import { client } from "../../api/client.ts";
import type { RouteQuery } from "../../api/queries.ts";

/** Returns the options of a query for the parameters of a version with their default values. */
export function versionParametersQuery(version: string): RouteQuery<DynamicParametersResponse> {
  return {
    queryKey: [evaluateParameters.path, { version }, {}],
    queryFn: ({ signal }) =>
      client.call(evaluateParameters, {
        params: { version },
        body: { id: 0, inputs: {} },
        signal,
      }),
  };
}

/** Returns whether the value of the parameter is masked. */
export type Mask = (name: string) => boolean;

/**
 * Returns which values a version masks; undefined until it has been read. Values that it does not know are masked, and
 * all of them if it cannot be read.
 */
export function useMask(version: string): Mask | undefined {
  const { data, isPending } = useQuery(versionParametersQuery(version));
  if (isPending) return undefined;
  const readable = (data?.parameters ?? []).filter(({ styling }) => styling.mask_input !== true);
  const names = new Set(readable.map(({ name }) => name));
  return (name) => !names.has(name);
}
