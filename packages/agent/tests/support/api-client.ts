import { once } from "node:events";
import { type IncomingHttpHeaders, request as openRequest } from "node:http";
import { buffer } from "node:stream/consumers";

import { silentLogger } from "@slipway/runtime";
import { onTestFinished } from "vitest";

import { createApiService } from "../../src/http/api-service.ts";
import type { ApiRoute } from "../../src/http/route.ts";
import { listenOnLoopback } from "./loopback-service.ts";

export interface ApiReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON, by the fields that tests read; undefined if it is none. */
  readonly body: ReplyBody | undefined;
}

interface ReplyBody {
  readonly etag: string;
  readonly entries: readonly { readonly name: string }[];
  readonly next?: string;
}

export interface ApiInput {
  /** JSON, or raw bytes. */
  readonly body?: object | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request; `target` is its method and its path. */
export type AskApi = (target: string, input?: ApiInput) => Promise<ApiReply>;

/** Serves routes of the agent's API until the test ends. */
export async function openRoutes(
  routes: readonly ApiRoute[],
): Promise<{ readonly port: number; readonly ask: AskApi }> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const { signal } = stopping;
  const port = await listenOnLoopback(createApiService({ routes, logger: silentLogger, signal }));
  return { port, ask: (target, input) => ask(port, target, input) };
}

async function ask(port: number, target: string, input: ApiInput = {}): Promise<ApiReply> {
  const [method, path] = target.split(" ", 2);
  const { body, headers } = input;
  const sent = openRequest({ host: "127.0.0.1", port, method, path, headers, agent: false });
  sent.end(body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body));
  const answered = once(sent, "response");
  // Of an error that comes after the answer, the answer says more.
  sent.on("error", () => undefined);
  const [response] = await answered;
  const bytes = await buffer(response);
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes,
    body: parse(bytes.toString()),
  };
}

function parse(text: string): ReplyBody | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
