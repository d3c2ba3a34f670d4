const adjectives = [
  "amber",
  "bold",
  "brisk",
  "calm",
  "clever",
  "coral",
  "crisp",
  "deft",
  "fair",
  "fleet",
  "gentle",
  "golden",
  "hardy",
  "jolly",
  "keen",
  "light",
  "lucid",
  "mellow",
  "nimble",
  "proud",
  "quick",
  "quiet",
  "sharp",
  "silver",
  "steady",
  "sunny",
  "swift",
  "tidy",
  "vivid",
  "warm",
  "witty",
  "young",
] as const;
const nouns = [
  "anchor",
  "beacon",
  "bow",
  "brig",
  "buoy",
  "canoe",
  "clipper",
  "cutter",
  "deck",
  "dock",
  "ferry",
  "frigate",
  "gull",
  "harbor",
  "helm",
  "hull",
  "jib",
  "keel",
  "lagoon",
  "ketch",
  "mast",
  "pier",
  "pilot",
  "raft",
  "reef",
  "rudder",
  "sail",
  "schooner",
  "sloop",
  "tide",
  "tiller",
  "wharf",
] as const;

/** Returns a name for a new workspace. `random` returns whole numbers below its argument. */
export function suggestedName(random: (below: number) => number): string {
  return [adjectives, nouns].map((list) => list[random(list.length)] ?? "").join("-");
}

/** Returns a random whole number below a small one, without the need of a secure context. */
export function randomBelow(below: number): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value % below;
}
