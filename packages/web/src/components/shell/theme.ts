import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const storageKey = "slipway-theme";
const listeners = new Set<() => void>();

function isTheme(value: string | null): value is Theme {
  return value === "system" || value === "light" || value === "dark";
}

function readTheme(): Theme {
  const stored = localStorage.getItem(storageKey);
  return isTheme(stored) ? stored : "system";
}

/**
 * Applies the stored theme to the page, also when another tab changes it. Call it before the first render, so that no
 * other theme flashes.
 */
export function startTheme(): void {
  applyTheme();
  globalThis.addEventListener("storage", changeTheme);
}

function applyTheme(): void {
  const theme = readTheme();
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(storageKey, theme);
  changeTheme();
}

function changeTheme(): void {
  applyTheme();
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** Returns whether the page is dark: by its theme, or by the system's if it follows that. */
export function useIsDark(): boolean {
  const theme = useTheme();
  const isSystemDark = useSyncExternalStore(
    (listener) => {
      prefersDark.addEventListener("change", listener);
      return () => prefersDark.removeEventListener("change", listener);
    },
    () => prefersDark.matches,
  );
  return theme === "system" ? isSystemDark : theme === "dark";
}
