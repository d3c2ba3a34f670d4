import { read, writeSync } from "node:fs";
import { promisify } from "node:util";

import { answerCalls } from "./answer-calls.ts";
import type { Impairment } from "./layout.ts";
import { TimedLink } from "./timed-link.ts";

/*
 * The process of one link: it carries packets between the TUN devices of two namespaces, whose descriptors are in
 * LINK_DEVICES. Its argument is the impairment as JSON.
 */

const maxPacketBytes = 65_536;
const readDevice = promisify(read);
const [nearDevice = 0, farDevice = 0] = (process.env["LINK_DEVICES"] ?? "")
  .split(" ")
  .filter(Boolean)
  .map(Number);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ImpairedLink` wrote it
const first = JSON.parse(process.argv[2] ?? "") as Impairment;
const toFar = new TimedLink(first, seedOf(first, 0), (packet) => write(farDevice, packet));
const toNear = new TimedLink(first, seedOf(first, 1), (packet) => write(nearDevice, packet));

/** The calls that a link's program answers. */
export interface LinkCalls {
  impair(next: Impairment): void;
}

const calls: LinkCalls = {
  impair: (next) => {
    toFar.impair(next, seedOf(next, 0));
    toNear.impair(next, seedOf(next, 1));
  },
};

answerCalls("ready", calls);
await Promise.all([pump(nearDevice, toFar), pump(farDevice, toNear)]);

/** Each direction loses different packets. */
function seedOf({ seed = 1 }: Impairment, direction: 0 | 1): number {
  return 2 * seed + direction;
}

async function pump(device: number, link: TimedLink): Promise<void> {
  const buffer = new Uint8Array(maxPacketBytes);
  for (;;) {
    const { bytesRead } = await readDevice(device, buffer, 0, buffer.length, null);
    link.send(buffer.subarray(0, bytesRead));
  }
}

function write(device: number, packet: Uint8Array): void {
  try {
    writeSync(device, packet);
  } catch {
    // The link is cut: its device is down.
  }
}
