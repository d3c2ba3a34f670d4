import type { UdpAddress } from "./udp-address.ts";

/** Takes the datagrams of one source. They are the receiver's: it may change them. */
export type DatagramReceiver = (datagrams: readonly Uint8Array[], source: UdpAddress) => void;

/** A UDP socket of one or both families. Whoever opens it closes it. */
export interface DatagramSocket {
  /** The local port of each family; undefined if the machine does not have it. */
  readonly ports: { readonly ipv4: number | undefined; readonly ipv6: number | undefined };
  /** Returns the addresses of the interfaces as they are now. */
  localAddresses(): readonly string[];
  /** Resolves a name to addresses; none for an unknown one. */
  lookup(hostName: string): Promise<readonly string[]>;
  /**
   * Sends datagrams in one go, which must not change from then on: they may wait for the machine. What cannot be sent is
   * dropped, as by any network.
   */
  send(datagrams: readonly Uint8Array[], to: UdpAddress): void;
  /**
   * Sends a datagram, and returns true if it is known that the machine did so in one piece. One that would have to be cut is
   * better not sent. Without this method that is unknown (default).
   */
  sendWhole?(datagram: Uint8Array, to: UdpAddress): boolean;
  /** Hands datagrams to `receiver` from now on, in place of the previous one. */
  onDatagrams(receiver: DatagramReceiver | undefined): void;
}
