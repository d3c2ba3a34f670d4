import { testWireguardPeer } from "./support/wireguard-suite.ts";

/* Our tunnel and network stack against wireguard-go with the kernel's TCP, in a separate network namespace. */

testWireguardPeer("kernel");
