import {
  type AgentDefinition,
  architectures,
  displayApps,
  identityAuths,
  type IdentityDefinition,
  operatingSystems,
} from "../definition.ts";
import {
  instanceIdWanted,
  isInstanceId,
  maxInstanceIdLength,
  maxApps,
  maxDevContainers,
  maxLineLength,
  maxMetadata,
  maxScripts,
  maxVolumes,
} from "../limits.ts";
import type { Location } from "../location.ts";
import { quote } from "../quote.ts";
import type { Reader } from "../reader.ts";
import { app } from "./app-shape.ts";
import { environment, hostKeys, plainKeys, renderedLine, webUrl } from "./common-fields.ts";
import { container } from "./container-shape.ts";
import { devContainer } from "./dev-container-shape.ts";
import { choices } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { duration, integer } from "./scalar-shape.ts";
import { metadata, script } from "./script-shape.ts";
import {
  optional,
  optionalMap,
  refine,
  required,
  type Shape,
  transform,
  type ValueOf,
  withDefault,
  withExample,
} from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const percent = integer({ min: 1, max: 100 });
const threshold = required(withExample("Usage in percent at which users are warned.", 90), percent);

const monitoring = object({
  memory: optional("Memory of the workspace.", object({ threshold })),
  volumes: withDefault(
    withExample("File systems, by mount point.", {
      "/home": { threshold: 90 },
    }),
    record(object({ threshold }), {
      keys: { pattern: "^(/|[A-Za-z]:)", wanted: "an absolute path", maxLength: maxLineLength },
      max: maxVolumes,
    }),
    [],
    {},
  ),
});

/** The default apps: all except the preview edition of the editor. */
const defaultDisplayApps = displayApps.filter((name) => name !== "vscode_insiders");

const instanceId = text({
  maxLength: maxInstanceIdLength,
  minLength: 1,
  rendered: "plain",
  wanted: "the id of a cloud instance",
  problem: (value) =>
    isInstanceId(value) ? undefined : `found ${quote(value)}, wanted ${instanceIdWanted}`,
});

const fields = object({
  os: withDefault("Operating system of the machine.", choice(operatingSystems), "linux"),
  arch: withDefault("Processor architecture of the machine.", choice(architectures), "amd64"),
  directory: withDefault(
    withExample(
      "Directory in which terminals and scripts start (default: the home directory). May contain expressions.",
      "~/project",
    ),
    renderedLine,
    "",
  ),
  connection_timeout: withDefault(
    withExample(
      "Time within which the agent must connect before the workspace counts as unhealthy; `0s` for no limit.",
      "5m",
    ),
    duration({ min: 0, max: 86_400 }),
    120,
    "2m",
  ),
  troubleshooting_url: optional(
    withExample(
      "Page with advice for when the agent does not connect.",
      "https://wiki.example.com/workspaces",
    ),
    webUrl,
  ),
  motd_file: withDefault(
    withExample("File in the workspace that terminals show at log-in.", "/etc/motd"),
    text({ maxLength: maxLineLength }),
    "",
  ),
  env: optionalMap(
    withExample(
      "Environment variables of everything that runs in the workspace, by name. Values may contain expressions.",
      { COLOR: "${{ parameters.color }}" },
    ),
    environment,
  ),
  scripts: optionalMap(
    "Scripts that the agent runs at start, at stop or on a schedule, by key.",
    record(script, { keys: plainKeys, max: maxScripts }),
  ),
  metadata: optionalMap(
    "Values that the agent measures repeatedly, by key.",
    record(metadata, { keys: plainKeys, max: maxMetadata }),
  ),
  apps: optionalMap(
    "Apps that people open in a browser or a terminal, by slug.",
    record(app, { keys: hostKeys, max: maxApps }),
  ),
  display_apps: withDefault(
    withExample("Built-in apps to offer.", ["web_terminal"]),
    choices(choice(displayApps), displayApps),
    defaultDisplayApps,
  ),
  monitoring: optional("Memory and disk usage at which users are warned.", monitoring),
  auth: withDefault(
    "Authentication of the agent: its token, or the identity of the cloud instance that it runs on (driver `external` only).",
    choice(["token", ...identityAuths]),
    "token",
  ),
  instance_id: optional(
    withExample(
      "Id of the cloud instance that the agent runs on, unless `auth` is `token`. May contain expressions.",
      "i-0123456789abcdef0",
    ),
    instanceId,
  ),
  container: optional(
    "Container in which the agent runs (drivers `docker` and `kubernetes` only, which require it).",
    container,
  ),
  dev_containers: optionalMap(
    "Dev containers that the agent creates after the start scripts, by name (not with the driver `process`).",
    record(devContainer, { keys: hostKeys, max: maxDevContainers }),
  ),
});
type AgentFields = ValueOf<typeof fields>;

/** An agent of the workspace, keyed by name. */
export const agent: Shape<AgentDefinition> = transform(
  refine(fields, checkIdentity),
  (read, { key }) => ({
    name: key,
    os: read.os,
    arch: read.arch,
    directory: read.directory,
    connectionTimeoutSeconds: read.connection_timeout,
    troubleshootingUrl: read.troubleshooting_url ?? "",
    motdFile: read.motd_file,
    env: Object.fromEntries(read.env),
    scripts: read.scripts.map(([, value]) => value),
    metadata: read.metadata.map(([, value], index) => inOrder(value, index)),
    apps: read.apps.map(([, value], index) => inOrder(value, index)),
    displayApps: read.display_apps,
    monitoring:
      read.monitoring === undefined
        ? undefined
        : {
            memoryThreshold: read.monitoring.memory?.threshold,
            volumes: read.monitoring.volumes.map(([path, volume]) => ({
              path,
              threshold: volume.threshold,
            })),
          },
    identity: identityOf(read),
    container: read.container,
    devContainers:
      read.dev_containers.length === 0 ? undefined : read.dev_containers.map(([, value]) => value),
  }),
);

function checkIdentity(read: AgentFields, location: Location, reader: Reader): void {
  const { auth, instance_id: id } = read;
  if (auth === "token" && id !== undefined) {
    reader.reportKey(
      reader.child(location, "instance_id"),
      `found \`instance_id\` without \`auth\`, wanted \`auth\` to be one of ${identityAuths.join(", ")}`,
    );
  }
  if (auth !== "token" && id === undefined) {
    reader.report(
      reader.child(location, "auth"),
      `found \`${auth}\` without \`instance_id\`, wanted both`,
    );
  }
}

function identityOf({ auth, instance_id: id }: AgentFields): IdentityDefinition | undefined {
  return auth === "token" || id === undefined ? undefined : { auth, instanceId: id };
}

function inOrder<T extends { readonly order: number }>(value: T, index: number): T {
  return value.order === -1 ? { ...value, order: index } : value;
}
