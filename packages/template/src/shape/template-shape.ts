import { type ExternalAuthDefinition, onClaims, type TemplateDefinition } from "../definition.ts";
import { containerDrivers, driverKind, externalDriver, processDriver } from "../known-drivers.ts";
import {
  maxAgents,
  maxExternalAuth,
  maxKeyLength,
  maxParameters,
  maxPresets,
  maxProviderIdLength,
  maxRegexesLength,
  maxRegexesSize,
} from "../limits.ts";
import type { Location } from "../location.ts";
import { valueProblem } from "../parameter-value.ts";
import { truncate } from "../quote.ts";
import type { Reader } from "../reader.ts";
import { regexSize } from "../regex.ts";
import { didYouMean } from "../suggest.ts";
import { agent } from "./agent-shape.ts";
import { description, hostKeys, icon, line, plainKeys } from "./common-fields.ts";
import { checkPooledContainer } from "./container-shape.ts";
import { object, record } from "./map-shape.ts";
import { parameter } from "./parameter-shape.ts";
import { preset } from "./preset-shape.ts";
import { boolean } from "./scalar-shape.ts";
import {
  type Shape,
  transform,
  withDefault,
  withExample,
  optional,
  optionalMap,
  required,
} from "./shape.ts";
import { choice, text } from "./text-shape.ts";

/** One provider, keyed by id. */
const externalAuth: Shape<ExternalAuthDefinition> = transform(
  object({
    optional: withDefault(
      withExample("True if workspaces start without a login to the provider.", true),
      boolean,
      false,
    ),
  }),
  ({ optional: isOptional }, { key }) => ({ id: key, isOptional }),
);

/** Names that `${{ parameters.<name> }}` can contain, and that are not properties of every object. */
const parameterKeys = {
  pattern: "^[A-Za-z][A-Za-z0-9_-]*$",
  wanted: "letters, digits, dashes and underscores, beginning with a letter",
  maxLength: maxKeyLength,
};

/** Ids of providers, in the server's format. */
const providerKeys = {
  pattern: "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$",
  wanted: "letters and digits, with single dashes between them",
  maxLength: maxProviderIdLength,
};

const fields = object({
  driver: required(
    withExample("Driver that carries out the builds of workspaces.", "docker"),
    text({
      maxLength: maxKeyLength,
      minLength: 1,
      wanted: "the name of a driver",
    }),
  ),
  display_name: withDefault(
    withExample("Name that people see (default: the name of the template).", "Python with a GPU"),
    line,
    "",
  ),
  description: withDefault(
    withExample("Purpose of the template, in a line or two.", "A small machine for scripts."),
    description,
    "",
  ),
  icon,
  parameters: optionalMap(
    "Values that people choose when they create a workspace, by name.",
    record(parameter, { keys: parameterKeys, max: maxParameters }),
  ),
  presets: optionalMap(
    "Named sets of parameter values, and pools of workspaces that wait for an owner, by name.",
    record(preset, { keys: plainKeys, max: maxPresets }),
  ),
  on_claim: optional(
    "Effect of a claim on what runs in a prebuild: `take-over` lets it continue for the new owner, `restart` stops it and restarts the agents (default: take-over).",
    choice(onClaims),
  ),
  external_auth: optionalMap(
    "External auth providers whose tokens workspaces use, by their id on the server. Users log in to them first.",
    record(externalAuth, { keys: providerKeys, max: maxExternalAuth }),
  ),
  agents: required(
    "Agents of a workspace, by name. Each runs scripts and apps and serves terminals on one machine.",
    record(agent, { keys: hostKeys, max: maxAgents, min: 1 }),
  ),
});

