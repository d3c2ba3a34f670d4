import { derpHeaderBytes, payloadLength } from "@slipway/wire/derp/header";

/** The rough memory overhead of a run, in bytes. */
export const runCostBytes = 256;
/** The bytes that a flow may send in its turn while others wait; at least one frame. */
const turnBytes = 8 * 1024;

/** Consecutive frames in one array. */
interface Run {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** The waiting frames of one sender. */
interface Flow {
  readonly key: string;
  readonly runs: Run[];
  /** The cost of all its runs. */
  cost: number;
}

/**
 * Frames that wait for one client, in a flow for each sender. Flows take turns, so that one that sends a lot does not
 * delay others; a full queue drops the oldest frame of its largest flow.
 */
export class FairQueue {
  readonly #flows = new Map<string, Flow>();
  /** The flows in the order of their turns. */
  readonly #turns: Flow[] = [];
  /** The runs added since `settle`, which still lie in the chunk in which they arrived; created on demand. */
  #fresh: Run[] | undefined;
  #cost = 0;

  /** The waiting bytes, including the cost of keeping them. */
  get cost(): number {
    return this.#cost;
  }

  /** Adds the frame from `start` to `end` to a flow. */
  push(flowKey: string, bytes: Uint8Array, start: number, end: number): void {
    let flow = this.#flows.get(flowKey);
    if (flow === undefined) {
      flow = { key: flowKey, runs: [], cost: 0 };
      this.#flows.set(flowKey, flow);
      this.#turns.push(flow);
    }
    const last = flow.runs.at(-1);
    if (last?.bytes === bytes && last.end === start) {
      last.end = end;
      this.#charge(flow, end - start);
      return;
    }
    const run = { bytes, start, end };
    flow.runs.push(run);
    this.#fresh ??= [];
    this.#fresh.push(run);
    this.#charge(flow, end - start + runCostBytes);
  }

  /** Drops the oldest frames of the largest flows until the cost is at most `maxCost`; returns the number of frames. */
  shrink(maxCost: number): number {
    let dropped = 0;
    while (this.#cost > maxCost) {
      const largest = this.#turns.reduce((one, other) => (other.cost > one.cost ? other : one));
      this.#takeFrames(largest, 1);
      dropped += 1;
    }
    return dropped;
  }

  /**
   * Removes frames in the turns of their flows: at least `bytes` if available, and at most a chunk more. Returns
   * views, which the caller then owns.
   */
  take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let missing = bytes;
    while (missing > 0) {
      const flow = this.#turns[0];
      if (flow === undefined) break;
      const isAlone = this.#turns.length === 1;
      let turn = isAlone ? missing : Math.min(turnBytes, missing);
      while (turn > 0 && flow.runs.length > 0) {
        const piece = this.#takeFrames(flow, isAlone ? Infinity : turn);
        taken.push(piece);
        turn -= piece.length;
        missing -= piece.length;
      }
      if (flow.runs.length > 0 && !isAlone) this.#turns.push(...this.#turns.splice(0, 1));
    }
    return taken;
  }

  /** Copies frames that lie in a much larger chunk, so that no more memory is held than is counted. */
  settle(): void {
    for (const run of this.#fresh ?? []) {
      const length = run.end - run.start;
      if (length === 0) continue;
      if (run.bytes.buffer.byteLength <= 2 * length + runCostBytes) continue;
      // `slice` of a Buffer would be a view.
      run.bytes = new Uint8Array(run.bytes.subarray(run.start, run.end));
      run.start = 0;
      run.end = length;
    }
    this.#fresh = undefined;
  }

  clear(): void {
    this.#flows.clear();
    this.#turns.length = 0;
    this.#fresh = undefined;
    this.#cost = 0;
  }

  /** Removes frames from the first run of a flow: as many as fit into `maxBytes`, at least one. */
  #takeFrames(flow: Flow, maxBytes: number): Uint8Array {
    const [run] = flow.runs;
    if (run === undefined) return new Uint8Array(0);
    const { bytes, start } = run;
    let end = run.end;
    if (end - start > maxBytes) {
      end = start + derpHeaderBytes + payloadLength(bytes, start);
      let next = end;
      while (next < run.end) {
        next += derpHeaderBytes + payloadLength(bytes, next);
        if (next - start > maxBytes) break;
        end = next;
      }
    }
    run.start = end;
    const isEmpty = end >= run.end;
    this.#charge(flow, start - end - (isEmpty ? runCostBytes : 0));
    if (isEmpty) flow.runs.shift();
    if (flow.runs.length === 0) this.#remove(flow);
    return bytes.subarray(start, end);
  }

  #charge(flow: Flow, cost: number): void {
    flow.cost += cost;
    this.#cost += cost;
  }

  #remove(flow: Flow): void {
    this.#flows.delete(flow.key);
    this.#turns.splice(this.#turns.indexOf(flow), 1);
  }
}
