import { LabProgram } from "./lab-program.ts";
import type { Impairment } from "./layout.ts";
import type { LinkCalls } from "./link-program.ts";
import type { Namespace } from "./namespace.ts";

const source = new URL("./link-program.ts", import.meta.url);

/**
 * Opens a TUN device, `IFF_TUN | IFF_NO_PI`, with the name in the first argument, adds its descriptor to
 * LINK_DEVICES, and executes the program that follows. It is written in Perl because Node.js has no `ioctl`.
 */
const openDevice = `
  $^F = 255;
  open my $device, "+<", "/dev/net/tun" or die "/dev/net/tun: $!";
  ioctl $device, 0x400454ca, pack("a16 S x22", shift, 0x1001) or die "TUNSETIFF: $!";
  $ENV{LINK_DEVICES} .= fileno($device) . " ";
  exec @ARGV or die "$ARGV[0]: $!";
`;

/** The end of a link: a device of this name, created in the namespace. */
export interface LinkEnd {
  readonly namespace: Namespace;
  readonly device: string;
}

/**
 * A link whose packets our own process carries, with delay and loss, because some kernels lack `netem`. It ends with
 * its namespaces at the latest, and so do its devices.
 */
export class ImpairedLink {
  readonly #program: LabProgram<LinkCalls>;

  private constructor(program: LabProgram<LinkCalls>) {
    this.#program = program;
  }

  static async open(near: LinkEnd, far: LinkEnd, impairment: Impairment): Promise<ImpairedLink> {
    const program = await LabProgram.start<LinkCalls>({
      namespace: near.namespace,
      launcher: [...opening(near), ...far.namespace.launcher, ...opening(far)],
      source,
      args: [JSON.stringify(impairment)],
    });
    return new ImpairedLink(program);
  }

  /** Changes the faults; packets in transit are lost. */
  async impair(impairment: Impairment): Promise<void> {
    await this.#program.call("impair", impairment);
  }
}

/** The prefix of a command that opens an end's device for it. */
function opening({ device }: LinkEnd): readonly string[] {
  return ["perl", "-e", openDevice, device];
}
