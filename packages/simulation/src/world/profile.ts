import { Random } from "@slipway/testkit/random";

/** The hazards of worlds. Each world has some of them. */
export const hazards = [
  "replica-crash",
  "agent-crash",
  "cut",
  "half-open",
  "buffering-proxy",
  "hint-loss",
  "no-hints",
  "hint-doubling",
  "listener-loss",
  "database-cut",
  "slow",
  "clock-skew",
  "build-failure",
  "build-cancel",
  "compute-replaced",
  "user-builds",
  "admin-builds",
  "invalidation",
  "new-version",
  "hanging-stop-script",
] as const;
export type Hazard = (typeof hazards)[number];

/** The kind of world that a seed determines. */
export interface Profile {
  readonly replicas: number;
  readonly users: number;
  readonly agentNames: readonly string[];
  readonly claimsAtOnce: boolean;
  /** True if a start leaves running machines alone. */
  readonly keepsCompute: boolean;
  readonly desiredInstances: number;
  /** The age at which prebuilds expire, in milliseconds; 0 for never. */
  readonly expireAfterMs: number;
  readonly hazards: ReadonlySet<Hazard>;
  /** The duration of faults and of users' actions, in milliseconds. */
  readonly chaosMs: number;
  /** The basis of the agents' decisions; a planted bug sets its own. */
  readonly agentKind: "identity" | "frames";
}

/** The conditions under which a planted bug shows, and those that would hide it. */
export interface ProfileRequirements {
  readonly with?: readonly Hazard[];
  readonly without?: readonly Hazard[];
  readonly claimsAtOnce?: boolean;
  readonly keepsCompute?: boolean;
  readonly agentNames?: readonly string[];
  readonly replicas?: number;
  /** True for many users and few prebuilds. */
  readonly isCrowded?: boolean;
  /** True if prebuilds expire. */
  readonly expires?: boolean;
}

/** The share of worlds with agents like Coder's. */
const framesShare = 0.3;

/** Returns the profile of a seed's world. */
export function profileOf(seed: number, requirements: ProfileRequirements = {}): Profile {
  // A separate generator from that of the steps, or a requirement would change them all.
  const random = new Random(seed ^ 0x5eed);
  const drawn = hazards.filter(() => random.chance(0.4));
  const chosen = new Set([...drawn, ...(requirements.with ?? [])]);
  for (const hazard of requirements.without ?? []) chosen.delete(hazard);
  const drawnProfile = {
    replicas: 1 + random.below(3),
    users: 2 + random.below(3),
    agentNames: random.chance(0.3) ? ["main", "gpu"] : ["main"],
    claimsAtOnce: random.chance(0.6),
    desiredInstances: 1 + random.below(3),
    chaosMs: 60_000 + random.below(120_000),
  };
  const expires = random.chance(0.3);
  const expireAfterMs = 40_000 + random.below(60_000);
  const agentKind = random.chance(framesShare) ? "frames" : "identity";
  return {
    ...drawnProfile,
    hazards: chosen,
    replicas: requirements.replicas ?? drawnProfile.replicas,
    users: requirements.isCrowded ? 8 : drawnProfile.users,
    agentNames: requirements.agentNames ?? drawnProfile.agentNames,
    claimsAtOnce: requirements.claimsAtOnce ?? drawnProfile.claimsAtOnce,
    keepsCompute: requirements.keepsCompute ?? false,
    expireAfterMs: (requirements.expires ?? expires) ? expireAfterMs : 0,
    agentKind,
  };
}
