import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("session.ts", import.meta.url));

/**
 * Plays `round` in 200 pairs of sessions at a time, as if each then rested for a while; returns the bytes that became old
 * in each round of a pair.
 */
async function oldBytes(round: string): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { YamuxSession } from ${JSON.stringify(file)};
    const pairs = Array.from({ length: 200 }, () => [new YamuxSession("server"), new YamuxSession("client")]);
    const collectYoung = () => { gc({ type: "minor" }); gc({ type: "minor" }); };
    const play = (rounds) => {
      for (let round = 0; round < rounds; round += 1) {
        for (const [session, peer] of pairs) { ${round} }
        collectYoung();
      }
    };
    const old = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space").space_used_size;
    play(20);
    const before = old();
    play(50);
    console.log(Math.round((old() - before) / (50 * pairs.length)));`;
  const flags = ["--expose-gc", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  return Number(stdout);
}

it("leaves no garbage among the old objects when an idle session answers a ping", async () => {
  const ping = `
    peer.ping(0);
    session.receive(peer.takeOutput(), 0);
    peer.receive(session.takeOutput(), 0);`;
  expect(await oldBytes(ping)).toBeLessThan(16);
});

it("does not keep a stream that is over until the next one", async () => {
  // What stays are the tables of the open streams, which V8 replaces at every few streams.
  const call = `
    const id = peer.open(0);
    peer.write(id, new Uint8Array(60));
    peer.finish(id);
    for (const event of session.receive(peer.takeOutput(), 0)) {
      if (event.type === "data") session.write(id, new Uint8Array(20));
      if (event.type === "finished") session.finish(id);
    }
    peer.receive(session.takeOutput(), 0);
    session.takeEvents();
    peer.takeEvents();`;
  expect(await oldBytes(call)).toBeLessThan(300);
});
