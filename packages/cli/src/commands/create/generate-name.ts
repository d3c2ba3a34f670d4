const qualities = (
  "amber brave calm clear coral crisp early fleet gentle golden keen light " +
  "lucky mellow nimble north quick quiet ready silver steady swift tidal warm"
).split(" ");
const vessels = (
  "barge brig canoe clipper cutter dinghy ferry frigate galley junk kayak ketch " +
  "launch lugger packet pilot pinnace punt raft schooner skiff sloop tender yawl"
).split(" ");

/** Generates a name for a workspace: `swift-ketch-407`. */
export function generateName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string =>
    words[Math.floor(random() * words.length)] ?? "ship";
  return `${pick(qualities)}-${pick(vessels)}-${Math.floor(100 + random() * 900)}`;
}
