import { type JsonObject, objectOf, parseObject, textOf } from "@slipway/runtime";

import type { Container, ContainerPort } from "./container.ts";
import { ContainerError } from "./errors.ts";

/** The limits of what is kept of a container, whose labels and mounts its creator chose. */
const maxNameLength = 256;
const maxLabels = 128;
const maxLabelKeyLength = 256;
const maxLabelValueLength = 4096;
const maxPorts = 256;
const maxVolumes = 128;
const maxPathLength = 4096;
const maxErrorLength = 1024;
const lastPort = 65_535;

const id = /^[0-9a-f]{12,64}$/;

/**
 * Parses a container as `docker inspect` and `podman inspect` print it as JSON (docs/protocol/agent.md §8.6). Cuts what
 * is too long. Throws `ContainerError` "malformed".
 */
export function parseContainer(json: string): Container {
  const fields = parseObject(json);
  if (fields === undefined) {
    throw new ContainerError("malformed", "the description of a container is not a JSON object");
  }
  const containerId = textOf(fields["Id"]);
  if (!id.test(containerId)) throw new ContainerError("malformed", "a container has no id");
  const config = objectOf(fields["Config"]);
  const state = objectOf(fields["State"]);
  return {
    created_at: timestampOf(fields["Created"]),
    id: containerId,
    name: textOf(fields["Name"]).replace(/^\//, "").slice(0, maxNameLength),
    image: (textOf(config["Image"]) || textOf(fields["ImageName"])).slice(0, maxNameLength),
    labels: labelsOf(config["Labels"]),
    running: state["Running"] === true,
    ports: portsOf(objectOf(fields["NetworkSettings"])["Ports"]),
    status: statusOf(state),
    volumes: volumesOf(fields["Mounts"]),
  };
}

function statusOf(state: JsonObject): string {
  if (state["Running"] === true) return "running";
  const code = state["ExitCode"];
  const end =
    typeof code === "number" && code !== 0 ? `exited with code ${code}` : "exited successfully";
  const error = textOf(state["Error"]).slice(0, maxErrorLength);
  return error === "" ? end : `${end}: ${error}`;
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  const found = Object.entries(objectOf(value)).filter(
    ([key, text]) => key.length <= maxLabelKeyLength && typeof text === "string",
  );
  // The labels of dev containers decide what a container is, however many others there are.
  const ordered = found.toSorted(([one], [other]) => rankOf(one) - rankOf(other));
  return Object.fromEntries(
    ordered
      .slice(0, maxLabels)
      .map(([key, text]) => [key, textOf(text).slice(0, maxLabelValueLength)]),
  );
}

function rankOf(key: string): number {
  return key.startsWith("devcontainer.") || key.startsWith("com.docker.compose.") ? 0 : 1;
}

/** Reads `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}`; a port that is not published has no list. */
function portsOf(value: unknown): readonly ContainerPort[] {
  const ports: ContainerPort[] = [];
  for (const [key, bindings] of Object.entries(objectOf(value))) {
    const [, number = "", network = "tcp"] = /^(\d{1,5})(?:\/([a-z]{1,8}))?$/.exec(key) ?? [];
    const port = portNumber(number);
    if (port === undefined) continue;
    const places = publishedPorts(bindings);
    if (places.length === 0) ports.push({ port, network });
    for (const place of places) ports.push({ port, network, ...place });
    if (ports.length >= maxPorts) break;
  }
  return ports.slice(0, maxPorts);
}

interface HostPlace {
  readonly host_ip: string;
  readonly host_port: number;
}

/** Returns the places where a port is published; of those on the loopback interface of both families, the first. */
function publishedPorts(value: unknown): readonly HostPlace[] {
  if (!Array.isArray(value)) return [];
  const places = new Map<string, HostPlace>();
  for (const binding of value.slice(0, maxPorts)) {
    const fields = objectOf(binding);
    const hostPort = portNumber(textOf(fields["HostPort"]));
    if (hostPort === undefined) continue;
    const hostIp = textOf(fields["HostIp"]).slice(0, 64);
    const key = `${isReachedByLoopback(hostIp) ? "loopback" : hostIp} ${hostPort}`;
    if (!places.has(key)) places.set(key, { host_ip: hostIp, host_port: hostPort });
  }
  return [...places.values()];
}

/** Reports whether a port that is published at an address is reached by the loopback interface. */
function isReachedByLoopback(hostIp: string): boolean {
  return ["", "0.0.0.0", "::", "::1"].includes(hostIp) || hostIp.startsWith("127.");
}

function volumesOf(value: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(value)) return {};
  const mounts = value.slice(0, maxVolumes).map((mount) => {
    const { Source: source, Name: name, Destination: target } = objectOf(mount);
    return [textOf(source) || textOf(name), textOf(target)] as const;
  });
  return Object.fromEntries(
    mounts.filter(
      ([source, target]) =>
        source !== "" && source.length <= maxPathLength && target.length <= maxPathLength,
    ),
  );
}

function portNumber(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= lastPort ? port : undefined;
}

function timestampOf(value: unknown): string {
  const ms = Date.parse(textOf(value));
  return new Date(Number.isNaN(ms) ? 0 : ms).toISOString();
}
