import type { DynamicParametersResponse } from "@slipway/api/templates/dynamic-parameters";
import { evaluateParameters } from "@slipway/api/templates/parameter-routes";
import type { TagDefinition } from "@slipway/template";
import { pushVersion } from "@slipway/testkit";

import type { OpenServer } from "./open-server.ts";
import type { Client } from "./people.ts";
import { json, parameter, reading } from "./raw-provisioner-jobs.ts";
import type { RawProvisioner } from "./raw-provisioner.ts";

/** The places of the parameters `region` and `zone`, whose values may depend on each other. */
export const sources = ["region", "zone"].map((name) => ({
  address: `data.coder_parameter.${name}`,
  name,
  mayBeEphemeral: false,
}));

/** Pushes a version with these parameters, which the provisioner imports; resolves to its id. */
export async function pushForm(
  { admin }: OpenServer,
  tag: string,
  provisioner: RawProvisioner,
  /** The tags that the template declares beside that of its push. */
  tags: readonly TagDefinition[] = [],
): Promise<string> {
  const pushing = pushVersion(admin, "# x", { file: "main.tf", tags: { only: tag } });
  const { call } = await provisioner.nextCall();
  const definition = {
    ...reading.definition,
    parameters: [parameter("region", "eu"), parameter("zone", "eu-1")],
    parameterSources: sources,
    ...(tags.length === 0 ? {} : { tags }),
  };
  endCall(provisioner, call, { ...reading, definition });
  return pushing;
}

/** Ends a call with a result. */
export function endCall(provisioner: RawProvisioner, call: string, result: unknown): void {
  provisioner.sendPart(call, "result", json(result));
  provisioner.send({ type: "end", call });
}

/** Asks for the parameters of a form with these values. */
export function evaluate(
  client: Client,
  version: string,
  inputs: Readonly<Record<string, string>>,
): Promise<DynamicParametersResponse> {
  const body = { id: 1, inputs };
  return client.call(evaluateParameters, { params: { version }, body });
}

/** Returns the parameters of a form with their values. */
export const valuesOf = ({ parameters }: DynamicParametersResponse): readonly string[] =>
  parameters.map(({ name, value }) => `${name}=${value.value}`);
