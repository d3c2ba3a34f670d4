import { type JsonObject, listOf, numberOf, objectOf, textMapOf, textOf } from "@slipway/runtime";
import { displayApps } from "@slipway/template";
import type {
  AgentDefinition,
  AppDefinition,
  DevContainerDefinition,
  DisplayAppName,
  ScriptDefinition,
} from "@slipway/template";

import { DriverError } from "../errors.ts";
import { readIdentity } from "./machine-identity.ts";
import type { TerraformResource } from "./values.ts";

/** Returns the agent that a resource belongs to, by its argument `agent_id`. */
export type AgentOf = (resource: TerraformResource) => TerraformResource | undefined;

/** Lists the infrastructure that depends on an agent: the nearest first, which the agent is said to run on. */
export type PlacesOf = (agent: TerraformResource) => readonly TerraformResource[];

/** An agent that the configuration declares. */
export interface DeclaredAgent {
  readonly resource: TerraformResource;
  readonly definition: AgentDefinition;
}

/** The name of a host in the network, which the agent's is part of. */
const agentName = /^[a-zA-Z0-9](-?[a-zA-Z0-9])*$/;

/** Reads the agents, each with its scripts, apps and variables. Throws `DriverError` for names that cannot be used. */
export function readAgents(
  resources: readonly TerraformResource[],
  { agentOf, placesOf }: { readonly agentOf: AgentOf; readonly placesOf: PlacesOf },
): readonly DeclaredAgent[] {
  const agents = resources.filter(isAgent).toSorted(byOrder);
  const seen = new Set<string>();
  return agents.map((resource) => {
    const { name } = resource;
    if (!agentName.test(name)) {
      throw new DriverError(
        "invalid-template",
        `${resource.address}: found the agent name ${JSON.stringify(name)}, wanted letters, digits and single dashes`,
      );
    }
    if (seen.has(name.toLowerCase())) {
      throw new DriverError(
        "invalid-template",
        `${resource.address}: found a second agent named ${name}`,
      );
    }
    seen.add(name.toLowerCase());
    const parts = resources.filter(
      (one) => !one.isData && partTypes.has(one.type) && agentOf(one)?.address === resource.address,
    );
    return { resource, definition: readAgent(resource, parts, placesOf(resource)) };
  });
}

export function isAgent({ isData, type }: TerraformResource): boolean {
  return !isData && type === "coder_agent";
}

const partTypes: ReadonlySet<string> = new Set([
  "coder_app",
  "coder_script",
  "coder_env",
  "coder_devcontainer",
  "coder_agent_instance",
]);

/** Orders by the argument `order`, then by name. */
export function byOrder(one: TerraformResource, other: TerraformResource): number {
  const difference = numberOf(one.values["order"]) - numberOf(other.values["order"]);
  if (difference !== 0) return difference;
  return one.address < other.address ? -1 : 1;
}

function readAgent(
  resource: TerraformResource,
  parts: readonly TerraformResource[],
  places: readonly TerraformResource[],
): AgentDefinition {
  const { name, values } = resource;
  const of = (type: string): readonly TerraformResource[] =>
    parts.filter((part) => part.type === type);
  return {
    name,
    os: oneOf(["linux", "darwin", "windows"], values["os"], "linux"),
    arch: oneOf(["amd64", "arm64", "armv7"], values["arch"], "amd64"),
    directory: textOf(values["dir"]),
    connectionTimeoutSeconds: numberOf(values["connection_timeout"]),
    troubleshootingUrl: textOf(values["troubleshooting_url"]),
    motdFile: textOf(values["motd_file"]),
    env: readVariables(values, of("coder_env")),
    scripts: [...ownScripts(values), ...of("coder_script").toSorted(byOrder).map(readScript)],
    metadata: listOf(values["metadata"]).map((one, index) => readMetadata(objectOf(one), index)),
    apps: of("coder_app").toSorted(byOrder).map(readApp),
    displayApps: readDisplayApps(values),
    monitoring: readMonitoring(values),
    identity: readIdentity(resource, { named: of("coder_agent_instance")[0], places }),
    container: undefined,
    devContainers: readDevContainers(of("coder_devcontainer")),
  };
}

function readVariables(
  values: JsonObject,
  variables: readonly TerraformResource[],
): Readonly<Record<string, string>> {
  const all = new Map(Object.entries(textMapOf(values["env"])));
  for (const { values: variable } of variables.toSorted(byOrder)) {
    const name = textOf(variable["name"]);
    all.set(name, mergeVariable(all.get(name), variable));
  }
  return Object.fromEntries(all);
}

/** Combines the values of one variable that several resources set. */
function mergeVariable(present: string | undefined, variable: JsonObject): string {
  const value = textOf(variable["value"]);
  if (present === undefined) return value;
  switch (textOf(variable["merge_strategy"])) {
    case "append":
      return `${present}:${value}`;
    case "prepend":
      return `${value}:${present}`;
    case "error":
      throw new DriverError(
        "invalid-template",
        `found a second value for the variable ${textOf(variable["name"])}, which permits one`,
      );
    default:
      return value;
  }
}

