import type { CreateBuildRequest, Workspace } from "@slipway/api";

import { readParameters } from "../parameters/assignment.ts";

interface StartChanges {
  readonly parameter: readonly string[];
  readonly update: boolean;
}

/** The request that starts a workspace; parameters that are not given keep the values of the build before. */
export function startRequest(
  { template_active_version_id }: Pick<Workspace, "template_active_version_id">,
  { parameter, update }: StartChanges,
): CreateBuildRequest {
  const values = readParameters(parameter);
  return {
    transition: "start",
    ...(update ? { template_version_id: template_active_version_id } : {}),
    ...(values.length === 0 ? {} : { rich_parameter_values: values }),
  };
}
