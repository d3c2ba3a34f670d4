import { type Host, LabProgram } from "@slipway/testkit/netlab";

/** The calls to a UDP socket on a host of the laboratory, which `udp-program.ts` answers. */
export interface UdpCalls {
  /** Asks both STUN servers of the internet, and returns the address that each sees; null where none answers. */
  mapped(): Promise<readonly (string | null)[]>;
  /** Sends a text to the echo of the internet; returns whether it came back. */
  echoes(text: string): Promise<boolean>;
  /** Sends datagrams to the echo. */
  ping(plan: PingPlan): Promise<Echoes>;
  /**
   * Sends for a second to a peer that does the same, and to the addresses from which it sends; returns whether anything of
   * it has come.
   */
  punch(to: string): Promise<boolean>;
}

export interface PingPlan {
  readonly count: number;
  /** The datagrams of a millisecond, at most. */
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
  /** The port of the socket, as its host knows it. */
  readonly port: number;
}

/** Opens a UDP socket, which the laboratory closes. */
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
