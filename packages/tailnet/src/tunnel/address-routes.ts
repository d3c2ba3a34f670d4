import { encodeHex } from "@slipway/wire/bytes/hex";
import { ipv6AddressBytes } from "@slipway/wire/ip/ipv6";

/**
 * Owners by IPv6 address. An address belongs to the last owner that it was given to (docs/protocol/tailnet.md §1.4).
 * Packets of one batch mostly share an address, so the previous one is compared before the map is searched.
 */
export class AddressRoutes<T> {
  readonly #owners = new Map<string, T>();
  readonly #addresses = new Map<T, readonly string[]>();
  readonly #last = new Uint8Array(ipv6AddressBytes);
  #lastOwner: T | undefined;

  /** Gives an owner these addresses, and removes its others. */
  assign(owner: T, addresses: readonly Uint8Array[]): void {
    this.remove(owner);
    const texts = addresses.map((address) => encodeHex(address));
    for (const text of texts) this.#owners.set(text, owner);
    this.#addresses.set(owner, texts);
  }

  remove(owner: T): void {
    for (const text of this.#addresses.get(owner) ?? []) {
      if (this.#owners.get(text) === owner) this.#owners.delete(text);
    }
    this.#addresses.delete(owner);
    this.#lastOwner = undefined;
  }

  /** Returns the owner of the address at `offset`. */
  find(bytes: Uint8Array, offset: number): T | undefined {
    const last = this.#last;
    if (this.#lastOwner !== undefined) {
      let at = 0;
      while (at < ipv6AddressBytes && bytes[offset + at] === last[at]) at += 1;
      if (at === ipv6AddressBytes) return this.#lastOwner;
    }
    const address = bytes.subarray(offset, offset + ipv6AddressBytes);
    const owner = this.#owners.get(encodeHex(address));
    if (owner !== undefined) {
      last.set(address);
      this.#lastOwner = owner;
    }
    return owner;
  }
}
