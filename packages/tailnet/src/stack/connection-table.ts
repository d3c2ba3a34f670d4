import { isSameAddress } from "./address.ts";
import type { Endpoint } from "./address.ts";

/** An entry identified by its two ends. */
export interface ConnectionEntry {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Connections by the addresses and ports of both ends. */
export class ConnectionTable<T extends ConnectionEntry> {
  /** By both ports; entries that share them differ in an address. */
  readonly #byPorts = new Map<number, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(
    local: Uint8Array,
    localPort: number,
    remote: Uint8Array,
    remotePort: number,
  ): T | undefined {
    const sharing = this.#byPorts.get(keyOf(localPort, remotePort));
    if (sharing === undefined) return undefined;
    for (const one of sharing) {
      if (isSameAddress(one.remote.address, remote) && isSameAddress(one.local.address, local)) {
        return one;
      }
    }
    return undefined;
  }

  add(connected: T): void {
    const key = keyOf(connected.local.port, connected.remote.port);
    const sharing = this.#byPorts.get(key);
    if (sharing === undefined) this.#byPorts.set(key, [connected]);
    else sharing.push(connected);
    this.#size += 1;
  }

  remove(connected: T): void {
    const key = keyOf(connected.local.port, connected.remote.port);
    const sharing = this.#byPorts.get(key);
    const index = sharing?.indexOf(connected) ?? -1;
    if (sharing === undefined || index < 0) return;
    sharing.splice(index, 1);
    if (sharing.length === 0) this.#byPorts.delete(key);
    this.#size -= 1;
  }

  /** Returns a snapshot of all entries. */
  list(): readonly T[] {
    return [...this.#byPorts.values()].flat();
  }
}

function keyOf(localPort: number, remotePort: number): number {
  return localPort * 0x1_0000 + remotePort;
}
