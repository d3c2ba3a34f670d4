import { distance } from "fastest-levenshtein";

/** Returns the candidate of which `word` is most likely a typo; undefined if none is close. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.slice(0, maxWord).toLowerCase();
  const limit = Math.max(1, Math.floor(typed.length / 3));
  let best: { readonly candidate: string; readonly mistakes: number } | undefined;
  for (const candidate of candidates.slice(0, maxCandidates)) {
    const mistakes = mistakesBetween(typed, candidate.toLowerCase());
    if (mistakes <= limit && (best === undefined || mistakes < best.mistakes)) {
      best = { candidate, mistakes };
    }
  }
  return best?.candidate;
}

/** Returns a suffix for a message such as ``; did you mean `scripts`?``; empty without a suggestion. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = suggest(word, candidates);
  return candidate === undefined ? "" : `; did you mean \`${candidate}\`?`;
}

const maxWord = 64;
const maxCandidates = 200;

/** Counts the letters that were added, dropped or mistaken; two swapped letters, as in `nmae`, count as one mistake. */
function mistakesBetween(typed: string, candidate: string): number {
  const edits = distance(typed, candidate);
  return edits === 2 && isSwap(typed, candidate) ? 1 : edits;
}

function isSwap(typed: string, candidate: string): boolean {
  const at = typed.split("").findIndex((letter, index) => letter !== candidate[index]);
  const swapped = typed.charAt(at + 1) + typed.charAt(at);
  return candidate === typed.slice(0, at) + swapped + typed.slice(at + 2);
}
