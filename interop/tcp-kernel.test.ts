import { testTcpPeer } from "./support/tcp-suite.ts";

/* Our network stack against the kernel's, behind a TUN device in a separate network namespace. */

testTcpPeer("kernel");
