import type { TemplateDefinition } from "../definition.ts";
import { driverOfOthers } from "../known-drivers.ts";
import {
  maxAgents,
  maxKeyLength,
  maxParameters,
  maxPresets,
  maxRegexesLength,
  maxRegexesSize,
} from "../limits.ts";
import { valueProblem } from "../parameter-value.ts";
import type { Place, Reader } from "../reader.ts";
import { regexSize } from "../regex.ts";
import { didYouMean } from "../suggest.ts";
import { agent } from "./agent-shape.ts";
import { description, hostKeys, icon, iconMeaning, line, plainKeys } from "./common-text.ts";
import { object, record } from "./map-shape.ts";
import { parameter } from "./parameter-shape.ts";
import { preset } from "./preset-shape.ts";
import { about, required, type Shape, withDefault } from "./shape.ts";
import { text } from "./text-shape.ts";

/** Names that `${{ parameters.<name> }}` can hold, and that are not properties of every object. */
const parameterKeys = {
  pattern: "^[A-Za-z][A-Za-z0-9_-]*$",
  wanted: "letters, digits, dashes and underscores, a letter first",
  maxLength: maxKeyLength,
};

const fields = object({
  driver: required(
    about("Driver that carries out the builds of workspaces.", "docker"),
    text({
      maxLength: maxKeyLength,
      minLength: 1,
      wanted: "the name of a driver",
    }),
  ),
  display_name: withDefault(
    about("Name that people see (default: the name of the template).", "Python with a GPU"),
    line,
    "",
  ),
  description: withDefault(
    about("Purpose of the template, in a line or two.", "A small machine for scripts."),
    description,
    "",
  ),
  icon: withDefault(iconMeaning, icon, ""),
  parameters: withDefault(
    "Values that people choose when they create a workspace, by name.",
    record(parameter, { keys: parameterKeys, max: maxParameters }),
    [],
    {},
  ),
  presets: withDefault(
    "Named sets of parameter values, and pools of workspaces that wait for an owner, by name.",
    record(preset, { keys: plainKeys, max: maxPresets }),
    [],
    {},
  ),
  agents: required(
    "Agents of a workspace, by name. Each runs scripts and apps and serves terminals on one machine.",
    record(agent, { keys: hostKeys, max: maxAgents, min: 1 }),
  ),
});

/** A whole `slipway.yaml`. The driver is any name: the server decides which of them exist. */
export const template: Shape<TemplateDefinition> = {
  schema: fields.schema,
  read: (place, reader) => {
    const before = reader.problemCount;
    const read = fields.read(place, reader);
    if (read === undefined) return undefined;
    const definition: TemplateDefinition = {
      driver: read.driver,
      displayName: read.display_name,
      description: read.description,
      icon: read.icon,
      parameters: read.parameters.map(([, value]) => value),
      presets: read.presets.map(([, value]) => value),
      agents: read.agents.map(([, value]) => value),
    };
    const isWellFormed = reader.problemCount === before;
    checkRegexes(definition, place, reader);
    checkPresetValues(definition, place, reader);
    checkSlugs(definition, place, reader);
    checkIdentities(definition, place, reader);
    if (isWellFormed) checkPools(definition, place, reader);
    return definition;
  },
};

/** Checks the total of the regular expressions; each is within its limits already. */
function checkRegexes({ parameters }: TemplateDefinition, root: Place, reader: Reader): void {
  let length = 0;
  let size = 0;
  for (const { name, validation } of parameters) {
    const { regex } = validation ?? {};
    if (regex === undefined) continue;
    length += regex.length;
    size += regexSize(regex);
    if (length <= maxRegexesLength && size <= maxRegexesSize) continue;
    const place = ["parameters", name, "validation", "regex"];
    reader.report(
      place.reduce((at, key) => reader.child(at, key), root),
      `found regular expressions of ${length} characters and ${size} instructions up to here, wanted at most ${maxRegexesLength} and ${maxRegexesSize} in a template`,
    );
    return;
  }
}

/** Checks that values are of existing parameters, and fit those that are well-formed; one preset may be the default. */
function checkPresetValues(
  { presets, parameters }: TemplateDefinition,
  root: Place,
  reader: Reader,
): void {
  const places = reader.child(root, "presets");
  let chosen: string | undefined;
  for (const { name, isDefault, parameters: values } of presets) {
    const place = reader.child(places, name);
    if (isDefault && chosen !== undefined) {
      reader.report(
        reader.child(place, "default"),
        `found a second default, wanted one: \`${chosen}\` is it already`,
      );
    }
    if (isDefault) chosen ??= name;
    for (const given of values) {
      if (reader.isFull) return;
      const at = reader.child(reader.child(place, "parameters"), given.name);
      if (!reader.parameterNames.has(given.name)) {
        const meant = didYouMean(given.name, [...reader.parameterNames]);
        reader.reportKey(at, `unknown parameter \`${given.name.slice(0, 60)}\`${meant}`);
        continue;
      }
      const known = parameters.find((one) => one.name === given.name);
      const problem =
        known === undefined ? undefined : valueProblem(known, given.value, reader.matcher);
      if (problem !== undefined) reader.report(at, `does not fit: ${problem}`);
    }
  }
}

/**
 * Checks that slugs are unique in the whole template: host names of apps contain no agent (docs/protocol/rest.md §5).
 */
function checkSlugs({ agents }: TemplateDefinition, root: Place, reader: Reader): void {
  const owners = new Map<string, string>();
  for (const { name, apps } of agents) {
    for (const { slug } of apps) {
      const owner = owners.get(slug);
      owners.set(slug, owner ?? name);
      if (owner === undefined) continue;
      const place = ["agents", name, "apps", slug].reduce((at, key) => reader.child(at, key), root);
      reader.reportKey(
        place,
        `found the slug \`${slug}\` a second time, wanted it once: agent \`${owner}\` has it already`,
      );
    }
  }
}

/** Permits machine identities only with `driverOfOthers`: other drivers start agents themselves, with their tokens. */
function checkIdentities(
  { driver, agents }: TemplateDefinition,
  root: Place,
  reader: Reader,
): void {
  if (driver === driverOfOthers) return;
  for (const { name, identity } of agents) {
    if (identity === undefined) continue;
    reader.report(
      ["agents", name, "auth"].reduce((at, key) => reader.child(at, key), root),
      `found \`${identity.auth}\` with the driver \`${driver.slice(0, 60)}\`, which starts agents with their tokens, wanted \`token\`, or the driver \`${driverOfOthers}\``,
    );
  }
}

/** Checks that prebuilds need no choice of values: no user is there to choose when one is made. */
function checkPools(
  { presets, parameters }: TemplateDefinition,
  root: Place,
  reader: Reader,
): void {
  for (const { name, prebuilds, parameters: values } of presets) {
    if (prebuilds === undefined) continue;
    const open = parameters.filter(
      (one) => one.default === undefined && !values.some((given) => given.name === one.name),
    );
    if (open.length === 0) continue;
    const place = reader.child(reader.child(root, "presets"), name);
    const names = open.map((one) => `\`${one.name}\``).join(", ");
    reader.reportKey(
      place,
      `a preset with prebuilds needs a value for each required parameter; missing ${names}`,
    );
  }
}
