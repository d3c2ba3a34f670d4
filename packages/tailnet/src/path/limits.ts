import type { BudgetRate } from "@slipway/runtime";

/**
 * Limits of what a peer can make us hold and send. A ping to an address that the peer only claims is 30 times as long as
 * the claim, so claims are few and pings have a budget.
 */
export interface PathLimits {
  /** The addresses of one peer from each source: its node, its last call, its own pings (default: 16). */
  readonly maxAddressesPerSource: number;
  /** The pings of one peer without a pong so far (default: 96): the oldest makes room. */
  readonly maxPings: number;
  /** The explicit pings of one peer that wait (default: 32): further ones are refused. */
  readonly maxExplicitPings: number;
  /** The pings of one peer that are remembered, so that none is answered twice (default: 256). */
  readonly maxAnswered: number;
  /** The pings over UDP to one peer: at once, and then in each second (default: 48 and 8). */
  readonly pings: BudgetRate;
  /** The same to all peers together (default: 512 and 256). */
  readonly allPings: BudgetRate;
  /** The pongs to one peer (default: 64 and 32). */
  readonly pongs: BudgetRate;
  /** The calls of one peer that are read (default: 8 and 1); it calls once in a round. */
  readonly calls: BudgetRate;
}

export const defaultPathLimits: PathLimits = {
  maxAddressesPerSource: 16,
  maxPings: 96,
  maxExplicitPings: 32,
  maxAnswered: 256,
  pings: { burst: 48, perSecond: 8 },
  allPings: { burst: 512, perSecond: 256 },
  pongs: { burst: 64, perSecond: 32 },
  calls: { burst: 8, perSecond: 1 },
};

/** The processor time that a received datagram takes besides its bytes, in the bytes that take as much. */
export const receivedCostBytes = 512;
/** The cost of the datagrams that may wait for their turn, of one sender: a receive window of full ones; and of all. */
export const maxReceivedCostPerSender = 4 * 1024 * 1024;
export const maxReceivedCost = 32 * 1024 * 1024;
