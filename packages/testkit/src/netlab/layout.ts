/** A network to open: hosts, and the routers in front of some. Names are unique across both. */
export interface Layout {
  readonly hosts: Readonly<Record<string, HostPlan>>;
  readonly routers?: Readonly<Record<string, RouterPlan>>;
}

/** The link from a host or a router to the next router or to the internet. */
export interface UplinkPlan {
  /** The longest packet in bytes (default: 1,500). */
  readonly mtu?: number;
  /** The faults of the link (default: none, at the speed of the machine). */
  readonly impairment?: Impairment;
}

export interface Impairment {
  readonly rttMs: number;
  /** The share of packets that is lost in each direction. */
  readonly lossRate: number;
  /** The bytes that each direction carries per millisecond (default: 12,500, which is 100 Mbit/s). */
  readonly bytesPerMs?: number;
  /** The capacity of each direction's queue in packets; later packets are dropped (default: 256). */
  readonly queuePackets?: number;
  /** The seed of the losses (default: 1). */
  readonly seed?: number;
}

export interface HostPlan extends UplinkPlan {
  /** The router in front of the host (default: attached to the internet). */
  readonly behind?: string;
}

export interface RouterPlan extends UplinkPlan {
  /**
   * Hides the addresses of its hosts. `endpoint-independent` keeps the source port for every destination;
   * `address-dependent` picks a random one per destination. Both admit only answers (default: the hosts have public
   * addresses, and everything is admitted).
   */
  readonly nat?: "endpoint-independent" | "address-dependent";
  /** Drops UDP silently (default: it passes). */
  readonly udp?: "blocked";
  /** Drops packet fragments silently (default: they pass). */
  readonly fragments?: "blocked";
}
