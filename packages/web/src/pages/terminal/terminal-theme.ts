import type { ITheme } from "@xterm/xterm";

/** The colors of programs, with enough contrast on the background of each theme. */
const light: ITheme = {
  background: "#ffffff",
  foreground: "#171b20",
  cursor: "#0b6a75",
  cursorAccent: "#ffffff",
  selectionBackground: "#bfe3e6",
  black: "#171b20",
  red: "#b3261e",
  green: "#156c3a",
  yellow: "#875300",
  blue: "#1a56b0",
  magenta: "#8a2f8f",
  cyan: "#0b6a75",
  white: "#5c6670",
  brightBlack: "#5c6670",
  brightRed: "#c4352c",
  brightGreen: "#1a7f45",
  brightYellow: "#96600b",
  brightBlue: "#2465c4",
  brightMagenta: "#9c3fa1",
  brightCyan: "#0e7883",
  brightWhite: "#171b20",
};

const dark: ITheme = {
  background: "#0d1013",
  foreground: "#e9edf1",
  cursor: "#4cc3cf",
  cursorAccent: "#0d1013",
  selectionBackground: "#1d4a52",
  black: "#3a434d",
  red: "#ff8a80",
  green: "#5cc98a",
  yellow: "#e5b054",
  blue: "#7fb0f5",
  magenta: "#d99be0",
  cyan: "#4cc3cf",
  white: "#d5dbe1",
  brightBlack: "#939ea9",
  brightRed: "#ffa79f",
  brightGreen: "#83dba7",
  brightYellow: "#f0c981",
  brightBlue: "#a5c8f9",
  brightMagenta: "#e6bbeb",
  brightCyan: "#7fd6df",
  brightWhite: "#ffffff",
};

/** Returns the colors of a terminal for the theme of the page. */
export function terminalTheme(isDark: boolean): ITheme {
  return isDark ? dark : light;
}
