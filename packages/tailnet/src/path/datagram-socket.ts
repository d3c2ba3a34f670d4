import type { UdpAddress } from "./udp-address.ts";

/** Receives the datagrams of one source. They belong to the receiver, which may change them. */
export type DatagramReceiver = (datagrams: readonly Uint8Array[], source: UdpAddress) => void;

/** A UDP socket of one or both families. Its opener closes it. */
export interface DatagramSocket {
  /** The local port of each family; undefined if the machine lacks the family. */
  readonly ports: { readonly ipv4: number | undefined; readonly ipv6: number | undefined };
  /** Returns the current addresses of the interfaces. */
  localAddresses(): readonly string[];
  /** Resolves a name to addresses; none for an unknown one. */
  lookup(hostName: string): Promise<readonly string[]>;
  /**
   * Sends datagrams as one batch. They must not change afterward, since the system may delay them. Datagrams that
   * cannot be sent are dropped, as by any network.
   */
  send(datagrams: readonly Uint8Array[], to: UdpAddress): void;
  /**
   * Sends a datagram, and returns true if it is known to have been sent in one piece. A datagram that would be
   * fragmented should not be sent. A socket without this method cannot tell.
   */
  sendWhole?(datagram: Uint8Array, to: UdpAddress): boolean;
  /** Hands datagrams to `receiver` from now on, replacing the previous receiver. */
  onDatagrams(receiver: DatagramReceiver | undefined): void;
}
