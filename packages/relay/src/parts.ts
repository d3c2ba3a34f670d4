import type { Clock, Logger } from "@slipway/runtime";

import type { RelayCounters } from "./counters.ts";
import type { RelayCrypto } from "./crypto.ts";
import type { RelayLimits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";

/** Parts that all sessions of a relay use. */
export interface RelayParts {
  readonly crypto: RelayCrypto;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: RelayLimits;
  readonly counters: RelayCounters;
  /** The outboxes that got something, and send it once the chunk at hand is read. */
  readonly outgoing: Outgoing;
}

/** Sends at the end of a chunk what its frames caused, so that each peer gets it in one write. */
export class Outgoing {
  #waiting = new Set<Outbox>();

  add(outbox: Outbox): void {
    this.#waiting.add(outbox);
  }

  flush(): void {
    while (this.#waiting.size > 0) {
      const outboxes = this.#waiting;
      this.#waiting = new Set();
      for (const outbox of outboxes) outbox.flush();
    }
  }
}
