import type { BuildParameter } from "@slipway/api/builds/build";
import type { DynamicParametersResponse } from "@slipway/api/templates/dynamic-parameters";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import { useQuery } from "@tanstack/react-query";

import { client } from "../../api/client.ts";
import type { RouteQuery } from "../../api/queries.ts";
import { namedValues, type ParameterValues } from "./parameter-values.ts";

/** Returns the options of a query for the parameters of a version with these values. */
function versionParametersQuery(
  version: string,
  inputs: ParameterValues,
): RouteQuery<DynamicParametersResponse> {
  return {
    queryKey: [evaluateParameters.path, { version }, inputs],
    queryFn: ({ signal }) =>
      client.call(evaluateParameters, {
        params: { version },
        body: { id: 0, inputs: { ...inputs } },
        signal,
      }),
  };
}

/** Returns whether the value of the parameter is masked. */
export type Mask = (name: string) => boolean;

/**
 * Returns which of the values a version masks; undefined until both have been read. Values that the version does not know are
 * masked, and all of them if it cannot be read.
 */
export function useMask(
  version: string,
  values: readonly BuildParameter[] | undefined,
): Mask | undefined {
  const { data, isPending } = useQuery({
    ...versionParametersQuery(version, namedValues(values ?? [])),
    enabled: values !== undefined,
  });
  if (isPending) return undefined;
  const readable = (data?.parameters ?? []).filter(({ styling }) => styling.mask_input !== true);
  const names = new Set(readable.map(({ name }) => name));
  return (name) => !names.has(name);
}
