import type { Containers } from "@slipway/api/agents/container-routes";
import type { Infer } from "@slipway/api/contract/scalars";

import { Unreachable } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";

export type ContainerList = Infer<typeof Containers>;
type Container = ContainerList["containers"][number];
type ContainerPort = Container["ports"][number];
type Devcontainer = ContainerList["devcontainers"][number];
type DevcontainerAgent = NonNullable<Devcontainer["agent"]>;

/** The limits of a list, whose text an agent may have got from anywhere. */
const maxContainers = 2000;
const maxDevcontainers = 500;
const maxWarnings = 64;
const maxWarningLength = 1000;
const lastPort = 65_535;

const statuses = ["running", "stopped", "starting", "stopping", "deleting", "error"] as const;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses an agent's list (docs/protocol/agent.md §8.6). A stock agent without dev containers sends null for an empty
 * list. Throws `Unreachable`.
 */
export function parseContainerList(answer: unknown): ContainerList {
  const { containers, devcontainers, warnings } = fieldsOf(answer, "the answer");
  const warned = listOf(warnings ?? [], "warnings", maxWarnings).map((one) =>
    textOf(one, "a warning").slice(0, maxWarningLength),
  );
  return {
    devcontainers: listOf(devcontainers ?? [], "devcontainers", maxDevcontainers).map(
      parseDevcontainer,
    ),
    containers: listOf(containers ?? [], "containers", maxContainers).map(parseContainer),
    ...(warned.length === 0 ? {} : { warnings: warned }),
  };
}

/** A label that a container must have; an empty value stands for any. */
export interface LabelFilter {
  readonly key: string;
  readonly value: string;
}

/** Parses `key=value` (docs/protocol/rest.md §6.5); undefined for a text without exactly one `=`. */
export function parseLabelFilter(text: string): LabelFilter | undefined {
  const [key, value, ...more] = text.split("=");
  if (key === undefined || value === undefined || more.length > 0) return undefined;
  return { key, value };
}

/** Leaves only the containers that have all labels. Dev containers are not filtered (docs/protocol/rest.md §6.5). */
export function withLabels(list: ContainerList, filters: readonly LabelFilter[]): ContainerList {
  const hasAll = ({ labels }: Container): boolean =>
    filters.every(
      ({ key, value }) => Object.hasOwn(labels, key) && (value === "" || labels[key] === value),
    );
  return { ...list, containers: list.containers.filter(hasAll) };
}

function parseDevcontainer(value: unknown): Devcontainer {
  const fields = fieldsOf(value, "a dev container");
  const { config_path: configPath, container, agent, error } = fields;
  const status = statuses.find((one) => one === fields["status"]);
  if (status === undefined) throw malformed("the status of a dev container is unknown");
  return {
    id: uuidOf(fields["id"], "the id of a dev container"),
    name: textOf(fields["name"], "the name of a dev container"),
    workspace_folder: textOf(fields["workspace_folder"], "a folder"),
    ...(configPath === undefined ? {} : { config_path: textOf(configPath, "a path") }),
    subagent_id: subAgentOf(fields["subagent_id"]),
    status,
    dirty: fields["dirty"] === true,
    ...(isAbsent(container) ? {} : { container: parseContainer(container) }),
    ...(isAbsent(agent) ? {} : { agent: parseAgent(agent) }),
    ...(error === undefined ? {} : { error: textOf(error, "an error") }),
  };
}

function subAgentOf(value: unknown): string | null {
  return isAbsent(value) ? null : uuidOf(value, "the id of a sub-agent");
}

function parseAgent(value: unknown): DevcontainerAgent {
  const { id, name, directory } = fieldsOf(value, "an agent");
  return {
    id: uuidOf(id, "the id of an agent"),
    name: textOf(name, "the name of an agent"),
    directory: textOf(directory, "a directory"),
  };
}

function parseContainer(value: unknown): Container {
  const fields = fieldsOf(value, "a container");
  return {
    created_at: timeOf(fields["created_at"]),
    id: textOf(fields["id"], "the id of a container"),
    name: textOf(fields["name"], "the name of a container"),
    image: textOf(fields["image"], "an image"),
    labels: textsOf(fields["labels"], "labels"),
    running: fields["running"] === true,
    ports: listOf(fields["ports"] ?? [], "ports", maxContainers).map(parsePort),
    status: textOf(fields["status"], "a status"),
    volumes: textsOf(fields["volumes"], "volumes"),
  };
}

function parsePort(value: unknown): ContainerPort {
  const { port, network, host_ip: hostIp, host_port: hostPort } = fieldsOf(value, "a port");
  return {
    port: portOf(port),
    network: textOf(network, "a network"),
    ...(hostIp === undefined ? {} : { host_ip: textOf(hostIp, "an address") }),
    ...(hostPort === undefined ? {} : { host_port: portOf(hostPort) }),
  };
}

function portOf(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= lastPort) {
    return value;
  }
  throw malformed("a port is not a number of 16 bits");
}

function timeOf(value: unknown): string {
  const text = textOf(value, "a time");
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw malformed("a time is malformed");
  return new Date(ms).toISOString();
}

function uuidOf(value: unknown, what: string): string {
  const id = readUuid(textOf(value, what));
  if (id === undefined) throw malformed(`${what} is not a UUID`);
  return id;
}

function textsOf(value: unknown, what: string): Record<string, string> {
  const texts = Object.entries(fieldsOf(value ?? {}, what));
  return Object.fromEntries(texts.map(([key, text]) => [key, textOf(text, `one of ${what}`)]));
}

function listOf(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} are no list`);
  if (value.length > max) throw malformed(`there are ${value.length} ${what}, at most ${max} fit`);
  return value;
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== "string") throw malformed(`${what} is not a text`);
  return value;
}

function fieldsOf(value: unknown, what: string): Fields {
  if (isFields(value)) return value;
  throw malformed(`${what} is not an object`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function malformed(detail: string): Unreachable {
  return new Unreachable("The agent's list of containers is malformed.", { detail });
}
