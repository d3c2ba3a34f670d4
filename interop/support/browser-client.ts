import { silentLogger, webClock } from "@slipway/runtime";
import { connectWorkspace } from "@slipway/sdk/browser";
import { ApiClient } from "@slipway/sdk/http";
import { toWebStreams } from "@slipway/tailnet/net/web-streams";

/*
 * A page's client of a workspace: sends bytes to an echo service in the workspace and reports what came back, by
 * which path, and how fast. `browser-page.ts` bundles it.
 */

interface EchoOrder {
  readonly serverUrl: string;
  readonly agentId: string;
  readonly port: number;
  readonly bytes: number;
}

async function echo({ serverUrl, agentId, port, bytes }: EchoOrder): Promise<object> {
  const signal = AbortSignal.timeout(60_000);
  const client = new ApiClient({ serverUrl });
  const options = { client, agentId, clock: webClock, logger: silentLogger, signal };
  await using connection = await connectWorkspace(options);
  const { path } = await connection.ping(signal);
  const { readable, writable } = toWebStreams(await connection.dial(port, signal));
  const sent = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(sent.subarray(at, Math.min(bytes, at + 65_536)));
  }
  const writer = writable.getWriter();
  const writing = writer.write(sent).then(() => writer.close());
  const received = await new Response(readable).bytes();
  await writing;
  return { path: path.kind, isSame: isSame(received, sent) };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

Object.assign(globalThis, { echo });
