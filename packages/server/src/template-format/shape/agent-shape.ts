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
import { checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const percent = integer({ min: 1, max: 100 });
const threshold = required("From how many percent of use to warn.", percent);

const monitoring = object({
  memory: optional("Watch the workspace's memory.", object({ threshold })),
  volumes: withDefault(
    "Watch file systems, by the path where they are mounted.",
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

/** What is offered where a template says nothing: all but the preview edition of the editor. */
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
  os: withDefault("The operating system.", choice(operatingSystems), "linux"),
  arch: withDefault("The processor.", choice(architectures), "amd64"),
  directory: withDefault(
    "Where terminals and scripts start; ${{ … }} is replaced.",
    renderedLine,
    "",
  ),
  connection_timeout: withDefault(
    "How long it may take to connect before the workspace counts as unhealthy; 0s: for ever.",
    duration({ min: 0, max: 86_400 }),
    120,
    "2m",
  ),
  troubleshooting_url: optional("Where people read what to do when it does not connect.", webUrl),
  motd_file: withDefault(
    "A file in the workspace that terminals show at log-in.",
    text({ maxLength: maxLineLength }),
    "",
  ),
  env: withDefault(
    "Environment variables of everything that runs in it; ${{ … }} is replaced.",
    env,
    [],
    {},
  ),
  scripts: withDefault(
    "Scripts by key.",
    record(script, { keys: plainKeys, max: maxScripts }),
    [],
    {},
  ),
  metadata: withDefault(
    "Measured values by key.",
    record(metadata, { keys: plainKeys, max: maxMetadata }),
    [],
    {},
  ),
  apps: withDefault("Apps by slug.", record(app, { keys: hostKeys, max: maxApps }), [], {}),
  display_apps: withDefault(
    "Built-in buttons that are offered.",
    choices(choice(displayApps), displayApps),
    defaultDisplayApps,
  ),
  monitoring: optional("Warn before memory or disks are full.", monitoring),
  auth: withDefault(
    "How the agent shows who it is: by its token, or by the identity of the cloud's machine that it runs on.",
    choice(["token", ...identityAuths]),
    "token",
  ),
  instance_id: optional(
    "The cloud's machine that it runs on, where auth is not token; ${{ … }} is replaced.",
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
