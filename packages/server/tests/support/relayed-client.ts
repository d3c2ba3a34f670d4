import { silentLogger, systemClock } from "@slipway/runtime";
import { nobleCrypto } from "@slipway/tailnet/crypto/noble-crypto";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import type { DerpMap } from "@slipway/tailnet/relay/derp-map";
import { RelayPool } from "@slipway/tailnet/relay/relay-pool";
import { expect, onTestFinished } from "vitest";

/** A client of the relay at a URL, for the duration of the test. */
export class RelayedClient {
  readonly keys = nobleCrypto.createKeyPair();
  readonly received: string[] = [];
  readonly #pool: RelayPool;

  constructor(url: string) {
    this.#pool = new RelayPool({
      identity: this.keys,
      crypto: nobleCrypto,
      clock: systemClock,
      logger: silentLogger,
      dialer: createRelayDialer(),
      onPackets: (_regionId, _source, packets) => {
        this.received.push(...packets.map((packet) => Buffer.from(packet).toString()));
      },
    });
    onTestFinished(() => this.#pool.close());
    this.#pool.setMap(mapAt(url));
    this.#pool.setHome(999);
  }

  send(to: RelayedClient, text: string): void {
    this.#pool.send(999, to.keys.publicKey, [Buffer.from(text)]);
  }
}

function mapAt(url: string): DerpMap {
  const { hostname, port } = new URL(url);
  const node = {
    name: "999b",
    hostName: hostname,
    certName: undefined,
    ipv4: undefined,
    ipv6: undefined,
    port: Number(port),
    isHttp: true,
    isInsecure: false,
    isStunOnly: false,
    stunPort: undefined,
  };
  const region = { regionId: 999, code: "slipway", name: "Slipway", nodes: [node] };
  return {
    regions: new Map([[999, { ...region, isEmbedded: true, shouldAvoid: false }]]),
    scores: new Map(),
  };
}

/** Sends from one client to another until something arrives: links and logins take a moment. */
export async function exchange(
  from: RelayedClient,
  to: RelayedClient,
  text: string,
): Promise<void> {
  await expect
    .poll(
      () => {
        from.send(to, text);
        return to.received.includes(text);
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBe(true);
}
