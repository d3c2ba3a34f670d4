import { appendFileSync } from "node:fs";

/*
 * Measures, when loaded into a process with `--import`, how long its main thread works between two looks at a timer,
 * in processor time: the delay that the process causes itself, without the load of other processes. Appends the
 * milliseconds of each turn of the event loop that did something to the file in `SLIPWAY_TEST_TURNS`, twice a second.
 */

const path = process.env["SLIPWAY_TEST_TURNS"] ?? "";
const writeEveryMs = 500;
/** The work of a turn that only runs this timer. */
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
