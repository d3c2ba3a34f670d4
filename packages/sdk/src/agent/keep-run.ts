import type { keepRun as keepRunRoute } from "@slipway/api/agents/run-routes";
import type { BodyOf } from "@slipway/api/contract/route";
import { certificateFor, httpModule, withSystemAuthorities } from "@slipway/runtime";

/** A run with the end of its output. */
export type KeptRun = BodyOf<typeof keepRunRoute>;

export interface KeepRunOptions {
  readonly serverUrl: string;
  readonly token: string;
  /** Additional headers for the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Leaves a run with the server when its workspace stops. Resolves to the status of the answer. */
export async function keepRun(
  kept: KeptRun,
  { serverUrl, token, headers, signal }: KeepRunOptions,
): Promise<number> {
  const url = new URL(
    `${serverUrl.replace(/\/+$/, "")}/api/v2/workspaceagents/me/runs/${kept.run.id}`,
  );
  const body = JSON.stringify(kept);
  const own = { "Content-Type": "application/json", "Coder-Session-Token": token };
  return withSystemAuthorities(() => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const { request } = httpModule(url.protocol !== "https:");
    const options = {
      ...certificateFor(url),
      method: "PUT",
      headers: { ...headers, ...own, "Content-Length": String(Buffer.byteLength(body)) },
      signal,
      agent: false,
    } as const;
    const sent = request(url, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end(body);
    return promise;
  });
}
