import { CronError, parseCron } from "@slipway/agent/testing";
import { parseAutostart } from "@slipway/server/testing";
import { windowsOverlap } from "@slipway/template";
import { parseScriptCron, parseWindowCron } from "@slipway/template/testing";

import { expectSame, expectThat } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

/** A winter day, and the hours around the clock changes. */
const times = [
  Date.UTC(2026, 0, 31, 23, 59, 59),
  Date.UTC(2026, 2, 29, 0, 30),
  Date.UTC(2028, 1, 29),
];

/** Schedules: of scripts (server and agent), of prebuilds, of workspaces. */
export const schedulesTarget: FuzzTarget = {
  name: "schedules",
  maxBytes: 256,
  maxMs: 250,
  words: [
    "CRON_TZ=Europe/Berlin ",
    "TZ=UTC ",
    "*/5 ",
    "* ",
    "? ",
    "1-5 ",
    "mon",
    "JAN",
    "0,30 ",
    "L",
    "W",
    "#",
    "@daily",
  ],
  seeds: () =>
    [
      "*/10 * * * *",
      "0 30 9 * * 1-5",
      "CRON_TZ=Europe/Berlin 30 9 * * 1-5",
      "CRON_TZ=UTC 0 0 29 2 *",
      "* 8-18 * * mon-fri",
      "0 0 31 2,4,6 *",
    ].map(utf8),
  check: async (input) => {
    const text = textOf(input);
    await checkScript(text);
    checkWindow(text);
    const autostart = parseAutostart(text);
    if ("problem" in autostart)
      return expectThat(autostart.problem.length < 500, "a message is bounded");
    for (const time of times) expectLater(autostart.schedule.nextAfter(time), time);
  },
};

/** Checks that the agent accepts every script that the server accepts. */
async function checkScript(text: string): Promise<void> {
  const script = parseScriptCron(text);
  if ("problem" in script) {
    expectThat(script.problem.length < 500, "a message is bounded");
    // An older server may send an agent anything else.
    await parseCron(text).catch((error: unknown) => {
      if (!(error instanceof CronError)) throw error;
    });
    return;
  }
  expectSame("a schedule read twice", parseScriptCron(script.cron), script);
  const schedule = await parseCron(script.cron);
  for (const time of times) expectLater(schedule.next(time), time);
}

function checkWindow(text: string): void {
  const [first = "", second = ""] = text.split("\n", 2);
  const window = parseWindowCron(first);
  if ("problem" in window) return expectThat(window.problem.length < 500, "a message is bounded");
  expectThat(windowsOverlap(first, first), "a window overlaps with itself");
  expectSame(
    "an overlap, seen from the other",
    windowsOverlap(second, first),
    windowsOverlap(first, second),
  );
}

function expectLater(next: number | undefined, time: number): void {
  expectThat(next === undefined || next > time, `${next} is later than ${time}`);
}
