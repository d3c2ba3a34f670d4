import type { BudgetRate } from "@slipway/runtime";

/**
 * Limits on what a peer can make us hold and send. A ping to an address that the peer merely claims is 30 times as
 * long as the claim, so claims are few and pings have a budget.
 */
export interface PathLimits {
  /** The addresses of one peer from each source: its node, its last call, its own pings (default: 16). */
  readonly maxAddressesPerSource: number;
  /** The unanswered pings of one peer (default: 96): the oldest makes room. */
  readonly maxPings: number;
  /** The waiting explicit pings of one peer (default: 32): further ones are refused. */
  readonly maxExplicitPings: number;
  /** The remembered pings of one peer, so that none is answered twice (default: 256). */
  readonly maxAnswered: number;
  /** The pings over UDP to one peer: as a burst, and per second (default: 48 and 8). */
  readonly pings: BudgetRate;
  /** The same to all peers together (default: 512 and 256). */
  readonly allPings: BudgetRate;
  /** The pongs to one peer (default: 64 and 32). */
  readonly pongs: BudgetRate;
  /** The calls of one peer that are handled (default: 8 and 1); a peer calls once per round. */
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

/** The processor time of a received datagram apart from its bytes, expressed in bytes of equal cost. */
export const receivedCostBytes = 512;
/** The maximum cost of waiting datagrams: of one sender (a receive window of full ones), and in total. */
export const maxReceivedCostPerSender = 4 * 1024 * 1024;
export const maxReceivedCost = 32 * 1024 * 1024;
