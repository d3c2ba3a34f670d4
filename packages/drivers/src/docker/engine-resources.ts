import { listOf, objectOf, textMapOf, textOf } from "@slipway/runtime";

import { ifPresent } from "./engine-containers.ts";
import type { Engine } from "./engine.ts";
import { hasLabels, labelFilters } from "./label-filters.ts";

export interface FoundVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly createdAtMs: number;
}

/** Creates a volume, or returns the existing one of that name, whose labels may be others. */
export async function createVolume(
  { connection }: Engine,
  name: string,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<FoundVolume> {
  const body = { json: { Name: name, Labels: labels } };
  const request = { method: "POST", path: "/volumes/create", body, signal } as const;
  return readVolume(await connection.json(request));
}

export async function inspectVolume(
  { connection }: Engine,
  name: string,
  signal: AbortSignal,
): Promise<FoundVolume | undefined> {
  const path = `/volumes/${encodeURIComponent(name)}`;
  const found = await ifPresent(connection.json({ method: "GET", path, signal }));
  return found === undefined ? undefined : readVolume(found);
}

export async function listVolumes(
  { connection }: Engine,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly FoundVolume[]> {
  const query = { filters: labelFilters(labels) };
  const found = await connection.json({ method: "GET", path: "/volumes", query, signal });
  const volumes = listOf(objectOf(found)["Volumes"]).map(readVolume);
  return volumes.filter((one) => hasLabels(one, labels));
}

/** Removes a volume; one that is gone is fine. Rejects with 409 if a container uses it. */
export async function removeVolume(
  { connection }: Engine,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `/volumes/${encodeURIComponent(name)}`;
  await ifPresent(connection.done({ method: "DELETE", path, signal }));
}

export interface FoundNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  /** The host's address in it; empty if it has none. */
  readonly gateway: string;
}

export async function listNetworks(
  { connection }: Engine,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly FoundNetwork[]> {
  const query = { filters: labelFilters(labels) };
  const found = await connection.json({ method: "GET", path: "/networks", query, signal });
  const networks = listOf(found).map(readNetwork);
  return networks.filter((one) => hasLabels(one, labels));
}

export async function inspectNetwork(
  { connection }: Engine,
  name: string,
  signal: AbortSignal,
): Promise<FoundNetwork | undefined> {
  const path = `/networks/${encodeURIComponent(name)}`;
  const found = await ifPresent(connection.json({ method: "GET", path, signal }));
  return found === undefined ? undefined : readNetwork(found);
}

export async function createNetwork(
  { connection }: Engine,
  body: unknown,
  signal: AbortSignal,
): Promise<void> {
  await connection.done({ method: "POST", path: "/networks/create", body: { json: body }, signal });
}

export async function removeNetwork(
  { connection }: Engine,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await ifPresent(connection.done({ method: "DELETE", path: `/networks/${id}`, signal }));
}

function readVolume(value: unknown): FoundVolume {
  const fields = objectOf(value);
  return {
    name: textOf(fields["Name"]),
    labels: textMapOf(fields["Labels"]),
    createdAtMs: Date.parse(textOf(fields["CreatedAt"])) || 0,
  };
}

function readNetwork(value: unknown): FoundNetwork {
  const fields = objectOf(value);
  const [addresses] = listOf(objectOf(fields["IPAM"])["Config"]);
  return {
    id: textOf(fields["Id"]),
    name: textOf(fields["Name"]),
    driver: textOf(fields["Driver"]),
    labels: textMapOf(fields["Labels"]),
    createdAtMs: Date.parse(textOf(fields["Created"])) || 0,
    gateway: textOf(objectOf(addresses)["Gateway"]).replace(/\/\d+$/, ""),
  };
}