/** Returns the scripts that an agent itself declares, by the names and files that stock servers give them. */
function ownScripts(values: JsonObject): readonly ScriptDefinition[] {
  const script = (key: string, fields: Partial<ScriptDefinition>): ScriptDefinition => ({
    key,
    displayName: "",
    icon: "",
    runOnStart: false,
    runOnStop: false,
    cron: "",
    blocksLogin: false,
    timeoutSeconds: 0,
    run: "",
    logPath: "",
    ...fields,
  });
  const start = textOf(values["startup_script"]);
  const stop = textOf(values["shutdown_script"]);
  return [
    ...(start === ""
      ? []
      : [
          script("startup", {
            displayName: "Startup Script",
            icon: "/emojis/25b6-fe0f.png",
            runOnStart: true,
            blocksLogin: values["startup_script_behavior"] === "blocking",
            run: start,
            logPath: "coder-startup-script.log",
          }),
        ]),
    ...(stop === ""
      ? []
      : [
          script("shutdown", {
            displayName: "Shutdown Script",
            icon: "/emojis/25c0.png",
            runOnStop: true,
            run: stop,
            logPath: "coder-shutdown-script.log",
          }),
        ]),
  ];
}

function readScript({ name, values }: TerraformResource): ScriptDefinition {
  return {
    key: name,
    displayName: textOf(values["display_name"]),
    icon: textOf(values["icon"]),
    runOnStart: values["run_on_start"] === true,
    runOnStop: values["run_on_stop"] === true,
    cron: textOf(values["cron"]),
    blocksLogin: values["start_blocks_login"] === true,
    timeoutSeconds: numberOf(values["timeout"]),
    run: textOf(values["script"]),
    logPath: textOf(values["log_path"]),
  };
}

function readMetadata(item: JsonObject, index: number): AgentDefinition["metadata"][number] {
  return {
    key: textOf(item["key"]),
    displayName: textOf(item["display_name"]),
    intervalSeconds: numberOf(item["interval"]),
    timeoutSeconds: numberOf(item["timeout"]),
    run: textOf(item["script"]),
    order: numberOf(item["order"]) || index,
  };
}

function readApp({ values }: TerraformResource): AppDefinition {
  const slug = textOf(values["slug"]);
  const health = listOf(values["healthcheck"])[0];
  return {
    slug,
    displayName: textOf(values["display_name"]) || slug,
    url: textOf(values["url"]),
    command: textOf(values["command"]),
    icon: textOf(values["icon"]),
    isExternal: values["external"] === true,
    isSubdomain: values["subdomain"] === true,
    share: oneOf(["owner", "authenticated", "organization", "public"], values["share"], "owner"),
    health:
      health === undefined
        ? undefined
        : {
            url: textOf(objectOf(health)["url"]),
            intervalSeconds: numberOf(objectOf(health)["interval"]),
            threshold: numberOf(objectOf(health)["threshold"]),
          },
    group: textOf(values["group"]),
    isHidden: values["hidden"] === true,
    openIn: oneOf(["slim-window", "tab"], values["open_in"], "slim-window"),
    order: numberOf(values["order"]),
    tooltip: textOf(values["tooltip"]),
  };
}

/** Reads the built-in apps; a plan does not know the defaults yet. */
function readDisplayApps(values: JsonObject): readonly DisplayAppName[] {
  const chosen = listOf(values["display_apps"])[0];
  if (chosen === undefined) return displayApps.filter((name) => name !== "vscode_insiders");
  return displayApps.filter((name) => objectOf(chosen)[name] === true);
}

function readMonitoring(values: JsonObject): AgentDefinition["monitoring"] {
  const monitoring = listOf(values["resources_monitoring"])[0];
  if (monitoring === undefined) return undefined;
  const { memory, volume } = objectOf(monitoring);
  const enabled = (blocks: unknown): readonly JsonObject[] =>
    listOf(blocks)
      .map(objectOf)
      .filter((block) => block["enabled"] === true);
  const [first] = enabled(memory);
  return {
    memoryThreshold: first && numberOf(first["threshold"]),
    volumes: enabled(volume).map((one) => ({
      path: textOf(one["path"]),
      threshold: numberOf(one["threshold"]),
    })),
  };
}

function readDevContainers(
  resources: readonly TerraformResource[],
): readonly DevContainerDefinition[] | undefined {
  if (resources.length === 0) return undefined;
  return resources.toSorted(byOrder).map(({ name, values }) => ({
    name,
    workspaceFolder: textOf(values["workspace_folder"]),
    configPath: textOf(values["config_path"]),
  }));
}

/** Returns a value of a fixed list, which the provider has checked; newer values read as the default. */
export function oneOf<const T extends string>(
  known: readonly T[],
  value: unknown,
  fallback: NoInfer<T>,
): T {
  return known.find((one) => one === value) ?? fallback;
}
