import { appendFileSync } from "node:fs";

/*
 * Loaded into a process with `--import`, notes how long its main thread works before it looks at a timer again, in processor
 * time: what others wait for because of the process itself, and not because of whoever else has the processor. Appends to
 * the file that `SLIPWAY_TEST_TURNS` names, twice a second, the milliseconds of each turn of the event loop that did something.
 */

const path = process.env["SLIPWAY_TEST_TURNS"] ?? "";
const writeEveryMs = 500;
/** The work of a turn that only finds this timer. */
const leastMs = 0.05;

let turns: number[] = [];
let before = usedMs();
setInterval(() => {
  const now = usedMs();
  if (now - before >= leastMs) turns.push(Number((now - before).toFixed(3)));
  before = now;
}, 1).unref();
setInterval(() => {
  if (turns.length > 0) appendFileSync(path, `${JSON.stringify(turns)}\n`);
  turns = [];
}, writeEveryMs).unref();

function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
