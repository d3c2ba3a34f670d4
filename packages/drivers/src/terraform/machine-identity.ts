import { textOf } from "@slipway/runtime";
import type { AgentDefinition, IdentityAuth } from "@slipway/template";

import type { TerraformResource } from "./values.ts";

/** The resource types of machines that prove their identity, with the attributes that hold the ids of the instances. */
const machines: ReadonlyMap<string, { readonly auth: IdentityAuth; readonly attribute: string }> =
  new Map([
    ["aws_instance", { auth: "aws-instance-identity", attribute: "id" }],
    ["aws_spot_instance_request", { auth: "aws-instance-identity", attribute: "spot_instance_id" }],
    [
      "azurerm_linux_virtual_machine",
      { auth: "azure-instance-identity", attribute: "virtual_machine_id" },
    ],
    [
      "azurerm_windows_virtual_machine",
      { auth: "azure-instance-identity", attribute: "virtual_machine_id" },
    ],
    ["google_compute_instance", { auth: "google-instance-identity", attribute: "instance_id" }],
  ]);

/** The resources by which an agent's machine is found. */
interface MachineResources {
  /** The `coder_agent_instance` of the agent, which names the machine; undefined if there is none. */
  readonly named: TerraformResource | undefined;
  /** The infrastructure that depends on the agent, the nearest first. */
  readonly places: readonly TerraformResource[];
}

/** Reads the machine that proves an agent's identity; undefined for an agent with a token, or before the machine has an id. */
export function readIdentity(
  agent: TerraformResource,
  { named, places }: MachineResources,
): AgentDefinition["identity"] {
  const auth = identityAuth(agent);
  if (auth === undefined) return undefined;
  const instanceId = textOf(named?.values["instance_id"]) || machineId(auth, places);
  return instanceId === "" ? undefined : { auth, instanceId };
}

/** Returns the cloud whose machines prove the identity of an agent; undefined for an agent with a token. */
export function identityAuth({ values }: TerraformResource): IdentityAuth | undefined {
  const auth = textOf(values["auth"]);
  return [...machines.values()].find((one) => one.auth === auth)?.auth;
}

function machineId(auth: IdentityAuth, places: readonly TerraformResource[]): string {
  for (const { type, values } of places) {
    const machine = machines.get(type);
    if (machine?.auth === auth) return textOf(values[machine.attribute]);
  }
  return "";
}
