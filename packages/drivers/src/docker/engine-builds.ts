import { randomUUID } from "node:crypto";

import { headerJson, progressSilenceMs } from "./engine-images.ts";
import { jsonLines } from "./engine-streams.ts";
import type { Engine } from "./engine.ts";

export interface BuildRequest {
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The tar of the context. */
  readonly context: AsyncIterable<unknown>;
}

/** Yields the progress of a build by the classic builder, podman's only one. `auth` has credentials by registry. */
export async function* buildClassically(
  { connection }: Engine,
  { query, context }: BuildRequest,
  auth: unknown,
  signal: AbortSignal,
): AsyncGenerator {
  const request = { method: "POST", path, signal, silenceMs: progressSilenceMs } as const;
  const headers = { "X-Registry-Config": headerJson(auth) };
  try {
    const cleanup = { rm: "true", forcerm: "true" };
    const body = { tar: context };
    yield* jsonLines(
      await connection.open({ ...request, query: { ...query, ...cleanup }, headers, body }),
    );
  } catch (error) {
    throw connection.failure(request, error);
  }
}

/** BuildKit reports the output of a step in portions of up to 1 MiB, in Base64. */
const maxTraceBytes = 8 * 1024 * 1024;

/**
 * Yields the progress of a build by BuildKit; `query` names its session. The context is sent in a second request: an
 * HTTP server in Go drops the rest of a body once it has begun to answer.
 */
export async function* buildWithBuildKit(
  { connection }: Engine,
  { query, context }: BuildRequest,
  signal: AbortSignal,
): AsyncGenerator {
  const ended = new AbortController();
  const request = {
    method: "POST",
    path,
    signal: AbortSignal.any([signal, ended.signal]),
    silenceMs: progressSilenceMs,
  } as const;
  const id = randomUUID();
  const upload = { version: "2", buildid: `upload-request:${id}` };
  const uploaded = connection
    .done({ ...request, query: upload, body: { tar: context } })
    .catch((error: unknown) => ended.abort(error));
  const build = { ...query, version: "2", remote: "upload-request", buildid: id };
  try {
    yield* jsonLines(await connection.open({ ...request, query: build }), maxTraceBytes);
  } catch (error) {
    throw connection.failure(request, error);
  } finally {
    ended.abort();
    await uploaded;
  }
}

const path = "/build";
