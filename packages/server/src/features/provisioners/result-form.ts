import type { DriverReading, DriverResource, StartedAgent } from "@slipway/drivers";
import {
  definitionProblem,
  displayApps,
  formTypes,
  type ParameterDefinition,
  parameterTypes,
  type TemplateDefinition,
  terraformDriver,
} from "@slipway/template";

import { unstorableField } from "../../platform/fields/storable-text.ts";
import { createValidator } from "../../platform/fields/validation.ts";
import { type Form, recordForm } from "./session-messages.ts";

/*
 * The forms of what a provisioner says that a driver found: the definition of a template, and the resources and agents of a
 * workspace. Fields that are undefined are absent.
 */

const text: Form = { type: "string", maxLength: 1024 * 1024 };
const truth: Form = { type: "boolean" };
const integer: Form = { type: "integer", minimum: 0, maximum: 2 ** 31 - 1 };
const order: Form = { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const number: Form = { type: "number" };
const texts: Form = { type: "object", additionalProperties: text };
const choice = (...values: readonly string[]): Form => ({ enum: [...values] });
const list = (items: Form, maxItems = 1_000): Form => ({ type: "array", items, maxItems });
const record: typeof recordForm = (...fields) => ({
  ...recordForm(...fields),
  additionalProperties: false,
});

const namedValue = record({ name: text, value: text });

const parameter = record(
  {
    name: text,
    displayName: text,
    description: text,
    icon: text,
    type: choice(...parameterTypes),
    formType: choice(...formTypes),
    isMutable: truth,
    isEphemeral: truth,
    options: list(record({ name: text, value: text, description: text, icon: text })),
  },
  {
    default: text,
    validation: record(
      { error: text },
      { regex: text, min: number, max: number, monotonic: choice("increasing", "decreasing") },
    ),
    styling: record({}, { placeholder: text, label: text, disabled: truth, mask_input: truth }),
  },
);

const preset = record(
  {
    name: text,
    displayName: text,
    description: text,
    icon: text,
    isDefault: truth,
    parameters: list(namedValue),
  },
  {
    prebuilds: record(
      { instances: integer, expireAfterSeconds: integer },
      {
        schedule: record({
          timezone: text,
          windows: list(record({ cron: text, instances: integer })),
        }),
      },
    ),
  },
);

const script = record({
  key: text,
  displayName: text,
  icon: text,
  runOnStart: truth,
  runOnStop: truth,
  cron: text,
  blocksLogin: truth,
  timeoutSeconds: integer,
  run: text,
  logPath: text,
});

const metadata = record({
  key: text,
  displayName: text,
  intervalSeconds: integer,
  timeoutSeconds: integer,
  run: text,
  order,
});

const app = record(
  {
    slug: text,
    displayName: text,
    url: text,
    command: text,
    icon: text,
    isExternal: truth,
    isSubdomain: truth,
    share: choice("owner", "authenticated", "organization", "public"),
    group: text,
    isHidden: truth,
    openIn: choice("slim-window", "tab"),
    order,
    tooltip: text,
  },
  { health: record({ url: text, intervalSeconds: integer, threshold: integer }) },
);

/** An agent without a container: the configuration makes what it runs in. */
const agent = record(
  {
    name: { type: "string", minLength: 1, maxLength: 64 },
    os: choice("linux", "darwin", "windows"),
    arch: choice("amd64", "arm64", "armv7"),
    directory: text,
    connectionTimeoutSeconds: integer,
    troubleshootingUrl: text,
    motdFile: text,
    env: texts,
    scripts: list(script),
    metadata: list(metadata),
    apps: list(app),
    displayApps: list(choice(...displayApps)),
  },
  {
    monitoring: record(
      { volumes: list(record({ path: text, threshold: integer })) },
      { memoryThreshold: integer },
    ),
    identity: record({
      auth: choice("aws-instance-identity", "azure-instance-identity", "google-instance-identity"),
      instanceId: text,
    }),
    devContainers: list(record({ name: text, workspaceFolder: text, configPath: text })),
  },
);

const definition = record(
  {
    driver: choice(terraformDriver),
    displayName: text,
    description: text,
    icon: text,
    parameters: list(parameter),
    presets: list(preset),
    agents: list(agent),
  },
  {
    externalAuth: list(record({ id: text, isOptional: truth })),
    hasExternalAgents: truth,
    tags: list(record({ name: text, value: text }, { parameter: text })),
    parameterSources: list(record({ address: text, mayBeEphemeral: truth }, { name: text })),
  },
);

const resources = list(
  record(
    { type: text, name: text, agentNames: list(text) },
    {
      icon: text,
      isHidden: truth,
      dailyCost: order,
      metadata: list(record({ key: text, value: text, isSensitive: truth })),
    },
  ),
);

const started = record({ definition: agent, token: { type: "string", maxLength: 256 } });

const validator = createValidator();
const checkReading = validator.compile(record({ definition, resources }));
const checkParameters = validator.compile(list(parameter));
const checkResult = validator.compile(record({ resources }, { agents: list(started) }));

/** The result of a reading, without its notes. */
export type ReadingJson = Omit<DriverReading, "notes">;

/** The result of a build, without its state. */
export interface ResultJson {
  readonly resources: readonly DriverResource[];
  readonly agents?: readonly StartedAgent[];
}

/** Parses the result of a reading. Throws `TypeError` for any other bytes. */
export function parseReading(bytes: Uint8Array): ReadingJson {
  const json = parse(bytes);
  if (!checkReading(json)) throw malformed(checkReading.errors);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked against its form
  const reading = json as ReadingJson;
  requireStorable(reading.definition);
  return reading;
}

/** Parses the parameters that a template has for certain values. Throws `TypeError` for any other bytes. */
export function parseParameters(bytes: Uint8Array): readonly ParameterDefinition[] {
  const json = parse(bytes);
  if (!checkParameters(json)) throw malformed(checkParameters.errors);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked against its form
  const parameters = json as readonly ParameterDefinition[];
  requireStorable({ ...emptyDefinition, parameters });
  return parameters;
}

/** Parses the result of a build. Throws `TypeError` for any other bytes. */
export function parseResult(bytes: Uint8Array): ResultJson {
  const json = parse(bytes);
  if (!checkResult(json)) throw malformed(checkResult.errors);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked against its form
  const result = json as ResultJson;
  const agents = (result.agents ?? []).map((one) => one.definition);
  requireStorable({ ...emptyDefinition, agents });
  return result;
}

const emptyDefinition: TemplateDefinition = {
  driver: terraformDriver,
  displayName: "",
  description: "",
  icon: "",
  parameters: [],
  presets: [],
  onClaim: undefined,
  externalAuth: undefined,
  agents: [],
};

function requireStorable(given: TemplateDefinition): void {
  const problem = definitionProblem(given);
  if (problem !== undefined) throw new TypeError(problem);
}

function parse(bytes: Uint8Array): unknown {
  const json: unknown = JSON.parse(Buffer.from(bytes).toString());
  const field = unstorableField(json);
  if (field !== undefined) throw new TypeError(`${field}: found a NUL or half a surrogate pair`);
  return json;
}

function malformed(errors: typeof checkResult.errors): TypeError {
  const [fault] = errors ?? [];
  return new TypeError(`${fault?.instancePath ?? ""} ${fault?.message ?? ""}`.trim());
}
