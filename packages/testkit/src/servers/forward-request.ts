import { type IncomingMessage, request, type ServerResponse } from "node:http";

/** Passes a request on to a port of this machine with these headers, and its answer back. */
export function forwardRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { port, headers }: { readonly port: number; readonly headers: IncomingMessage["headers"] },
): void {
  const { method = "", url = "" } = incoming;
  const onward = request({ host: "127.0.0.1", port, method, path: url, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