/** A whole `slipway.yaml`. The driver is any name: the server decides which drivers exist. */
export const template: Shape<TemplateDefinition> = {
  schema: fields.schema,
  read: (location, reader) => {
    const before = reader.problemCount;
    const read = fields.read(location, reader);
    if (read === undefined) return undefined;
    const definition: TemplateDefinition = {
      driver: read.driver,
      displayName: read.display_name,
      description: read.description,
      icon: read.icon,
      parameters: read.parameters.map(([, value]) => value),
      presets: read.presets.map(([, value]) => value),
      onClaim: read.on_claim,
      externalAuth:
        read.external_auth.length === 0 ? undefined : read.external_auth.map(([, value]) => value),
      agents: read.agents.map(([, value]) => value),
    };
    const isWellFormed = reader.problemCount === before;
    checkRegexes(definition, location, reader);
    checkPresetValues(definition, location, reader);
    checkSlugs(definition, location, reader);
    checkIdentities(definition, location, reader);
    checkContainers(definition, location, reader);
    checkDevContainers(definition, location, reader);
    checkRestarts(definition, location, reader);
    if (isWellFormed) {
      checkPools(definition, location, reader);
      checkPooledContainers(definition, location, reader);
    }
    return definition;
  },
};

/** Checks the total size of the regular expressions, each of which is within its limits. */
function checkRegexes({ parameters }: TemplateDefinition, root: Location, reader: Reader): void {
  let length = 0;
  let size = 0;
  for (const { name, validation } of parameters) {
    const { regex } = validation ?? {};
    if (regex === undefined) continue;
    length += regex.length;
    size += regexSize(regex);
    if (length <= maxRegexesLength && size <= maxRegexesSize) continue;
    reader.report(
      reader.child(root, "parameters", name, "validation", "regex"),
      `found regular expressions of ${length} characters and ${size} instructions up to here, wanted at most ${maxRegexesLength} and ${maxRegexesSize} in a template`,
    );
    return;
  }
}

/**
 * Checks that values belong to existing parameters and fit the well-formed ones, and that at most one preset is the
 * default.
 */
function checkPresetValues(
  { presets, parameters }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  let chosen: string | undefined;
  for (const { name, isDefault, parameters: values } of presets) {
    const location = reader.child(root, "presets", name);
    if (isDefault && chosen !== undefined) {
      reader.report(
        reader.child(location, "default"),
        `found a second default preset, wanted one: \`${chosen}\` already is the default`,
      );
    }
    if (isDefault) chosen ??= name;
    for (const given of values) {
      if (reader.isFull) return;
      const at = reader.child(location, "parameters", given.name);
      if (!reader.parameterNames.has(given.name)) {
        const meant = didYouMean(given.name, [...reader.parameterNames]);
        reader.reportKey(at, `unknown parameter \`${truncate(given.name)}\`${meant}`);
        continue;
      }
      const known = parameters.find((one) => one.name === given.name);
      const problem =
        known === undefined ? undefined : valueProblem(known, given.value, reader.matcher);
      if (problem !== undefined) reader.report(at, `invalid value: ${problem}`);
    }
  }
}

/**
 * Checks that slugs are unique in the whole template, because the host names of apps do not contain the agent
 * (docs/protocol/rest.md §5).
 */
function checkSlugs({ agents }: TemplateDefinition, root: Location, reader: Reader): void {
  const owners = new Map<string, string>();
  for (const { name, apps } of agents) {
    for (const { slug } of apps) {
      const owner = owners.get(slug);
      owners.set(slug, owner ?? name);
      if (owner === undefined) continue;
      reader.reportKey(
        reader.child(root, "agents", name, "apps", slug),
        `duplicate slug \`${slug}\`: agent \`${owner}\` already has it`,
      );
    }
  }
}

/** Permits machine identities only with `externalDriver`: other drivers start agents themselves, with their tokens. */
function checkIdentities(
  { driver, agents }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  if (driver === externalDriver) return;
  for (const { name, identity } of agents) {
    if (identity === undefined) continue;
    reader.report(
      reader.child(root, "agents", name, "auth"),
      `found \`${identity.auth}\` with the driver \`${truncate(driver)}\`, which starts agents with their tokens, wanted \`token\`, or the driver \`${externalDriver}\``,
    );
  }
}

