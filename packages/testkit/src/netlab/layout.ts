/** A network to open: hosts, and the routers before some of them. Names are unique among both. */
export interface Layout {
  readonly hosts: Readonly<Record<string, HostPlan>>;
  readonly routers?: Readonly<Record<string, RouterPlan>>;
}

/** The way from a host or a router to the next router, or to the internet. */
export interface UplinkPlan {
  /** The longest packet in bytes (default: 1,500). */
  readonly mtu?: number;
  /** The faults of the link (default: none, at the speed of the machine). */
  readonly impairment?: Impairment;
}

export interface Impairment {
  readonly rttMs: number;
  /** The part of the packets that is lost in each direction. */
  readonly lossRate: number;
  /** The bytes that each direction carries in a millisecond (default: 12,500, which is 100 Mbit/s). */
  readonly bytesPerMs?: number;
  /** The packets that wait for their turn in each direction; further ones are dropped (default: 256). */
  readonly queuePackets?: number;
  /** The seed of the losses (default: 1). */
  readonly seed?: number;
}

export interface HostPlan extends UplinkPlan {
  /** The router before it (default: it is attached to the internet). */
  readonly behind?: string;
}

export interface RouterPlan extends UplinkPlan {
  /**
   * Hides the addresses of its hosts. `endpoint-independent` keeps the source port whoever the destination is;
   * `address-dependent` takes a random one for each destination. Both let in only what answers (default: the addresses of
   * its hosts are public, and everything is let in).
   */
  readonly nat?: "endpoint-independent" | "address-dependent";
  /** Drops UDP silently (default: it passes). */
  readonly udp?: "blocked";
  /** Drops fragments of packets silently (default: they pass). */
  readonly fragments?: "blocked";
}
