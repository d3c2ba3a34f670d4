import { type Host, LabProgram } from "@slipway/testkit/netlab";

/** The calls to an HTTP client on a lab host, answered by `http-program.ts`; its server is on the internet. */
export interface HttpCalls {
  /** Requests a path and returns the body of the response. */
  get(path: string): Promise<string>;
  /** Requests an upgrade and returns the status. */
  upgrade(protocol: string): Promise<number>;
  /** Sends a text over a new WebSocket and returns the answer. */
  echo(text: string): Promise<string>;
}

/** Opens a client; the laboratory closes it. */
export async function openHttpHost({ namespace }: Host): Promise<HttpCalls> {
  const source = new URL("./http-program.ts", import.meta.url);
  const program = await LabProgram.start<HttpCalls>({ namespace, source });
  return {
    get: (path) => program.call("get", path),
    upgrade: (protocol) => program.call("upgrade", protocol),
    echo: (text) => program.call("echo", text),
  };
}
