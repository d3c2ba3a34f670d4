import type { RouterPlan } from "./layout.ts";
import { uplinkDevice } from "./uplink.ts";

/** The table and the chain of redirected connections. */
export const interceptChain = "ip laboratory intercept";

/** Returns the rules of a router, for `nft`. */
export function firewallRules({ nat, udp }: RouterPlan): string {
  const isHidden = nat !== undefined;
  return `table ip laboratory {
    ${chain("input", "filter hook input priority 0", isHidden ? onlyAnswers : [])}
    ${chain("forward", "filter hook forward priority 0", [
      ...(udp === "blocked" ? ["meta l4proto udp drop"] : []),
      ...(isHidden ? onlyAnswers : []),
    ])}
    ${chain("intercept", "nat hook prerouting priority -100", [])}
    ${chain("translate", "nat hook postrouting priority 100", translation[nat ?? "none"])}
  }`;
}

/** Without them a packet that comes before its answer would claim the port that the answer needs. */
const onlyAnswers = [
  `iifname ${uplinkDevice} ct state established,related accept`,
  `iifname ${uplinkDevice} drop`,
] as const;

const translation = {
  none: [],
  "endpoint-independent": [`oifname ${uplinkDevice} masquerade`],
  "address-dependent": [`oifname ${uplinkDevice} masquerade fully-random`],
} as const;

function chain(name: string, hook: string, rules: readonly string[]): string {
  return `chain ${name} {
      type ${hook}
      ${rules.join("\n      ")}
    }`;
}
