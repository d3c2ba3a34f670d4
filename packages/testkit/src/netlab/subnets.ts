/** The subnets of a block of 256 addresses. */
const subnetsPerBlock = 16;
const addressesPerSubnet = 256 / subnetsPerBlock;
/** All addresses but the network's, the gateway's and the broadcast address. */
const hostsPerSubnet = addressesPerSubnet - 3;

/** A block of 256 IPv4 addresses, such as `192.0.2`, allocated in subnets. */
export class AddressBlock {
  readonly #prefix: string;
  #taken = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Returns the next subnet. Throws when all are allocated. */
  take(): Subnet {
    if (this.#taken === subnetsPerBlock) {
      throw new Error(`${this.#prefix}.0/24 has ${String(subnetsPerBlock)} subnets, wanted more`);
    }
    const subnet = new Subnet(this.#prefix, this.#taken * addressesPerSubnet);
    this.#taken += 1;
    return subnet;
  }
}

/** The addresses of one link: the first is the gateway's, the others are the host's, used in turn. */
export class Subnet {
  /** The length of its prefix. */
  readonly bits = 28;
  readonly #prefix: string;
  readonly #first: number;
  #hosts = 0;

  constructor(prefix: string, first: number) {
    this.#prefix = prefix;
    this.#first = first;
  }

  get network(): string {
    return `${this.#prefix}.${String(this.#first)}/${String(this.bits)}`;
  }

  get gateway(): string {
    return `${this.#prefix}.${String(this.#first + 1)}`;
  }

  /** Returns the next address of the host; the first follows the last. */
  nextHost(): string {
    const host = this.#hosts % hostsPerSubnet;
    this.#hosts += 1;
    return `${this.#prefix}.${String(this.#first + 2 + host)}`;
  }
}
