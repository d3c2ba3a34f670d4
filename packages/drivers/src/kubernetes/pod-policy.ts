import type { PlannedAgent } from "../driver.ts";
import { DriverError } from "../errors.ts";
import type { PodAgent } from "./agent-pod.ts";
import type { KubernetesDriverOptions, KubernetesPermission } from "./kubernetes-options.ts";

/** An agent with a container that the operator permits. */
export type PermittedPod = PlannedAgent & Pick<PodAgent, "container">;

/**
 * Checks what a template asks for. Throws `invalid-template`, naming every field that the operator does not permit and
 * the setting that does.
 */
export function requirePermitted(
  agents: readonly PlannedAgent[],
  { allow, variables }: Pick<KubernetesDriverOptions, "allow" | "variables">,
): readonly PermittedPod[] {
  const permitted = agents.map(requireContainer);
  const problems = permitted.flatMap(({ name, container: { kubernetes } }) => {
    if (kubernetes === undefined) return [];
    const wishes: readonly (readonly [string, KubernetesPermission, boolean])[] = [
      ["patch", "patches", Object.keys(kubernetes.patch).length > 0],
      ["runtime_class", "runtime-classes", kubernetes.runtimeClass !== ""],
      ["service_account", "service-accounts", kubernetes.serviceAccount !== ""],
    ];
    return wishes.flatMap(([field, permission, isWished]) =>
      isWished && !allow.has(permission)
        ? [
            `agents.${name}.container.kubernetes.${field}: not permitted by this server; an operator permits it by adding ${permission} to ${variables.allow}`,
          ]
        : [],
    );
  });
  if (problems.length === 0) return permitted;
  throw new DriverError("invalid-template", problems.join("\n"));
}

function requireContainer(agent: PlannedAgent): PermittedPod {
  const { name, platform, container } = agent;
  const problem =
    platform.os !== "linux"
      ? `os: ${platform.os}, wanted linux for the driver kubernetes`
      : container === undefined || container.build !== undefined
        ? "container: the driver kubernetes needs the container's image"
        : undefined;
  if (problem !== undefined || container === undefined) {
    throw new DriverError("invalid-template", `agents.${name}.${problem ?? ""}`);
  }
  return { ...agent, container };
}
