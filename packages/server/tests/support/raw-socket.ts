import { connect } from "node:net";

export interface RawAnswer {
  /** 0 if nothing was received. */
  readonly status: number;
  /** The raw body, after the head. */
  readonly body: string;
  readonly text: string;
}

/** Sends arbitrary bytes, and reads until the server closes the connection. */
export async function sendRaw(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => (text += String(chunk)));
  // After a refusal the server stops reading: its reset also ends the connection.
  socket.on("error", () => socket.destroy());
  socket.write(bytes);
  await new Promise((resolve) => {
    socket.once("close", resolve);
  });
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "0");
  return { status, text, body: text.slice(text.indexOf("\r\n\r\n") + 4) };
}
