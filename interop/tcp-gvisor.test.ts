import { testTcpPeer } from "./support/tcp-suite.ts";

/* Our network stack against gVisor's, which the stock agent and command embed. */

testTcpPeer("gvisor");