/** Requires a container of each agent with the drivers that run containers, and refuses it with others. */
function checkContainers(
  { driver, agents }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  const runsContainers = containerDrivers.includes(driverKind(driver));
  for (const { name, os, container } of agents) {
    const agentAt = reader.child(root, "agents", name);
    const at = reader.child(agentAt, "container");
    if (!runsContainers && container !== undefined) {
      reader.reportKey(
        at,
        `found \`container\` with the driver \`${truncate(driver)}\`, which runs no containers, wanted one of the drivers ${containerDrivers.join(", ")}`,
      );
    }
    if (!runsContainers || reader.isFull) continue;
    if (at === agentAt) {
      reader.reportKey(
        agentAt,
        `missing key \`container\`: the driver \`${driver}\` runs each agent in a container`,
      );
    }
    if (os !== "linux") {
      reader.report(
        reader.child(agentAt, "os"),
        `found ${os} with the driver \`${driver}\`, whose containers run linux`,
      );
    }
    if (at !== agentAt) checkSections(driver, at, reader);
  }
}

/** Refuses what another driver than that of the template knows. */
function checkSections(driver: string, container: Location, reader: Reader): void {
  const kind = driverKind(driver);
  for (const section of containerDrivers) {
    const at = reader.child(container, section);
    if (section === kind || at === container) continue;
    reader.reportKey(at, `found \`${section}\` with the driver \`${driver}\`, wanted none`);
  }
  const build = reader.child(container, "build");
  if (kind === "kubernetes" && build !== container) {
    reader.reportKey(
      build,
      `found \`build\` with the driver \`${driver}\`, whose nodes only pull images, wanted \`image\``,
    );
  }
}

/** Refuses dev containers that no agent would start, two of one configuration, and names that agents already have. */
function checkDevContainers(
  { driver, agents }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  const names = new Set(agents.map(({ name }) => name));
  for (const { name: agentName, devContainers = [] } of agents) {
    const places = new Map<string, string>();
    for (const { name, workspaceFolder, configPath } of devContainers) {
      const at = reader.child(root, "agents", agentName, "dev_containers", name);
      if (driver === processDriver) {
        reader.reportKey(
          at,
          `found a dev container with the driver \`${driver}\`, whose workspaces have no containers, wanted none`,
        );
      }
      if (names.has(name)) {
        reader.reportKey(
          at,
          `duplicate name \`${name}\`: another agent or dev container already has it`,
        );
      }
      names.add(name);
      const place = JSON.stringify([workspaceFolder, configPath]);
      const other = places.get(place);
      places.set(place, name);
      if (other === undefined) continue;
      reader.reportKey(at, `found the same directory and configuration as in \`${other}\``);
    }
  }
}

/** Permits restarts only with drivers that start agents themselves. */
function checkRestarts(
  { driver, onClaim }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  if (driver !== externalDriver || onClaim !== "restart") return;
  reader.report(
    reader.child(root, "on_claim"),
    `found \`restart\` with the driver \`${externalDriver}\`, whose agents are started by hand, wanted \`take-over\``,
  );
}

/** Checks that prebuilds need no user input, because they are created without a user. */
function checkPools(
  { presets, parameters }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  for (const { name, prebuilds, parameters: values } of presets) {
    if (prebuilds === undefined) continue;
    const open = parameters.filter(
      (one) => one.default === undefined && !values.some((given) => given.name === one.name),
    );
    if (open.length === 0) continue;
    const names = open.map((one) => `\`${one.name}\``).join(", ");
    reader.reportKey(
      reader.child(root, "presets", name),
      `a preset with prebuilds needs a value for each required parameter; missing ${names}`,
    );
  }
}

/** Checks that what a prebuild's containers are made of does not depend on their owner, unless a claim makes new ones. */
function checkPooledContainers(
  { presets, agents, onClaim }: TemplateDefinition,
  root: Location,
  reader: Reader,
): void {
  if (onClaim === "restart" || presets.every(({ prebuilds }) => prebuilds === undefined)) return;
  for (const { name, container } of agents) {
    if (container === undefined) continue;
    checkPooledContainer(container, reader.child(root, "agents", name, "container"), reader);
  }
}
