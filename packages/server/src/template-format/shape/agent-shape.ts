import {
  type AgentDefinition,
  architectures,
  displayApps,
  operatingSystems,
} from "../definition.ts";
import {
  maxApps,
  maxEnv,
  maxLineLength,
  maxMetadata,
  maxScriptLength,
  maxScripts,
  maxVolumes,
} from "../limits.ts";
import { app } from "./app-shape.ts";
import { hostKeys, plainKeys, renderedLine, webUrl } from "./common-text.ts";
import { choices } from "./list-shape.ts";
import { object, record } from "./map-shape.ts";
import { duration, integer } from "./scalar-shape.ts";
import { metadata, script } from "./script-shape.ts";
import { mapped, optional, required, type Shape, withDefault } from "./shape.ts";
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

const env = record(text({ maxLength: maxScriptLength, isRendered: true, takesScalars: true }), {
  keys: {
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    wanted: "letters, digits and underscores, no digit first",
    maxLength: 256,
  },
  max: maxEnv,
});

/** What is offered where a template says nothing: all but the preview edition of the editor. */
const defaultDisplayApps = displayApps.filter((name) => name !== "vscode_insiders");

/** An agent of the workspace, under its name. */
export const agent: Shape<AgentDefinition> = mapped(
  object({
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
  }),
  (fields, { key }) => ({
    name: key,
    os: fields.os,
    arch: fields.arch,
    directory: fields.directory,
    connectionTimeoutSeconds: fields.connection_timeout,
    troubleshootingUrl: fields.troubleshooting_url ?? "",
    motdFile: fields.motd_file,
    env: Object.fromEntries(fields.env),
    scripts: fields.scripts.map(([, value]) => value),
    metadata: fields.metadata.map(([, value], index) => inOrder(value, index)),
    apps: fields.apps.map(([, value], index) => inOrder(value, index)),
    displayApps: fields.display_apps,
    monitoring:
      fields.monitoring === undefined
        ? undefined
        : {
            memoryThreshold: fields.monitoring.memory?.threshold,
            volumes: fields.monitoring.volumes.map(([path, volume]) => ({
              path,
              threshold: volume.threshold,
            })),
          },
  }),
);

function inOrder<T extends { readonly order: number }>(value: T, index: number): T {
  return value.order === -1 ? { ...value, order: index } : value;
}
