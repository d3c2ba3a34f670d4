import { silentLogger } from "@slipway/runtime";
import { ReportBoundaryLogsRequestSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { reportBoundaryLogs } from "./boundary-log-rpc.ts";

const value = { method: "GET", url: "u".repeat(5_000), matchedRule: "r".repeat(5_000) };
const log = { allowed: true, resource: { case: "httpRequest", value } } as const;

/** Reports the logs with a budget for `room` of them; resolves to the lines in our log. */
async function report(
  count: number,
  room = count,
): Promise<readonly (readonly [object, string])[]> {
  const lines: (readonly [object, string])[] = [];
  const note = (fields: object, text: string) => void lines.push([fields, text]);
  const logger = { ...silentLogger, info: note, warn: note };
  const request = createMessage(ReportBoundaryLogsRequestSchema, {
    logs: Array.from({ length: count }, () => log),
    sessionId: "s".repeat(5_000),
    confinedProcessName: "p".repeat(5_000),
  });
  await reportBoundaryLogs({ logger, spend: (_, wanted = 1) => Math.min(wanted, room) }, request);
  return lines;
}

it("cuts each text of what it logs", async () => {
  const [line] = await report(1);
  const texts = Object.values(line?.[0] ?? {}).filter((text) => typeof text === "string");
  expect(texts.length).toBeGreaterThan(0);
  for (const text of texts) expect(text.length).toBeLessThanOrEqual(1024);
});

it("logs what its budget has room for, says how many are left out, and then nothing", async () => {
  const lines = await report(10, 3);
  expect(lines).toHaveLength(4);
  expect(lines[0]).toEqual([{ dropped: 7 }, "boundary requests not logged"]);
  expect(await report(10, 0)).toEqual([]);
});
