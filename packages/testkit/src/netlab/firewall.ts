import type { RouterPlan } from "./layout.ts";
import { uplinkDevice } from "./uplink.ts";

/** Chains that a router fills, each with its table: for redirected connections and for dropped packets. */
export const interceptChain = "ip laboratory intercept";
export const blockChain = "ip laboratory block";

/** Returns a router's rules for `nft`. */
export function firewallRules({ nat, fragments }: RouterPlan): string {
  const isHidden = nat !== undefined;
  return `table ip laboratory {
    chain block {
    }
    ${chain("whole", "filter hook prerouting priority -450", fragments === "blocked" ? noFragments : [])}
    ${chain("input", "filter hook input priority 0", isHidden ? onlyAnswers : [])}
    ${chain("forward", "filter hook forward priority 0", [
      "jump block",
      ...(isHidden ? onlyAnswers : []),
    ])}
    ${chain("intercept", "nat hook prerouting priority -100", [])}
    ${chain("translate", "nat hook postrouting priority 100", translation[nat ?? "none"])}
  }`;
}

/** Rules without which an early packet would claim the port that its answer needs. */
const onlyAnswers = [
  `iifname ${uplinkDevice} ct state established,related accept`,
  `iifname ${uplinkDevice} drop`,
] as const;

/** Rules that drop fragments before address translation reassembles them. */
const noFragments = ["ip frag-off & 0x3fff != 0 drop"] as const;

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
