/** Node's WebSocket takes headers; a browser's sends its cookies instead. */
type SocketConstructor = new (
  url: string,
  options?: { readonly headers?: Readonly<Record<string, string>> },
) => WebSocket;

/** Creates a WebSocket to an `http` or `https` address. */
export function createWebSocket(url: string, headers: Readonly<Record<string, string>>): WebSocket {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types know the browser's form only
  const Constructor = WebSocket as unknown as SocketConstructor;
  return new Constructor(url.replace(/^http/, "ws"), { headers });
}
