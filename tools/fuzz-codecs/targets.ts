import type { FuzzTarget } from "./target.ts";
import { agentSessionTarget } from "./targets/agent-session.ts";
import { archivesTarget } from "./targets/archives.ts";
import { bodiesTarget } from "./targets/bodies.ts";
import { bytesTarget } from "./targets/bytes.ts";
import { clientTarget } from "./targets/client.ts";
import { derpTarget } from "./targets/derp.ts";
import { discoTarget } from "./targets/disco.ts";
import { drpcTarget } from "./targets/drpc.ts";
import { expressionsTarget } from "./targets/expressions.ts";
import { identitiesTarget } from "./targets/identities.ts";
import { logBatchesTarget } from "./targets/log-batches.ts";
import { messagesTarget } from "./targets/messages.ts";
import { packetsTarget } from "./targets/packets.ts";
import { peersTarget } from "./targets/peers.ts";
import { requestsTarget } from "./targets/requests.ts";
import { runFramesTarget } from "./targets/run-frames.ts";
import { schedulesTarget } from "./targets/schedules.ts";
import { servicesTarget } from "./targets/services.ts";
import { sshPacketsTarget } from "./targets/ssh-packets.ts";
import { stunTarget } from "./targets/stun.ts";
import { tcpPeerTarget } from "./targets/tcp-peer.ts";
import { templateTarget } from "./targets/template.ts";
import { tunnelTarget } from "./targets/tunnel.ts";
import { wireguardTarget } from "./targets/wireguard.ts";
import { yamuxTarget } from "./targets/yamux.ts";

/** The targets: everything that reads bytes from outside. */
export const targets: readonly FuzzTarget[] = [
  bytesTarget,
  messagesTarget,
  logBatchesTarget,
  yamuxTarget,
  drpcTarget,
  derpTarget,
  stunTarget,
  discoTarget,
  packetsTarget,
  wireguardTarget,
  peersTarget,
  tunnelTarget,
  tcpPeerTarget,
  agentSessionTarget,
  templateTarget,
  expressionsTarget,
  schedulesTarget,
  archivesTarget,
  requestsTarget,
  bodiesTarget,
  clientTarget,
  identitiesTarget,
  runFramesTarget,
  servicesTarget,
  sshPacketsTarget,
];

/** Finds a target. Throws `RangeError` for an unknown name. */
export function findTarget(name: string): FuzzTarget {
  const target = targets.find((one) => one.name === name);
  if (target !== undefined) return target;
  const names = targets.map((one) => one.name).join(", ");
  throw new RangeError(`unknown target "${name}", wanted one of ${names}`);
}
