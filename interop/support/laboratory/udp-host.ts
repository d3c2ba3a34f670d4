import { type Host, LabProgram } from "@slipway/testkit/netlab";

/** The calls to a UDP socket on a lab host, answered by `udp-program.ts`. */
export interface UdpCalls {
  /**
   * Asks both STUN servers of the internet and returns the address that each sees; null for one that does not answer.
   */
  mapped(): Promise<readonly (string | null)[]>;
  /** Sends a text to the echo of the internet; returns whether it came back. */
  echoes(text: string): Promise<boolean>;
  /** Sends datagrams to the echo. */
  ping(plan: PingPlan): Promise<Echoes>;
  /**
   * Sends for a second to a peer that does the same, and to the addresses from which it sends; returns whether
   * anything from it has arrived.
   */
  punch(to: string): Promise<boolean>;
}

export interface PingPlan {
  readonly count: number;
  /** The maximum number of datagrams per millisecond. */
  readonly perMs: number;
  /** The time to wait for the last echoes. */
  readonly patienceMs: number;
}

export interface Echoes {
  readonly received: number;
  /** The shortest round trip; null if nothing came back. */
  readonly leastMs: number | null;
}

/** A UDP socket on a host. */
export interface UdpHost extends UdpCalls {
  /** The port of the socket on its host. */
  readonly port: number;
}

/** Opens a UDP socket; the laboratory closes it. */
export async function openUdpHost({ namespace }: Host): Promise<UdpHost> {
  const source = new URL("./udp-program.ts", import.meta.url);
  const program = await LabProgram.start<UdpCalls>({ namespace, source });
  return {
    port: Number(program.greeting),
    mapped: () => program.call("mapped", undefined),
    echoes: (text) => program.call("echoes", text),
    ping: (plan) => program.call("ping", plan),
    punch: (to) => program.call("punch", to),
  };
}
