import type { DatagramSocket } from "./datagram-socket.ts";
import { areSameEndpoints, haveSameEndpoints, joinEndpoints, localEndpoints } from "./endpoints.ts";
import { StunClient, type UdpReport } from "./stun-client.ts";
import { activeMs } from "./timing.ts";
import { isIpv6, type UdpAddress } from "./udp-address.ts";

/** The random interval between lookups of our endpoints, while data flows (docs/protocol/tailnet.md §2.7). */
const lookUpAgainMs = { least: 20_000, most: 26_000 } as const;
/**
 * The interval between checks of this machine's addresses, while data flows. Stock peers trust a former address for
 * 6.5 s, and soon give up a connection whose data is not acknowledged.
 */
const checkAddressesMs = 1_000;

export interface EndpointFinderNeeds {
  readonly socket: Pick<DatagramSocket, "ports" | "localAddresses" | "send">;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Receives the endpoints after each lookup. */
  readonly onFound: (addresses: readonly UdpAddress[]) => void;
  /** Receives the endpoints whenever they have changed. */
  readonly onChanged: (addresses: readonly UdpAddress[]) => void;
  /** Called when this machine's addresses have changed. */
  readonly onNetworkChanged: () => void;
}

/** Finds our own endpoints: addresses of this machine, and those that STUN servers see. */
export class EndpointFinder {
  readonly #needs: EndpointFinderNeeds;
  readonly #stun: StunClient;
  #servers: readonly UdpAddress[] = [];
  /** The addresses of this machine; undefined before the first check. */
  #local: readonly UdpAddress[] | undefined;
  #endpoints: readonly UdpAddress[] | undefined;
  #activeAt = Number.NEGATIVE_INFINITY;
  /** The time of the next lookup; undefined while nothing is sent. */
  #nextLookUp: number | undefined;
  /** The time of the next check of our addresses; undefined while nothing is sent. */
  #nextCheck: number | undefined;

  constructor(needs: EndpointFinderNeeds) {
    this.#needs = needs;
    this.#stun = new StunClient(needs.randomBytes);
  }

  get report(): UdpReport {
    return this.#stun.report;
  }

  get nextWake(): number | undefined {
    const { nextWake = this.#nextLookUp } = this.#stun;
    if (nextWake === undefined || this.#nextCheck === undefined) return nextWake ?? this.#nextCheck;
    return Math.min(nextWake, this.#nextCheck);
  }

  setServers(servers: readonly UdpAddress[], now: number): void {
    const { ipv4, ipv6 } = this.#needs.socket.ports;
    this.#servers = servers.filter(({ address }) =>
      isIpv6(address) ? ipv6 !== undefined : ipv4 !== undefined,
    );
    this.#begin(now);
  }

  /** Looks up the endpoints, unless a lookup is running. */
  lookUp(now: number): void {
    if (!this.#stun.isRunning) this.#begin(now);
  }

  /** Forgets what STUN servers saw in another network. */
  forget(): void {
    this.#stun.forget();
  }

  /** Notes that data is sent: endpoints stay fresh while it is. */
  noteSent(now: number): void {
    this.#activeAt = now;
    this.#nextCheck ??= now + checkAddressesMs;
    if (this.#nextLookUp === undefined) this.lookUp(now);
  }

  /** Handles a datagram; returns false if it is not STUN. */
  receive(datagram: Uint8Array, source: UdpAddress, now: number): boolean {
    const isTaken = this.#stun.receive(datagram, source, now);
    if (isTaken) this.#proceed(now);
    return isTaken;
  }

  tick(now: number): void {
    this.#checkAddresses(now);
    if (this.#stun.isRunning) this.#proceed(now);
    else if (this.#nextLookUp !== undefined && now >= this.#nextLookUp) {
      this.#nextLookUp = undefined;
      if (now - this.#activeAt < activeMs) this.#begin(now);
    }
  }

  #begin(now: number): void {
    const { least, most } = lookUpAgainMs;
    const [random = 0] = this.#needs.randomBytes(1);
    this.#nextLookUp = now + least + ((most - least) * random) / 255;
    const before = this.#local;
    this.#local = localEndpoints(this.#needs.socket);
    const isChanged = before !== undefined && !haveSameEndpoints(before, this.#local);
    if (isChanged) this.#stun.forget();
    this.#stun.start(this.#servers, now);
    this.#proceed(now);
    if (isChanged) this.#needs.onNetworkChanged();
  }

  /** Starts over if this machine's addresses have changed since the last lookup. */
  #checkAddresses(now: number): void {
    if (this.#nextCheck === undefined || now < this.#nextCheck) return;
    this.#nextCheck = now - this.#activeAt < activeMs ? now + checkAddressesMs : undefined;
    if (this.#local === undefined) return;
    if (!haveSameEndpoints(this.#local, localEndpoints(this.#needs.socket))) this.#begin(now);
  }

  /** Sends the requests of a running round, or announces its findings. */
  #proceed(now: number): void {
    if (!this.#stun.isRunning) return;
    for (const { to, datagram } of this.#stun.tick(now)) {
      this.#needs.socket.send([datagram], to);
    }
    if (!this.#stun.isRunning) this.#announce(now);
  }

  #announce(now: number): void {
    const endpoints = joinEndpoints(this.#stun.mapped(now), this.#local ?? []);
    const isChanged =
      this.#endpoints === undefined || !areSameEndpoints(this.#endpoints, endpoints);
    this.#endpoints = endpoints;
    this.#needs.onFound(endpoints);
    if (isChanged) this.#needs.onChanged(endpoints);
  }
}
