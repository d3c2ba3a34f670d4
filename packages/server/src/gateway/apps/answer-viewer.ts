import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished, pipeline } from "node:stream/promises";

import { wantsTrailers } from "./request-headers.ts";
import { viewedTrailers } from "./response-headers.ts";

/** The time for the other side of an upgraded connection to end too. */
const halfClosedMs = 10_000;

/** Sends an app's response to its viewer as fast as the viewer takes it; ends when either leaves. */
export async function answerViewer(
  answer: IncomingMessage,
  response: ServerResponse,
  headers: readonly string[],
): Promise<void> {
  const reason = (answer.statusMessage ?? "").replaceAll(/[^\t\x20-\x7e]/g, "");
  response.writeHead(answer.statusCode ?? 502, reason, [...headers]);
  // A stream of events may begin long before its first event. `flushHeaders` would encode the header as UTF-8, but its
  // characters are bytes.
  response.write("", "latin1");
  try {
    await pipeline(answer, response, { end: false });
    if (wantsTrailers(response.req)) response.addTrailers(viewedTrailers(answer));
    response.end();
    await finished(response);
  } catch {
    // One of them has broken off.
    response.destroy();
  }
}

/** Carries bytes between a viewer and an app that have agreed on another protocol, until both have ended. */
export async function joinUpgraded(
  viewer: Socket,
  answer: IncomingMessage,
  { headers, stream, head }: Upgraded,
): Promise<void> {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  viewer.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (head.length > 0) stream.unshift(head);
  const ends = [pipeline(viewer, stream), pipeline(stream, viewer)];
  try {
    await Promise.race(ends);
    const timer = setTimeout(() => stream.destroy(), halfClosedMs);
    await Promise.all(ends).finally(() => clearTimeout(timer));
  } catch {
    // One of them has broken off.
  } finally {
    viewer.destroy();
    stream.destroy();
    await Promise.allSettled(ends);
  }
}

interface Upgraded {
  readonly headers: readonly string[];
  readonly stream: Duplex;
  readonly head: Buffer;
}
