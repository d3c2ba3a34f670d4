import { testWireguardPeer } from "./support/wireguard-suite.ts";

/* Our tunnel and network stack against wireguard-go with gVisor's TCP. */

testWireguardPeer("gvisor");
