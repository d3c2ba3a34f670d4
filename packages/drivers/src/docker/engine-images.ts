import type { IncomingMessage } from "node:http";

import { listOf, objectOf, textMapOf, textOf, textsOf } from "@slipway/runtime";

import { ifPresent } from "./engine-containers.ts";
import type { Engine } from "./engine.ts";
import { hasLabels, labelFilters } from "./label-filters.ts";

export interface FoundImage {
  /** Such as `sha256:0f3a…`. */
  readonly id: string;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface InspectedImage extends FoundImage {
  readonly os: string;
  readonly arch: string;
  /** The user of its containers; empty for root. */
  readonly user: string;
}

/** Inspects an image by its id or reference; resolves to undefined if there is none. */
export async function inspectImage(
  { connection }: Engine,
  reference: string,
  signal: AbortSignal,
): Promise<InspectedImage | undefined> {
  // A reference has slashes, which the engine takes as they are.
  const path = `/images/${reference}/json`;
  const found = await ifPresent(connection.json({ method: "GET", path, signal }));
  if (found === undefined) return undefined;
  const fields = objectOf(found);
  const config = objectOf(fields["Config"]);
  return {
    id: textOf(fields["Id"]),
    tags: textsOf(fields["RepoTags"]),
    labels: textMapOf(config["Labels"]),
    os: textOf(fields["Os"]),
    arch: textOf(fields["Architecture"]),
    user: textOf(config["User"]),
  };
}

export async function listImages(
  { connection }: Engine,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly FoundImage[]> {
  // Podman finds no image by several labels: the last one, the most specific, selects, and all are compared below.
  const selecting = Object.fromEntries(Object.entries(labels).slice(-1));
  const query = { filters: labelFilters(selecting) };
  const found = await connection.json({ method: "GET", path: "/images/json", query, signal });
  const images = listOf(found).map((one) => {
    const fields = objectOf(one);
    return {
      id: textOf(fields["Id"]),
      tags: textsOf(fields["RepoTags"]).filter((tag) => tag !== "<none>:<none>"),
      labels: textMapOf(fields["Labels"]),
    };
  });
  return images.filter((one) => hasLabels(one, labels));
}

/** Removes a tag, and the image with its last tag; one that is gone is fine. Rejects with 409 if it is in use. */
export async function removeImage(
  { connection }: Engine,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  await ifPresent(connection.done({ method: "DELETE", path: `/images/${reference}`, signal }));
}

/** The time without any progress after which a pull or a build counts as dead. */
export const progressSilenceMs = 15 * 60_000;

/** Begins to pull an image, and resolves to the lines of its progress. */
export async function openPull(
  { connection }: Engine,
  { reference, platform, auth }: PullOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return connection.open({
    method: "POST",
    path: "/images/create",
    query: { fromImage: reference, platform },
    headers: auth === undefined ? {} : { "X-Registry-Auth": headerJson(auth) },
    signal,
    silenceMs: progressSilenceMs,
  });
}

interface PullOptions {
  /** With a tag or a digest: without them, an engine pulls every tag. */
  readonly reference: string;
  readonly platform: string;
  readonly auth: unknown;
}

/** Encodes a value for a header of the engine, in Base64 for URLs: podman requires the padding. */
export function headerJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value))
    .toString("base64")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
