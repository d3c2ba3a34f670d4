import {
  type AgentDefinition,
  architectures,
  displayApps,
  type IdentityDefinition,
  identityAuths,
  operatingSystems,
} from "../definition.ts";
import { instanceIdWanted, isInstanceId, maxInstanceIdLength } from "../instance-id.ts";
import {
  maxApps,
  maxEnv,
  maxLineLength,
  maxMetadata,
  maxScriptLength,
  maxScripts,
  maxVolumes,
} from "../limits.ts";
import { quoted } from "../quoted.ts";
import type { Place, Reader } from "../reader.ts";
import { app } from "./app-shape.ts";
import { hostKeys, plainKeys, renderedLine, webUrl } from "./common-text.ts";
import { choices } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { duration, integer } from "./scalar-shape.ts";
import { metadata, script } from "./script-shape.ts";
import { about, checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const percent = integer({ min: 1, max: 100 });
const threshold = required(about("Usage in percent from which to warn.", 90), percent);

const monitoring = object({
  memory: optional("Memory of the workspace.", object({ threshold })),
  volumes: withDefault(
    about("File systems, by the paths where they are mounted.", { "/home": { threshold: 90 } }),
    record(object({ threshold }), {
      keys: { pattern: "^(/|[A-Za-z]:)", wanted: "an absolute path", maxLength: maxLineLength },
      max: maxVolumes,
    }),
    [],
    {},
  ),
});

const env = record(text({ maxLength: maxScriptLength, rendered: "plain", takesScalars: true }), {
  keys: {
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    wanted: "letters, digits and underscores, no digit first",
    maxLength: 256,
  },
  max: maxEnv,
});

/** The default apps: all but the preview edition of the editor. */
const defaultDisplayApps = displayApps.filter((name) => name !== "vscode_insiders");

const instanceId = text({
  maxLength: maxInstanceIdLength,
  minLength: 1,
  rendered: "plain",
  wanted: "the id of a machine",
  problem: (value) =>
    isInstanceId(value) ? undefined : `found ${quoted(value)}, wanted ${instanceIdWanted}`,
});

const fields = object({
  os: withDefault("Operating system of the machine.", choice(operatingSystems), "linux"),
  arch: withDefault("Processor architecture of the machine.", choice(architectures), "amd64"),
  directory: withDefault(
    about(
      "Directory in which terminals and scripts start (default: the home directory). May contain expressions.",
      "~/project",
    ),
    renderedLine,
    "",
  ),
  connection_timeout: withDefault(
    about(
      "Time that the agent has to connect before the workspace counts as unhealthy; `0s` for any time.",
      "5m",
    ),
    duration({ min: 0, max: 86_400 }),
    120,
    "2m",
  ),
  troubleshooting_url: optional(
    about(
      "Page that says what to do when the agent does not connect.",
      "https://wiki.example.com/workspaces",
    ),
    webUrl,
  ),
  motd_file: withDefault(
    about("File in the workspace that terminals show at log-in.", "/etc/motd"),
    text({ maxLength: maxLineLength }),
    "",
  ),
  env: withDefault(
    about(
      "Environment variables of everything that runs in the workspace, by name. Values may contain expressions.",
      { COLOR: "${{ parameters.color }}" },
    ),
    env,
    [],
    {},
  ),
  scripts: withDefault(
    "Scripts that the agent runs at start, at stop or by the clock, by key.",
    record(script, { keys: plainKeys, max: maxScripts }),
    [],
    {},
  ),
  metadata: withDefault(
    "Values that the agent measures again and again, by key.",
    record(metadata, { keys: plainKeys, max: maxMetadata }),
    [],
    {},
  ),
  apps: withDefault(
    "Apps that people open in a browser or a terminal, by slug.",
    record(app, { keys: hostKeys, max: maxApps }),
    [],
    {},
  ),
  display_apps: withDefault(
    about("Built-in apps that are offered.", ["web_terminal"]),
    choices(choice(displayApps), displayApps),
    defaultDisplayApps,
  ),
  monitoring: optional("Usage of memory and disks that people are warned of.", monitoring),
  auth: withDefault(
    "Way in which the agent authenticates: with its token, or with the identity of the cloud's machine that it runs on. Only the driver `external` has the latter.",
    choice(["token", ...identityAuths]),
    "token",
  ),
  instance_id: optional(
    about(
      "Id of the cloud's machine that the agent runs on, where `auth` is not `token`. May contain expressions.",
      "i-0123456789abcdef0",
    ),
    instanceId,
  ),
});
type AgentFields = NonNullable<ReturnType<(typeof fields)["read"]>>;

/** An agent of the workspace, under its name. */
export const agent: Shape<AgentDefinition> = mapped(
  checked(fields, checkIdentity),
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
  }),
);

function checkIdentity(read: AgentFields, place: Place, reader: Reader): void {
  const { auth, instance_id: id } = read;
  if (auth === "token" && id !== undefined) {
    reader.reportKey(
      reader.child(place, "instance_id"),
      `found \`instance_id\` of an agent that has a token, wanted \`auth\` with it: one of ${identityAuths.join(", ")}`,
    );
  }
  if (auth !== "token" && id === undefined) {
    reader.report(
      reader.child(place, "auth"),
      `found \`${auth}\` without \`instance_id\`, wanted the id of the machine with it`,
    );
  }
}

function identityOf({ auth, instance_id: id }: AgentFields): IdentityDefinition | undefined {
  return auth === "token" || id === undefined ? undefined : { auth, instanceId: id };
}

function inOrder<T extends { readonly order: number }>(value: T, index: number): T {
  return value.order === -1 ? { ...value, order: index } : value;
}
