import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";

/** The growth of the old generation before it is collected completely, in percent of its live size. */
const quietGrowth = 40;
const busyGrowth = 300;
/** The time for which a process counts as busy. */
const busyMs = 30_000;

/**
 * Keeps V8's heap near its live size, for the whole process. By default its young generation grows up to 128 MB in
 * bursts of work, and the old one to a multiple of its size after the last collection. A process keeps that memory,
 * and a busy server is not measurably slower without it. Only the packets of terminals and relays, each in its own
 * buffer, would cause a full collection every few megabytes, taking half of the server's time: the old generation may
 * grow further for a while once V8 has collected it `busyCollections` times per second of processor time.
 */
export function limitHeap(busyCollections = 5): void {
  // V8 reads them whenever a generation might grow.
  setFlagsFromString("--semi-space-growth-factor=1");
  setGrowth(quietGrowth);
  let isBusy = false;
  let times: readonly number[] = [];
  const observer = new PerformanceObserver((list) => {
    if (isBusy) return;
    const nowMs = processorMs();
    const found = list.getEntries().filter(isOfEverything);
    times = [...times, ...found.map(() => nowMs)].slice(-busyCollections);
    const [first, last] = [times[0], times[busyCollections - 1]];
    if (first === undefined || last === undefined || last - first > 1_000) return;
    isBusy = true;
    times = [];
    setGrowth(busyGrowth);
    setTimeout(() => {
      isBusy = false;
      setGrowth(quietGrowth);
    }, busyMs).unref();
  });
  observer.observe({ entryTypes: ["gc"] });
}

/** Returns the processor time of this process: a slow machine does less per second, but not other things. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function isOfEverything(entry: PerformanceEntry): boolean {
  const detail: unknown = Reflect.get(entry, "detail");
  const { NODE_PERFORMANCE_GC_MAJOR: major } = constants;
  return typeof detail === "object" && detail !== null && Reflect.get(detail, "kind") === major;
}

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
