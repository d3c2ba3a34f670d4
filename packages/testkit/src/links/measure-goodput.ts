import { TcpPair } from "./tcp-pair.ts";

/** 100 Mbit/s, headers included. */
const bytesPerMs = 12_500;
const limitMs = 600_000;

export interface Transfer {
  readonly rttMs: number;
  /** The share of the data's packets that is lost. */
  readonly lossRate: number;
  readonly queuePackets: number;
  readonly bytes: number;
}

export interface Goodput {
  readonly isFinished: boolean;
  readonly server: TcpPair["server"];
  /** The share of the link's capacity that reached the application. */
  readonly share: number;
}

/** Transfers bytes to a server over a 100 Mbit/s link in virtual time. */
export function measureGoodput({ rttMs, lossRate, queuePackets, bytes }: Transfer): Goodput {
  const link = { delayMs: rttMs / 2, bytesPerMs, queuePackets };
  const pair = new TcpPair({
    seed: 5,
    client: { sendBytes: bytes },
    server: { sendBytes: 0, staysOpen: true },
    link: { toServer: { ...link, lossRate }, toClient: link },
  });
  const start = pair.now;
  const isFinished = pair.run(() => pair.server.isPeerFinished, limitMs);
  return { isFinished, server: pair.server, share: bytes / (pair.now - start) / bytesPerMs };
}
