import type { IncomingMessage } from "node:http";

import { listOf, numberOf, objectOf, textMapOf, textOf, textsOf } from "@slipway/runtime";

import { EngineError } from "../errors.ts";
import { outputText, readHead } from "./engine-streams.ts";
import type { Engine } from "./engine.ts";
import { hasLabels, labelFilters } from "./label-filters.ts";

/** A container as a list or an inspection shows it. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `created`, `running`, `exited`, … */
  readonly status: string;
  /** Seconds since the epoch, by the engine's clock. */
  readonly createdAtS: number;
}

export interface InspectedContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isRunning: boolean;
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly startedAtMs: number;
  readonly exitCode: number;
  readonly wasOutOfMemory: boolean;
  /** The engine's reason for a failed start. */
  readonly error: string;
}

export async function listContainers(
  { connection }: Engine,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly FoundContainer[]> {
  const query = { all: "true", filters: labelFilters(labels) };
  const found = await connection.json({ method: "GET", path: "/containers/json", query, signal });
  const containers = listOf(found).map((one) => {
    const fields = objectOf(one);
    return {
      id: textOf(fields["Id"]),
      name: (textsOf(fields["Names"])[0] ?? "").replace(/^\//, ""),
      labels: textMapOf(fields["Labels"]),
      status: textOf(fields["State"]),
      createdAtS: numberOf(fields["Created"]),
    };
  });
  return containers.filter((one) => hasLabels(one, labels));
}

/** Inspects a container by its id or name; resolves to undefined if there is none. */
export async function inspectContainer(
  { connection }: Engine,
  id: string,
  signal: AbortSignal,
): Promise<InspectedContainer | undefined> {
  const path = `/containers/${encodeURIComponent(id)}/json`;
  const found = await ifPresent(connection.json({ method: "GET", path, signal }));
  if (found === undefined) return undefined;
  const fields = objectOf(found);
  const state = objectOf(fields["State"]);
  return {
    id: textOf(fields["Id"]),
    name: textOf(fields["Name"]).replace(/^\//, ""),
    labels: textMapOf(objectOf(fields["Config"])["Labels"]),
    isRunning: state["Running"] === true,
    startedAtMs: Date.parse(textOf(state["StartedAt"])) || 0,
    exitCode: numberOf(state["ExitCode"]),
    wasOutOfMemory: state["OOMKilled"] === true,
    error: textOf(state["Error"]),
  };
}

/** Creates a container and resolves to its id. Rejects with status 409 if the name is taken. */
export async function createContainer(
  { connection }: Engine,
  name: string,
  body: unknown,
  signal: AbortSignal,
): Promise<string> {
  const request = { method: "POST", path: "/containers/create", query: { name } } as const;
  return textOf(
    objectOf(await connection.json({ ...request, body: { json: body }, signal }))["Id"],
  );
}

export async function startContainer(
  { connection }: Engine,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await connection.done({ method: "POST", path: `/containers/${id}/start`, signal });
}

/** Asks a container to end and kills it after the time limit; a container that is gone or has ended is fine. */
export async function stopContainer(
  { connection }: Engine,
  id: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const seconds = Math.ceil(timeoutMs / 1000);
  await ifPresent(
    connection.done({
      method: "POST",
      path: `/containers/${id}/stop`,
      query: { t: String(seconds) },
      signal,
      silenceMs: timeoutMs + killMs,
    }),
  );
}

/** The time in which an engine kills a container that does not end. */
const killMs = 60_000;

/** Kills a container if it runs, and removes it with its anonymous volumes; one that is gone is fine. */
export async function removeContainer(
  { connection }: Engine,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const query = { force: "true", v: "true" };
  await ifPresent(connection.done({ method: "DELETE", path: `/containers/${id}`, query, signal }));
}

/** Waits until a container has ended, and resolves to its exit code. */
export async function waitForContainer(
  { connection }: Engine,
  id: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<number> {
  const request = { method: "POST", path: `/containers/${id}/wait`, silenceMs: timeoutMs } as const;
  return numberOf(objectOf(await connection.json({ ...request, signal }))["StatusCode"]);
}

const maxOutputBytes = 256 * 1024;
const maxOutputLines = 20;

/** Returns the last lines that a container wrote, and of very long ones the beginning. */
export async function readOutput(
  { connection }: Engine,
  id: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/containers/${id}/logs`;
  const query = { stdout: "true", stderr: "true", tail: String(maxOutputLines) };
  const answer = await connection.open({ method: "GET", path, query, signal });
  try {
    return outputText(await readHead(answer, maxOutputBytes));
  } catch (error) {
    throw connection.failure({ path, signal }, error);
  }
}

/** Opens the tar of a path in a container; resolves to undefined if there is no such path. */
export async function openArchive(
  { connection }: Engine,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  const request = { method: "GET", path: `/containers/${id}/archive`, query: { path } } as const;
  return ifPresent(connection.open({ ...request, signal }));
}

/** Unpacks a tar into a directory of a container. */
export async function putArchive(
  { connection }: Engine,
  id: string,
  { path, tar }: { readonly path: string; readonly tar: AsyncIterable<unknown> },
  signal: AbortSignal,
): Promise<void> {
  await connection.done({
    method: "PUT",
    path: `/containers/${id}/archive`,
    query: { path },
    body: { tar },
    signal,
  });
}

/** Resolves to undefined if the engine answers that there is no such thing. */
export async function ifPresent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}
