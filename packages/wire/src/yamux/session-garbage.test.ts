import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const file = fileURLToPath(new URL("session.ts", import.meta.url));

/** Answers a ping of each session's peer in every round, and prints the bytes that became old for each answer. */
const program = `
  import { getHeapSpaceStatistics } from "node:v8";
  import { YamuxSession } from ${JSON.stringify(file)};
  const sessions = Array.from({ length: 200 }, () => new YamuxSession("server"));
  const peer = new YamuxSession("client");
  const collectYoung = () => { gc({ type: "minor" }); gc({ type: "minor" }); };
  const play = (rounds) => {
    for (let round = 0; round < rounds; round += 1) {
      for (const session of sessions) {
        peer.ping(0);
        session.receive(peer.takeOutput(), 0);
        peer.receive(session.takeOutput(), 0);
      }
      collectYoung();
    }
  };
  const old = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space").space_used_size;
  play(20);
  const before = old();
  play(50);
  console.log(Math.round((old() - before) / (50 * sessions.length)));`;

it("leaves no garbage among the old objects when an idle session answers a ping", async () => {
  const flags = ["--expose-gc", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  expect(Number(stdout)).toBeLessThan(16);
});
