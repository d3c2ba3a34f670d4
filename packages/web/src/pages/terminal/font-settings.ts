import { useEffect, useState, useSyncExternalStore } from "react";

/** The font of terminals in this browser. */
export interface FontSettings {
  readonly family: string;
  readonly size: number;
}

/** The families that can be chosen, by their labels; each falls back on the browser's own monospaced font. */
export const fontFamilies: Readonly<Record<string, string>> = {
  "JetBrains Mono": '"JetBrains Mono Variable", ui-monospace, monospace',
  System: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  "Courier New": '"Courier New", Courier, monospace',
};
export const fontSizes = [11, 12, 13, 14, 15, 16, 18, 20, 24] as const;

const storageKey = "slipway-terminal-font";
const defaults: FontSettings = { family: "JetBrains Mono", size: 13 };
const listeners = new Set<() => void>();
let current = parseFont(localStorage.getItem(storageKey));

/** Reads stored settings; what is not one of the choices becomes the default. */
function parseFont(stored: string | null): FontSettings {
  const [family = "", size = ""] = (stored ?? "").split("|");
  return {
    family: Object.hasOwn(fontFamilies, family) ? family : defaults.family,
    size: fontSizes.find((one) => String(one) === size) ?? defaults.size,
  };
}

export function setFont(settings: FontSettings): void {
  current = settings;
  localStorage.setItem(storageKey, `${settings.family}|${settings.size}`);
  for (const listener of listeners) listener();
}

export function useFont(): FontSettings {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** The time for the font to load; after it the terminal opens with another. */
const loadTimeoutMs = 2_000;

/** Returns whether the font can be measured: a terminal computes its cells when it opens. */
export function useFontsReady(): boolean {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const done = (): void => setReady(true);
    const timer = setTimeout(done, loadTimeoutMs);
    const faces = ["", "bold "].map((weight) =>
      document.fonts.load(`${weight}13px ${fontFamilies[defaults.family] ?? ""}`),
    );
    void Promise.allSettled(faces).then(done);
    return () => clearTimeout(timer);
  }, []);
  return isReady;
}
