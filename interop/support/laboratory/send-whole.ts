import type { Host } from "@slipway/testkit/netlab";
import { internetAddresses } from "@slipway/testkit/netlab";

import { ports } from "./ports.ts";

/** Sends a datagram that must not be fragmented, `IP_MTU_DISCOVER` = `IP_PMTUDISC_DO`; Node.js has no `setsockopt`. */
const program = `
  use Socket;
  my ($host, $port, $bytes) = @ARGV;
  socket my $socket, PF_INET, SOCK_DGRAM, 0 or die "socket: $!";
  setsockopt $socket, 0, 10, pack("i", 2) or die "setsockopt: $!";
  connect $socket, pack_sockaddr_in($port, inet_aton($host)) or die "connect: $!";
  alarm 5;
  defined send $socket, "x" x $bytes, 0 or print("$!"), exit;
  recv $socket, my $echo, 65536, 0;
  print length $echo;
`;

/** Sends a datagram to the internet's echo in one packet; returns the length of the echo, or the error. */
export async function sendWhole({ namespace }: Host, bytes: number): Promise<string> {
  const args = ["-e", program, internetAddresses[0], String(ports.echo), String(bytes)];
  const { stdout } = await namespace.run("perl", args, {
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  return stdout;
}
