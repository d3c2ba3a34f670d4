import type { TcpFlow } from "./connection-options.ts";
import { noOptions } from "./options.ts";
import type { SegmentOptions } from "./options.ts";
import { writeChecksum, writeHeader } from "./segment.ts";

/** The fields that differ from segment to segment of a connection. */
export interface SegmentFields {
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  readonly options: SegmentOptions;
}

/** Writes the segments of one connection. */
export class SegmentWriter {
  readonly #flow: TcpFlow;

  constructor(flow: TcpFlow) {
    this.#flow = flow;
  }

  /** Writes a header to `target` at `at` and returns the offset of the payload. */
  begin(fields: SegmentFields, target: Uint8Array, at: number): number {
    return writeHeader(target, at, {
      sourcePort: this.#flow.localPort,
      destinationPort: this.#flow.remotePort,
      sequence: fields.sequence,
      acknowledgment: fields.acknowledgment,
      flags: fields.flags,
      window: fields.window,
      options: fields.options,
    });
  }

  /** Writes the checksum of the segment that ends at `end`, and returns its length. */
  end(target: Uint8Array, at: number, end: number): number {
    writeChecksum(target, at, end, this.#flow.addressSum);
    return end - at;
  }

  /** Writes a segment without payload and returns its length. */
  empty(fields: SegmentFields, target: Uint8Array, at: number): number {
    return this.end(target, at, this.begin(fields, target, at));
  }

  /** Writes a segment that carries only flags: a RST. */
  bare(
    flags: number,
    sequence: number,
    acknowledgment: number,
    target: Uint8Array,
    at: number,
  ): number {
    const fields = { sequence, acknowledgment, flags, window: 0, options: noOptions };
    return this.empty(fields, target, at);
  }
}
